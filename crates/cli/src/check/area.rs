//! The areas that are looked at, in the order and the words of Gloo's documents.

use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt};
use serde_json::Value;
use serin_api::CONTROL_PLANE_NAMESPACE;

use super::verdict::{Finding, Grade, How, of_status};
use crate::failure::{Outcome, While};

/// One area, and what was found in it.
pub(super) struct Area {
    /// In the plural, as in `Checking virtual services...`.
    pub(super) name: &'static str,
    /// In the singular, as in `Found virtual service with warnings`.
    pub(super) one: &'static str,
    pub(super) findings: Vec<Finding>,
}

impl Area {
    /// Whether there is a problem in it.
    pub(super) fn is_wrong(&self, strict: bool) -> bool {
        self.findings.iter().any(|finding| strict || finding.grade == Grade::Problem)
    }
}

/// How the resources of an area are judged.
#[derive(Clone, Copy)]
enum Judge {
    /// By the status that the control plane writes.
    Status,
    /// By whether the Deployments of the control plane's own namespace have their replicas.
    Available,
    /// By whether the Pods of the control plane's own namespace are ready.
    Ready,
    /// Their being there is enough: whoever needs one says so when it is missing.
    Present,
}

/// An area's kind.
struct Kind {
    name: &'static str,
    one: &'static str,
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    judge: Judge,
}

const fn kind(
    name: &'static str,
    one: &'static str,
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    judge: Judge,
) -> Kind {
    Kind { name, one, group, kind, plural, judge }
}

const GLOO: &str = "gloo.solo.io";
const GATEWAY: &str = "gateway.solo.io";
/// The area of Upstreams.
pub(super) const UPSTREAMS: &str = "upstreams";
const KINDS: [Kind; 12] = [
    kind("deployments", "deployment", "apps", "Deployment", "deployments", Judge::Available),
    kind("pods", "pod", "", "Pod", "pods", Judge::Ready),
    kind(UPSTREAMS, "upstream", GLOO, "Upstream", "upstreams", Judge::Status),
    kind("upstream groups", "upstream group", GLOO, "UpstreamGroup", "upstreamgroups", Judge::Status),
    kind("auth configs", "auth config", "enterprise.gloo.solo.io", "AuthConfig", "authconfigs", Judge::Status),
    kind("secrets", "secret", "", "Secret", "secrets", Judge::Present),
    kind("route options", "route option", GATEWAY, "RouteOption", "routeoptions", Judge::Status),
    kind(
        "virtual host options",
        "virtual host option",
        GATEWAY,
        "VirtualHostOption",
        "virtualhostoptions",
        Judge::Status,
    ),
    kind("route tables", "route table", GATEWAY, "RouteTable", "routetables", Judge::Status),
    kind("virtual services", "virtual service", GATEWAY, "VirtualService", "virtualservices", Judge::Status),
    kind("gateways", "gateway", GATEWAY, "Gateway", "gateways", Judge::Status),
    kind("proxies", "proxy", GLOO, "Proxy", "proxies", Judge::Status),
];

/// Looks at every area.
pub(super) async fn check_all(client: &Client) -> Outcome<Vec<Area>> {
    let areas = KINDS.iter().map(|kind| async move {
        let objects = match kind.judge {
            Judge::Present => Vec::new(),
            Judge::Available | Judge::Ready => list(client, kind, Some(CONTROL_PLANE_NAMESPACE)).await?,
            Judge::Status => list(client, kind, None).await?,
        };
        let findings = objects.iter().filter_map(|object| judge(kind.judge, object)).collect();
        Outcome::Ok(Area { name: kind.name, one: kind.one, findings })
    });
    futures::future::try_join_all(areas).await
}

/// The objects of the routing kinds: what a control plane has to have seen.
pub(super) async fn routing_objects(client: &Client) -> Outcome<Vec<(&'static str, DynamicObject)>> {
    let observed = KINDS.iter().filter(|kind| matches!(kind.group, GLOO | GATEWAY) && kind.kind != "Proxy");
    let lists = observed.map(|kind| async move { Outcome::Ok((kind.kind, list(client, kind, None).await?)) });
    let lists = futures::future::try_join_all(lists).await?;
    let flat = lists.into_iter().flat_map(|(kind, objects)| objects.into_iter().map(move |object| (kind, object)));
    Ok(flat.collect())
}

/// The objects of a kind; none where the cluster does not know the kind.
async fn list(client: &Client, kind: &Kind, namespace: Option<&str>) -> Outcome<Vec<DynamicObject>> {
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(kind.group, "v1", kind.kind), kind.plural);
    let api: Api<DynamicObject> = match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    match api.list(&ListParams::default()).await {
        Ok(list) => Ok(list.items),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        Err(error) => Err(error).or_fail(|| format!("the {} cannot be listed", kind.name)),
    }
}

fn judge(judge: Judge, object: &DynamicObject) -> Option<Finding> {
    let namespace = object.namespace().unwrap_or_default();
    let name = object.name_any();
    let unready = |reason: String| Finding {
        grade: Grade::Problem,
        how: How::Unready,
        namespace: namespace.clone(),
        name: name.clone(),
        reason,
    };
    match judge {
        Judge::Status => of_status(&namespace, &name, &object.data),
        Judge::Available => {
            let wanted = number(&object.data, "/spec/replicas").unwrap_or(1);
            let available = number(&object.data, "/status/availableReplicas").unwrap_or(0);
            (available < wanted).then(|| unready(format!("{available} of {wanted} replicas are available")))
        }
        Judge::Ready => {
            let phase = object.data.pointer("/status/phase").and_then(Value::as_str).unwrap_or("Unknown");
            let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
            let ready = conditions.into_iter().flatten().any(|it| it["type"] == "Ready" && it["status"] == "True");
            (!ready && phase != "Succeeded").then(|| unready(format!("it is {phase}, and not ready")))
        }
        Judge::Present => None,
    }
}

fn number(object: &Value, path: &str) -> Option<i64> {
    object.pointer(path).and_then(Value::as_i64)
}
