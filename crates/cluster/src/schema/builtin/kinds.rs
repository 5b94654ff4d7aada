//! Which Rust type describes which built-in kind.

use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, authentication::v1 as authentication,
    authorization::v1 as authorization, autoscaling::v1 as autoscaling, autoscaling::v2 as autoscaling_v2,
    batch::v1 as batch, coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery,
    events::v1 as events, networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac,
    scheduling::v1 as scheduling, storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// How to put a type, and what it refers to, into a generator.
#[derive(Clone, Copy)]
pub(super) struct Describe {
    pub(super) add: fn(&mut SchemaGenerator) -> Schema,
}

impl Describe {
    pub(super) fn of<T: JsonSchema>() -> Self {
        Self { add: |generator| generator.subschema_for::<T>() }
    }
}

pub(super) fn find(group: &str, version: &str, kind: &str) -> Option<Describe> {
    macro_rules! kinds {
        ($module:ident: $($kind:ident)*) => {
            match kind {
                $(stringify!($kind) => Some(Describe::of::<$module::$kind>()),)*
                _ => None,
            }
        };
    }
    match (group, version) {
        ("", "v1") => match kind {
            "Status" => Some(Describe::of::<meta::Status>()),
            "DeleteOptions" => Some(Describe::of::<meta::DeleteOptions>()),
            _ => kinds!(core: Binding ConfigMap Endpoints Event LimitRange Namespace Node PersistentVolume
                PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service
                ServiceAccount),
        },
        ("apps", "v1") => kinds!(apps: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet),
        ("batch", "v1") => kinds!(batch: CronJob Job),
        ("autoscaling", "v1") => kinds!(autoscaling: Scale),
        ("autoscaling", "v2") => kinds!(autoscaling_v2: HorizontalPodAutoscaler),
        ("discovery.k8s.io", "v1") => kinds!(discovery: EndpointSlice),
        ("coordination.k8s.io", "v1") => kinds!(coordination: Lease),
        ("events.k8s.io", "v1") => kinds!(events: Event),
        ("networking.k8s.io", "v1") => kinds!(networking: Ingress IngressClass NetworkPolicy),
        ("policy", "v1") => kinds!(policy: Eviction PodDisruptionBudget),
        ("rbac.authorization.k8s.io", "v1") => kinds!(rbac: ClusterRole ClusterRoleBinding Role RoleBinding),
        ("scheduling.k8s.io", "v1") => kinds!(scheduling: PriorityClass),
        ("storage.k8s.io", "v1") => kinds!(storage: StorageClass),
        ("authentication.k8s.io", "v1") => kinds!(authentication: SelfSubjectReview TokenRequest TokenReview),
        ("authorization.k8s.io", "v1") => kinds!(authorization: LocalSubjectAccessReview SelfSubjectAccessReview
            SelfSubjectRulesReview SubjectAccessReview),
        ("admissionregistration.k8s.io", "v1") => kinds!(admission: MutatingWebhookConfiguration
            ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration),
        ("apiextensions.k8s.io", "v1") => kinds!(apiextensions: CustomResourceDefinition),
        _ => None,
    }
}

/// Types of the API's surface that are not served as objects.
pub(super) fn part(name: &str) -> Option<Describe> {
    match name {
        "DeleteOptions" => Some(Describe::of::<meta::DeleteOptions>()),
        "ListMeta" => Some(Describe::of::<meta::ListMeta>()),
        "ObjectMeta" => Some(Describe::of::<meta::ObjectMeta>()),
        "Scale" => Some(Describe::of::<autoscaling::Scale>()),
        "Status" => Some(Describe::of::<meta::Status>()),
        "APIResourceList" => Some(Describe::of::<meta::APIResourceList>()),
        _ => None,
    }
}
