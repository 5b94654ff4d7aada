//! Options of virtual hosts beside `headerManipulation`: what they come to, and what happens when one is at fault.

use serin_api::StatusState::{Accepted, Rejected};
use serin_api::proxy::{HostPolicy, RequestBuffer, RetryCondition};

use crate::fixture::ask::get;
use crate::fixture::{World, replacing, upstream};

fn serve(options: &str) -> World {
    let mut world = World::new();
    world.apply(&upstream("echo", "{static: {hosts: [{addr: 127.0.0.1, port: 80}]}}")).apply(&replacing());
    let single = "routeAction: {single: {upstream: {name: echo, namespace: gloo-system}}}";
    world.apply(&format!(
        "{{apiVersion: gateway.solo.io/v1, kind: VirtualService, metadata: {{name: app, namespace: gloo-system, generation: 1}}, \
         spec: {{virtualHost: {{domains: [example.com], options: {options}, routes: [{{matchers: [{{prefix: /}}], {single}}}]}}}}}}"
    ));
    world.serve();
    world
}

fn policy(world: &World) -> Option<HostPolicy> {
    world.serving().listeners[0].virtual_hosts[0].policy.as_deref().cloned()
}

#[test]
fn retries_and_attempt_counts_are_served() {
    let world = serve(
        "{retries: {retryOn: '5xx,reset', numRetries: 4}, includeRequestAttemptCount: true, \
          includeAttemptCountInResponse: true}",
    );
    assert_eq!(world.vs_status(), (Accepted, String::new()));
    let served = policy(&world).unwrap();
    assert!(served.attempts_in_request && served.attempts_in_response);
    let retries = served.retries.unwrap();
    assert_eq!((retries.on, retries.times), ([RetryCondition::ServerError, RetryCondition::Reset].into(), 4));

    let silent = serve("{includeRequestAttemptCount: false, includeAttemptCountInResponse: false}");
    assert_eq!((silent.vs_status().0, policy(&silent)), (Accepted, None));
}

#[test]
fn requests_are_held_as_host_or_route_says() {
    let world = serve("{bufferPerRoute: {buffer: {maxRequestBytes: 1024}}}");
    assert_eq!(world.vs_status(), (Accepted, String::new()));
    assert_eq!(policy(&world).unwrap().buffer, Some(RequestBuffer::UpTo(1024)));
    assert_eq!(policy(&serve("{bufferPerRoute: {disabled: true}}")).unwrap().buffer, Some(RequestBuffer::Off));
}

#[test]
fn what_is_wrong_is_named_and_the_hosts_routes_are_replaced() {
    for (options, expected) in [
        ("{retries: {retryOn: '5xx,sometimes'}}", "retries.retryOn: \"sometimes\" is no condition"),
        ("{retries: {retryBackOff: {maxInterval: 1s}}}", "retries.retryBackOff.baseInterval: it is missing"),
        ("{retries: {retriableStatusCodes: [99]}}", "retries.retriableStatusCodes[0]: 99 is no status code"),
        ("{bufferPerRoute: {buffer: {}}}", "bufferPerRoute.buffer.maxRequestBytes: say how many bytes"),
        ("{bufferPerRoute: {buffer: {maxRequestBytes: 5}, disabled: true}}", "bufferPerRoute: keep only one"),
        ("{retries: {numRetries: -1}}", "retries.numRetries: "),
        ("{includeRequestAttemptCount: yes please}", "includeRequestAttemptCount: "),
        ("{includeAttemptCountInResponse: 1}", "includeAttemptCountInResponse: "),
    ] {
        let world = serve(options);
        let (state, reason) = world.vs_status();
        assert_eq!(state, Rejected, "{options}");
        assert!(reason.contains(&format!("spec.virtualHost.options.{expected}")), "{options}: {reason}");
        assert!(world.answer(&get("/")).starts_with("404"), "{options}");
    }
}
