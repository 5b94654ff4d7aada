//! A snapshot in, a `Proxy` and reports out. No I/O, no clock, no chance.

pub mod snapshot;

pub use snapshot::{Backend, Resource, Resources, Service, ServicePort, Snapshot, Unreadable};
