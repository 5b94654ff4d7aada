//! From a snapshot to what is served: the translation and the policy for bad configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use serin_api::proxy::ProxySpec;
use serin_api::{ResourceId, ResourceStatus};
use serin_translate::{InvalidPolicy, Served, Snapshot, Standing, choose, translate};

use crate::REPORTER;
use crate::proxy_object::PROXY_NAME;

/// How many waiting resources a reason names.
const NAMED: usize = 5;

/// What a snapshot comes to.
pub(crate) struct Verdict {
    /// What is to be served.
    pub(crate) serve: Arc<ProxySpec>,
    /// Why that is not all that the resources say.
    pub(crate) frozen: Option<String>,
    /// Whether the Settings ask to replace what is invalid and let every other change take effect, and by what.
    pub(crate) policy: InvalidPolicy,
    /// What is to be said on each resource.
    pub(crate) statuses: BTreeMap<ResourceId, ResourceStatus>,
    /// To be remembered once the data plane has it.
    next: Served,
}

/// Remembers what is served, since the policy may want to keep it.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    served: Option<Served>,
}

impl Judge {
    /// Translates a snapshot and decides what is served.
    pub(crate) fn decide(&self, snapshot: &Snapshot) -> Verdict {
        let translation = translate(snapshot);
        let next = choose(self.served.as_ref(), &translation);
        let ours = next.proxies.get(PROXY_NAME);
        let statuses = translation.reports.iter().map(|(id, report)| {
            let status =
                ResourceStatus { state: report.state(), reason: report.reason(), reported_by: REPORTER.to_owned() };
            (id.clone(), status)
        });
        Verdict {
            serve: ours.map(|ours| ours.spec.clone()).unwrap_or_default(),
            frozen: ours.filter(|ours| ours.standing == Standing::Frozen).map(|ours| waiting(&ours.waiting)),
            policy: translation.policy.clone(),
            statuses: statuses.collect(),
            next,
        }
    }

    /// The data plane has it.
    pub(crate) fn served(&mut self, verdict: Verdict) {
        self.served = Some(verdict.next);
    }
}

/// The sentence for a configuration that is kept.
fn waiting(waiting: &[ResourceId]) -> String {
    let mut text = String::from("the last good configuration is kept until invalid configuration is mended");
    if !waiting.is_empty() {
        let named: Vec<String> = waiting.iter().take(NAMED).map(ToString::to_string).collect();
        text.push_str(&format!("; waiting to take effect: {}", named.join(", ")));
        if waiting.len() > NAMED {
            text.push_str(&format!(" and {} more", waiting.len() - NAMED));
        }
    }
    text
}
