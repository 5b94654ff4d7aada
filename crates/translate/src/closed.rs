//! Never open: what asks for authentication or authorisation that cannot be given answers 403.

use serin_api::asks_for_auth;
use serin_api::gloo::SettingsSpec;
use serin_api::proxy::{Action, Route, Target};

use crate::options::Options;

/// The status of everything that is closed.
const STATUS: u16 = 403;
/// The body of everything that is closed.
const BODY: &str = "This route asks for authentication, which Serin does not do yet, so it is closed.\n";

/// Whether options ask for authentication or authorisation. `levels` go from the outermost to the innermost.
pub(crate) fn asks(settings: Option<&SettingsSpec>, levels: &[Option<&Options>]) -> bool {
    !asks_for_auth(settings, levels.iter().copied().flatten()).is_empty()
}

/// Whether a field is one that closes what it is set on.
pub(crate) fn is_field(field: &str) -> bool {
    matches!(field, "extauth" | "jwt" | "jwtStaged" | "jwtProvidersStaged" | "rbac" | "extensions")
}

/// What a closed route does.
pub(crate) fn action() -> Action {
    Action::DirectResponse { status: STATUS, body: BODY.to_owned() }
}

/// What takes the place of a closed destination among several.
pub(crate) fn target() -> Target {
    Target::DirectResponse { status: STATUS, body: BODY.to_owned() }
}

/// Whether a route is closed.
pub(crate) fn is_closed(route: &Route) -> bool {
    matches!(&route.action, Action::DirectResponse { status: STATUS, body } if body == BODY)
}
