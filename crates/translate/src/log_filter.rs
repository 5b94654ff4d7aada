//! Which requests an access log has a line about, read into the flattened model.

use serde::Deserialize;
use serin_api::ResponseFlag;
use serin_api::gateway::{
    AccessLogFilter, ComparingFilter, FractionalDenominator, FractionalPercent, GrpcStatusFilter, HeaderFilter,
    LogHeaderMatcher, NestedFilters, ResponseFlagFilter, RuntimeFilter,
};
use serin_api::proxy::{LogComparison, LogFilter, LogHeaderTest, LogSample, LogValueTest};

use crate::action::is_header_name;
use crate::pattern::check;

/// What is wrong with a filter: the field, and why.
type Fault = (String, String);

/// How deep filters may be in one another.
const DEPTH: usize = 8;

/// The field `andFilter` or `orFilter`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Nested {
    filters: Vec<AccessLogFilter>,
}

/// What `written`, at `path`, comes to.
pub(crate) fn of(written: &AccessLogFilter, path: &str) -> Result<LogFilter, Fault> {
    read(written, path, DEPTH)
}

fn read(written: &AccessLogFilter, path: &str, depth: usize) -> Result<LogFilter, Fault> {
    let AccessLogFilter {
        status_code_filter,
        duration_filter,
        not_health_check_filter,
        traceable_filter,
        runtime_filter,
        and_filter,
        or_filter,
        header_filter,
        response_flag_filter,
        grpc_status_filter,
    } = written;
    let at = |field: &str| format!("{path}.{field}");
    let all = [
        status_code_filter.as_ref().map(|it| comparison(it, &at("statusCodeFilter")).map(LogFilter::Status)),
        duration_filter.as_ref().map(|it| comparison(it, &at("durationFilter")).map(LogFilter::Duration)),
        not_health_check_filter.as_ref().map(|_| Ok(LogFilter::NotHealthCheck)),
        traceable_filter.as_ref().map(|_| Ok(LogFilter::Traceable)),
        runtime_filter.as_ref().map(|it| sample(it, &at("runtimeFilter"))),
        and_filter.as_ref().map(|it| nested(it, &at("andFilter"), depth).map(LogFilter::All)),
        or_filter.as_ref().map(|it| nested(it, &at("orFilter"), depth).map(LogFilter::Any)),
        header_filter.as_ref().map(|it| header(it, &at("headerFilter"))),
        response_flag_filter.as_ref().map(|it| flags(it, &at("responseFlagFilter"))),
        grpc_status_filter.as_ref().map(|it| Ok(grpc_status(it))),
    ];
    let mut found = all.into_iter().flatten();
    match (found.next(), found.next()) {
        (Some(filter), None) => filter,
        (None, _) => Err((path.to_owned(), "it is empty; write one, such as statusCodeFilter".to_owned())),
        (Some(_), Some(_)) => Err((
            path.to_owned(),
            "there are several filters; keep one, or put them into andFilter.filters or orFilter.filters".to_owned(),
        )),
    }
}

fn comparison(written: &ComparingFilter, path: &str) -> Result<LogComparison, Fault> {
    let Some(comparison) = &written.comparison else {
        return Err((format!("{path}.comparison"), "it is missing; write op and value".to_owned()));
    };
    let Some(value) = &comparison.value else {
        return Err((
            format!("{path}.comparison.value"),
            "it is missing; write {defaultValue: 400, runtimeKey: any-name}".to_owned(),
        ));
    };
    if value.runtime_key.is_empty() {
        let reason = "it is needed, though only an Envoy's runtime reads it; any name will do";
        return Err((format!("{path}.comparison.value.runtimeKey"), reason.to_owned()));
    }
    Ok(LogComparison { op: comparison.op, value: value.default_value, runtime_key: value.runtime_key.clone() })
}

