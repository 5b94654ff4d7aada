//! The built-in kinds, a line each.

use std::sync::OnceLock;

use super::resource::{Origin, Resource, Scale};

struct Builtin {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
    in_all: bool,
    namespaced: bool,
    status: bool,
    scale: bool,
}

const fn kind(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Builtin {
    let (short, in_all): (&[&str], _) = (&[], false);
    Builtin { group, version, kind, plural, short, in_all, namespaced: true, status: false, scale: false }
}

impl Builtin {
    const fn short(self, short: &'static [&'static str]) -> Builtin {
        Builtin { short, ..self }
    }
    const fn all(self) -> Builtin {
        Builtin { in_all: true, ..self }
    }
    const fn cluster(self) -> Builtin {
        Builtin { namespaced: false, ..self }
    }
    const fn status(self) -> Builtin {
        Builtin { status: true, ..self }
    }
    const fn scale(self) -> Builtin {
        Builtin { scale: true, ..self }
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

const BUILTIN: &[Builtin] = &[
    kind("", "v1", "Namespace", "namespaces").short(&["ns"]).cluster().status(),
    kind("", "v1", "Pod", "pods").short(&["po"]).all().status(),
    kind("", "v1", "Service", "services").short(&["svc"]).all().status(),
    kind("", "v1", "Endpoints", "endpoints").short(&["ep"]),
    kind("", "v1", "ConfigMap", "configmaps").short(&["cm"]),
    kind("", "v1", "Secret", "secrets"),
    kind("", "v1", "ServiceAccount", "serviceaccounts").short(&["sa"]),
    kind("", "v1", "Event", "events").short(&["ev"]),
    kind("", "v1", "Node", "nodes").short(&["no"]).cluster().status(),
    kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims").short(&["pvc"]).status(),
    kind("", "v1", "PersistentVolume", "persistentvolumes").short(&["pv"]).cluster().status(),
    kind("", "v1", "ResourceQuota", "resourcequotas").short(&["quota"]).status(),
    kind("", "v1", "LimitRange", "limitranges").short(&["limits"]),
    kind("apps", "v1", "Deployment", "deployments").short(&["deploy"]).all().status().scale(),
    kind("apps", "v1", "ReplicaSet", "replicasets").short(&["rs"]).all().status().scale(),
    kind("apps", "v1", "StatefulSet", "statefulsets").short(&["sts"]).all().status().scale(),
    kind("apps", "v1", "DaemonSet", "daemonsets").short(&["ds"]).all().status(),
    kind("batch", "v1", "Job", "jobs").all().status(),
    kind("batch", "v1", "CronJob", "cronjobs").short(&["cj"]).all().status(),
    kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers").short(&["hpa"]).all().status(),
    kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets").short(&["pdb"]).status(),
    kind("networking.k8s.io", "v1", "Ingress", "ingresses").short(&["ing"]).status(),
    kind("networking.k8s.io", "v1", "IngressClass", "ingressclasses").cluster(),
    kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies").short(&["netpol"]),
    kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    kind("events.k8s.io", "v1", "Event", "events").short(&["ev"]),
    kind("coordination.k8s.io", "v1", "Lease", "leases"),
    kind("storage.k8s.io", "v1", "StorageClass", "storageclasses").short(&["sc"]).cluster(),
    kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses").short(&["pc"]).cluster(),
    kind(RBAC, "v1", "Role", "roles"),
    kind(RBAC, "v1", "RoleBinding", "rolebindings"),
    kind(RBAC, "v1", "ClusterRole", "clusterroles").cluster(),
    kind(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings").cluster(),
    kind(ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations").cluster(),
    kind(ADMISSION, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations").cluster(),
    kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
        .short(&["crd", "crds"])
        .cluster()
        .status(),
];

/// Kinds that are only answered, never stored: group, version, kind, plural, namespaced.
const REVIEWS: &[(&str, &str, &str, &str, bool)] = &[
    ("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", false),
    ("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", false),
    ("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", false),
    ("authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", true),
    ("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", false),
    ("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", false),
];

/// All built-in resources.
pub fn resources() -> impl Iterator<Item = Resource> {
    BUILTIN.iter().map(stored).chain(REVIEWS.iter().map(|&(group, version, kind, plural, namespaced)| Resource {
        namespaced,
        verbs: Some(&["create"]),
        ..stored(&self::kind(group, version, kind, plural))
    }))
}

fn stored(b: &Builtin) -> Resource {
    // Both event groups are views of the same objects, as in kube-apiserver.
    let group = if b.plural == "events" { "" } else { b.group };
    Resource {
        group: b.group.into(),
        version: b.version.into(),
        kind: b.kind.into(),
        list_kind: format!("{}List", b.kind).into(),
        plural: b.plural.into(),
        singular: b.kind.to_lowercase().into(),
        short_names: b.short.iter().map(|&s| s.into()).collect(),
        categories: if b.in_all { vec!["all".into()] } else { Vec::new() },
        namespaced: b.namespaced,
        storage: format!("{group}/{}", b.plural).into(),
        status: b.status,
        scale: b.scale.then(|| Scale {
            spec_replicas: ".spec.replicas".into(),
            status_replicas: ".status.replicas".into(),
            selector: Some(".spec.selector".into()),
        }),
        verbs: None,
        origin: Origin::Builtin,
        schema: OnceLock::new(),
    }
}
