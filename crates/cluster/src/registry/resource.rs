//! One served resource: a kind in one version of its group.

use std::sync::{Arc, OnceLock};

use crate::schema::Schema;
use crate::store::Object;

/// A kind in one version of its group, as the API serves it.
pub struct Resource {
    /// Empty for the core group.
    pub group: Arc<str>,
    /// Such as `v1`.
    pub version: Arc<str>,
    /// Such as `Deployment`.
    pub kind: Arc<str>,
    /// Such as `DeploymentList`.
    pub list_kind: Arc<str>,
    /// Such as `deployments`.
    pub plural: Arc<str>,
    /// Such as `deployment`.
    pub singular: Arc<str>,
    /// Such as `deploy`.
    pub short_names: Vec<Arc<str>>,
    /// Such as `all`.
    pub categories: Vec<Arc<str>>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// `group/plural` under which its objects are stored. Two groups may share one (events).
    pub storage: Arc<str>,
    /// Whether there is a `/status`, so that the main endpoint leaves `status` alone and the other way round.
    pub status: bool,
    /// The `/scale`, if it has one.
    pub scale: Option<Scale>,
    /// Verbs its main endpoint answers; `None` for those of every stored kind.
    pub verbs: Option<&'static [&'static str]>,
    /// Where the kind comes from.
    pub origin: Origin,
    pub(super) schema: OnceLock<Arc<Schema>>,
}

/// Where a kind comes from.
pub enum Origin {
    /// Its type is compiled in.
    Builtin,
    /// A CustomResourceDefinition.
    Custom(Box<Custom>),
}

/// What a CustomResourceDefinition says about one version, beyond names.
pub struct Custom {
    /// The definition as stored; the schema is read from it when it is first needed.
    pub definition: Arc<Object>,
    /// `additionalPrinterColumns`.
    pub columns: Vec<PrinterColumn>,
    /// `selectableFields`, such as `.spec.color`.
    pub selectable: Vec<Box<str>>,
    /// The warning of a deprecated version.
    pub deprecation: Option<Box<str>>,
}

/// One of `additionalPrinterColumns`.
pub struct PrinterColumn {
    /// Its heading.
    pub name: Box<str>,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: Box<str>,
    /// OpenAPI format.
    pub format: Box<str>,
    /// What it shows.
    pub description: Box<str>,
    /// 0 is always shown, above that only with `-o wide`.
    pub priority: i64,
    /// Where the value is.
    pub path: Box<str>,
}

/// Where a kind keeps what `/scale` shows; paths such as `.spec.replicas`.
pub struct Scale {
    /// Wanted replicas.
    pub spec_replicas: Box<str>,
    /// Existing replicas.
    pub status_replicas: Box<str>,
    /// A selector as text (custom kinds), or a LabelSelector (built-in kinds).
    pub selector: Option<Box<str>>,
}

impl Resource {
    /// `group/version`, or `version` in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `plural.group`, or `plural` in the core group: how error messages call it.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_string() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Kind.group`, or `Kind` in the core group: how messages about invalid objects call it.
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() { self.kind.to_string() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// What a CustomResourceDefinition says about it, if it comes from one.
    pub fn custom(&self) -> Option<&Custom> {
        match &self.origin {
            Origin::Custom(custom) => Some(custom),
            Origin::Builtin => None,
        }
    }

    /// What its objects may look like; made when it is first needed.
    pub fn schema(&self) -> Arc<Schema> {
        self.schema.get_or_init(|| self.make_schema()).clone()
    }

    fn make_schema(&self) -> Arc<Schema> {
        let made = match &self.origin {
            Origin::Builtin => Schema::builtin(&self.group, &self.version, &self.kind),
            Origin::Custom(custom) => {
                let schema = super::crd::schema_of(&custom.definition, &self.version);
                // A stored definition has been checked, so a failure here can only be one without a schema.
                schema.and_then(|schema| Schema::from_crd_version(&self.group, &self.version, &self.kind, &schema).ok())
            }
        };
        made.unwrap_or_else(|| Schema::schemaless(&self.group, &self.version, &self.kind))
    }

    /// Whether `metadata.generation` is kept for it.
    pub fn has_generation(&self) -> bool {
        self.custom().is_some()
            || matches!(&*self.group, "apps" | "batch" | "autoscaling" | "policy" | "networking.k8s.io")
            || matches!(&*self.group, "apiextensions.k8s.io" | "admissionregistration.k8s.io" | "scheduling.k8s.io")
            || (self.group.is_empty() && &*self.plural == "pods")
    }

    /// Whether its objects are stored at all (reviews are only answered).
    pub fn stored(&self) -> bool {
        self.verbs.is_none()
    }

    /// The verbs of the main endpoint.
    pub fn main_verbs(&self) -> &'static [&'static str] {
        const ALL: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
        self.verbs.unwrap_or(ALL)
    }
}
