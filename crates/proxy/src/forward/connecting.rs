//! Connections to endpoints, and streams of those that carry many requests.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::carrier::Carrier;
use super::failure::Failure;
use super::http2::{Http2Connection, Http2Settings, Http2Stream};
use super::patience::Patience;
use super::pool::Pool;
use super::unconnected::Unconnected;
use super::upstream::UpstreamConnection;
use crate::dial::{self, Dial, Socket};
use crate::worker::Worker;

/// A connection to the pool's endpoint.
pub(super) async fn connect(
    worker: &Worker,
    pool: &Pool,
    patience: &mut Patience,
    read: bool,
) -> Result<Carrier, Failure> {
    let connecting = dial(pool.address(), pool.dial().cloned(), worker.limits.connect_time);
    let made = patience.within(read, connecting).await.map_err(Failure::Time)?;
    let counted = made.map(|socket| {
        let buffer = pool.dial().and_then(|dial| dial.connections().buffer_bytes);
        Carrier::Http1(UpstreamConnection::new(socket, buffer, pool.era()))
    });
    count(worker, counted)
}

/// A stream to the pool's endpoint: of a connection that there is, else of a new one.
pub(super) async fn stream(
    worker: &Rc<Worker>,
    pool: &Pool,
    settings: Http2Settings,
    patience: &mut Patience,
    read: bool,
) -> Result<Carrier, Failure> {
    loop {
        if let Some(connection) = pool.http2.take() {
            return Ok(Carrier::Http2(Box::new(Http2Stream::new(connection, Rc::clone(worker)))));
        }
        let (address, how, time) = (pool.address(), pool.dial().cloned(), worker.limits.connect_time);
        let mine = Rc::clone(worker);
        let connecting = pool.http2.connect(async move {
            let made = dial(address, how, time).await;
            let _ = count(&mine, made.as_ref().map(drop).map_err(|reason| *reason));
            Http2Connection::open(made?, settings, &mine).await.map_err(|_| Unconnected::Ended)
        });
        patience.within(read, connecting).await.map_err(Failure::Time)?.map_err(Failure::Connect)?;
    }
}

/// A socket, or the reason why there is none.
async fn dial(address: SocketAddr, how: Option<Arc<Dial>>, time: Duration) -> Result<Socket, Unconnected> {
    let own = how.as_ref().and_then(|how| how.connections().connect_timeout);
    let time = own.map_or(time, |own| own.0);
    let Ok(made) = tokio::time::timeout(time, dial::connect(address, how.as_deref())).await else {
        return Err(Unconnected::TimedOut);
    };
    made.map_err(Unconnected::from)
}

/// Counts a connection, or that there is none.
fn count<T>(worker: &Worker, made: Result<T, Unconnected>) -> Result<T, Failure> {
    match &made {
        Ok(_) => worker.counters.upstream_connections_total.add(1),
        Err(_) => worker.counters.upstream_connect_failures.add(1),
    }
    made.map_err(Failure::Connect)
}
