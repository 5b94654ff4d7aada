//! For whom the clients of a connection were checked. All names for TLS lead to the same hosts, so a connection remembers
//! the VirtualServices that its client showed a certificate to, and their hosts answer 421 to all others (RFC 9110, 15.5.20).

use envoy_types::pb::envoy::config::core::v3::DataSource;
use envoy_types::pb::envoy::config::core::v3::SubstitutionFormatString;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier;
use envoy_types::pb::envoy::config::core::v3::substitution_format_string::Format;
use envoy_types::pb::envoy::config::listener::v3::{Filter, filter};
use envoy_types::pb::envoy::config::route::v3::route::Action;
use envoy_types::pb::envoy::config::route::v3::route_match::PathSpecifier;
use envoy_types::pb::envoy::config::route::v3::{DirectResponseAction, Route, RouteMatch, VirtualHost};
use envoy_types::pb::envoy::extensions::filters::common::set_filter_state::v3::FilterStateValue;
use envoy_types::pb::envoy::extensions::filters::common::set_filter_state::v3::filter_state_value::{Key, Value};
use envoy_types::pb::envoy::extensions::filters::network::set_filter_state::v3::Config;
use envoy_types::pb::envoy::r#type::matcher::v3::filter_state_matcher::Matcher;
use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;
use envoy_types::pb::envoy::r#type::matcher::v3::{FilterStateMatcher, StringMatcher};
use serin_api::ResourceId;
use serin_api::proxy::ServerTls;

use crate::protobuf::any;

/// What a connection keeps the VirtualServices under.
const KEY: &str = "serin.checked_for";
/// What Envoy makes of a value: a string.
const STRING: &str = "envoy.string";
/// The status of a request that came by a connection that is not for it.
const MISDIRECTED: u32 = 421;

/// Makes a connection remember for whom its client was checked.
pub(crate) fn remember(tls: &ServerTls) -> Filter {
    let all: String = tls.sources.iter().map(name).collect();
    let format = SubstitutionFormatString {
        format: Some(Format::TextFormatSource(DataSource {
            specifier: Some(Specifier::InlineString(all.replace('%', "%%"))),
            ..DataSource::default()
        })),
        ..SubstitutionFormatString::default()
    };
    let value = FilterStateValue {
        key: Some(Key::ObjectKey(KEY.to_owned())),
        factory_key: STRING.to_owned(),
        value: Some(Value::FormatString(format)),
        ..FilterStateValue::default()
    };
    let config = Config { on_new_connection: vec![value], ..Config::default() };
    Filter {
        name: "envoy.filters.network.set_filter_state".to_owned(),
        config_type: Some(filter::ConfigType::TypedConfig(any(&config))),
    }
}

/// Has `host`, which comes from `source`, answer those alone who were checked for it.
pub(crate) fn guard(source: &ResourceId, host: &mut VirtualHost) {
    let checked = FilterStateMatcher {
        key: KEY.to_owned(),
        matcher: Some(Matcher::StringMatch(StringMatcher {
            match_pattern: Some(MatchPattern::Contains(name(source))),
            ..StringMatcher::default()
        })),
    };
    for route in &mut host.routes {
        route.r#match.get_or_insert_default().filter_state.push(checked.clone());
    }
    // Who was checked and finds no route is not sent away for it.
    let not_checked =
        RouteMatch { path_specifier: Some(PathSpecifier::Prefix("/".to_owned())), ..RouteMatch::default() };
    let nothing = Route {
        r#match: Some(RouteMatch { filter_state: vec![checked], ..not_checked.clone() }),
        action: Some(respond(404)),
        ..Route::default()
    };
    let misdirected = Route { r#match: Some(not_checked), action: Some(respond(MISDIRECTED)), ..Route::default() };
    host.routes.extend([nothing, misdirected]);
}

fn respond(status: u32) -> Action {
    Action::DirectResponse(DirectResponseAction { status, ..DirectResponseAction::default() })
}

/// A VirtualService among others. No name holds what stands around it.
fn name(source: &ResourceId) -> String {
    format!("<{}/{}>", source.namespace, source.name)
}
