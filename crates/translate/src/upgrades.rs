//! `upgrades`: what a route's requests may become.

use serin_api::gateway::{ProtocolUpgradeConfig, ProtocolUpgradeSpec};
use serin_api::proxy::{Connect, RoutePolicy};

use crate::option_fault::OptionFault;

/// Puts `written` into `policy`. Each protocol is named once; both kinds of CONNECT are one protocol.
pub(crate) fn fill(written: &[ProtocolUpgradeConfig], policy: &mut RoutePolicy, faults: &mut Vec<OptionFault>) {
    let (mut websockets, mut connects) = (0, 0);
    for (index, upgrade) in written.iter().enumerate() {
        let mut fault = |reason: &str| faults.push(OptionFault::new(&format!("upgrades[{index}]"), reason));
        match (&upgrade.websocket, &upgrade.connect, &upgrade.connect_terminate) {
            (Some(websocket), None, None) => {
                websockets += 1;
                policy.websocket = Some(is_enabled(websocket));
            }
            (None, Some(connect), None) => {
                connects += 1;
                policy.connect = is_enabled(connect).then_some(Connect::Forward);
            }
            (None, None, Some(terminate)) => {
                connects += 1;
                policy.connect = is_enabled(terminate).then_some(Connect::Terminate);
            }
            _ => fault("name exactly one of websocket, connect and connectTerminate"),
        }
        if websockets.max(connects) > 1 {
            fault("the protocol is named more than once; keep one of them");
            return;
        }
    }
}

fn is_enabled(spec: &ProtocolUpgradeSpec) -> bool {
    spec.enabled.unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(written: serde_json::Value) -> Result<(Option<bool>, Option<Connect>), Vec<String>> {
        let (mut policy, mut faults) = (RoutePolicy::default(), Vec::new());
        let written: Vec<ProtocolUpgradeConfig> = serde_json::from_value(written).unwrap();
        fill(&written, &mut policy, &mut faults);
        let said: Vec<_> = faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect();
        if said.is_empty() { Ok((policy.websocket, policy.connect)) } else { Err(said) }
    }

    #[test]
    fn each_protocol_is_allowed_unless_it_is_not() {
        assert_eq!(of(json!([])), Ok((None, None)));
        assert_eq!(of(json!([{"websocket": {}}, {"connect": {}}])), Ok((Some(true), Some(Connect::Forward))));
        assert_eq!(
            of(json!([{"websocket": {"enabled": false}}, {"connectTerminate": {"enabled": true}}])),
            Ok((Some(false), Some(Connect::Terminate)))
        );
        assert_eq!(of(json!([{"connect": {"enabled": false}}])), Ok((None, None)));
        assert_eq!(of(json!([{"connectTerminate": {"enabled": false}}])), Ok((None, None)));
    }

    #[test]
    fn one_at_a_time_and_once() {
        for (written, at, says) in [
            (json!([{}]), "upgrades[0]", "exactly one"),
            (json!([{"websocket": {}, "connect": {}}]), "upgrades[0]", "exactly one"),
            (json!([{"websocket": {}}, {"websocket": {"enabled": false}}]), "upgrades[1]", "more than once"),
            (json!([{"connect": {}}, {"websocket": {}}, {"connectTerminate": {}}]), "upgrades[2]", "more than once"),
        ] {
            let said = of(written).unwrap_err();
            assert!(said.len() == 1 && said[0].starts_with(at) && said[0].contains(says), "{said:?}");
        }
    }
}
