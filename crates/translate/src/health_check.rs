//! An Upstream's `healthChecks`: what is left out is as in Envoy, and what Envoy would refuse is refused.

use std::time::Duration;

use serin_api::gateway::RequestHeaderToAdd;
use serin_api::gloo::{GrpcHealthCheck, HealthCheckMethod, HttpHealthCheck, Payload, TcpHealthCheck};
use serin_api::proxy::{HealthCheck, HttpQuestion, Question};
use serin_api::{GoDuration, gloo};

use crate::option_fault::OptionFault;

/// Envoy keeps time by the millisecond.
const SHORTEST: Duration = Duration::from_millis(1);
/// From one question to the next while there are no requests.
const NO_TRAFFIC: GoDuration = GoDuration(Duration::from_secs(60));

/// What is wrong, by field below the check.
type Faults = Vec<(String, String)>;

/// What `written` comes to, on an Upstream that speaks HTTP/2 or does not.
///
/// # Errors
/// The faults, by field.
pub(crate) fn of(written: &[gloo::HealthCheck], http2: bool) -> Result<Option<HealthCheck>, Vec<OptionFault>> {
    let Some((first, others)) = written.split_first() else { return Ok(None) };
    let mut faults = Faults::new();
    let made = check(first, &mut faults);
    if first.grpc_health_check.is_some() && !http2 {
        let reason = "gRPC is spoken over HTTP/2, and this Upstream is not; set useHttp2: true";
        faults.push(("grpcHealthCheck".to_owned(), reason.to_owned()));
    }
    let named = |(field, reason): (String, String)| OptionFault::new(&format!("healthChecks[0].{field}"), reason);
    let mut faults: Vec<_> = faults.into_iter().map(named).collect();
    if !others.is_empty() {
        faults.push(OptionFault::new("healthChecks[1]", "there can be one health check only; remove the others"));
    }
    match made.filter(|_| faults.is_empty()) {
        Some(made) => Ok(Some(made)),
        None => Err(faults),
    }
}

fn check(written: &gloo::HealthCheck, faults: &mut Faults) -> Option<HealthCheck> {
    let gloo::HealthCheck {
        timeout,
        interval,
        initial_jitter,
        interval_jitter,
        interval_jitter_percent,
        unhealthy_threshold,
        healthy_threshold,
        reuse_connection,
        no_traffic_interval,
        unhealthy_interval,
        unhealthy_edge_interval,
        healthy_edge_interval,
        always_log_health_check_failures,
        http_health_check,
        tcp_health_check,
        grpc_health_check,
    } = written;
    let required = |field: &str, faults: &mut Faults| {
        faults.push((field.to_owned(), "it is missing, and a health check needs it".to_owned()));
    };
    let time = |field: &str, written: &Option<GoDuration>, faults: &mut Faults| {
        if let Some(time) = written.filter(|time| time.0 < SHORTEST) {
            faults.push((field.to_owned(), format!("{time} is too short; use at least 1ms")));
        }
        *written
    };
    let times = [("timeout", timeout), ("interval", interval)].map(|(field, written)| {
        if written.is_none() {
            required(field, faults);
        }
        time(field, written, faults).unwrap_or_default()
    });
    let thresholds = [("unhealthyThreshold", unhealthy_threshold), ("healthyThreshold", healthy_threshold)];
    let thresholds = thresholds.map(|(field, written)| {
        match written {
            None => required(field, faults),
            Some(0) => faults.push((field.to_owned(), "0 is no threshold; use at least 1".to_owned())),
            Some(_) => {}
        }
        written.unwrap_or(1)
    });
    let ([timeout, interval], [unhealthy_threshold, healthy_threshold]) = (times, thresholds);
    let unhealthy_interval = time("unhealthyInterval", unhealthy_interval, faults).unwrap_or(interval);
    let question = match (http_health_check, tcp_health_check, grpc_health_check) {
        (Some(http), None, None) => Some(Question::Http(http_question(http, faults))),
        (None, Some(tcp), None) => tcp_question(tcp, faults),
        (None, None, Some(grpc)) => Some(grpc_question(grpc, faults)),
        _ => None,
    };
    if question.is_none() && faults.is_empty() {
        let reason = "a check asks in one way: set one of httpHealthCheck, tcpHealthCheck and grpcHealthCheck";
        faults.push(("httpHealthCheck".to_owned(), reason.to_owned()));
    }
    Some(HealthCheck {
        timeout,
        interval,
        no_traffic_interval: time("noTrafficInterval", no_traffic_interval, faults).unwrap_or(NO_TRAFFIC),
        unhealthy_interval,
        unhealthy_edge_interval: time("unhealthyEdgeInterval", unhealthy_edge_interval, faults)
            .unwrap_or(unhealthy_interval),
        healthy_edge_interval: time("healthyEdgeInterval", healthy_edge_interval, faults).unwrap_or(interval),
        initial_jitter: initial_jitter.unwrap_or_default(),
        interval_jitter: interval_jitter.unwrap_or_default(),
        interval_jitter_percent: *interval_jitter_percent,
        unhealthy_threshold,
        healthy_threshold,
        reuse_connection: reuse_connection.unwrap_or(true),
        logs_failures: *always_log_health_check_failures,
        question: question?,
    })
}

