//! Which resources are known, and what is said of each before anything is made of it.

use std::sync::Arc;

use serin_api::{Ref, ResourceId, ResourceKind};

use crate::report::{Book, Finding};
use crate::snapshot::{Resource, Resources, Snapshot};
use crate::view::View;
use crate::{closed, policy};

/// Makes every watched resource known, with the fields that are not implemented, and every one that cannot be read.
pub(crate) fn accept_all(view: &View<'_>, book: &mut Book) {
    let snapshot = view.snapshot;
    accept(view, &snapshot.gateways, book);
    accept(view, &snapshot.virtual_services, book);
    accept(view, &snapshot.route_tables, book);
    accept(view, &snapshot.route_options, book);
    accept(view, &snapshot.virtual_host_options, book);
    accept(view, &snapshot.upstreams, book);
    accept(view, &snapshot.upstream_groups, book);
    accept(view, &snapshot.settings, book);
    for (id, unreadable) in snapshot.unreadable.iter().filter(|(id, _)| view.watches(&id.namespace)) {
        book.accept(id);
        book.add(Finding::error(id, "", format!("cannot be read: {}", unreadable.reason)));
    }
    if let Some(settings) = view.settings
        && let (_, Some((path, reason))) = policy::InvalidPolicy::from_settings(&settings.spec)
    {
        book.add(Finding::error(&settings.id, path, format!("{path}: {reason}")));
    }
}

fn accept<'a, T>(view: &View<'a>, resources: &'a Resources<T>, book: &mut Book) {
    for resource in view.all(resources) {
        book.accept(&resource.id);
        for path in &resource.unimplemented {
            book.add(not_implemented(&resource.id, path));
        }
    }
}

/// What is said of a field that is not implemented.
fn not_implemented(id: &ResourceId, path: &str) -> Finding {
    let field = path.rsplit('.').next().unwrap_or_default();
    let effect = if closed::is_field(field) { "what asks for it answers 403" } else { "it has no effect" };
    Finding::advice(id, path, format!("{path}: not implemented yet: {effect}"))
}

/// The generation of a resource, if it exists.
pub(crate) fn generation(snapshot: &Snapshot, id: &ResourceId) -> Option<i64> {
    fn of<T>(resources: &Resources<T>, reference: &Ref) -> Option<i64> {
        resources.get(reference).map(|resource: &Arc<Resource<T>>| resource.generation)
    }
    let reference = id.reference();
    let readable = match id.kind {
        ResourceKind::Gateway => of(&snapshot.gateways, &reference),
        ResourceKind::VirtualService => of(&snapshot.virtual_services, &reference),
        ResourceKind::RouteTable => of(&snapshot.route_tables, &reference),
        ResourceKind::RouteOption => of(&snapshot.route_options, &reference),
        ResourceKind::VirtualHostOption => of(&snapshot.virtual_host_options, &reference),
        ResourceKind::Upstream => of(&snapshot.upstreams, &reference),
        ResourceKind::UpstreamGroup => of(&snapshot.upstream_groups, &reference),
        ResourceKind::Settings => of(&snapshot.settings, &reference),
        ResourceKind::Proxy | ResourceKind::Service | ResourceKind::Secret => None,
    };
    readable.or_else(|| snapshot.unreadable.get(id).map(|unreadable| unreadable.generation))
}
