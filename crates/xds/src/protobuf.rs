//! How protobuf wraps plain values: `Any`, the wrapper types, durations, `Struct`.

use std::collections::BTreeMap;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::{
    Address, AggregatedConfigSource, ApiVersion, ConfigSource, Metadata, SocketAddress, address, config_source,
    socket_address,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{
    RegexMatchAndSubstitute, RegexMatcher, StringMatcher, string_matcher,
};
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Any, Duration as ProtobufDuration, ListValue, Struct, Value};
use prost::{Message, Name};
use serin_api::proxy::Substitution;

/// Where Envoy looks for the labels of endpoints and for those that a route asks for.
const SUBSET_METADATA: &str = "envoy.lb";

/// A message with its type's name.
pub(crate) fn any<M: Message + Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}

/// A length of time; what protobuf cannot hold becomes the longest that it can.
pub(crate) fn duration(length: Duration) -> ProtobufDuration {
    /// Ten thousand years, which is protobuf's limit.
    const LONGEST: i64 = 315_576_000_000;
    let seconds = i64::try_from(length.as_secs()).unwrap_or(LONGEST).min(LONGEST);
    ProtobufDuration { seconds, nanos: i32::try_from(length.subsec_nanos()).unwrap_or_default() }
}

/// An IP address or a name, and a port.
pub(crate) fn socket_address(host: &str, port: u16) -> Address {
    let address = SocketAddress {
        address: host.to_owned(),
        // Has a meaning for `::` alone, which then stands for IPv4 too.
        ipv4_compat: host == "::",
        port_specifier: Some(socket_address::PortSpecifier::PortValue(port.into())),
        ..SocketAddress::default()
    };
    Address { address: Some(address::Address::SocketAddress(address)) }
}

/// Labels, where Envoy's subsets look for them; `None` when there are none.
pub(crate) fn subset_metadata(labels: &BTreeMap<String, String>) -> Option<Metadata> {
    (!labels.is_empty()).then(|| Metadata {
        filter_metadata: [(SUBSET_METADATA.to_owned(), label_struct(labels))].into(),
        ..Metadata::default()
    })
}

/// Labels as a `Struct`.
pub(crate) fn label_struct(labels: &BTreeMap<String, String>) -> Struct {
    let value = |text: &String| Value { kind: Some(Kind::StringValue(text.clone())) };
    Struct { fields: labels.iter().map(|(key, text)| (key.clone(), value(text))).collect() }
}

/// An object of JSON.
pub(crate) fn json_struct(object: &serde_json::Map<String, serde_json::Value>) -> Struct {
    Struct { fields: object.iter().map(|(name, value)| (name.clone(), json_value(value))).collect() }
}

fn json_value(value: &serde_json::Value) -> Value {
    let kind = match value {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(truth) => Kind::BoolValue(*truth),
        serde_json::Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        serde_json::Value::String(text) => Kind::StringValue(text.clone()),
        serde_json::Value::Array(items) => {
            Kind::ListValue(ListValue { values: items.iter().map(json_value).collect() })
        }
        serde_json::Value::Object(object) => Kind::StructValue(json_struct(object)),
    };
    Value { kind: Some(kind) }
}

/// The stream that the resource itself came over.
pub(crate) fn same_stream() -> ConfigSource {
    ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        config_source_specifier: Some(config_source::ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..ConfigSource::default()
    }
}

/// A regular expression. Envoy matches whole values with it.
pub(crate) fn regex(pattern: &str) -> RegexMatcher {
    RegexMatcher { regex: pattern.to_owned(), ..RegexMatcher::default() }
}

/// A pattern, and what replaces each of its matches.
pub(crate) fn substitution(substitution: &Substitution) -> RegexMatchAndSubstitute {
    let Substitution { pattern, substitution } = substitution;
    RegexMatchAndSubstitute { pattern: Some(regex(pattern)), substitution: substitution.clone() }
}

/// A test of a string: equal to `value`, or a regular expression for the whole of it.
pub(crate) fn string_matcher(value: &str, is_regex: bool) -> StringMatcher {
    let pattern = match is_regex {
        true => string_matcher::MatchPattern::SafeRegex(regex(value)),
        false => string_matcher::MatchPattern::Exact(value.to_owned()),
    };
    StringMatcher { match_pattern: Some(pattern), ..StringMatcher::default() }
}
