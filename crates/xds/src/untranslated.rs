//! Fields of the API that Serin's own data plane serves and that Envoys are not told of.

/// A field that Envoys are not told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untranslated {
    /// The message that has it, by the name that Gloo's API gives it.
    pub message: &'static str,
    /// The field. Everything in it is meant too.
    pub field: &'static str,
    /// What Envoys do instead.
    pub instead: &'static str,
}

/// All of them, by message and field.
pub const UNTRANSLATED: &[Untranslated] = &[Untranslated {
    message: "HealthCheck2",
    field: "alwaysLogHealthCheckFailures",
    instead: "they log no health checks",
}];
