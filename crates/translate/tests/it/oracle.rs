//! The oracle: tables of resources and of what is to be served of them, each under the sentence of the routing API that it
//! is made from.
//!
//! `oracle/*.txt` hold the cases. A case begins with `== ` and the sentence, goes on with resources as YAML documents, and ends
//! with what is expected: `> ` and a route in short, in order (`> host a.com` before the routes of a host where there is more
//! than one), then `? ` and the state of a resource with a part of its reason. Every line of routes has to be there, no more.

use serin_api::gateway::Matcher;
use serin_api::proxy::{Action, Forward, ProxySpec, Route, Target};
use serin_api::{ResourceId, ResourceKind};

use crate::fixture::World;

const TABLES: [(&str, &str); 7] = [
    ("matchers", include_str!("oracle/matchers.txt")),
    ("delegation", include_str!("oracle/delegation.txt")),
    ("options", include_str!("oracle/options.txt")),
    ("selection", include_str!("oracle/selection.txt")),
    ("gateways", include_str!("oracle/gateways.txt")),
    ("domains", include_str!("oracle/domains.txt")),
    ("destinations", include_str!("oracle/destinations.txt")),
];

#[test]
fn what_is_served_is_what_each_sentence_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (table, text) in TABLES {
        for case in text.split("\n== ").skip(1) {
            count += 1;
            let (sentence, rest) = case.split_once('\n').expect("a case below its sentence");
            let is_expected = |line: &&str| line.starts_with("> ") || line.starts_with("? ");
            let yaml: Vec<&str> = rest.lines().filter(|line| !is_expected(line)).collect();
            let mut world = World::new();
            world.service("team", "echo", &["v1", "v2"]);
            world.apply(&yaml.join("\n")).serve();
            let routes: Vec<&str> = rest.lines().filter_map(|line| line.strip_prefix("> ")).collect();
            let served = served(world.serving());
            if routes != served {
                wrong.push(format!("{table}: {sentence}\n  expected {routes:#?}\n  served {served:#?}"));
            }
            for line in rest.lines().filter_map(|line| line.strip_prefix("? ")) {
                let reported = reported(&world, line);
                if let Err(reported) = reported {
                    wrong.push(format!("{table}: {sentence}\n  expected {line}\n  reported {reported}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether `Kind namespace/name State: part of the reason` is so.
fn reported(world: &World, line: &str) -> Result<(), String> {
    let (subject, reason) = line.split_once(": ").unwrap_or((line, ""));
    let mut words = subject.split(' ');
    let mut word = || words.next().expect("Kind namespace/name State");
    let (kind, name, state) = (word(), word(), word());
    let (namespace, name) = name.split_once('/').expect("namespace/name");
    let kind: ResourceKind = serde_json::from_value(kind.into()).expect("a kind");
    let translation = world.translate();
    let report = translation.reports.get(&ResourceId::new(kind, namespace, name));
    let (got, why) = report.map(|report| (format!("{:?}", report.state()), report.reason())).unwrap_or_default();
    if got == state && why.contains(reason) && (!reason.is_empty() || why.is_empty()) {
        Ok(())
    } else {
        Err(format!("{got}: {why}"))
    }
}

/// All routes of the first listener, in short.
fn served(spec: &ProxySpec) -> Vec<String> {
    let hosts = spec.listeners.first().map_or(&[][..], |listener| listener.virtual_hosts.as_slice());
    let mut lines = Vec::new();
    for host in hosts {
        if hosts.len() > 1 {
            lines.push(format!("host {}", host.domains.join(" ")));
        }
        lines.extend(host.routes.iter().map(|route| short(route)));
    }
    lines
}

fn short(route: &Route) -> String {
    let matchers: Vec<String> = route.matchers.iter().map(short_matcher).collect();
    let mut line = format!("{} -> {}", matchers.join(" or "), short_action(&route.action));
    if let Some(policy) = &route.policy {
        line.push_str(&format!(" {}", serde_json::to_string(policy).expect("a policy")));
    }
    line
}

fn short_matcher(matcher: &Matcher) -> String {
    let mut words = Vec::new();
    for (kind, path) in [("prefix", &matcher.prefix), ("exact", &matcher.exact), ("regex", &matcher.regex)] {
        words.extend(path.as_ref().map(|path| format!("{kind} {path}")));
    }
    words.extend(matcher.connect_matcher.as_ref().map(|_| "connect".to_owned()));
    words.extend(matcher.case_sensitive.map(|cased| if cased { "cased" } else { "caseless" }.to_owned()));
    words.extend(matcher.headers.iter().map(|header| {
        let (not, tilde) = (if header.invert_match { "!" } else { "" }, if header.regex { "~" } else { "" });
        format!("{not}{}={tilde}{}", header.name, header.value)
    }));
    words.extend(matcher.query_parameters.iter().map(|query| format!("?{}={}", query.name, query.value)));
    words.extend(matcher.methods.iter().cloned());
    words.join(" ")
}

fn short_action(action: &Action) -> String {
    match action {
        Action::DirectResponse { status, body } => short_response(*status, body),
        Action::Redirect(redirect) => format!("redirect {}", redirect.status),
        Action::Forward(Forward::ClusterHeader(header)) => format!("cluster of {header}"),
        Action::Forward(Forward::Weighted(targets)) => {
            let short = |target: &Target| match target {
                Target::DirectResponse { status, body } => short_response(*status, body),
                Target::Cluster { cluster, subset } => {
                    let labels: Vec<String> = subset.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    format!("{cluster} {}", labels.join(",")).trim_end().to_owned()
                }
            };
            let all: Vec<_> = targets.iter().map(|to| format!("{} x {}", to.weight, short(&to.target))).collect();
            all.join(" | ")
        }
    }
}

/// What stands for an invalid or a closed route has a text for people, which is none of the tables' business.
fn short_response(status: u16, body: &str) -> String {
    if status == 200 { format!("200 {body}") } else { status.to_string() }
}
