//! Differences that are meant to be. Each has its reason in `docs/differences.md`, under the same name.

use serin_api::proxy::{Action, EscapedSlashes, Forward, Target, Underscores};

use super::case::Case;
use super::message::Message;
use super::outcome::Outcome;
use super::request::{Body, Protocol};
use super::requests::limits;
use super::upstream::Arrival;

/// A difference that is meant to be.
pub(crate) struct Rule {
    /// The heading in `docs/differences.md`.
    pub(crate) name: &'static str,
    /// Makes Envoy's outcome Serin's, as far as the rule explains it.
    level: fn(&Case, &Outcome, &mut Outcome),
}

/// All of them.
const RULES: [Rule; 14] = [
    Rule { name: "connect-failure-text", level: connect_failure_text },
    Rule { name: "headers-of-the-upstreams-connection", level: headers_of_the_connection },
    Rule { name: "trailers-nobody-asked-for", level: trailers },
    Rule { name: "location-of-a-fixed-response", level: location },
    Rule { name: "length-of-no-body", level: length_of_no_body },
    Rule { name: "lists-in-one-line", level: lists },
    Rule { name: "length-of-a-204", level: length_of_204 },
    Rule { name: "words-of-a-refusal", level: words_of_a_refusal },
    Rule { name: "scheme-behind-proxies", level: scheme_behind_proxies },
    Rule { name: "headers-of-an-escaped-slash", level: escaped_slash },
    Rule { name: "buffered-for-nobody", level: buffered_for_nobody },
    Rule { name: "underscores-over-http-2", level: underscores },
    Rule { name: "another-endpoint-for-another-try", level: another_endpoint },
    // Last, because it compares what the others have levelled.
    Rule { name: "sent-again-on-a-new-connection", level: sent_again },
];

/// The rules that explain why `ours` is not `envoys`; none when they do not explain all of it.
pub(crate) fn rules(case: &Case, ours: &Outcome, envoys: &Outcome) -> Vec<&'static str> {
    let mut levelled = envoys.clone();
    let mut used = Vec::new();
    for rule in &RULES {
        let before = levelled.clone();
        (rule.level)(case, ours, &mut levelled);
        if before != levelled {
            used.push(rule.name);
        }
    }
    if levelled == *ours { used } else { Vec::new() }
}

fn answers<'a>(ours: &'a Outcome, envoys: &'a mut Outcome) -> Option<(&'a Message, &'a mut Message)> {
    match (&ours.answer, &mut envoys.answer) {
        (Ok(ours), Ok(envoys)) => Some((ours, envoys)),
        _ => None,
    }
}

fn connect_failure_text(Case { request, .. }: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let unreached = ours.arrivals.is_empty() && envoys.arrivals.is_empty();
    let Some((ours, envoys)) = answers(ours, envoys) else { return };
    let says = |message: &Message| String::from_utf8_lossy(&message.body).contains("connection failure");
    // The answer to HEAD has no more than the text's length.
    let about_it = (says(ours) && says(envoys)) || request.method == "HEAD";
    if unreached && about_it && ours.status() == Some(503) && envoys.status() == Some(503) {
        envoys.body.clone_from(&ours.body);
        let length = ours.header("content-length").unwrap_or_default();
        for (_, value) in envoys.headers.iter_mut().filter(|(name, _)| name == "content-length") {
            length.clone_into(value);
        }
    }
}

fn sent_again(Case { request, .. }: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let broke = request.want.starts_with("break");
    let once = !matches!(request.method.as_str(), "POST" | "PATCH");
    let more = ours.arrivals.len().checked_sub(envoys.arrivals.len());
    // Envoy counts only what `retries` ask for.
    let uncounted = |arrival: &Arrival| {
        let mut request = arrival.request.clone();
        request.headers.retain(|(name, _)| name != "x-envoy-attempt-count");
        let upstream = arrival.upstream.split('#').next().map(str::to_owned);
        (upstream, request)
    };
    let mut all = ours.arrivals.iter().chain(&envoys.arrivals).map(uncounted);
    let first = all.next();
    if broke && once && matches!(more, Some(0 | 1)) && all.all(|other| Some(other) == first) {
        envoys.clone_from(ours);
    }
}

