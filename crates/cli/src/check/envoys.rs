//! The Envoys that are fed: which are connected, and how far each has come.

use serde::Serialize;
use serde_json::Value;

use super::area::Area;
use super::verdict::{Finding, Grade, How};

/// A connected Envoy, and what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Envoy {
    pub(super) node: String,
    /// What it has acknowledged; `None` before the first.
    version: Option<u64>,
    newest: u64,
}

impl Envoy {
    /// In words.
    pub(super) fn describe(&self) -> String {
        match self.version {
            None => "has no configuration yet".to_owned(),
            Some(version) if version < self.newest => format!("has version {version} of {}", self.newest),
            Some(version) => format!("has version {version}, the newest"),
        }
    }

    fn is_behind(&self) -> bool {
        self.version != Some(self.newest)
    }
}

/// What `/config` says of Envoys; `None` where none are fed.
pub(super) fn of_config(config: &Value) -> Option<Vec<Envoy>> {
    let list = config["envoys"].as_array()?;
    let envoy = |it: &Value| Envoy {
        node: it["node"].as_str().unwrap_or_default().to_owned(),
        version: it["version"].as_u64(),
        newest: it["newest"].as_u64().unwrap_or_default(),
    };
    Some(list.iter().map(envoy).collect())
}

/// Whether one of them is still taking over what it was sent.
pub(super) fn is_awaited(config: &Value) -> bool {
    of_config(config).into_iter().flatten().any(|envoy| envoy.is_behind())
}

/// The area of Envoys. Who is behind for longer than a check waits is a problem, and so is what they refuse, which its
/// owner is told.
pub(super) fn area(envoys: &[Envoy], config: &Value) -> Area {
    let behind = envoys.iter().filter(|envoy| envoy.is_behind()).map(|envoy| Finding {
        grade: Grade::Problem,
        how: How::Behind,
        namespace: String::new(),
        name: envoy.node.clone(),
        reason: format!("it {}; its log may say why", envoy.describe()),
    });
    let refused = config["refusedByEnvoys"].as_array().into_iter().flatten().map(|it| {
        let [kind, namespace, name] =
            ["kind", "namespace", "name"].map(|key| it["owner"][key].as_str().unwrap_or_default());
        Finding {
            grade: Grade::Problem,
            how: How::Refused,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            reason: format!("{kind}: {}", it["reason"].as_str().unwrap_or_default()),
        }
    });
    Area { name: "envoys", one: "envoy", findings: behind.chain(refused).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_is_behind_and_what_is_refused_are_problems() {
        assert_eq!(of_config(&json!({})), None);
        let config = json!({"envoys": [
            {"node": "a", "version": 7, "newest": 7}, {"node": "b", "version": 5, "newest": 7}, {"node": "c", "newest": 7}
        ], "refusedByEnvoys": [
            {"owner": {"kind": "RouteTable", "namespace": "n", "name": "t"}, "reason": "Envoy refuses route r"}
        ]});
        let envoys = of_config(&config).unwrap();
        let described: Vec<_> = envoys.iter().map(Envoy::describe).collect();
        assert_eq!(described, ["has version 7, the newest", "has version 5 of 7", "has no configuration yet"]);
        assert!(is_awaited(&config) && !is_awaited(&json!({"envoys": []})));
        let area = area(&envoys, &config);
        let told: Vec<_> = area.findings.iter().map(|it| (it.how, it.name.as_str())).collect();
        assert_eq!(told, [(How::Behind, "b"), (How::Behind, "c"), (How::Refused, "t")]);
        assert_eq!(area.findings[2].reason, "RouteTable: Envoy refuses route r");
        assert!(area.is_wrong(false));
    }
}
