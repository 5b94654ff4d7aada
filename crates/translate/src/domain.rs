//! Domains: which ones a VirtualService has, and who has one that several want.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serin_api::ResourceId;

use crate::host::Host;
use crate::report::{Book, Finding};

/// The domains of a VirtualService, in lower case, each once. An empty one is none, and no list at all means `*`.
pub(crate) fn of(id: &ResourceId, written: &[String], findings: &mut Vec<Arc<Finding>>) -> Vec<String> {
    if written.is_empty() {
        return vec!["*".to_owned()];
    }
    let mut domains: Vec<String> = Vec::with_capacity(written.len());
    let mut seen = BTreeSet::new();
    for (at, domain) in written.iter().enumerate() {
        let path = format!("spec.virtualHost.domains[{at}]");
        let domain = domain.to_ascii_lowercase();
        if domain.is_empty() {
            let message = format!(
                "{path}: virtual host {}.{} has an empty domain; write `*` for every host",
                id.namespace, id.name
            );
            findings.push(Arc::new(Finding::error(id, path, message)));
        } else if !seen.insert(domain.clone()) {
            let name = format!("{}.{}", id.namespace, id.name);
            let message = format!(
                "{path}: domain {domain} is shared by the following virtual hosts: [{name} {name}]; list it once"
            );
            findings.push(Arc::new(Finding::error(id, path, message)));
        } else {
            domains.push(domain);
        }
    }
    domains
}

/// Gives each domain to one of the hosts of a Gateway: to the oldest VirtualService, so that a newcomer cannot take
/// down what is served. The conflict is an error on all of them and on the Gateway.
///
/// The result has the domains of each host, in the order of `hosts`.
pub(crate) fn divide(gateway: &ResourceId, hosts: &[&Host<'_>], book: &mut Book) -> Vec<Vec<String>> {
    let mut claims: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, host) in hosts.iter().enumerate() {
        for domain in &host.domains {
            claims.entry(domain).or_default().push(place);
        }
    }
    let mut conflicts = Vec::new();
    let mut domains = vec![Vec::new(); hosts.len()];
    for (domain, claimants) in claims {
        let age = |place: &usize| (&hosts[*place].resource.created, &hosts[*place].resource.id);
        let Some(first) = claimants.iter().copied().min_by_key(age) else { continue };
        domains[first].push(domain.to_owned());
        if claimants.len() > 1 {
            conflicts.push(domain);
            report(domain, &claimants, first, hosts, book);
        }
    }
    if !conflicts.is_empty() {
        let message = format!(
            "domain conflict: the following domains are present in more than one of the virtual services associated \
             with this gateway: [{}]",
            conflicts.join(" ")
        );
        book.add(Finding::error(gateway, "spec.httpGateway", message));
    }
    domains
}

fn report(domain: &str, claimants: &[usize], first: usize, hosts: &[&Host<'_>], book: &mut Book) {
    let name = |place: usize| hosts[place].resource.id.reference().to_string();
    for place in claimants {
        let others: Vec<String> = claimants.iter().filter(|other| *other != place).map(|other| name(*other)).collect();
        let meanwhile = if *place == first {
            "this one is the oldest and has it".to_owned()
        } else {
            format!("{} is older and has it", name(first))
        };
        let message = format!(
            "domain conflict: the [{domain}] domain is present in other virtual services that belong to the same Gateway \
             as this one: [{}]; {meanwhile}",
            others.join(" ")
        );
        book.add(Finding::error(&hosts[*place].resource.id, "spec.virtualHost.domains", message));
    }
}