fn headers_of_the_connection(_: &Case, ours: &Outcome, envoys: &mut Outcome) {
    if let Some((ours, envoys)) = answers(ours, envoys)
        && ours.header("x-hop").is_none()
    {
        envoys.headers.retain(|(name, _)| name != "x-hop");
    }
}

fn trailers(Case { request, .. }: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let asked = request.protocol == Protocol::Http2
        || request.headers.iter().any(|(name, value)| name == "te" && value.contains("trailers"));
    if let Some((ours, envoys)) = answers(ours, envoys)
        && !asked
        && ours.trailers.is_empty()
    {
        envoys.trailers.clear();
    }
}

fn location(_: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let unreached = ours.arrivals.is_empty() && envoys.arrivals.is_empty();
    if let Some((ours, envoys)) = answers(ours, envoys)
        && unreached
    {
        let own = ours.headers.iter().filter(|(name, _)| name == "location").map(|(_, value)| value.as_str());
        let own = own.collect::<Vec<_>>().join(",");
        if own.is_empty() {
            envoys.headers.retain(|(name, _)| name != "location");
        }
        // What the route appends comes behind Envoy's.
        for (_, value) in envoys.headers.iter_mut().filter(|(name, _)| name == "location") {
            if value.strip_suffix(&own).is_some_and(|before| before.starts_with("http") && before.ends_with(',')) {
                own.clone_into(value);
            }
        }
    }
}

fn length_of_no_body(Case { request, .. }: &Case, ours: &Outcome, envoys: &mut Outcome) {
    for (ours, envoys) in ours.arrivals.iter().zip(&mut envoys.arrivals) {
        if matches!(request.body, Body::None | Body::Length(0)) && ours.request.header("content-length").is_none() {
            envoys.request.headers.retain(|(name, value)| name != "content-length" || value != "0");
        }
    }
}

fn length_of_204(_: &Case, ours: &Outcome, envoys: &mut Outcome) {
    if let Some((ours, envoys)) = answers(ours, envoys)
        && ours.status() == Some(204)
        && ours.header("content-length").is_none()
    {
        envoys.headers.retain(|(name, _)| name != "content-length");
    }
}