fn http_question(written: &HttpHealthCheck, faults: &mut Faults) -> HttpQuestion {
    let HttpHealthCheck {
        host,
        path,
        method,
        use_http2,
        expected_statuses,
        request_headers_to_add,
        request_headers_to_remove,
        service_name,
    } = written;
    let mut fault = |field: String, reason: String| faults.push((format!("httpHealthCheck.{field}"), reason));
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !path.starts_with('/') || !visible(path) {
        fault("path".to_owned(), format!("{path:?} is no path; begin it with a slash"));
    }
    if !visible(host) {
        fault("host".to_owned(), format!("{host:?} is no host"));
    }
    let method = match method.unwrap_or_default() {
        HealthCheckMethod::Connect => {
            fault("method".to_owned(), "CONNECT asks for a tunnel; use another method".to_owned());
            "GET"
        }
        HealthCheckMethod::MethodUnspecified | HealthCheckMethod::Get => "GET",
        HealthCheckMethod::Head => "HEAD",
        HealthCheckMethod::Post => "POST",
        HealthCheckMethod::Put => "PUT",
        HealthCheckMethod::Delete => "DELETE",
        HealthCheckMethod::Options => "OPTIONS",
        HealthCheckMethod::Trace => "TRACE",
        HealthCheckMethod::Patch => "PATCH",
    };
    let mut expected = Vec::new();
    for (at, range) in expected_statuses.iter().enumerate() {
        match (u16::try_from(range.start), u16::try_from(range.end)) {
            (Ok(start @ 100..), Ok(end @ ..=600)) if start < end => expected.push((start, end)),
            _ => fault(
                format!("expectedStatuses[{at}]"),
                format!("{} to {} is no range of statuses; use 100 to 600", range.start, range.end),
            ),
        }
    }
    let add_headers = added(request_headers_to_add, "requestHeadersToAdd", &mut fault);
    for (at, name) in request_headers_to_remove.iter().enumerate().filter(|(_, name)| !is_name(name)) {
        fault(format!("requestHeadersToRemove[{at}]"), format!("{name:?} is not a header name"));
    }
    HttpQuestion {
        host: host.clone(),
        path: path.clone(),
        method: method.to_owned(),
        http2: *use_http2,
        expected: if expected_statuses.is_empty() { vec![(200, 201)] } else { expected },
        add_headers,
        remove_headers: request_headers_to_remove.iter().map(|name| name.to_ascii_lowercase()).collect(),
        service: service_name.clone(),
    }
}

