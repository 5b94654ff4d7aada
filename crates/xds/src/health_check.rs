//! Health checks, in Envoy's terms.

use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::health_check::payload::Payload as Bytes;
use envoy_types::pb::envoy::config::core::v3::health_check::{
    GrpcHealthCheck, HealthChecker, HttpHealthCheck, Payload, TcpHealthCheck,
};
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption, HealthCheck, RequestMethod};
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher};
use envoy_types::pb::envoy::r#type::v3::{CodecClientType, Int64Range};
use envoy_types::pb::google::protobuf::{BoolValue, UInt32Value};
use serin_api::proxy::{self, HttpQuestion, Question};

use crate::protobuf::duration;

/// Envoy's settings for `check`.
pub(crate) fn health_check(check: &proxy::HealthCheck) -> HealthCheck {
    let proxy::HealthCheck {
        timeout,
        interval,
        no_traffic_interval,
        unhealthy_interval,
        unhealthy_edge_interval,
        healthy_edge_interval,
        initial_jitter,
        interval_jitter,
        interval_jitter_percent,
        unhealthy_threshold,
        healthy_threshold,
        reuse_connection,
        logs_failures,
        question,
    } = check;
    HealthCheck {
        timeout: Some(duration(timeout.0)),
        interval: Some(duration(interval.0)),
        no_traffic_interval: Some(duration(no_traffic_interval.0)),
        unhealthy_interval: Some(duration(unhealthy_interval.0)),
        unhealthy_edge_interval: Some(duration(unhealthy_edge_interval.0)),
        healthy_edge_interval: Some(duration(healthy_edge_interval.0)),
        initial_jitter: Some(duration(initial_jitter.0)),
        interval_jitter: Some(duration(interval_jitter.0)),
        interval_jitter_percent: *interval_jitter_percent,
        unhealthy_threshold: Some(UInt32Value { value: *unhealthy_threshold }),
        healthy_threshold: Some(UInt32Value { value: *healthy_threshold }),
        reuse_connection: Some(BoolValue { value: *reuse_connection }),
        health_checker: Some(match question {
            Question::Http(http) => HealthChecker::HttpHealthCheck(http_question(http)),
            Question::Tcp { send, receive } => HealthChecker::TcpHealthCheck(TcpHealthCheck {
                send: Some(send).filter(|send| !send.is_empty()).map(|send| payload(send)),
                receive: receive.iter().map(|bytes| payload(bytes)).collect(),
                ..TcpHealthCheck::default()
            }),
            Question::Grpc { service, authority, metadata } => HealthChecker::GrpcHealthCheck(GrpcHealthCheck {
                service_name: service.clone(),
                authority: authority.clone(),
                initial_metadata: metadata.iter().map(added).collect(),
            }),
        }),
        always_log_health_check_failures: *logs_failures,
        ..HealthCheck::default()
    }
}

fn http_question(question: &HttpQuestion) -> HttpHealthCheck {
    let HttpQuestion { host, path, method, http2, expected, add_headers, remove_headers, service } = question;
    let begins_with = string_matcher::MatchPattern::Prefix(service.clone());
    let service = StringMatcher { match_pattern: Some(begins_with), ..StringMatcher::default() };
    let codec = if *http2 { CodecClientType::Http2 } else { CodecClientType::Http1 };
    HttpHealthCheck {
        host: host.clone(),
        path: path.clone(),
        method: RequestMethod::from_str_name(method).unwrap_or_default().into(),
        codec_client_type: codec.into(),
        expected_statuses: expected
            .iter()
            .map(|(start, end)| Int64Range { start: (*start).into(), end: (*end).into() })
            .collect(),
        request_headers_to_add: add_headers.iter().map(added).collect(),
        request_headers_to_remove: remove_headers.clone(),
        service_name_matcher: (!question.service.is_empty()).then_some(service),
        ..HttpHealthCheck::default()
    }
}

/// A header of a question.
fn added((key, value, append): &(String, String, bool)) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: key.clone(), value: value.clone(), ..HeaderValue::default() }),
        append_action: match append {
            true => HeaderAppendAction::AppendIfExistsOrAdd,
            false => HeaderAppendAction::OverwriteIfExistsOrAdd,
        }
        .into(),
        ..HeaderValueOption::default()
    }
}

/// Bytes as Envoy reads them: in hexadecimal digits.
fn payload(bytes: &[u8]) -> Payload {
    let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Payload { payload: Some(Bytes::Text(text)) }
}