fn words_of_a_refusal(Case { request, http, .. }: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let named = request.headers.iter().any(|(name, _)| name.contains('_'));
    let unreached = ours.arrivals.is_empty() && envoys.arrivals.is_empty();
    if let Some((ours, envoys)) = answers(ours, envoys)
        && http.underscores == Underscores::Reject
        && named
        && unreached
        && ours.status() == Some(400)
        && ours.body.is_empty()
        && (envoys.body == b"Bad Request" || request.method == "HEAD")
    {
        envoys.body.clear();
        envoys.headers.retain(|(name, _)| !matches!(name.as_str(), "content-length" | "content-type"));
        let length = ours.headers.iter().filter(|(name, _)| name == "content-length").cloned();
        envoys.headers.extend(length);
        envoys.headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
}

fn scheme_behind_proxies(Case { request, .. }: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let times = request.headers.iter().filter(|(name, _)| name == "x-forwarded-proto").count();
    let told = times > 1 || (times == 1 && request.protocol == Protocol::Http2);
    if !told {
        return;
    }
    for (ours, envoys) in ours.arrivals.iter().zip(&mut envoys.arrivals) {
        let scheme = ours.request.header(":scheme").unwrap_or_default();
        for (_, value) in envoys.request.headers.iter_mut().filter(|(name, _)| name == ":scheme") {
            scheme.clone_into(value);
        }
    }
    let Some((ours, envoys)) = answers(ours, envoys) else { return };
    let Some(location) = ours.header("location") else { return };
    for (_, value) in envoys.headers.iter_mut().filter(|(name, _)| name == "location") {
        let place = |url: &str| url.split_once("://").map(|(_, place)| place.to_owned());
        if place(location).is_some() && place(location) == place(value) {
            location.clone_into(value);
        }
    }
}

fn escaped_slash(Case { request, http, .. }: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let turns = matches!(http.paths.escaped_slashes, EscapedSlashes::Reject | EscapedSlashes::Redirect);
    let target = request.target.to_ascii_lowercase();
    let escaped = target.contains("%2f") || target.contains("%5c");
    let unreached = ours.arrivals.is_empty() && envoys.arrivals.is_empty();
    let Some((ours, envoys)) = answers(ours, envoys) else { return };
    // What the route adds to `location` comes before Envoy's own.
    let place = |message: &Message| message.header("location").map(|place| place.rsplit(',').next().map(str::to_owned));
    let alike = ours.status() == envoys.status()
        && place(ours) == place(envoys)
        && ours.body.is_empty()
        && envoys.body.is_empty();
    if turns && escaped && unreached && alike && matches!(ours.status(), Some(400 | 307)) {
        envoys.headers.clone_from(&ours.headers);
    }
}

fn buffered_for_nobody(case: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let fixed = case.host.routes.iter().any(|route| match &route.action {
        Action::Redirect(_) | Action::DirectResponse { .. } => true,
        Action::Forward(Forward::Weighted(targets)) => targets
            .iter()
            .any(|weighted| weighted.weight > 0 && matches!(weighted.target, Target::DirectResponse { .. })),
        Action::Forward(Forward::ClusterHeader(_)) => false,
    });
    let unreached = ours.arrivals.is_empty() && envoys.arrivals.is_empty();
    if let Some((ours, envoys)) = answers(ours, envoys)
        && fixed
        && unreached
        && limits(&case.host).any(|limit| case.request.body.length() > limit)
        && envoys.status() == Some(413)
        && ours.status() != Some(413)
    {
        envoys.clone_from(ours);
    }
}

fn underscores(Case { request, http, .. }: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let rejects = http.underscores == Underscores::Reject;
    let refused = ours.answer.as_ref().is_ok_and(|answer| answer.status() == Some(400));
    let named = request.headers.iter().any(|(name, _)| name.contains('_'));
    if rejects
        && request.protocol == Protocol::Http2
        && named
        && refused
        && ours.arrivals.is_empty()
        && envoys.answer.is_err()
    {
        envoys.answer.clone_from(&ours.answer);
    }
}

fn another_endpoint(_: &Case, ours: &Outcome, envoys: &mut Outcome) {
    let cluster = |arrival: &Arrival| arrival.upstream.split_once('#').map(|(cluster, _)| cluster.to_owned());
    // The hash alone chose the first.
    for (ours, envoys) in ours.arrivals.iter().zip(&mut envoys.arrivals).skip(1) {
        if cluster(ours).is_some() && cluster(ours) == cluster(envoys) {
            envoys.upstream.clone_from(&ours.upstream);
        }
    }
}

fn lists(_: &Case, ours: &Outcome, envoys: &mut Outcome) {
    if let Some((ours, envoys)) = answers(ours, envoys) {
        join(&ours.headers, &mut envoys.headers);
    }
    for (ours, envoys) in ours.arrivals.iter().zip(&mut envoys.arrivals) {
        join(&ours.request.headers, &mut envoys.request.headers);
    }
}

/// Takes `ours` for each name whose values are the same list in both.
fn join(ours: &[(String, String)], envoys: &mut Vec<(String, String)>) {
    let list = |headers: &[(String, String)], name: &str| {
        let values = headers.iter().filter(|(other, value)| other == name && !value.is_empty());
        values.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(",")
    };
    let is_list = |name: &str| name != "set-cookie" && list(ours, name) == list(envoys, name);
    let levelled: Vec<_> = envoys
        .iter()
        .filter(|(name, _)| !is_list(name))
        .chain(ours.iter().filter(|(name, _)| is_list(name) && envoys.iter().any(|(other, _)| other == name)))
        .cloned()
        .collect();
    *envoys = levelled;
    envoys.sort_by(|(a, _), (b, _)| a.cmp(b));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_reason() {
        let reasons = include_str!("../../../docs/differences.md");
        for rule in &RULES {
            let heading = format!("## {}\n", rule.name);
            assert!(reasons.contains(&heading), "docs/differences.md says nothing of {}", rule.name);
        }
    }
}
