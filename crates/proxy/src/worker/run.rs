//! A worker's thread: takes commands, accepts connections, keeps the time.

use std::io;
use std::net::TcpListener as StdListener;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use futures::FutureExt;
use rustc_hash::FxHashMap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use super::connection::serve;
use super::deadlines::TICK;
use super::{ConnectionState, Ending, LocalDestination, LocalListener, Worker, ticks};
use crate::Limits;
use crate::balance::Destination;
use crate::compile::Table;
use crate::metrics::{Registry, WorkerCounters};
use crate::tls::TlsTable;

/// Ticks between two sweeps over connections and pools.
const SWEEP_EVERY: u64 = 10;
/// How long accepting rests when the system has no more file descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// What a worker is told.
pub(crate) enum Command {
    /// Accept connections on `socket`, speak TLS if `tls` says how, and serve `table`.
    Open { listener: u64, socket: StdListener, table: Arc<Table>, tls: Option<Arc<TlsTable>> },
    /// Serve `table` from now on, new connections as `tls` says.
    Serve { listener: u64, table: Arc<Table>, tls: Option<Arc<TlsTable>> },
    /// Stop accepting; connections end when what is in flight is done, at the latest after `within`.
    Close { listener: u64, within: Duration },
    /// Destinations that changed, by number.
    Destinations(Arc<Vec<(u32, Option<Arc<Destination>>)>>),
    /// Say when everything before has been done.
    Acknowledge(SyncSender<()>),
    /// Finish what is in flight within this time, then end the thread.
    Drain { within: Duration, done: oneshot::Sender<()> },
}

/// How a worker is reached.
#[derive(Debug)]
pub(crate) struct WorkerHandle {
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    pub(crate) counters: Arc<WorkerCounters>,
}

/// Starts worker `number`.
pub(crate) fn start(number: usize, limits: Limits, registry: Arc<Registry>) -> io::Result<WorkerHandle> {
    let (commands, receiver) = mpsc::unbounded_channel();
    let counters = Arc::new(WorkerCounters::new(limits.metric_series));
    let theirs = Arc::clone(&counters);
    let (report, started) = std::sync::mpsc::sync_channel(1);
    std::thread::Builder::new().name(format!("serin-worker-{number}")).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let _ = report.send(Ok(()));
                runtime
            }
            Err(error) => {
                let _ = report.send(Err(error));
                return;
            }
        };
        let worker = Rc::new(Worker::new(limits, theirs, registry));
        tokio::task::LocalSet::new().block_on(&runtime, run(worker, receiver));
    })?;
    started.recv().map_err(io::Error::other)??;
    Ok(WorkerHandle { commands, counters })
}

async fn run(worker: Rc<Worker>, mut commands: mpsc::UnboundedReceiver<Command>) {
    let mut listeners: FxHashMap<u64, Rc<LocalListener>> = FxHashMap::default();
    let begun = Instant::now();
    let mut ticker = tokio::time::interval(TICK);
    ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut swept = 0;
    let mut drain: Option<(Instant, oneshot::Sender<()>)> = None;
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command {
                None => return,
                Some(Command::Drain { within, done }) => {
                    worker.draining.set(true);
                    for (_, listener) in listeners.drain() {
                        listener.accepting.take();
                    }
                    // What the kernel accepted already is taken over before connections are told to end.
                    tokio::task::yield_now().await;
                    worker.drain_connections(|_| true);
                    drain = Some((Instant::now() + within, done));
                }
                Some(command) => worker.obey(command, &mut listeners),
            },
            _ = ticker.tick() => {
                let now = ticks(begun.elapsed());
                worker.deadlines.advance(now);
                if now >= swept + SWEEP_EVERY {
                    swept = now;
                    worker.sweep(now);
                }
            }
        }
        if let Some((deadline, _)) = &drain
            && (worker.connections.borrow().is_empty() || Instant::now() >= *deadline)
        {
            worker.end_connections(|_| true, Ending::Now);
            if let Some((_, done)) = drain.take() {
                let _ = done.send(());
            }
            return;
        }
    }
}