fn grpc_question(written: &GrpcHealthCheck, faults: &mut Faults) -> Question {
    let GrpcHealthCheck { service_name, authority, initial_metadata } = written;
    let mut fault = |field: String, reason: String| faults.push((format!("grpcHealthCheck.{field}"), reason));
    let metadata = added(initial_metadata, "initialMetadata", &mut fault);
    Question::Grpc { service: service_name.clone(), authority: authority.clone(), metadata }
}

/// Headers of a question: name, value, and whether those of that name that are there already stay.
fn added(
    written: &[RequestHeaderToAdd],
    field: &str,
    fault: &mut impl FnMut(String, String),
) -> Vec<(String, String, bool)> {
    let mut headers = Vec::new();
    for (at, added) in written.iter().enumerate() {
        let field = format!("{field}[{at}]");
        let Some(header) = added.header.as_ref().filter(|_| added.header_secret_ref.is_none()) else {
            fault(field, "a health check takes headers with a name and a value only".to_owned());
            continue;
        };
        if !is_name(&header.key) {
            fault(format!("{field}.header.key"), format!("{:?} is not a header name", header.key));
        } else if header.value.contains('%') || !header.value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
            fault(format!("{field}.header.value"), format!("{:?} is not plain text without %", header.value));
        }
        headers.push((header.key.to_ascii_lowercase(), header.value.clone(), added.append.unwrap_or(true)));
    }
    headers
}

/// Whether a header may be called so. Those of the question's own line are not headers.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$&'*+^`|~".contains(&byte))
}

