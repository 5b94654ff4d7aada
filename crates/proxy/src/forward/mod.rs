//! From a request to its response: route it, then forward it or answer it.

mod attempt;
mod body;
mod buffer;
mod carrier;
mod changes;
mod connecting;
mod exchange;
mod failure;
mod faults;
mod gate;
mod grpc;
mod headers;
mod http2;
mod lifetime;
mod outgoing;
mod patience;
mod pool;
mod reply;
mod retry;
mod shadow;
mod strict;
mod switch;
mod tunnel;
mod unconnected;
mod upstream;
mod witness;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use http::header::{CONNECTION, SET_COOKIE, UPGRADE};
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use serin_api::proxy::RequestBuffer;

use crate::access_log::{Outcome, Record};
use crate::action::{CompiledAction, CompiledTarget};
use crate::front::Turned;
use crate::http1::ResponseHead;
use crate::policy::CorsRequest;
use crate::router::RequestView;
use crate::worker::{ConnectionState, Deadline, LocalTable, Worker};
use body::Body;
use carrier::Carrier;
use exchange::Exchange;
use outgoing::Outgoing;

pub(crate) use grpc::grpc_status;
pub use headers::{HostError, authority};
pub(crate) use http2::Http2Settings;
pub(crate) use pool::Pool;
pub(crate) use tunnel::Tunnel;
pub(crate) use unconnected::Unconnected;

/// What is done with a request, taken out of the configuration.
enum Decision {
    Destination {
        number: u32,
        scope: u32,
        prefix: Option<usize>,
    },
    /// To the cluster that a header names, and there is none.
    NoCluster,
    Respond {
        status: StatusCode,
        body: bytes::Bytes,
    },
    Redirect {
        status: StatusCode,
        location: HeaderValue,
    },
}

/// Answers a request.
pub(crate) async fn respond(
    worker: Rc<Worker>,
    connection: Rc<ConnectionState>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let table = connection.table();
    if table.hosts.strips_port() {
        headers::strip_port(&mut request);
    }
    // Before the header gets our own part.
    let client = table.front.client(request.headers());
    let received = table.front.receive(&mut request, &connection, &mut worker.random.borrow_mut());
    let mut exchange = Exchange::begin(worker, connection, table.unmatched);
    exchange.protocol = request.version();
    switch::receive(&mut exchange, &mut request);
    let last = exchange.connection.is_last() && request.version() <= Version::HTTP_11;
    exchange.connection.receives_body(!request.body().is_end_stream());
    if client.is_some() {
        exchange.note().client = client;
    }
    if let Some(logs) = &table.access_logs {
        let client = exchange.client();
        exchange.note().record = Some(Record::begin(Arc::clone(logs), &request, client));
    }
    if grpc::is_grpc(&request) && !switch::is_asked(&exchange) {
        exchange.note().grpc = true;
        if let Some(record) = exchange.record() {
            record.is_grpc = true;
        }
    }
    let connects = *request.method() == Method::CONNECT;
    let mut decision = match received {
        Ok(()) => decide(&mut exchange, &table, &request),
        Err(Turned::Refused) => Err((StatusCode::BAD_REQUEST, "")),
        Err(Turned::TooOld) => Err((StatusCode::UPGRADE_REQUIRED, "")),
        Err(Turned::Redirect(location)) => Ok(Decision::Redirect { status: StatusCode::TEMPORARY_REDIRECT, location }),
    };
    // A client would take it for an agreement.
    if let Ok(Decision::Respond { status, .. }) = &decision
        && (switch::would_agree(&exchange, *status) || connects && status.is_success())
    {
        decision = Err((StatusCode::FORBIDDEN, ""));
    }
    // HTTP/1.1's library leaves out the content of answers to HEAD itself.
    let bodiless = *request.method() == Method::HEAD && request.version() == Version::HTTP_2;
    let refused_tunnel = connects.then(|| Rc::clone(&exchange.connection));
    if !matches!(decision, Ok(Decision::Destination { .. } | Decision::NoCluster)) {
        changes::save(&mut exchange, &request);
    }
    exchange.outcome = match &decision {
        Ok(Decision::Destination { .. }) => Outcome::ViaUpstream,
        Ok(Decision::NoCluster) => Outcome::NoCluster,
        Ok(_) => Outcome::Direct,
        Err((StatusCode::NOT_FOUND, _)) => Outcome::NoRoute,
        Err(_) => Outcome::Refused,
    };
    let mut response = match decision {
        Err((status, text)) if refuses(status) => reply::refusal(exchange, status, text.into()),
        Err((status, text)) => reply::text(exchange, status, text),
        Ok(Decision::Respond { status, body }) => reply::fixed(exchange, status, body),
        Ok(Decision::Redirect { status, location }) => reply::redirect(exchange, status, location),
        Ok(Decision::Destination { number, scope, prefix }) => {
            exchange.scope = scope;
            // The table is held until the request has found its way, so that the destination's number stays its own.
            forward(exchange, request, Some(number), prefix).await
        }
        Ok(Decision::NoCluster) => forward(exchange, request, None, None).await,
    };
    if bodiless {
        response = body::without_content(response);
    }
    // What follows was meant for the tunnel.
    if let Some(connection) = refused_tunnel
        && !response.status().is_success()
    {
        reply::end_connection(&connection, &mut response);
    }
    table.front.send(response.headers_mut());
    let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS || connects && response.status().is_success();
    if last && !switched {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(mut record) = response.body_mut().exchange().and_then(Exchange::take_record) {
        record.keep_response(&response);
        if let Some(exchange) = response.body_mut().exchange() {
            exchange.note().record = Some(record);
        }
    }
    Ok(response)
}

/// Whether a status says that the request itself is at fault, or that what follows was meant for another protocol.
fn refuses(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::URI_TOO_LONG | StatusCode::FORBIDDEN | StatusCode::UPGRADE_REQUIRED
    )
}

