//! Faults that a route makes on purpose, before a request goes anywhere.

use http::StatusCode;
use serin_api::ResponseFlag;
use tokio::time::sleep;

use super::exchange::Exchange;

/// Holds the request up, if it is to be; then the status to answer it with, if it is not to be forwarded.
pub(super) async fn make(exchange: &mut Exchange) -> Option<StatusCode> {
    let faults = exchange.policy.as_ref()?.faults()?;
    let delay = faults.delay(&mut exchange.worker.random.borrow_mut());
    if let Some(delay) = delay {
        // No longer than the request may take.
        sleep(exchange.time_left().map_or(delay, |left| delay.min(left))).await;
        if let Some(record) = exchange.record() {
            record.flags.add(ResponseFlag::DelayInjected);
        }
    }
    exchange.policy.as_ref()?.faults()?.abort(&mut exchange.worker.random.borrow_mut())
}
