//! Which requests an access log has a line about, in Envoy's terms.

use envoy_types::pb::envoy::config::accesslog::v3::access_log_filter::FilterSpecifier;
use envoy_types::pb::envoy::config::accesslog::v3::comparison_filter::Op;
use envoy_types::pb::envoy::config::accesslog::v3::{
    AccessLogFilter, AndFilter, ComparisonFilter, DurationFilter, GrpcStatusFilter, HeaderFilter, NotHealthCheckFilter,
    OrFilter, ResponseFlagFilter, RuntimeFilter, StatusCodeFilter, TraceableFilter,
};
use envoy_types::pb::envoy::config::core::v3::RuntimeUInt32;
use envoy_types::pb::envoy::config::route::v3::HeaderMatcher;
use envoy_types::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher};
use envoy_types::pb::envoy::r#type::v3::fractional_percent::DenominatorType;
use envoy_types::pb::envoy::r#type::v3::{FractionalPercent, Int64Range};
use serin_api::gateway::ComparisonOp;
use serin_api::proxy::{LogComparison, LogFilter, LogHeaderTest, LogSample, LogValueTest};

use crate::protobuf::regex;

/// `filter`, in Envoy's terms.
pub(crate) fn envoy_filter(filter: &LogFilter) -> AccessLogFilter {
    let all = |filters: &[LogFilter]| filters.iter().map(envoy_filter).collect();
    let specifier = match filter {
        LogFilter::Status(by) => {
            FilterSpecifier::StatusCodeFilter(StatusCodeFilter { comparison: Some(comparison(by)) })
        }
        LogFilter::Duration(by) => FilterSpecifier::DurationFilter(DurationFilter { comparison: Some(comparison(by)) }),
        LogFilter::NotHealthCheck => FilterSpecifier::NotHealthCheckFilter(NotHealthCheckFilter {}),
        LogFilter::Traceable => FilterSpecifier::TraceableFilter(TraceableFilter {}),
        LogFilter::Sampled(share) => FilterSpecifier::RuntimeFilter(sample(share)),
        LogFilter::All(filters) => FilterSpecifier::AndFilter(AndFilter { filters: all(filters) }),
        LogFilter::Any(filters) => FilterSpecifier::OrFilter(OrFilter { filters: all(filters) }),
        LogFilter::Header(test) => FilterSpecifier::HeaderFilter(HeaderFilter { header: Some(header(test)) }),
        LogFilter::Flags(flags) => FilterSpecifier::ResponseFlagFilter(ResponseFlagFilter {
            flags: flags.iter().map(|flag| flag.letters().to_owned()).collect(),
        }),
        LogFilter::GrpcStatus { statuses, exclude } => FilterSpecifier::GrpcStatusFilter(GrpcStatusFilter {
            statuses: statuses.iter().filter_map(|status| i32::try_from(*status).ok()).collect(),
            exclude: *exclude,
        }),
    };
    AccessLogFilter { filter_specifier: Some(specifier) }
}

fn comparison(by: &LogComparison) -> ComparisonFilter {
    let LogComparison { op, value, runtime_key } = by;
    let op = match op {
        ComparisonOp::Equal => Op::Eq,
        ComparisonOp::AtLeast => Op::Ge,
        ComparisonOp::AtMost => Op::Le,
    };
    let value = RuntimeUInt32 { default_value: *value, runtime_key: runtime_key.clone() };
    ComparisonFilter { op: op.into(), value: Some(value) }
}

fn sample(share: &LogSample) -> RuntimeFilter {
    let LogSample { per_million, runtime_key, independent } = share;
    let percent = FractionalPercent { numerator: *per_million, denominator: DenominatorType::Million.into() };
    RuntimeFilter {
        runtime_key: runtime_key.clone(),
        percent_sampled: Some(percent),
        use_independent_randomness: *independent,
    }
}

fn header(test: &LogHeaderTest) -> HeaderMatcher {
    let LogHeaderTest { name, value, invert } = test;
    let string = |pattern| {
        let matcher = StringMatcher { match_pattern: Some(pattern), ..StringMatcher::default() };
        HeaderMatchSpecifier::StringMatch(matcher)
    };
    let specifier = match value {
        LogValueTest::Present => HeaderMatchSpecifier::PresentMatch(true),
        LogValueTest::Exact(value) => string(string_matcher::MatchPattern::Exact(value.clone())),
        LogValueTest::Regex(pattern) => string(string_matcher::MatchPattern::SafeRegex(regex(pattern))),
        LogValueTest::Range(start, end) => HeaderMatchSpecifier::RangeMatch(Int64Range { start: *start, end: *end }),
        LogValueTest::Prefix(prefix) => string(string_matcher::MatchPattern::Prefix(prefix.clone())),
        LogValueTest::Suffix(suffix) => string(string_matcher::MatchPattern::Suffix(suffix.clone())),
    };
    HeaderMatcher {
        name: name.clone(),
        header_match_specifier: Some(specifier),
        invert_match: *invert,
        ..HeaderMatcher::default()
    }
}