/// Finds the route and says what it does with the request; an error is a status and a text.
fn decide(
    exchange: &mut Exchange,
    table: &LocalTable,
    request: &Request<Incoming>,
) -> Result<Decision, (StatusCode, &'static str)> {
    let uri = request.uri();
    let authority = authority(request).map_err(|_| (StatusCode::BAD_REQUEST, ""))?;
    strict::check(request, exchange.worker.limits.uri_bytes)?;
    let view = RequestView {
        method: request.method(),
        path: uri.path(),
        query: uri.query(),
        authority,
        scheme: table.front.scheme(request.headers(), &exchange.connection),
        headers: request.headers(),
    };
    let not_found = (StatusCode::NOT_FOUND, "");
    let host = table.hosts.find(authority.unwrap_or_default()).ok_or(not_found)?;
    let host = table.virtual_hosts.get(host as usize).ok_or(not_found)?;
    // A client certificate that was asked for by one name does not stand for the hosts behind another (RFC 9110, 15.5.20).
    if let Some(chain) = exchange.connection.chain()
        && !exchange.connection.listener.admits(chain, &host.source)
    {
        return Err((StatusCode::MISDIRECTED_REQUEST, ""));
    }
    let found = host.router.find(&view).ok_or(not_found)?;
    let route = host.routes.get(found.route as usize).ok_or(not_found)?;
    exchange.scope = route.scope;
    exchange.policy.clone_from(&route.policy);
    let prefix = found.prefix;

    let target = match &route.action {
        CompiledAction::Respond(_) | CompiledAction::Redirect(_) if switch::is_unknown(request) => {
            return Err((StatusCode::FORBIDDEN, ""));
        }
        CompiledAction::Respond(fixed) => {
            return Ok(Decision::Respond { status: fixed.status, body: fixed.body.clone() });
        }
        CompiledAction::Redirect(redirect) => {
            let location = redirect.location(&view, prefix).ok_or((StatusCode::BAD_REQUEST, ""))?;
            return Ok(Decision::Redirect { status: redirect.status, location });
        }
        _ if *request.method() == Method::CONNECT && !switch::may_connect(exchange, request) => {
            return Err((StatusCode::FORBIDDEN, ""));
        }
        CompiledAction::Single(target) => target,
        CompiledAction::Weighted(targets) => {
            let drawn = targets.draw(request.headers(), &mut exchange.worker.random.borrow_mut()).ok_or(not_found)?;
            if drawn.cookie.is_some() || drawn.headers.is_some() {
                let notes = exchange.note();
                (notes.sticky_cookie, notes.target_headers) = (drawn.cookie, drawn.headers.cloned());
            }
            drawn.target
        }
        CompiledAction::ClusterHeader(header) => {
            let name = request.headers().get(header.as_ref()).and_then(|name| name.to_str().ok());
            let Some((name, destination)) = name.and_then(|name| Some((name, table.clusters.get(name)?))) else {
                return Ok(Decision::NoCluster);
            };
            let route_name = host.names.get(found.route as usize).map_or("", |name| &**name);
            let scope =
                exchange.worker.header_scope(&table.listener, route_name, route.scope, destination.number(), name);
            return Ok(Decision::Destination { number: destination.number(), scope, prefix });
        }
    };
    Ok(match target {
        CompiledTarget::Destination { number, scope } => {
            Decision::Destination { number: *number, scope: *scope, prefix }
        }
        CompiledTarget::Respond(fixed) => Decision::Respond { status: fixed.status, body: fixed.body.clone() },
    })
}

