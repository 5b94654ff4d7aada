//! Tries: an endpoint is picked, connected to and sent the request, as often as it takes and the route allows.

use std::rc::Rc;
use std::time::Duration;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::body::Body;
use super::carrier::Carrier;
use super::changes::ATTEMPT_COUNT;
use super::connecting::{connect, stream};
use super::exchange::Exchange;
use super::failure::{Failure, failed};
use super::gate;
use super::outgoing::Outgoing;
use super::patience::{Patience, TimeLimit};
use super::pool::Pool;
use super::retry::{Outcome, Retrying};
use super::witness::witness;
use super::{deliver, reply, switch};
use crate::access_log::Outcome as Ended;
use crate::balance::{Aim, Candidate, Overflow};
use crate::http1::ResponseHead;
use crate::policy::NoResponse;
use crate::worker::{LocalDestination, Worker};

/// Times that a request is sent without the route asking for it: only what sent nothing, or nothing that matters, is
/// sent again.
const ATTEMPTS: usize = 3;

/// The tries of one request.
struct Tries<'d> {
    worker: Rc<Worker>,
    destination: &'d LocalDestination,
    patience: Patience,
    retrying: Option<Retrying>,
    aim: Aim,
    /// Those that the route did not ask for.
    made: usize,
    /// Whether an idle connection will not do.
    fresh: bool,
    /// Whether a connection is all that is wanted of the endpoint.
    ends_here: bool,
}

/// Sends the request to an endpoint of `destination` and passes the response on. `parts` is what is left of the request
/// beside `outgoing`. `hash`: what chooses the endpoint, where one does. `switches`: it asks for another protocol.
pub(super) async fn run(
    mut exchange: Exchange,
    destination: &LocalDestination,
    mut outgoing: Outgoing,
    parts: Parts,
    hash: Option<u64>,
    switches: bool,
) -> Response<Body> {
    let to_head = parts.method == Method::HEAD;
    let mut headers = parts.headers;
    let ends_here = parts.method == Method::CONNECT && switch::ends_here(&exchange);
    let mut tries = Tries { ends_here, ..Tries::new(&exchange, destination, hash, switches) };
    loop {
        tries.tell_attempt(&mut exchange, &mut outgoing);
        let Some((candidate, pool)) = tries.pick() else {
            exchange.outcome = Ended::NoHealthyUpstream;
            return reply::text(exchange, StatusCode::SERVICE_UNAVAILABLE, reply::NO_HEALTHY_UPSTREAM);
        };
        exchange.version = candidate.version;
        exchange.active = Some(candidate.state.begin());
        let after = exchange.age();
        if let Some(record) = exchange.record() {
            record.sent_to(pool.address(), candidate.hostname.as_ref(), after);
        }
        if let Some(name) = &candidate.hostname
            && exchange.policy.as_ref().is_some_and(|policy| policy.takes_endpoints_name())
        {
            outgoing.set_header(&HOST, name);
        }
        let tried = tries.make(pool, outgoing, to_head, std::mem::take(&mut headers)).await;
        if candidate.state.tally.is_judged() {
            witness(&candidate.state.tally, &tried);
        }
        if let Some(record) = exchange.record() {
            match &tried {
                Ok((_, upstream)) => record.spoken(upstream.is_http2(), || upstream.tls()),
                Err((Failure::Connect(_) | Failure::Overflow, _)) => {}
                Err(_) => record.spoken(pool.dial().is_some_and(|dial| dial.http2().is_some()), || None),
            }
        }
        let (wait, again) = match tried {
            Ok((head, mut upstream)) => match tries.after_response(&head, &mut upstream, pool) {
                None => {
                    tries.tell_end(&mut exchange);
                    upstream.forget_replay();
                    return deliver(exchange, head, upstream, Rc::clone(pool), tries.patience.into_deadline());
                }
                Some(again) => {
                    headers = head.headers;
                    // A response that is not here already is not waited for: its connection is given up.
                    if upstream.begin_body(head.body).is_some() {
                        pool.put(upstream, &tries.worker);
                    }
                    again
                }
            },
            Err((failure, request)) => {
                if let (Some(record), Some(request)) = (exchange.record(), &request) {
                    record.received = request.received();
                }
                match tries.after_failure(&failure, request, pool) {
                    None => {
                        tries.tell_end(&mut exchange);
                        return failed(exchange, &failure, tries.attempt());
                    }
                    Some(again) => again,
                }
            }
        };
        outgoing = again.rewound();
        exchange.active = None;
        tries.worker.counters.upstream_retries.add(1);
        if !wait.is_zero()
            && let Err(limit) = tries.patience.rest(wait, outgoing.is_read()).await
        {
            return failed(exchange, &Failure::Time(limit), tries.attempt());
        }
    }
}

impl<'d> Tries<'d> {
    fn new(exchange: &Exchange, destination: &'d LocalDestination, hash: Option<u64>, switches: bool) -> Self {
        let worker = Rc::clone(&exchange.worker);
        let policy = exchange.policy.as_deref();
        let stream_idle = exchange.connection.stream_idle();
        let patience = Patience::new(&worker, policy, stream_idle).bounded(exchange);
        let retrying = Retrying::new(policy);
        let aim = Aim { hash, tried: 0 };
        Self { worker, destination, patience, retrying, aim, made: 0, fresh: switches, ends_here: false }
    }

    /// Which try this is, of those that the route asked for.
    fn attempt(&self) -> u32 {
        self.retrying.as_ref().map_or(1, Retrying::attempt)
    }

