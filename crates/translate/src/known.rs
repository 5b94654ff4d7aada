//! Which resources are known, and what is said of each before anything is made of it.

use std::sync::Arc;

use serin_api::{Ref, ResourceId, ResourceKind};

use crate::compile::not_implemented;
use crate::options;
use crate::policy;
use crate::report::{Book, Finding};
use crate::snapshot::{Resource, Resources, Snapshot};
use crate::view::View;

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
    let shared_routes = view.all(&snapshot.route_options).map(|option| (&option.id, option.spec.options.as_ref()));
    let shared_hosts =
        view.all(&snapshot.virtual_host_options).map(|option| (&option.id, option.spec.options.as_ref()));
    for (id, written) in shared_routes.chain(shared_hosts) {
        for field in options::map(written).into_iter().flat_map(|fields| fields.keys()) {
            book.add(not_implemented(id, &format!("spec.options.{field}"), field));
        }
    }
    for gateway in view.all(&snapshot.gateways) {
        let spec = &gateway.spec;
        let http = spec.http_gateway.as_ref().and_then(|http| http.options.as_ref());
        let blocks = [
            ("spec.options", spec.options.as_ref()),
            ("spec.routeOptions", spec.route_options.as_ref()),
            ("spec.httpGateway.options", http),
        ];
        for (path, block) in blocks {
            for field in options::map(block).into_iter().flat_map(|fields| fields.keys()) {
                if field != HCM {
                    book.add(not_implemented(&gateway.id, &format!("{path}.{field}"), field));
                }
            }
        }
        let hcm = options::map(http).and_then(|options| options.get(HCM)?.as_object());
        for field in hcm.into_iter().flat_map(|fields| fields.keys()).filter(|field| *field != "stripAnyHostPort") {
            book.add(not_implemented(&gateway.id, &format!("spec.httpGateway.options.{HCM}.{field}"), field));
        }
    }
    if let Some(settings) = view.settings
        && let (_, Some((path, reason))) = policy::InvalidPolicy::from_settings(&settings.spec) {
            book.add(Finding::error(&settings.id, path, format!("{path}: {reason}")));
        }
}

/// The one block of listener options of which a field is implemented.
const HCM: &str = "httpConnectionManagerSettings";

fn accept<'a, T>(view: &View<'a>, resources: &'a Resources<T>, book: &mut Book) {
    for resource in view.all(resources) {
        book.accept(&resource.id);
        for path in &resource.unimplemented {
            let is_host_port = path.ends_with("httpConnectionManagerSettings.stripAnyHostPort");
            // Options are looked at field by field, with what they come to; TLS has words of its own.
            if !is_host_port && !is_option(path) && !is_tls(resource, path) {
                let field = path.rsplit('.').next().unwrap_or_default();
                book.add(not_implemented(&resource.id, path, field));
            }
        }
    }
}

/// Whether a path leads into a block of options that is carried as it was written, and so is reported from there.
fn is_option(path: &str) -> bool {
    let parts = path.split('.');
    let mut depth = parts.clone().count();
    for part in parts {
        depth -= 1;
        if matches!(part, "options" | "routeOptions") {
            // The block itself has nothing below it to report.
            return depth > 0;
        }
    }
    false
}

fn is_tls<T>(resource: &Resource<T>, path: &str) -> bool {
    resource.id.kind == ResourceKind::VirtualService && path.starts_with("spec.sslConfig")
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