/// Sends the request to an endpoint of the destination and passes the response on. `prefix`: how much of the path the
/// route's prefix covered; without a `number` there is no such destination.
async fn forward(
    mut exchange: Exchange,
    mut request: Request<Incoming>,
    number: Option<u32>,
    prefix: Option<usize>,
) -> Response<Body> {
    let worker = Rc::clone(&exchange.worker);
    let connects = *request.method() == Method::CONNECT;
    let upgrade = if connects { None } else { headers::upgrade(&request) };
    if upgrade.as_ref().is_some_and(|protocol| !switch::is_allowed(&exchange, protocol)) {
        exchange.outcome = Outcome::Refused;
        changes::save(&mut exchange, &request);
        return reply::refusal(exchange, StatusCode::FORBIDDEN, bytes::Bytes::new());
    }
    match exchange.policy.as_ref().and_then(|policy| policy.cors()).map(|cors| cors.look_at(&request)) {
        None | Some(CorsRequest::Plain) => {}
        Some(CorsRequest::Allowed(origin)) => exchange.note().origin = Some(origin),
        Some(CorsRequest::Preflight(headers)) => return reply::preflight(exchange, headers),
    }
    lifetime::begin(&mut exchange, request.headers_mut());
    if let Some(refused) = faults::make(&mut exchange).await {
        exchange.outcome = Outcome::FaultAborted;
        changes::save(&mut exchange, &request);
        return reply::text(exchange, refused, reply::FAULT);
    }
    let buffered = match exchange.policy.as_ref().and_then(|policy| policy.buffer()) {
        Some(RequestBuffer::Off) => None,
        Some(RequestBuffer::UpTo(limit)) => Some(limit.into()),
        None => exchange.connection.table().front.buffer().map(u64::from),
    };
    let buffered = buffered.filter(|_| !request.body().is_end_stream());
    let Some(destination) = number.and_then(|number| worker.destination(number)) else {
        changes::save(&mut exchange, &request);
        // One that is too long is refused wherever it would go.
        if let Some(limit) = buffered
            && let Err(refusal) = Box::pin(buffer::whole(&exchange, request, limit, None)).await
        {
            return refusal.answer(exchange);
        }
        let known = number.is_some();
        exchange.outcome = if known { Outcome::NoHealthyUpstream } else { Outcome::NoCluster };
        let text = if known { reply::NO_HEALTHY_UPSTREAM } else { "" };
        return reply::text(exchange, StatusCode::SERVICE_UNAVAILABLE, text);
    };
    // A request that is refused while it is held was not changed yet.
    let received = buffered.and_then(|_| changes::saved(&exchange, &request)).map(Box::new);
    let http2 = destination.speaks_http2().then(|| scheme(&exchange, &request));
    let switches = connects || upgrade.is_some();
    match upgrade.clone() {
        Some(protocol) => switch::prepare(&mut exchange, &mut request, protocol, destination.speaks_http2()),
        None if connects => switch::prepare_tunnel(&mut exchange),
        None => {}
    }
    headers::to_upstream(&mut request, upgrade);
    changes::request(&mut exchange, &mut request, prefix, destination.is_named());
    let hash = if destination.goes_by_hash() { hash(&mut exchange, &request) } else { None };
    if let Some(record) = exchange.record() {
        record.keep_request(request.headers());
        record.keep_path(request.uri().path_and_query().map_or("/", |path| path.as_str()));
    }
    // Only what the route may ask to be sent again is kept.
    let retries = exchange.policy.as_ref().is_some_and(|policy| policy.retries().is_some());
    let replay = if retries { worker.limits.replay_bytes } else { 0 };
    let (mut outgoing, parts) = match buffered {
        None => Outgoing::new(request, replay, http2),
        // Apart from the task, whose memory every request has.
        Some(limit) => match Box::pin(buffer::whole(&exchange, request, limit, http2)).await {
            Ok(made) => made,
            Err(refusal) => {
                if let Some(received) = received {
                    exchange.note().request = Some(*received);
                }
                return refusal.answer(exchange);
            }
        },
    };
    if destination.len() > 0 {
        shadow::begin(&exchange, &mut outgoing, &parts);
    }
    attempt::run(exchange, &destination, outgoing, parts, hash, switches).await
}

