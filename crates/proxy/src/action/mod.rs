//! What is done with a request once its route is known, compiled so that nothing is parsed or looked up by name.

mod redirect;
mod sticky;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serin_api::proxy::{Action, Forward, Route, Target};

pub(crate) use redirect::CompiledRedirect;
use sticky::{Draw, Sticky};

use crate::compile::{DestinationHandle, Destinations};
use crate::error::CompileError;
use crate::metrics::Registry;
use crate::policy::CompiledHeaderChanges;

/// A compiled action.
#[derive(Debug)]
pub(crate) enum CompiledAction {
    /// To the only target.
    Single(CompiledTarget),
    /// To one of the targets, by weight.
    Weighted(Box<WeightedTargets>),
    /// To the cluster that this header names.
    ClusterHeader(Box<HeaderName>),
    Redirect(Box<CompiledRedirect>),
    Respond(Box<FixedResponse>),
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum CompiledTarget {
    /// An endpoint of the destination with this number. `scope` is what it is counted under.
    Destination {
        number: u32,
        scope: u32,
    },
    Respond(Box<FixedResponse>),
}

/// A response that is always the same.
#[derive(Debug)]
pub(crate) struct FixedResponse {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Targets, each with the sum of the weights up to and with its own.
#[derive(Debug)]
pub(crate) struct WeightedTargets {
    targets: Vec<(u64, CompiledTarget, Option<Arc<CompiledHeaderChanges>>)>,
    total: u64,
    sticky: Option<Sticky>,
}

/// What was drawn for a request.
pub(crate) struct Drawn<'t> {
    pub(crate) target: &'t CompiledTarget,
    /// How it changes headers.
    pub(crate) headers: Option<&'t Arc<CompiledHeaderChanges>>,
    /// The cookie that the response must set.
    pub(crate) cookie: Option<HeaderValue>,
}

impl WeightedTargets {
    /// The target for a request with these headers.
    pub(crate) fn draw(&self, headers: &HeaderMap, random: &mut fastrand::Rng) -> Option<Drawn<'_>> {
        let draw = self.sticky.as_ref().map_or(Draw::Any, |sticky| sticky.draw(headers, self.total, random));
        let (drawn, cookie) = match draw {
            Draw::At(drawn) => (drawn, None),
            Draw::New(drawn, cookie) => (drawn, Some(cookie)),
            Draw::Any => (random.u64(..self.total), None),
        };
        let place = self.targets.partition_point(|(up_to, ..)| *up_to <= drawn);
        self.targets.get(place).map(|(_, target, headers)| Drawn { target, headers: headers.as_ref(), cookie })
    }
}

impl CompiledAction {
    /// Compiles the action of a route on `listener`. The destinations that it names are added to `used`.
    pub(crate) fn new(
        route: &Route,
        listener: &Arc<str>,
        destinations: &mut Destinations,
        registry: &Registry,
        used: &mut Vec<DestinationHandle>,
    ) -> Result<Self, CompileError> {
        Ok(match &route.action {
            Action::Forward(Forward::Weighted(targets)) => {
                let mut compiled = Vec::with_capacity(targets.len());
                let mut total = 0_u64;
                for target in targets.iter().filter(|target| target.weight > 0) {
                    total += u64::from(target.weight);
                    let headers = target.headers.as_deref().map(CompiledHeaderChanges::new).transpose()?.map(Arc::new);
                    let target = match &target.target {
                        Target::Cluster { cluster, subset } => {
                            let destination = destinations.handle(cluster, subset);
                            let number = destination.number();
                            used.push(destination);
                            let scope = registry.scope(listener, &route.name, cluster.as_str());
                            CompiledTarget::Destination { number, scope }
                        }
                        Target::DirectResponse { status, body } => {
                            CompiledTarget::Respond(Box::new(FixedResponse::new(*status, body)?))
                        }
                    };
                    compiled.push((total, target, headers));
                }
                match compiled.pop() {
                    None => return Err(CompileError::NoWeight),
                    Some((_, only, None)) if compiled.is_empty() => Self::Single(only),
                    Some(last) => {
                        compiled.push(last);
                        let sticky = route.stickiness.as_deref().map(Sticky::new);
                        Self::Weighted(Box::new(WeightedTargets { targets: compiled, total, sticky }))
                    }
                }
            }
            Action::Forward(Forward::ClusterHeader(name)) => Self::ClusterHeader(Box::new(
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| CompileError::ClusterHeader(name.clone()))?,
            )),
            Action::Redirect(redirect) => Self::Redirect(Box::new(CompiledRedirect::new(redirect)?)),
            Action::DirectResponse { status, body } => Self::Respond(Box::new(FixedResponse::new(*status, body)?)),
        })
    }
}

impl FixedResponse {
    fn new(status: u16, body: &str) -> Result<Self, CompileError> {
        Ok(Self { status: self::status(status)?, body: Bytes::copy_from_slice(body.as_bytes()) })
    }
}

/// A status that may end an exchange: 1xx would leave the client waiting.
fn status(status: u16) -> Result<StatusCode, CompileError> {
    StatusCode::from_u16(status).ok().filter(|_| (200..600).contains(&status)).ok_or(CompileError::Status(status))
}

/// No labels: the whole cluster.
pub(crate) static WHOLE: BTreeMap<String, String> = BTreeMap::new();
