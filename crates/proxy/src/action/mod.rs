//! What is done with a request once its route is known, compiled so that nothing is parsed or looked up by name.

mod redirect;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, StatusCode};
use serin_api::proxy::{Action, Forward, Target};

pub(crate) use redirect::CompiledRedirect;

use crate::compile::{DestinationHandle, Destinations};
use crate::error::CompileError;
use crate::metrics::Registry;

/// A compiled action.
#[derive(Debug)]
pub(crate) enum CompiledAction {
    /// To the only target.
    Single(CompiledTarget),
    /// To one of the targets, by weight.
    Weighted(WeightedTargets),
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
    targets: Vec<(u64, CompiledTarget)>,
    total: u64,
}

impl WeightedTargets {
    /// The target for a number drawn below [`total`](Self::total).
    pub(crate) fn at(&self, drawn: u64) -> Option<&CompiledTarget> {
        self.targets.get(self.targets.partition_point(|(up_to, _)| *up_to <= drawn)).map(|(_, target)| target)
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }
}

impl CompiledAction {
    /// Compiles `action` of the route `route` on `listener`. The destinations that it names are added to `used`.
    pub(crate) fn new(
        action: &Action,
        listener: &Arc<str>,
        route: &str,
        destinations: &mut Destinations,
        registry: &Registry,
        used: &mut Vec<DestinationHandle>,
    ) -> Result<Self, CompileError> {
        Ok(match action {
            Action::Forward(Forward::Weighted(targets)) => {
                let mut compiled = Vec::with_capacity(targets.len());
                let mut total = 0_u64;
                for target in targets.iter().filter(|target| target.weight > 0) {
                    total += u64::from(target.weight);
                    let target = match &target.target {
                        Target::Cluster { cluster, subset } => {
                            let destination = destinations.handle(cluster, subset);
                            let number = destination.number();
                            used.push(destination);
                            let scope = registry.scope(listener, route, cluster.as_str());
                            CompiledTarget::Destination { number, scope }
                        }
                        Target::DirectResponse { status, body } => {
                            CompiledTarget::Respond(Box::new(FixedResponse::new(*status, body)?))
                        }
                    };
                    compiled.push((total, target));
                }
                match compiled.pop() {
                    None => return Err(CompileError::NoWeight),
                    Some((_, only)) if compiled.is_empty() => Self::Single(only),
                    Some(last) => {
                        compiled.push(last);
                        Self::Weighted(WeightedTargets { targets: compiled, total })
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