/// What the client spoke, as far as anybody tells who is believed.
fn scheme<B>(exchange: &Exchange, request: &Request<B>) -> Scheme {
    let connection = &exchange.connection;
    Scheme::try_from(connection.table().front.scheme(request.headers(), connection)).unwrap_or(Scheme::HTTP)
}

/// What brings the request to the same endpoint as others like it, where its route says so and it has some of that.
fn hash<B>(exchange: &mut Exchange, request: &Request<B>) -> Option<u64> {
    let made = exchange.policy.as_ref()?.hash()?.of(request, exchange.client());
    if !made.cookies.is_empty() {
        exchange.note().hash_cookies = made.cookies;
    }
    made.hash
}

/// Passes an upstream's response on.
fn deliver(
    mut exchange: Exchange,
    head: ResponseHead,
    mut upstream: Carrier,
    pool: Rc<Pool>,
    deadline: Option<Deadline>,
) -> Response<Body> {
    let mut response = Response::new(Body::none());
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    exchange.status = head.status.as_u16();
    let after = exchange.age();
    if let Some(record) = exchange.record() {
        record.answered(after);
        record.received = upstream.received();
    }
    let headers = response.headers_mut();
    let protocol = headers.get(UPGRADE).cloned();
    headers::to_client(headers);
    for cookie in exchange.take_hash_cookies() {
        headers.append(SET_COOKIE, cookie);
    }
    changes::response(&exchange, headers, head.status.as_u16());
    if let Some(cookie) = exchange.take_sticky_cookie() {
        headers.append(SET_COOKIE, cookie);
    }
    if switch::is_agreed(&exchange, &upstream, head.status) {
        return switch::agree(exchange, response, upstream, protocol);
    }
    if switch::would_agree(&exchange, head.status) {
        return switch::disagree(exchange);
    }
    *response.body_mut() = match upstream.begin_body(head.body) {
        Some(whole) => {
            pool.put(upstream, &exchange.worker);
            Body::full(whole, exchange)
        }
        None => Body::upstream(upstream, pool, deadline, exchange),
    };
    response
}
