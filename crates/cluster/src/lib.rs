//! The embedded Kubernetes-style API server, and the node that runs pods.
//!
//! [`Cluster::start`] serves an API as kube-apiserver's over HTTPS on loopback: any kind, with watches, patches, tables and
//! discovery, kept durably in one file. Nothing in here knows what a route is.
//!
//! - [`store`]: every object, durably, with revisions and watches; [`registry`]: which kinds there are.
//! - [`schema`]: what objects may look like; [`patch`]: how they change.
//! - [`rest`]: what can be done with objects; [`server`]: the same over HTTP; [`selector`]: which objects are meant.
//! - [`controllers`] and [`node`]: clients of the API that make pods of Deployments, and processes of pods.

pub mod authority;
mod bootstrap;
mod cluster;
pub mod companion;
pub mod controllers;
mod home;
mod informer;
mod logs;
pub mod node;
pub mod openapi;
pub mod patch;
mod pki;
pub mod registry;
pub mod rest;
pub mod schema;
pub mod selector;
pub mod server;
pub mod store;
pub mod subprocess;
mod workers;

pub use cluster::{Cluster, ClusterOptions, StartError};
pub use home::HomeError;
pub use logs::{LogError, LogQuery, LogSource, LogStream, NoLogs};
pub use pki::PkiError;
