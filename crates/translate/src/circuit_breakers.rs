//! How much an Upstream may have under way: what it says itself or, where it says nothing, what Settings say for all.

use serin_api::gloo::CircuitBreakerConfig;
use serin_api::proxy::CircuitBreakers;

use crate::view::View;

/// What `own`, an Upstream's circuit breakers, come to. They replace those of Settings whole.
pub(crate) fn of(view: &View<'_>, own: Option<&CircuitBreakerConfig>) -> CircuitBreakers {
    let for_all = || view.settings?.spec.gloo.as_ref()?.circuit_breakers.as_ref();
    let Some(written) = own.or_else(for_all) else { return CircuitBreakers::default() };
    CircuitBreakers {
        connections: written.max_connections,
        pending: written.max_pending_requests,
        requests: written.max_requests,
        retries: written.max_retries,
    }
}
