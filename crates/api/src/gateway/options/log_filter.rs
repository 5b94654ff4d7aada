//! Which requests an access log has a line about.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::choices::choices;

/// Which requests have a line: exactly one of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLogFilter {
    /// Those with a certain status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code_filter: Option<ComparingFilter>,
    /// Those that took so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_filter: Option<ComparingFilter>,
    /// Those that are no health checks: all, as the gateway answers none itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_health_check_filter: Option<EmptyFilter>,
    /// Those that are traced: none, as long as nothing is traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceable_filter: Option<EmptyFilter>,
    /// A share of them, drawn by chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_filter: Option<RuntimeFilter>,
    /// Those that pass all of `filters`, a list of two or more filters like this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub and_filter: Option<NestedFilters>,
    /// Those that pass one of `filters`, a list of two or more filters like this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub or_filter: Option<NestedFilters>,
    /// Those with a certain header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_filter: Option<HeaderFilter>,
    /// Those that did not end well in a certain way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_flag_filter: Option<ResponseFlagFilter>,
    /// Those with a certain status of gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_status_filter: Option<GrpcStatusFilter>,
}

/// A filter that compares a number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ComparingFilter {
    /// How the number has to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<ComparisonFilter>,
}

/// How a number has to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ComparisonFilter {
    /// How it is compared with `value`.
    pub op: ComparisonOp,
    /// What it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<RuntimeNumber>,
}

choices! {
    /// How a number is compared.
    ComparisonOp {
        /// It is the same.
        #[default]
        Equal = "EQ",
        /// It is no less.
        AtLeast = "GE",
        /// It is no more.
        AtMost = "LE",
    }
}

/// A number that an Envoy's runtime can change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RuntimeNumber {
    /// The number.
    pub default_value: u32,
    /// By which key an Envoy's runtime has another one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub runtime_key: String,
}

/// Nothing more to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmptyFilter {}

/// A share of the requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RuntimeFilter {
    /// By which key an Envoy's runtime has another share.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub runtime_key: String,
    /// The share; none of them without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent_sampled: Option<FractionalPercent>,
    /// Draw for each request anew, instead of by its id.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub use_independent_randomness: bool,
}

/// So many of so many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct FractionalPercent {
    /// So many.
    pub numerator: u32,
    /// Of so many.
    pub denominator: FractionalDenominator,
}

choices! {
    /// Of how many.
    FractionalDenominator {
        /// Percent.
        #[default]
        Hundred = "HUNDRED",
        /// Hundredths of a percent.
        TenThousand = "TEN_THOUSAND",
        /// Millionths.
        Million = "MILLION",
    }
}

/// An object with a list `filters`, each of which is a filter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NestedFilters(pub Value);

impl JsonSchema for NestedFilters {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NestedFilters".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": {}})
    }
}

/// A test of a request's header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderFilter {
    /// The test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<LogHeaderMatcher>,
}

/// A test of a header: at most one of the matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogHeaderMatcher {
    /// The header's name; `:path`, `:method` and `:authority` are the request's own parts.
    pub name: String,
    /// Its value is this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact_match: Option<String>,
    /// This regular expression matches the whole of its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_regex_match: Option<LogRegexMatcher>,
    /// Its value is a whole number in this range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_match: Option<RangeMatch>,
    /// It is there (`true`), or not (`false`). It has to be there without any of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present_match: Option<bool>,
    /// Its value begins so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_match: Option<String>,
    /// Its value ends so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix_match: Option<String>,
    /// The request has a line where the test fails.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invert_match: bool,
}

/// A regular expression.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LogRegexMatcher {
    /// The expression, in RE2's syntax.
    pub regex: String,
}

/// Whole numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RangeMatch {
    /// The first.
    pub start: i64,
    /// Behind the last.
    pub end: i64,
}

/// A filter by response flags.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResponseFlagFilter {
    /// Flags, such as `UF` and `URX`: one of them is enough. Without any: every request that has one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// A filter by the status of gRPC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GrpcStatusFilter {
    /// One of these is enough. A request of HTTP has the one that its status stands for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<GrpcStatusName>,
    /// The others instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exclude: bool,
}

choices! {
    /// A status of gRPC.
    GrpcStatusName {
        /// 0.
        #[default]
        Ok = "OK",
        /// 1.
        Canceled = "CANCELED",
        /// 2.
        Unknown = "UNKNOWN",
        /// 3.
        InvalidArgument = "INVALID_ARGUMENT",
        /// 4.
        DeadlineExceeded = "DEADLINE_EXCEEDED",
        /// 5.
        NotFound = "NOT_FOUND",
        /// 6.
        AlreadyExists = "ALREADY_EXISTS",
        /// 7.
        PermissionDenied = "PERMISSION_DENIED",
        /// 8.
        ResourceExhausted = "RESOURCE_EXHAUSTED",
        /// 9.
        FailedPrecondition = "FAILED_PRECONDITION",
        /// 10.
        Aborted = "ABORTED",
        /// 11.
        OutOfRange = "OUT_OF_RANGE",
        /// 12.
        Unimplemented = "UNIMPLEMENTED",
        /// 13.
        Internal = "INTERNAL",
        /// 14.
        Unavailable = "UNAVAILABLE",
        /// 15.
        DataLoss = "DATA_LOSS",
        /// 16.
        Unauthenticated = "UNAUTHENTICATED",
    }
}
