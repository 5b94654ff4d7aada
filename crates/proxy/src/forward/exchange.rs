//! One request and its response, from the first header to the last byte: counted once, when it is over, however it ends.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderValue, Version};

use super::changes::SavedRequest;
use super::switch::Switch;
use crate::access_log::{End, Outcome, Record};
use crate::balance::ActiveRequest;
use crate::metrics::NO_VERSION;
use crate::policy::{CompiledHeaderChanges, CompiledPolicy};
use crate::worker::{ConnectionState, Worker};

/// A request that is being answered. It ends when this is dropped.
pub(crate) struct Exchange {
    pub(crate) worker: Rc<Worker>,
    pub(crate) connection: Rc<ConnectionState>,
    begun: Instant,
    /// What it is counted under.
    pub(crate) scope: u32,
    /// Which version answered.
    pub(crate) version: u32,
    /// The status that was sent; 0 when the client left before there was one.
    pub(crate) status: u16,
    /// The options of its route.
    pub(crate) policy: Option<Arc<CompiledPolicy>>,
    /// What the client speaks.
    pub(crate) protocol: Version,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Where it is in flight.
    pub(crate) active: Option<ActiveRequest>,
    /// Apart, because an exchange changes hands often and few have any of it.
    notes: Option<Box<Notes>>,
}

/// What is remembered of some requests until their responses.
#[derive(Default)]
pub(crate) struct Notes {
    /// The cookie that the response must set, so that the client comes back to the same side.
    pub(crate) sticky_cookie: Option<HeaderValue>,
    /// How the destination that was drawn changes headers.
    pub(crate) target_headers: Option<Arc<CompiledHeaderChanges>>,
    /// How many tries it took, where the client is to be told; 0 when there was none.
    pub(crate) attempts: u32,
    /// The origin of the page that may read the response.
    pub(crate) origin: Option<HeaderValue>,
    /// Cookies that an upstream's response must set, so that the client comes back to the same endpoint.
    pub(crate) hash_cookies: Vec<HeaderValue>,
    /// How long it may take from beginning to end.
    pub(crate) lifetime: Option<Duration>,
    /// The request, where its response's headers are made of it.
    pub(crate) request: Option<SavedRequest>,
    /// Whether it is one of gRPC, to be answered in its words.
    pub(crate) grpc: bool,
    /// The client, where proxies in front of this one tell who it is.
    pub(crate) client: Option<IpAddr>,
    /// That it goes on in another protocol, where it asks for one.
    pub(crate) switch: Option<Switch>,
    /// For the access logs, where there are any.
    pub(crate) record: Option<Box<Record>>,
}

impl Exchange {
    pub(crate) fn begin(worker: Rc<Worker>, connection: Rc<ConnectionState>, scope: u32) -> Self {
        connection.begin_request();
        Self {
            worker,
            connection,
            begun: Instant::now(),
            scope,
            version: NO_VERSION,
            status: 0,
            policy: None,
            protocol: Version::HTTP_11,
            outcome: Outcome::default(),
            active: None,
            notes: None,
        }
    }

    /// Who asks: whoever connected, or whom the proxies tell of that the listener believes. Their port is not known: 0.
    pub(crate) fn client(&self) -> SocketAddr {
        match self.notes().and_then(|notes| notes.client) {
            Some(client) => SocketAddr::new(client, 0),
            None => SocketAddr::new(self.connection.peer, self.connection.peer_port),
        }
    }

    /// How long ago it began.
    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// How much is left of the time that it may take from beginning to end.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        Some(self.notes.as_ref()?.lifetime?.saturating_sub(self.age()))
    }

    /// What is remembered, if anything is.
    pub(crate) fn notes(&self) -> Option<&Notes> {
        self.notes.as_deref()
    }

    /// Where something is to be remembered.
    pub(crate) fn note(&mut self) -> &mut Notes {
        self.notes.get_or_insert_default()
    }

    /// What is remembered for the access logs.
    pub(crate) fn record(&mut self) -> Option<&mut Record> {
        self.notes.as_mut()?.record.as_deref_mut()
    }

    /// The cookie that the response must set.
    pub(crate) fn take_sticky_cookie(&mut self) -> Option<HeaderValue> {
        self.notes.as_mut()?.sticky_cookie.take()
    }

    /// Takes the cookies that an upstream's response must set.
    pub(crate) fn take_hash_cookies(&mut self) -> Vec<HeaderValue> {
        self.notes.as_mut().map(|notes| std::mem::take(&mut notes.hash_cookies)).unwrap_or_default()
    }

    /// Takes what is remembered for the access logs.
    pub(crate) fn take_record(&mut self) -> Option<Box<Record>> {
        self.notes.as_mut()?.record.take()
    }

    #[cold]
    fn log(&self, record: &Record) {
        let labels = self.worker.registry.labels_of(self.scope);
        let end = End {
            status: self.status,
            outcome: if self.status == 0 { Outcome::ClientLeft } else { self.outcome },
            took: self.age(),
            route: labels.as_ref().map_or("", |labels| &labels.route),
            cluster: labels.as_ref().map_or("", |labels| &labels.upstream),
            connection: &self.connection,
        };
        self.worker.counters.access_log_dropped.add(record.write(&end));
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(record) = self.take_record() {
            self.log(&record);
        }
        let series = self.worker.series(self.scope, self.version);
        self.worker.counters.observe(series, self.status, self.begun.elapsed());
        self.connection.end_request(self.worker.now());
    }
}
