//! What is said of each resource: findings, their grades, and the status they add up to.

mod text;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serin_api::{ResourceId, StatusState};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Something to know: all that is served is served as written.
    Advice,
    /// A part is not served, and nobody else waits for it.
    LeftOut,
    /// A fault: what is served meanwhile is for the policy to say.
    Invalid,
}

/// One thing that is to be said of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Finding {
    /// How much it weighs.
    pub grade: Grade,
    /// The resource at fault.
    pub source: ResourceId,
    /// The field at fault, such as `spec.routes[0].matchers[0].regex`; empty when it is the whole resource.
    pub path: String,
    /// What is wrong and what to do about it. Names the field's path, unless it is one of Gloo's own sentences.
    pub message: String,
    /// Whether an invalid part is reported as a warning, as Gloo does for missing destinations.
    warns: bool,
}

impl Finding {
    /// A fault for which the resource is rejected.
    pub(crate) fn error(source: &ResourceId, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Grade::Invalid, false, source, path, message)
    }

    /// A fault that Gloo only warns of, though the policy for invalid configuration applies.
    pub(crate) fn invalid_destination(
        source: &ResourceId,
        path: impl Into<String>,
        reason: impl std::fmt::Display,
    ) -> Self {
        Self::new(Grade::Invalid, true, source, path, text::invalid_destination(reason))
    }

    /// A part that is not served.
    pub(crate) fn left_out(source: &ResourceId, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Grade::LeftOut, true, source, path, message)
    }

    /// Something to know.
    pub(crate) fn advice(source: &ResourceId, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Grade::Advice, false, source, path, message)
    }

    fn new(
        grade: Grade,
        warns: bool,
        source: &ResourceId,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { grade, source: source.clone(), path: path.into(), message: message.into(), warns }
    }

    /// The state of a resource of which only this is to be said.
    pub fn state(&self) -> StatusState {
        match self.grade {
            Grade::Advice => StatusState::Accepted,
            Grade::LeftOut => StatusState::Warning,
            Grade::Invalid if self.warns => StatusState::Warning,
            Grade::Invalid => StatusState::Rejected,
        }
    }
}

/// Everything that is to be said of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    owner: ResourceId,
    findings: Vec<Arc<Finding>>,
}

impl Report {
    fn new(owner: ResourceId) -> Self {
        Self { owner, findings: Vec::new() }
    }

    /// The findings, each once, in the order they were made.
    pub fn findings(&self) -> &[Arc<Finding>] {
        &self.findings
    }

    /// The verdict: the worst of the findings' states, `Accepted` without any.
    pub fn state(&self) -> StatusState {
        // The order of the variants is the order of severity.
        self.findings.iter().map(|finding| finding.state()).max().unwrap_or(StatusState::Accepted)
    }

    /// The heaviest finding's grade; `None` without any.
    pub fn grade(&self) -> Option<Grade> {
        self.findings.iter().map(|finding| finding.grade).max()
    }

    /// The reason as it is written to `status`, in Gloo's form: errors, then `warning:`, then `advice:`. Empty when
    /// there is nothing to say.
    pub fn reason(&self) -> String {
        text::reason(&self.owner, &self.findings)
    }
}

/// A report on every resource that is known; on those without findings too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reports(BTreeMap<ResourceId, Report>);

impl Reports {
    /// The report on one resource, if it is known.
    pub fn get(&self, id: &ResourceId) -> Option<&Report> {
        self.0.get(id)
    }

    /// All reports, by resource.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceId, &Report)> {
        self.0.iter()
    }

    /// Whether the resource is known.
    pub fn contains(&self, id: &ResourceId) -> bool {
        self.0.contains_key(id)
    }
}

/// Reports in the making.
#[derive(Default)]
pub(crate) struct Book {
    reports: BTreeMap<ResourceId, Report>,
    seen: HashSet<(ResourceId, Arc<Finding>)>,
}

impl Book {
    /// Makes a resource known.
    pub(crate) fn accept(&mut self, id: &ResourceId) {
        if !self.reports.contains_key(id) {
            self.reports.insert(id.clone(), Report::new(id.clone()));
        }
    }

    /// Adds a finding to the report on its own resource.
    pub(crate) fn add(&mut self, finding: Finding) {
        self.add_to_its_own(&Arc::new(finding));
    }

    /// Adds a finding to the report on its own resource.
    pub(crate) fn add_to_its_own(&mut self, finding: &Arc<Finding>) {
        self.add_to(&finding.source, finding);
    }

    /// Adds a finding to the report on `owner`, whichever resource is at fault. Resources that are not known get none.
    pub(crate) fn add_to(&mut self, owner: &ResourceId, finding: &Arc<Finding>) {
        let Some(report) = self.reports.get_mut(owner) else { return };
        if self.seen.insert((owner.clone(), finding.clone())) {
            report.findings.push(finding.clone());
        }
    }

    /// What was said so far of a resource.
    pub(crate) fn findings(&self, id: &ResourceId) -> &[Arc<Finding>] {
        self.reports.get(id).map_or(&[], Report::findings)
    }

    /// The reports, done.
    pub(crate) fn close(self) -> Reports {
        Reports(self.reports)
    }
}
