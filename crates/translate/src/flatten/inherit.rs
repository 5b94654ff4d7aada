//! What a route takes over from the route that delegates to its table: conditions, and the path.

use std::borrow::Cow;

use serin_api::gateway::Matcher;

use super::Parent;
use crate::compile::Compiled;
use crate::matcher::{self, PathState};

/// Whether and what a route takes over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inherits {
    /// Headers, methods and query parameters.
    pub(super) conditions: bool,
    /// Path and case sensitivity.
    pub(super) path: bool,
    /// Whether there is anybody to take it from.
    from_somebody: bool,
}

impl Inherits {
    /// As the route says, else as its parent does, else not.
    pub(super) fn of(route: &Compiled<'_>, parent: Option<&Parent<'_>>) -> Self {
        Self {
            conditions: route
                .written
                .inheritable_matchers
                .unwrap_or(parent.is_some_and(|parent| parent.inherits_conditions)),
            path: route.written.inheritable_path_matchers.unwrap_or(parent.is_some_and(|parent| parent.inherits_path)),
            from_somebody: parent.is_some(),
        }
    }

    /// Whether the route's matchers change.
    pub(super) fn anything(self) -> bool {
        self.from_somebody && (self.conditions || self.path)
    }

    /// Whether the route's own paths do not count.
    pub(super) fn overrides_path(self) -> bool {
        self.from_somebody && self.path
    }
}

/// A matcher with what was handed down to it.
pub(super) struct Handed<'h> {
    pub(super) matcher: Cow<'h, Matcher>,
    pub(super) path: PathState,
    pub(super) conditions_hold: bool,
}

impl Handed<'_> {
    /// The matcher, if the requests it means can still be told from others although something in it is at fault.
    pub(super) fn still_matches(&self) -> Option<Matcher> {
        if !self.conditions_hold || self.path == PathState::Unusable {
            return None;
        }
        let mut matcher = self.matcher.clone().into_owned();
        if self.path == PathState::Missing {
            // Its conditions alone still tell its requests; without any it would hide everything after it.
            if matcher.headers.is_empty() && matcher.query_parameters.is_empty() && matcher.methods.is_empty() {
                return None;
            }
            matcher.prefix = Some("/".to_owned());
        }
        Some(matcher)
    }
}

/// The matchers of a route, with what its parent hands down.
pub(super) fn matchers<'h>(
    route: &'h Compiled<'_>,
    parent: Option<&'h Parent<'_>>,
    inherits: Inherits,
) -> Vec<Handed<'h>> {
    let mut handed: Vec<Handed<'h>> = route
        .matchers
        .iter()
        .map(|checked| Handed {
            matcher: Cow::Borrowed(checked.matcher),
            path: checked.path,
            conditions_hold: checked.conditions_hold,
        })
        .collect();
    if handed.is_empty() {
        handed.push(Handed {
            matcher: Cow::Owned(matcher::everything()),
            path: PathState::Fine,
            conditions_hold: true,
        });
    }
    let Some(parent) = parent else { return handed };
    for handed in &mut handed {
        if inherits.path {
            matcher::take_path(handed.matcher.to_mut(), parent.matcher);
            handed.path = PathState::Fine;
        }
        if inherits.conditions {
            let own = handed.matcher.to_mut();
            own.headers.splice(0..0, parent.matcher.headers.iter().cloned());
            own.methods.splice(0..0, parent.matcher.methods.iter().cloned());
            own.query_parameters.splice(0..0, parent.matcher.query_parameters.iter().cloned());
            handed.conditions_hold &= parent.conditions_hold;
        }
    }
    handed
}
