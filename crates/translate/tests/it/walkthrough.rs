//! The walkthrough of part 2, step by step: two teams, one domain, two rollouts side by side, one bad configuration.

use crate::fixture::World;
use crate::fixture::ask::get;
use serin_api::{ResourceKind, StatusState};
use serin_translate::Standing;

const CANARY: &[(&str, &str)] = &[("stage", "canary")];
const REPLACED: &str = "404 Gloo Gateway has invalid configuration. Administrators should run `glooctl check` to find and \
                        fix config errors.";

fn upstream(name: &str) -> String {
    format!(
        "
apiVersion: gloo.solo.io/v1
kind: Upstream
metadata: {{name: {name}, namespace: gloo-system}}
spec:
  kube:
    selector: {{app: {name}}}
    serviceName: {name}
    serviceNamespace: {name}
    servicePort: 80
    subsetSpec: {{selectors: [{{keys: [version]}}]}}
"
    )
}

fn single(matcher: &str, upstream: &str, version: &str) -> String {
    format!(
        "
    - matchers: [{{{matcher}}}]
      routeAction:
        single:
          upstream: {{name: {upstream}, namespace: gloo-system}}
          subset: {{values: {{version: {version}}}}}"
    )
}

fn multi(matcher: &str, upstream: &str, v1: u32, v2: u32) -> String {
    let destination = |version: &str, weight: u32| {
        format!(
            "
            - destination:
                upstream: {{name: {upstream}, namespace: gloo-system}}
                subset: {{values: {{version: {version}}}}}
              weight: {weight}"
        )
    };
    format!(
        "
    - matchers: [{{{matcher}}}]
      routeAction:
        multi:
          destinations:{}{}",
        destination("v1", v1),
        destination("v2", v2)
    )
}

fn table(team: &str, labels: &str, routes: &[String]) -> String {
    format!(
        "
apiVersion: gateway.solo.io/v1
kind: RouteTable
metadata: {{name: {team}-routes, namespace: {team}, labels: {{{labels}}}}}
spec:
  routes:{}",
        routes.concat()
    )
}

const BY_NAMESPACE: &str = "
apiVersion: gateway.solo.io/v1
kind: VirtualService
metadata: {name: app, namespace: gloo-system}
spec:
  virtualHost:
    domains: ['*']
    routes:
    - matchers: [{prefix: /echo}]
      delegateAction: {selector: {namespaces: [echo]}}
    - matchers: [{prefix: /foxtrot}]
      delegateAction: {selector: {namespaces: [foxtrot]}}
";

const BY_LABEL: &str = "
apiVersion: gateway.solo.io/v1
kind: VirtualService
metadata: {name: app, namespace: gloo-system}
spec:
  virtualHost:
    domains: ['*']
    routes:
    - matchers: [{prefix: /}]
      delegateAction: {selector: {labels: {apiGroup: example}, namespaces: ['*']}}
";

const REPLACE: &str = "
apiVersion: gloo.solo.io/v1
kind: Settings
metadata: {name: default, namespace: gloo-system}
spec:
  gloo:
    invalidConfigPolicy:
      replaceInvalidRoutes: true
      invalidRouteResponseCode: 404
      invalidRouteResponseBody: Gloo Gateway has invalid configuration. Administrators should run `glooctl check` to find and fix config errors.
";

fn canary(path: &str) -> String {
    format!("prefix: {path}, headers: [{{name: stage, value: canary}}]")
}

fn plain(path: &str) -> String {
    format!("prefix: {path}")
}

impl World {
    fn step(&mut self, manifest: &str) -> &mut Self {
        self.apply(manifest).serve()
    }

    fn wants(&mut self, path: &str, headers: &[(&str, &str)], answer: &str) -> &mut Self {
        assert_eq!(get(path).headers(headers).answer(self.serving(), &self.snapshot), answer, "{path} {headers:?}");
        self
    }
}