fn sample(written: &RuntimeFilter, path: &str) -> Result<LogFilter, Fault> {
    let RuntimeFilter { runtime_key, percent_sampled, use_independent_randomness } = written;
    if runtime_key.is_empty() {
        let reason = "it is needed, though only an Envoy's runtime reads it; any name will do";
        return Err((format!("{path}.runtimeKey"), reason.to_owned()));
    }
    let FractionalPercent { numerator, denominator } = percent_sampled.clone().unwrap_or_default();
    let unit = match denominator {
        FractionalDenominator::Hundred => 10_000,
        FractionalDenominator::TenThousand => 100,
        FractionalDenominator::Million => 1,
    };
    let per_million = numerator.saturating_mul(unit);
    if per_million > 1_000_000 {
        return Err((format!("{path}.percentSampled.numerator"), "it is more than the denominator".to_owned()));
    }
    Ok(LogFilter::Sampled(LogSample {
        per_million,
        runtime_key: runtime_key.clone(),
        independent: *use_independent_randomness,
    }))
}

fn nested(written: &NestedFilters, path: &str, depth: usize) -> Result<Vec<LogFilter>, Fault> {
    let path = format!("{path}.filters");
    if depth == 0 {
        return Err((path, format!("filters are more than {DEPTH} deep in one another; write them with fewer")));
    }
    let nested: Nested = serde_path_to_error::deserialize(&written.0).map_err(|error| {
        let field = error.path().to_string();
        let at =
            field.strip_prefix("filters").map_or_else(|| format!("{path}.{field}"), |rest| format!("{path}{rest}"));
        (at, serin_api::plain_words(&error.inner().to_string()))
    })?;
    if nested.filters.len() < 2 {
        return Err((path, "two filters are needed at least; one alone needs no andFilter or orFilter".to_owned()));
    }
    let read = |(at, filter): (usize, &AccessLogFilter)| read(filter, &format!("{path}[{at}]"), depth - 1);
    nested.filters.iter().enumerate().map(read).collect()
}

fn header(written: &HeaderFilter, path: &str) -> Result<LogFilter, Fault> {
    let path = format!("{path}.header");
    let Some(matcher) = &written.header else {
        return Err((path, "it is missing; write name and one of the matches".to_owned()));
    };
    let LogHeaderMatcher {
        name,
        exact_match,
        safe_regex_match,
        range_match,
        present_match,
        prefix_match,
        suffix_match,
        invert_match,
    } = matcher;
    if !is_header_name(name.strip_prefix(':').unwrap_or(name)) {
        return Err((format!("{path}.name"), format!("{name:?} is not a header name")));
    }
    if let Some(pattern) = safe_regex_match
        && let Err(reason) = check(&pattern.regex)
    {
        return Err((format!("{path}.safeRegexMatch.regex"), reason));
    }
    let mut tests = [
        exact_match.clone().map(LogValueTest::Exact),
        safe_regex_match.clone().map(|pattern| LogValueTest::Regex(pattern.regex)),
        range_match.clone().map(|range| LogValueTest::Range(range.start, range.end)),
        present_match.map(|_| LogValueTest::Present),
        prefix_match.clone().map(LogValueTest::Prefix),
        suffix_match.clone().map(LogValueTest::Suffix),
    ]
    .into_iter()
    .flatten();
    let value = tests.next().unwrap_or(LogValueTest::Present);
    if tests.next().is_some() {
        return Err((path, "there are several matches; keep one".to_owned()));
    }
    let invert = *invert_match != (*present_match == Some(false));
    Ok(LogFilter::Header(LogHeaderTest { name: name.to_ascii_lowercase(), value, invert }))
}

fn flags(written: &ResponseFlagFilter, path: &str) -> Result<LogFilter, Fault> {
    let read = |(at, letters): (usize, &String)| {
        ResponseFlag::from_letters(letters).ok_or_else(|| {
            let known: Vec<_> = ResponseFlag::all().map(ResponseFlag::letters).collect();
            let reason = format!("{letters:?} is not a response flag; there are {}", known.join(", "));
            (format!("{path}.flags[{at}]"), reason)
        })
    };
    Ok(LogFilter::Flags(written.flags.iter().enumerate().map(read).collect::<Result<_, _>>()?))
}

fn grpc_status(written: &GrpcStatusFilter) -> LogFilter {
    let statuses = written.statuses.iter().map(|status| *status as u32).collect();
    LogFilter::GrpcStatus { statuses, exclude: written.exclude }
}
