//! Access logs: the files that Envoys write a line about each request to.

use envoy_types::pb::envoy::config::accesslog::v3::{AccessLog, access_log};
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, SubstitutionFormatString, data_source, substitution_format_string,
};
use envoy_types::pb::envoy::extensions::access_loggers::file::v3::{FileAccessLog, file_access_log};
use serin_api::proxy::{self, AccessLogFormat};

use crate::protobuf::{any, json_struct};

/// The logs of a listener.
pub(crate) fn access_logs(logs: &[proxy::AccessLog]) -> Vec<AccessLog> {
    logs.iter().map(access_log).collect()
}

fn access_log(log: &proxy::AccessLog) -> AccessLog {
    let proxy::AccessLog { path, format } = log;
    let format = match format {
        AccessLogFormat::Text(text) => substitution_format_string::Format::TextFormatSource(inline(text)),
        AccessLogFormat::Json(object) => substitution_format_string::Format::JsonFormat(json_struct(object)),
    };
    let format = SubstitutionFormatString { format: Some(format), ..SubstitutionFormatString::default() };
    let file = FileAccessLog {
        path: path.clone(),
        access_log_format: Some(file_access_log::AccessLogFormat::LogFormat(format)),
    };
    AccessLog {
        name: "envoy.access_loggers.file".to_owned(),
        config_type: Some(access_log::ConfigType::TypedConfig(any(&file))),
        ..AccessLog::default()
    }
}

fn inline(text: &str) -> DataSource {
    DataSource { specifier: Some(data_source::Specifier::InlineString(text.to_owned())), ..DataSource::default() }
}