#[test]
fn two_teams_roll_out_side_by_side() {
    let echo_good = [single(&canary("/echo"), "echo", "v2"), single(&plain("/echo"), "echo", "v1")];
    let foxtrot_done = [single(&plain("/foxtrot"), "foxtrot", "v2")];
    let foxtrot_phase_2 =
        |v1, v2| [single(&canary("/foxtrot"), "foxtrot", "v2"), multi(&plain("/foxtrot"), "foxtrot", v1, v2)];
    let mut world = World::new();

    // Two services, one domain.
    world.service("echo", "echo", &["v1"]).service("foxtrot", "foxtrot", &["v1"]);
    world.step(&upstream("echo")).step(&upstream("foxtrot"));
    world.step(&table("echo", "", &[single(&plain("/echo"), "echo", "v2")]));
    world.step(&table("foxtrot", "", &[single(&plain("/foxtrot"), "foxtrot", "v1")]));
    world.step(BY_NAMESPACE);
    // No pod of v2 yet: any pod serves.
    world.wants("/echo", &[], "echo_gloo-system: v1").wants("/foxtrot", &[], "foxtrot_gloo-system: v1");
    world.wants("/nobody", &[], "404");

    // Foxtrot: phase 1.
    world.service("foxtrot", "foxtrot", &["v1", "v2"]).serve();
    world.step(&table(
        "foxtrot",
        "",
        &[single(&canary("/foxtrot"), "foxtrot", "v2"), single(&plain("/foxtrot"), "foxtrot", "v1")],
    ));
    world.wants("/foxtrot", CANARY, "foxtrot_gloo-system: v2").wants("/foxtrot", &[], "foxtrot_gloo-system: v1");

    // Foxtrot: phase 2 begins at weight 0; echo: phase 1.
    world.step(&table("foxtrot", "", &foxtrot_phase_2(100, 0)));
    world.service("echo", "echo", &["v1", "v2"]).step(&table("echo", "", &echo_good));
    world.wants("/echo", &[], "echo_gloo-system: v1").wants("/echo", CANARY, "echo_gloo-system: v2");
    world.wants("/foxtrot", &[], "100x foxtrot_gloo-system: v1").wants("/foxtrot", CANARY, "foxtrot_gloo-system: v2");
    for (kind, namespace, name) in [
        (ResourceKind::VirtualService, "gloo-system", "app"),
        (ResourceKind::RouteTable, "echo", "echo-routes"),
        (ResourceKind::Gateway, "gloo-system", "gateway-proxy"),
        (ResourceKind::Gateway, "gloo-system", "gateway-proxy-ssl"),
        (ResourceKind::Settings, "gloo-system", "default"),
        (ResourceKind::Upstream, "gloo-system", "echo"),
    ] {
        assert_eq!(world.status(kind, namespace, name), (StatusState::Accepted, String::new()), "{kind} {name}");
    }

    // Echo breaks its table: the last good configuration is served, and foxtrot waits.
    world.step(&table(
        "echo",
        "",
        &[single(&canary("/echo"), "echo-typo", "v2"), single(&plain("/echo"), "echo", "v1")],
    ));
    world.step(&table("foxtrot", "", &foxtrot_phase_2(0, 100)));
    let reason = "warning:\n  Route Warning: InvalidDestinationWarning. Reason: *v1.Upstream {echo-typo gloo-system} \
                  not found";
    for (kind, namespace, name) in
        [(ResourceKind::VirtualService, "gloo-system", "app"), (ResourceKind::RouteTable, "echo", "echo-routes")]
    {
        assert_eq!(world.status(kind, namespace, name), (StatusState::Warning, reason.to_owned()));
    }
    assert_eq!(
        world.status(ResourceKind::RouteTable, "foxtrot", "foxtrot-routes"),
        (StatusState::Accepted, String::new())
    );
    world.wants("/echo", &[], "echo_gloo-system: v1").wants("/echo", CANARY, "echo_gloo-system: v2");
    world.wants("/foxtrot", &[], "100x foxtrot_gloo-system: v1").wants("/foxtrot", CANARY, "foxtrot_gloo-system: v2");
    let served = &world.served.as_ref().unwrap().proxies["gateway-proxy"];
    assert_eq!(served.standing, Standing::Frozen);
    let waiting: Vec<String> = served.waiting.iter().map(ToString::to_string).collect();
    assert_eq!(waiting, ["RouteTable echo/echo-routes", "RouteTable foxtrot/foxtrot-routes"]);

    // Invalid routes are replaced instead.
    world.step(REPLACE);
    world.wants("/foxtrot", &[], "100x foxtrot_gloo-system: v2").wants("/echo", &[], "echo_gloo-system: v1");
    world.wants("/echo", CANARY, REPLACED).wants("/foxtrot", CANARY, "foxtrot_gloo-system: v2");

    // Foxtrot finishes; echo repairs its table.
    world.step(&table("foxtrot", "", &foxtrot_done)).service("foxtrot", "foxtrot", &["v2"]).serve();
    world.wants("/foxtrot", &[], "foxtrot_gloo-system: v2");
    world.step(&table("echo", "", &echo_good));
    assert!(world.translate().reports.iter().all(|(_, report)| report.findings().is_empty()));
    world.wants("/echo", &[], "echo_gloo-system: v1").wants("/echo", CANARY, "echo_gloo-system: v2");

    // Tables bound by label.
    world.step(BY_LABEL).wants("/echo", &[], "404");
    world.step(&table("echo", "apiGroup: example", &echo_good));
    world.step(&table("foxtrot", "apiGroup: example", &foxtrot_done));
    world.wants("/echo", &[], "echo_gloo-system: v1").wants("/echo", CANARY, "echo_gloo-system: v2");
    world.wants("/foxtrot", &[], "foxtrot_gloo-system: v2");
    assert!(world.translate().reports.iter().all(|(_, report)| report.findings().is_empty()));
}
