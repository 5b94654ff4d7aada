//! Access logs: the files that Envoys write a line about each request to.

use envoy_types::pb::envoy::config::accesslog::v3::{AccessLog, access_log};
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, SubstitutionFormatString, TypedExtensionConfig, data_source, substitution_format_string,
};
use envoy_types::pb::envoy::extensions::access_loggers::file::v3::{FileAccessLog, file_access_log};
use envoy_types::pb::envoy::extensions::formatter::req_without_query::v3::ReqWithoutQuery;
use serin_api::proxy::{self, AccessLogFormat};

use crate::log_filter::envoy_filter;
use crate::protobuf::{any, json_struct};

/// The logs of a listener.
pub(crate) fn access_logs(logs: &[proxy::AccessLog]) -> Vec<AccessLog> {
    logs.iter().map(access_log).collect()
}

fn access_log(log: &proxy::AccessLog) -> AccessLog {
    let proxy::AccessLog { path, format, filter } = log;
    let format = match format {
        AccessLogFormat::Text(text) => substitution_format_string::Format::TextFormatSource(inline(text)),
        AccessLogFormat::Json(object) => substitution_format_string::Format::JsonFormat(json_struct(object)),
    };
    let format = SubstitutionFormatString {
        format: Some(format),
        formatters: formatters(),
        ..SubstitutionFormatString::default()
    };
    let file = FileAccessLog {
        path: path.clone(),
        access_log_format: Some(file_access_log::AccessLogFormat::LogFormat(format)),
    };
    AccessLog {
        name: "envoy.access_loggers.file".to_owned(),
        filter: filter.as_ref().map(envoy_filter),
        config_type: Some(access_log::ConfigType::TypedConfig(any(&file))),
    }
}

fn inline(text: &str) -> DataSource {
    DataSource { specifier: Some(data_source::Specifier::InlineString(text.to_owned())), ..DataSource::default() }
}

/// What Envoy needs to know `REQ_WITHOUT_QUERY`.
fn formatters() -> Vec<TypedExtensionConfig> {
    vec![TypedExtensionConfig {
        name: "envoy.formatter.req_without_query".to_owned(),
        typed_config: Some(any(&ReqWithoutQuery {})),
    }]
}