impl Worker {
    fn obey(self: &Rc<Self>, command: Command, listeners: &mut FxHashMap<u64, Rc<LocalListener>>) {
        match command {
            Command::Open { listener, socket, table, tls } => match TcpListener::from_std(socket) {
                Ok(socket) => {
                    let port = socket.local_addr().map_or(0, |address| address.port());
                    let (accepting, closed) = oneshot::channel();
                    let local = Rc::new(LocalListener::new(&self.limits, table, tls, port, accepting));
                    listeners.insert(listener, Rc::clone(&local));
                    tokio::task::spawn_local(accept(Rc::clone(self), local, socket, closed));
                }
                Err(error) => tracing::error!(%error, "a worker cannot poll a listening socket"),
            },
            Command::Serve { listener, table, tls } => {
                if let Some(listener) = listeners.get(&listener) {
                    listener.swap(&self.limits, table, tls);
                }
            }
            Command::Close { listener, within } => {
                if let Some(listener) = listeners.remove(&listener) {
                    listener.accepting.take();
                    let worker = Rc::clone(self);
                    tokio::task::spawn_local(async move {
                        tokio::task::yield_now().await;
                        let its = |state: &ConnectionState| Rc::ptr_eq(&state.listener, &listener);
                        worker.drain_connections(its);
                        tokio::time::sleep(within).await;
                        worker.end_connections(its, Ending::Now);
                    });
                }
            }
            Command::Destinations(changes) => {
                let mut destinations = self.destinations.borrow_mut();
                for (number, destination) in changes.iter() {
                    let number = *number as usize;
                    if destinations.len() <= number {
                        destinations.resize_with(number + 1, || None);
                    }
                    let cursor = match &destinations[number] {
                        Some(old) => old.cursor(),
                        // Workers begin at different places, lest all send their first requests to one endpoint.
                        None => self.random.borrow_mut().usize(..1 << 16),
                    };
                    let made = destination.as_ref().map(|destination| {
                        let pools = destination.candidates.iter().map(|candidate| self.pool(candidate)).collect();
                        Rc::new(LocalDestination::new(Arc::clone(destination), pools, cursor))
                    });
                    if let (Some(old), Some(new)) = (&destinations[number], &made) {
                        new.take_over(old);
                    }
                    destinations[number] = made;
                }
            }
            Command::Acknowledge(done) => {
                let _ = done.try_send(());
            }
            Command::Drain { .. } => {}
        }
    }

    fn end_connections(&self, whose: impl Fn(&ConnectionState) -> bool, ending: Ending) {
        let connections: Vec<_> = self.connections.borrow().iter().map(|(_, state)| Rc::clone(state)).collect();
        connections.iter().filter(|state| whose(state)).for_each(|state| state.end(ending));
    }

    fn drain_connections(&self, whose: impl Fn(&ConnectionState) -> bool) {
        let connections: Vec<_> = self.connections.borrow().iter().map(|(_, state)| Rc::clone(state)).collect();
        connections.iter().filter(|state| whose(state)).for_each(|state| state.drain(self.now()));
    }

    fn sweep(&self, now: u64) {
        for (_, state) in self.connections.borrow().iter() {
            state.sweep(now);
        }
        let idle = ticks(self.limits.idle_upstream_time);
        self.pools.borrow_mut().retain(|_, pool| {
            pool.sweep(now, idle);
            // Held by a destination, or by a request in flight, besides this map.
            Rc::strong_count(pool) > 1
        });
    }

    /// Serves a new connection in a task of its own; whatever happens there stays there.
    fn admit(self: &Rc<Self>, listener: &Rc<LocalListener>, stream: TcpStream, peer: std::net::SocketAddr) {
        if self.connections.borrow().len() >= self.limits.connections_per_worker {
            self.counters.connections_refused.add(1);
            return;
        }
        let state = Rc::new(ConnectionState::new(Rc::clone(listener), peer, stream.local_addr().ok(), self.now()));
        let key = self.connections.borrow_mut().insert(Rc::clone(&state));
        self.counters.connections_total.add(1);
        self.counters.connections.add(1);
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let served = AssertUnwindSafe(serve(Rc::clone(&worker), state, stream)).catch_unwind().await;
            worker.connections.borrow_mut().try_remove(key);
            worker.counters.connections.sub(1);
            if served.is_err() {
                worker.counters.panics.add(1);
                tracing::error!("a connection was lost to a defect in the data plane");
            }
        });
    }
}

/// Accepts until `closed`; then takes what the kernel has accepted already, so that no client is turned away.
async fn accept(
    worker: Rc<Worker>,
    listener: Rc<LocalListener>,
    socket: TcpListener,
    mut closed: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            biased;
            _ = &mut closed => break,
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => worker.admit(&listener, stream, peer),
                // The client left before it was accepted: nothing to do. Else the system is short of something.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            },
        }
    }
    while let Some(Ok((stream, peer))) = socket.accept().now_or_never() {
        worker.admit(&listener, stream, peer);
    }
}
