//! The resources of Gloo's routing API as types, their schemas and CRDs, and the flattened [`proxy`] model that
//! everything behind the translator serves from.
//!
//! * [`gateway`]: what teams write to route: Gateway, VirtualService, RouteTable and the shared options.
//! * [`gloo`]: what they route to, and how: Upstream, UpstreamGroup, Settings, Proxy.
//! * [`proxy`]: the result: listeners, hosts, routes and clusters with every reference resolved.
//!
//! What an API server has to know of them: [`crds`], whose schemas hold every field of Gloo's API with our documentation on
//! those that are implemented, and [`bootstrap_objects`]. What a reader of stored objects needs: [`decode`], [`unimplemented`]
//! for the fields that exist and do nothing yet, and [`asks_for_auth`] for those that must close a route.
//!
//! This crate does no I/O.

mod authentication;
mod bootstrap;
mod catalogue;
mod decode;
mod duration;
mod enumeration;
mod format;
pub mod gateway;
pub mod gloo;
mod options;
pub mod proxy;
mod reference;
mod response_flag;
mod schema;
mod status;

pub use authentication::asks_for_auth;
pub use bootstrap::bootstrap_objects;
pub use decode::{DecodeError, decode, plain_words};
pub use duration::GoDuration;
pub use format::{
    Certificate, Format, FormatError, FormatPiece, GrpcStatusStyle, HeaderSource, Moment, Operator, PathPart, Peer,
    TimeSource, operators,
};
pub use options::{RawOptions, Unread, Written};
pub use reference::{Ref, ResourceId, ResourceKind};
pub use response_flag::ResponseFlag;
pub use schema::{KindFields, KnownField, crd_stream, crds, known_fields, unimplemented};
pub use status::{NamespacedStatuses, ResourceStatus, StatusState};

/// The namespace the control plane lives in, and under which it reports status.
pub const CONTROL_PLANE_NAMESPACE: &str = "gloo-system";