fn tcp_question(written: &TcpHealthCheck, faults: &mut Faults) -> Option<Question> {
    let mut bytes = |field: String, payload: &Payload| {
        let bytes = hex(&payload.text).filter(|bytes| !bytes.is_empty());
        if bytes.is_none() {
            let reason = format!("{:?} are not bytes; write each as two hexadecimal digits", payload.text);
            faults.push((format!("tcpHealthCheck.{field}.text"), reason));
        }
        bytes
    };
    let send = match &written.send {
        Some(payload) => bytes("send".to_owned(), payload)?,
        None => Vec::new(),
    };
    let receive = written.receive.iter().enumerate();
    let receive = receive.map(|(at, payload)| bytes(format!("receive[{at}]"), payload)).collect::<Option<_>>()?;
    Some(Question::Tcp { send, receive })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|digit| Some(digit.to_digit(16)? as u8)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of_json(mut value: Value) -> Result<Option<HealthCheck>, Vec<String>> {
        for one in value.as_array_mut().unwrap() {
            for (field, default) in [("timeout", json!("1s")), ("interval", json!("5s"))] {
                one.as_object_mut().unwrap().entry(field).or_insert(default);
            }
            for field in ["healthyThreshold", "unhealthyThreshold"] {
                one.as_object_mut().unwrap().entry(field).or_insert(json!(2));
            }
        }
        let said = |faults: Vec<OptionFault>| {
            faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.reason)).collect()
        };
        of(&serde_json::from_value::<Vec<_>>(value).unwrap(), true).map_err(said)
    }

    #[test]
    fn what_is_left_out_is_as_in_envoy() {
        assert_eq!(of(&[], false).unwrap(), None);
        let made =
            of_json(json!([{"unhealthyInterval": "2s", "httpHealthCheck": {"path": "/well"}}])).unwrap().unwrap();
        let times = [made.no_traffic_interval, made.unhealthy_edge_interval, made.healthy_edge_interval];
        assert_eq!(times.map(|time| time.to_string()), ["60s", "2s", "5s"]);
        assert!(made.reuse_connection);
        let Question::Http(http) = made.question else { panic!("another question") };
        assert_eq!((http.method.as_str(), http.expected, http.http2), ("GET", vec![(200, 201)], false));
    }

    #[test]
    fn every_question_is_read() {
        let made = of_json(json!([{"tcpHealthCheck": {"send": {"text": "50494e47"}, "receive": [{"text": "4f4B"}]}}]));
        let expected = Question::Tcp { send: b"PING".to_vec(), receive: vec![b"OK".to_vec()] };
        assert_eq!(made.unwrap().unwrap().question, expected);
        let made = of_json(json!([{"grpcHealthCheck": {"serviceName": "a.B", "authority": "b.com",
            "initialMetadata": [{"header": {"key": "X-Token", "value": "t"}}]}}]));
        let expected = Question::Grpc {
            service: "a.B".to_owned(),
            authority: "b.com".to_owned(),
            metadata: vec![("x-token".to_owned(), "t".to_owned(), true)],
        };
        assert_eq!(made.unwrap().unwrap().question, expected);
        let made = of_json(json!([{"httpHealthCheck": {"path": "/", "host": "h", "method": "HEAD", "useHttp2": true,
            "expectedStatuses": [{"start": 200, "end": 300}], "requestHeadersToRemove": ["User-Agent"], "serviceName": "shop",
            "requestHeadersToAdd": [{"header": {"key": "X-A", "value": "1"}, "append": false}]}}]));
        let Question::Http(http) = made.unwrap().unwrap().question else { panic!("another question") };
        assert_eq!((http.method.as_str(), http.expected), ("HEAD", vec![(200, 300)]));
        assert_eq!(http.add_headers, [("x-a".to_owned(), "1".to_owned(), false)]);
        assert_eq!(http.remove_headers, ["user-agent"]);
        assert_eq!(http.service, "shop");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let http = json!({"path": "/"});
        for (value, expected) in [
            (json!([{}]), "healthChecks[0].httpHealthCheck: a check asks in one way"),
            (json!([{"timeout": null, "httpHealthCheck": http}]), "healthChecks[0].timeout: it is missing"),
            (json!([{"interval": "0s", "httpHealthCheck": http}]), "healthChecks[0].interval: 0s is too short"),
            (json!([{"healthyThreshold": 0, "httpHealthCheck": http}]), "healthChecks[0].healthyThreshold: 0 is no"),
            (json!([{"httpHealthCheck": http}, {"httpHealthCheck": http}]), "healthChecks[1]: there can be one"),
            (json!([{"httpHealthCheck": {"path": "x"}}]), "healthChecks[0].httpHealthCheck.path: \"x\" is no path"),
            (
                json!([{"httpHealthCheck": {"path": "/", "method": "CONNECT"}}]),
                "healthChecks[0].httpHealthCheck.method: CONNECT",
            ),
            (
                json!([{"httpHealthCheck": {"path": "/", "expectedStatuses": [{"start": 300, "end": 200}]}}]),
                "healthChecks[0].httpHealthCheck.expectedStatuses[0]: 300 to 200 is no range",
            ),
            (
                json!([{"httpHealthCheck": {"path": "/", "requestHeadersToAdd": [{"header": {"key": ":path"}}]}}]),
                "healthChecks[0].httpHealthCheck.requestHeadersToAdd[0].header.key: \":path\" is not",
            ),
            (
                json!([{"grpcHealthCheck": {"initialMetadata": [{"header": {"key": "a b"}}]}}]),
                "healthChecks[0].grpcHealthCheck.initialMetadata[0].header.key: \"a b\" is not",
            ),
            (
                json!([{"tcpHealthCheck": {"send": {"text": "PING"}}}]),
                "healthChecks[0].tcpHealthCheck.send.text: \"PING\" are not bytes",
            ),
            (
                json!([{"tcpHealthCheck": {"receive": [{"text": "4"}]}}]),
                "healthChecks[0].tcpHealthCheck.receive[0].text",
            ),
        ] {
            let faults = of_json(value).unwrap_err();
            assert!(faults.len() == 1 && faults[0].starts_with(expected), "{expected}: {faults:?}");
        }
    }
}
