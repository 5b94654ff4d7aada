//! A container's environment: what the pod spec says, and what every pod gets.

use super::expansion::expand;
use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, EnvVarSource, Pod, ResourceFieldSelector, Secret};
use kube::{Api, Client, ResourceExt};
use std::collections::{BTreeMap, BTreeSet};

/// Why a container's environment cannot be made; in the words of the kubelet where it has any.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvironmentError {
    #[error("{kind} \"{name}\" not found")]
    NotFound { kind: &'static str, name: String },
    #[error("couldn't find key {key} in {kind} {namespace}/{name}")]
    NoKey { kind: &'static str, namespace: String, name: String, key: String },
    #[error("env {variable}: field path \"{path}\" is not supported")]
    FieldPath { variable: String, path: String },
    #[error(
        "env {variable}: its source is not supported; use fieldRef, resourceFieldRef, configMapKeyRef or secretKeyRef"
    )]
    Source { variable: String },
    #[error("cannot read {kind} \"{name}\": {error}")]
    Unreadable { kind: &'static str, name: String, error: kube::Error },
}

/// The ConfigMaps and Secrets that a pod's containers name, those that there are.
#[derive(Default)]
pub(crate) struct Sources {
    config_maps: BTreeMap<String, ConfigMap>,
    secrets: BTreeMap<String, Secret>,
}

/// What is known of the pod beyond its object.
pub(crate) struct PodFacts<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) ip: String,
    pub(crate) node: &'a str,
}

impl Sources {
    /// Fetches what a container asks for.
    pub(crate) async fn fetch(client: &Client, pod: &Pod, container: &Container) -> Result<Sources, EnvironmentError> {
        let (mut config_maps, mut secrets) = (BTreeSet::new(), BTreeSet::new());
        for from in container.env_from.iter().flatten() {
            config_maps.extend(from.config_map_ref.as_ref().map(|source| source.name.clone()));
            secrets.extend(from.secret_ref.as_ref().map(|source| source.name.clone()));
        }
        for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
            config_maps.extend(source.config_map_key_ref.as_ref().map(|source| source.name.clone()));
            secrets.extend(source.secret_key_ref.as_ref().map(|source| source.name.clone()));
        }
        let namespace = pod.namespace().unwrap_or_default();
        let mut sources = Sources::default();
        for name in config_maps {
            let found = Api::<ConfigMap>::namespaced(client.clone(), &namespace).get_opt(&name).await;
            let found =
                found.map_err(|error| EnvironmentError::Unreadable { kind: "configmap", name: name.clone(), error })?;
            sources.config_maps.extend(found.map(|found| (name, found)));
        }
        for name in secrets {
            let found = Api::<Secret>::namespaced(client.clone(), &namespace).get_opt(&name).await;
            let found =
                found.map_err(|error| EnvironmentError::Unreadable { kind: "secret", name: name.clone(), error })?;
            sources.secrets.extend(found.map(|found| (name, found)));
        }
        Ok(sources)
    }

    fn config_map(
        &self,
        name: &str,
        optional: Option<bool>,
    ) -> Result<Option<BTreeMap<String, String>>, EnvironmentError> {
        match self.config_maps.get(name) {
            Some(map) => Ok(Some(map.data.clone().unwrap_or_default())),
            None if optional == Some(true) => Ok(None),
            None => Err(EnvironmentError::NotFound { kind: "configmap", name: name.to_owned() }),
        }
    }

    fn secret(&self, name: &str, optional: Option<bool>) -> Result<Option<BTreeMap<String, String>>, EnvironmentError> {
        match self.secrets.get(name) {
            Some(secret) => {
                let data = secret.data.iter().flatten();
                Ok(Some(data.map(|(k, v)| (k.clone(), String::from_utf8_lossy(&v.0).into_owned())).collect()))
            }
            None if optional == Some(true) => Ok(None),
            None => Err(EnvironmentError::NotFound { kind: "secret", name: name.to_owned() }),
        }
    }
}