    /// Tells upstream and client which try this is, where they are to know.
    fn tell_attempt(&self, exchange: &mut Exchange, outgoing: &mut Outgoing) {
        let Some(policy) = exchange.policy.as_ref() else { return };
        let (to_upstream, to_client) = (policy.attempts_in_request(), policy.attempts_in_response());
        let attempt = self.attempt();
        // The header changes have had the first one.
        if to_upstream && attempt > 1 {
            outgoing.set_header(&ATTEMPT_COUNT, &HeaderValue::from(attempt));
        }
        if to_client {
            exchange.note().attempts = attempt;
        }
    }

    /// Tells the access logs why there is no further try, where the route asks for one.
    fn tell_end(&self, exchange: &mut Exchange) {
        if let Some(flag) = self.retrying.as_ref().and_then(Retrying::given_up)
            && let Some(record) = exchange.record()
        {
            record.flags.add(flag);
        }
    }

    fn pick(&self) -> Option<(&'d Candidate, &'d Rc<Pool>)> {
        let random = &mut self.worker.random.borrow_mut();
        match self.retrying.as_ref().map(Retrying::tried) {
            None | Some([]) => self.destination.pick(self.aim, random),
            Some(tried) => self.destination.pick_other(self.aim, random, tried),
        }
    }

    /// One try. When it comes to nothing, here is why, and the request.
    async fn make(
        &mut self,
        pool: &Pool,
        outgoing: Outgoing,
        to_head: bool,
        headers: HeaderMap,
    ) -> Result<(ResponseHead, Carrier), (Failure, Option<Outgoing>)> {
        self.made += 1;
        self.patience.begin_try();
        let http2 = pool.dial().and_then(|dial| dial.http2()).filter(|_| !self.ends_here);
        let read = outgoing.is_read();
        let made = match (self.destination.breakers(), http2) {
            (Some(breakers), None) => {
                gate::connection(breakers, &self.worker, pool, &mut self.patience, self.fresh, read).await
            }
            (Some(breakers), Some(settings)) => match breakers.request() {
                Ok(slot) => {
                    let made = stream(&self.worker, pool, settings, &mut self.patience, read).await;
                    made.map(|carrier| carrier.holding(slot))
                }
                Err(Overflow) => Err(Failure::Overflow),
            },
            (None, None) => match if self.fresh { None } else { pool.take() } {
                Some(connection) => Ok(Carrier::Http1(connection)),
                None => connect(&self.worker, pool, &mut self.patience, read).await,
            },
            (None, Some(settings)) => stream(&self.worker, pool, settings, &mut self.patience, read).await,
        };
        let mut upstream = match made {
            Ok(upstream) => upstream,
            Err(failure) => return Err((failure, Some(outgoing))),
        };
        if self.ends_here {
            return Ok((switch::connected(headers), upstream));
        }
        match upstream.send(outgoing, to_head, headers, &mut self.patience).await {
            Ok(head) if has_too_many_headers(pool, &head) => Err((Failure::Protocol, upstream.take_request())),
            Ok(head) => Ok((head, upstream)),
            Err(error) => {
                // A connection that was idle may be closed by the upstream at the moment it is used; others may be as
                // stale, so that what is sent again gets a connection of its own.
                self.fresh |= upstream.reused();
                Err((error.into(), upstream.take_request()))
            }
        }
    }

    /// Whether the request is to be sent again in spite of a response: after how long, and the request.
    fn after_response(
        &mut self,
        head: &ResponseHead,
        upstream: &mut Carrier,
        pool: &Pool,
    ) -> Option<(Duration, Outgoing)> {
        let retrying = self.retrying.as_mut()?;
        if !upstream.request().is_some_and(Outgoing::may_be_replayed) {
            return None;
        }
        let wait = retrying.again(&Outcome::Response(head), pool.address(), self.destination, &self.worker)?;
        self.aim.tried += 1;
        Some((wait, upstream.take_request()?))
    }

    /// Whether a request that got no response is to be sent again: after how long, and the request.
    fn after_failure(
        &mut self,
        failure: &Failure,
        request: Option<Outgoing>,
        pool: &Pool,
    ) -> Option<(Duration, Outgoing)> {
        let request = request?;
        let anew = match failure {
            Failure::Connect(_) => self.made < ATTEMPTS.min(self.destination.len()),
            Failure::Closed { stale: true } => self.made < ATTEMPTS && request.may_be_sent_again(),
            Failure::Unprocessed => self.made < ATTEMPTS && request.may_be_replayed(),
            _ => false,
        };
        if anew {
            self.aim.tried += usize::from(matches!(failure, Failure::Connect(_)));
            return Some((Duration::ZERO, request));
        }
        let retrying = self.retrying.as_mut().filter(|_| request.may_be_replayed())?;
        let outcome = Outcome::None(failure.no_response(&request)?);
        let wait = retrying.again(&outcome, pool.address(), self.destination, &self.worker)?;
        self.aim.tried += 1;
        Some((wait, request))
    }
}

impl Failure {
    /// What a retry policy is asked about; `None`: whatever it says, the request is over.
    fn no_response(&self, request: &Outgoing) -> Option<NoResponse> {
        let broken = NoResponse::Broken { sent: request.has_begun() };
        match self {
            Self::Connect(_) => Some(NoResponse::Unconnected),
            Self::Reset(reply::REMOTE_REFUSED) => Some(NoResponse::Refused { sent: request.has_begun() }),
            Self::Closed { .. } | Self::Unprocessed | Self::Reset(_) | Self::Protocol | Self::Time(TimeLimit::Try) => {
                Some(broken)
            }
            Self::Client | Self::Time(_) | Self::Overflow => None,
        }
    }
}

/// Whether a response has more headers than one of the pool's endpoint may have.
fn has_too_many_headers(pool: &Pool, head: &ResponseHead) -> bool {
    let most = pool.dial().and_then(|dial| dial.connections().max_headers);
    most.is_some_and(|most| head.headers.len() > most as usize)
}
