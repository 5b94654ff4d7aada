//! Which requests have a line.

use http::HeaderValue;
use serin_api::gateway::ComparisonOp;
use serin_api::proxy::{LogComparison, LogFilter, LogHeaderTest, LogSample, LogValueTest};
use serin_api::{HeaderSource, Operator, ResponseFlag};

use super::record::Record;
use super::value::of_request;
use super::{End, Names, grpc};
use crate::router::{Pattern, PatternError};

/// A compiled [`LogFilter`].
#[derive(Debug)]
pub(super) enum Filter {
    Status(ComparisonOp, u64),
    Duration(ComparisonOp, u64),
    Constant(bool),
    Sampled(u32),
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Header { source: HeaderSource, test: Test, invert: bool },
    Flags(Vec<ResponseFlag>),
    GrpcStatus { statuses: Vec<u32>, exclude: bool },
}

/// A compiled [`LogValueTest`].
#[derive(Debug)]
pub(super) enum Test {
    Present,
    Exact(String),
    Regex(Pattern),
    Range(i64, i64),
    Prefix(String),
    Suffix(String),
}

impl Filter {
    /// Compiles `filter`, and adds the headers that it names to `names`.
    ///
    /// # Errors
    /// When it has an expression that is none.
    pub(super) fn new(filter: &LogFilter, names: &mut Names) -> Result<Self, PatternError> {
        let mut all = |filters: &[LogFilter]| -> Result<Vec<Self>, PatternError> {
            filters.iter().map(|filter| Self::new(filter, names)).collect()
        };
        Ok(match filter {
            LogFilter::Status(LogComparison { op, value, .. }) => Self::Status(*op, (*value).into()),
            LogFilter::Duration(LogComparison { op, value, .. }) => Self::Duration(*op, (*value).into()),
            // We answer no health checks ourselves.
            LogFilter::NotHealthCheck => Self::Constant(true),
            // Nothing is traced.
            LogFilter::Traceable => Self::Constant(false),
            LogFilter::Sampled(LogSample { per_million, .. }) => Self::Sampled(*per_million),
            LogFilter::All(filters) => Self::All(all(filters)?),
            LogFilter::Any(filters) => Self::Any(all(filters)?),
            LogFilter::Header(LogHeaderTest { name, value, invert }) => {
                let source = HeaderSource { name: name.clone(), or: None };
                names.add(&Operator::RequestHeader(source.clone()));
                Self::Header { source, test: Test::new(value)?, invert: *invert }
            }
            LogFilter::Flags(flags) => Self::Flags(flags.clone()),
            LogFilter::GrpcStatus { statuses, exclude } => {
                names.add_grpc_status();
                Self::GrpcStatus { statuses: statuses.clone(), exclude: *exclude }
            }
        })
    }

    /// Whether the request has a line.
    pub(super) fn passes(&self, record: &Record, end: &End<'_>) -> bool {
        match self {
            Self::Status(op, value) => compare(*op, end.status.into(), *value),
            Self::Duration(op, value) => compare(*op, u64::try_from(end.took.as_millis()).unwrap_or(u64::MAX), *value),
            Self::Constant(truth) => *truth,
            Self::Sampled(per_million) => fastrand::u32(..1_000_000) < *per_million,
            Self::All(filters) => filters.iter().all(|filter| filter.passes(record, end)),
            Self::Any(filters) => filters.iter().any(|filter| filter.passes(record, end)),
            // A header that is missing fails every test of its value, inverted or not (Envoy).
            Self::Header { source, test, invert } => match (test, of_request(source, record)) {
                (Test::Present, value) => value.is_some() != *invert,
                (_, None) => false,
                (test, Some(value)) => test.holds(value) != *invert,
            },
            Self::Flags(flags) => {
                let all = record.flags.with(end.outcome.flag());
                if flags.is_empty() { !all.is_empty() } else { flags.iter().any(|flag| all.contains(*flag)) }
            }
            Self::GrpcStatus { statuses, exclude } => statuses.contains(&grpc::status(record, end)) != *exclude,
        }
    }
}

impl Test {
    fn new(test: &LogValueTest) -> Result<Self, PatternError> {
        Ok(match test {
            LogValueTest::Present => Self::Present,
            LogValueTest::Exact(value) => Self::Exact(value.clone()),
            LogValueTest::Regex(pattern) => Self::Regex(Pattern::new(pattern)?),
            LogValueTest::Range(start, end) => Self::Range(*start, *end),
            LogValueTest::Prefix(prefix) => Self::Prefix(prefix.clone()),
            LogValueTest::Suffix(suffix) => Self::Suffix(suffix.clone()),
        })
    }

    fn holds(&self, value: &HeaderValue) -> bool {
        let bytes = value.as_bytes();
        match self {
            Self::Present => true,
            Self::Exact(expected) => expected.as_bytes() == bytes,
            Self::Regex(pattern) => pattern.matches(bytes),
            Self::Range(start, end) => {
                let number = value.to_str().ok().and_then(|text| text.parse::<i64>().ok());
                number.is_some_and(|number| (*start..*end).contains(&number))
            }
            Self::Prefix(prefix) => bytes.starts_with(prefix.as_bytes()),
            Self::Suffix(suffix) => bytes.ends_with(suffix.as_bytes()),
        }
    }
}

fn compare(op: ComparisonOp, number: u64, with: u64) -> bool {
    match op {
        ComparisonOp::Equal => number == with,
        ComparisonOp::AtLeast => number >= with,
        ComparisonOp::AtMost => number <= with,
    }
}
