//! What stands in for a part that is invalid, as the Settings say.

use serin_api::gloo::SettingsSpec;
use serin_api::proxy::{Action, Target};

/// The body of a replaced route where the Settings name none: Gloo's, with our own command.
pub(crate) const DEFAULT_BODY: &str =
    "Gloo Gateway has invalid configuration. Administrators should run `serin check` to find and fix config errors.";

/// What is served when part of the configuration is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPolicy {
    /// Replace each invalid part and let every other change take effect. Else the last good configuration is kept.
    pub replace: bool,
    /// The status of a replaced route.
    pub status: u16,
    /// The body of a replaced route.
    pub body: String,
}

impl Default for InvalidPolicy {
    fn default() -> Self {
        Self { replace: false, status: 404, body: DEFAULT_BODY.to_owned() }
    }
}

impl InvalidPolicy {
    /// What the Settings ask for; the error names the field that cannot be followed, and its default holds.
    pub(crate) fn from_settings(settings: &SettingsSpec) -> (Self, Option<(&'static str, String)>) {
        let mut policy = Self::default();
        let mut fault = None;
        if let Some(written) = settings.gloo.as_ref().and_then(|gloo| gloo.invalid_config_policy.as_ref()) {
            policy.replace = written.replace_invalid_routes;
            match written.invalid_route_response_code {
                None | Some(0) => {}
                Some(code) => match u16::try_from(code).ok().filter(|code| (200..600).contains(code)) {
                    Some(code) => policy.status = code,
                    None => {
                        fault = Some((
                            "spec.gloo.invalidConfigPolicy.invalidRouteResponseCode",
                            format!("{code} is no status code from 200 to 599; 404 is used"),
                        ));
                    }
                },
            }
            if let Some(body) = &written.invalid_route_response_body {
                policy.body.clone_from(body);
            }
        }
        (policy, fault)
    }

    /// What an invalid route does.
    pub(crate) fn action(&self) -> Action {
        Action::DirectResponse { status: self.status, body: self.body.clone() }
    }

    /// What takes the place of an invalid destination among several.
    pub(crate) fn target(&self) -> Target {
        Target::DirectResponse { status: self.status, body: self.body.clone() }
    }
}