/// The environment of a container: `PATH`, `HOME`, `HOSTNAME` and `POD_…`, then `envFrom`, then `env`, later ones over earlier.
pub(crate) fn environment(
    facts: &PodFacts,
    container: &Container,
    sources: &Sources,
    inherited: &[(&str, Option<String>)],
) -> Result<BTreeMap<String, String>, EnvironmentError> {
    let pod = facts.pod;
    let mut environment = BTreeMap::new();
    for (name, value) in inherited {
        environment.extend(value.clone().map(|value| ((*name).to_owned(), value)));
    }
    let given = [
        ("HOSTNAME", pod.name_any()),
        ("POD_IP", facts.ip.clone()),
        ("POD_NAME", pod.name_any()),
        ("POD_NAMESPACE", pod.namespace().unwrap_or_default()),
    ];
    environment.extend(given.map(|(name, value)| (name.to_owned(), value)));
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        let mut all = Vec::new();
        if let Some(source) = &from.config_map_ref {
            all.extend(sources.config_map(&source.name, source.optional)?.unwrap_or_default());
        }
        if let Some(source) = &from.secret_ref {
            all.extend(sources.secret(&source.name, source.optional)?.unwrap_or_default());
        }
        environment.extend(all.into_iter().map(|(key, value)| (format!("{prefix}{key}"), value)));
    }
    for variable in container.env.iter().flatten() {
        let value = match &variable.value_from {
            Some(source) => value_from(facts, container, sources, variable, source)?,
            None => {
                let text = variable.value.as_deref().unwrap_or_default();
                Some(expand(text, |name| environment.get(name).map(String::as_str)))
            }
        };
        if let Some(value) = value {
            environment.insert(variable.name.clone(), value);
        }
    }
    Ok(environment)
}

fn value_from(
    facts: &PodFacts,
    container: &Container,
    sources: &Sources,
    variable: &EnvVar,
    source: &EnvVarSource,
) -> Result<Option<String>, EnvironmentError> {
    let key_of = |kind, name: &str, key: &str, optional, map: Option<BTreeMap<String, String>>| match map
        .and_then(|mut map| map.remove(key))
    {
        Some(value) => Ok(Some(value)),
        None if optional == Some(true) => Ok(None),
        None => Err(EnvironmentError::NoKey {
            kind,
            namespace: facts.pod.namespace().unwrap_or_default(),
            name: name.to_owned(),
            key: key.to_owned(),
        }),
    };
    if let Some(field) = &source.field_ref {
        return field_value(facts, &field.field_path).map(Some).ok_or_else(|| EnvironmentError::FieldPath {
            variable: variable.name.clone(),
            path: field.field_path.clone(),
        });
    }
    if let Some(field) = &source.resource_field_ref {
        return resource_value(facts.pod, container, field).map(Some).ok_or_else(|| EnvironmentError::FieldPath {
            variable: variable.name.clone(),
            path: field.resource.clone(),
        });
    }
    if let Some(of) = &source.config_map_key_ref {
        let map = sources.config_map(&of.name, of.optional)?;
        return key_of("ConfigMap", &of.name, &of.key, of.optional, map);
    }
    if let Some(of) = &source.secret_key_ref {
        let map = sources.secret(&of.name, of.optional)?;
        return key_of("Secret", &of.name, &of.key, of.optional, map);
    }
    Err(EnvironmentError::Source { variable: variable.name.clone() })
}

/// The value of a field path, of those that Kubernetes allows for environment variables.
fn field_value(facts: &PodFacts, path: &str) -> Option<String> {
    let (pod, spec) = (facts.pod, facts.pod.spec.as_ref());
    let of_map = |map: &BTreeMap<String, String>, rest: &str| {
        let key = rest.strip_prefix("['")?.strip_suffix("']")?;
        Some(map.get(key).cloned().unwrap_or_default())
    };
    Some(match path {
        "metadata.name" => pod.name_any(),
        "metadata.namespace" => pod.namespace().unwrap_or_default(),
        "metadata.uid" => pod.uid().unwrap_or_default(),
        "spec.nodeName" => facts.node.to_owned(),
        "spec.serviceAccountName" => {
            spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_else(|| "default".to_owned())
        }
        "status.podIP" | "status.podIPs" => facts.ip.clone(),
        "status.hostIP" | "status.hostIPs" => super::HOST_IP.to_owned(),
        _ => {
            return match path.strip_prefix("metadata.labels") {
                Some(rest) => of_map(pod.labels(), rest),
                None => of_map(pod.annotations(), path.strip_prefix("metadata.annotations")?),
            };
        }
    })
}

