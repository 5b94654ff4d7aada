//! Which requests an access log has a line about.

use serde::{Deserialize, Serialize};

use crate::ResponseFlag;
use crate::gateway::ComparisonOp;

/// Which requests have a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogFilter {
    /// Those with such a status.
    Status(LogComparison),
    /// Those that took so many milliseconds.
    Duration(LogComparison),
    /// Those that are no health checks.
    NotHealthCheck,
    /// Those that are traced.
    Traceable,
    /// A share of them.
    Sampled(LogSample),
    /// Those that pass all of these.
    All(Vec<LogFilter>),
    /// Those that pass one of these.
    Any(Vec<LogFilter>),
    /// Those with such a header.
    Header(LogHeaderTest),
    /// Those with one of these flags; with any, where this is empty.
    Flags(Vec<ResponseFlag>),
    /// Those with one of these statuses of gRPC, or with another.
    GrpcStatus {
        /// The statuses, by number.
        statuses: Vec<u32>,
        /// Whether the others are meant.
        exclude: bool,
    },
}

/// A comparison with a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogComparison {
    /// How.
    pub op: ComparisonOp,
    /// With what.
    pub value: u32,
    /// By which key an Envoy's runtime has another number.
    pub runtime_key: String,
}

/// A share of requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogSample {
    /// So many of a million.
    pub per_million: u32,
    /// By which key an Envoy's runtime has another share.
    pub runtime_key: String,
    /// Whether each request is drawn anew.
    pub independent: bool,
}

/// A test of a request's header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogHeaderTest {
    /// The header, in lower case.
    pub name: String,
    /// How its value has to be.
    pub value: LogValueTest,
    /// Whether it has to be otherwise.
    pub invert: bool,
}

/// A test of a header's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogValueTest {
    /// There is one.
    Present,
    /// It is this.
    Exact(String),
    /// This regular expression matches the whole of it.
    Regex(String),
    /// It is a whole number from the first to before the second.
    Range(i64, i64),
    /// It begins so.
    Prefix(String),
    /// It ends so.
    Suffix(String),
}