/// A limit or request of a container, in units of the divisor, rounded up.
fn resource_value(pod: &Pod, container: &Container, field: &ResourceFieldSelector) -> Option<String> {
    let container = match &field.container_name {
        Some(name) => pod.spec.as_ref()?.containers.iter().find(|other| other.name == *name)?,
        None => container,
    };
    let (list, resource) = field.resource.split_once('.')?;
    let resources = container.resources.as_ref();
    let list = match list {
        "limits" => resources.and_then(|resources| resources.limits.as_ref()),
        "requests" => resources.and_then(|resources| resources.requests.as_ref()),
        _ => return None,
    };
    let value = list.and_then(|list| list.get(resource)).map_or(Some(0.0), |quantity| quantity_value(&quantity.0))?;
    let divisor = field.divisor.as_ref().map(|quantity| quantity_value(&quantity.0)).map_or(Some(1.0), |d| d)?;
    let divisor = if divisor == 0.0 { 1.0 } else { divisor };
    Some(format!("{:.0}", (value / divisor).ceil()))
}

/// A quantity as a number: `100m` is 0.1, `1Ki` 1024.
pub(crate) fn quantity_value(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let factor = match &text[end..] {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => f64::from(1u32 << 20),
        "Gi" => f64::from(1u32 << 30),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            10f64.powi(power)
        }
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn made(container: serde_json::Value, sources: &Sources) -> Result<BTreeMap<String, String>, EnvironmentError> {
        let container: Container = serde_json::from_value(container).unwrap();
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "echo"}},
            "spec": {"containers": []},
        }))
        .unwrap();
        let facts = PodFacts { pod: &pod, ip: "127.1.1.2".into(), node: "serin" };
        environment(&facts, &container, sources, &[("PATH", Some("/bin".into())), ("HOME", None)])
    }

    fn sources() -> Sources {
        let map = json!({"metadata": {"name": "m"}, "data": {"a": "1", "b": "2"}});
        let secret = json!({"metadata": {"name": "s"}, "data": {"k": "c2VjcmV0"}});
        Sources {
            config_maps: BTreeMap::from([("m".into(), serde_json::from_value(map).unwrap())]),
            secrets: BTreeMap::from([("s".into(), serde_json::from_value(secret).unwrap())]),
        }
    }

    #[test]
    fn values_come_from_everywhere_and_expand_in_order() {
        let environment = made(
            json!({"name": "c", "resources": {"limits": {"cpu": "250m", "memory": "64Mi"}},
            "envFrom": [{"prefix": "M_", "configMapRef": {"name": "m"}}, {"secretRef": {"name": "none", "optional": true}}],
            "env": [
                {"name": "A", "value": "$(POD_IP):$(M_a)$(LATER)"},
                {"name": "LATER", "value": "x"},
                {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
                {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "z", "optional": true}}},
            ]}),
            &sources(),
        )
        .unwrap();
        let get = |name: &str| environment.get(name).map(String::as_str);
        assert_eq!(get("A"), Some("127.1.1.2:1$(LATER)"));
        assert_eq!((get("LABEL"), get("CPU"), get("MEM")), (Some("echo"), Some("1"), Some("64")));
        assert_eq!((get("SECRET"), get("NONE"), get("M_b")), (Some("secret"), None, Some("2")));
        assert_eq!((get("PATH"), get("HOME"), get("HOSTNAME")), (Some("/bin"), None, Some("p")));
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |source: serde_json::Value| {
            let env = json!({"name": "c", "env": [{"name": "X", "valueFrom": source}]});
            made(env, &sources()).unwrap_err().to_string()
        };
        assert_eq!(missing(json!({"configMapKeyRef": {"name": "n", "key": "k"}})), "configmap \"n\" not found");
        let message = missing(json!({"secretKeyRef": {"name": "s", "key": "z"}}));
        assert_eq!(message, "couldn't find key z in Secret ns/s");
        assert!(missing(json!({"fieldRef": {"fieldPath": "spec.hostname"}})).contains("spec.hostname"));
    }
}
