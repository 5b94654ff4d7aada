//! A Gateway's access logs: which files, and what their lines say.

use serde_json::Value;
use serin_api::gateway::{FileSink, GatewayOptions};
use serin_api::proxy::{AccessLog, AccessLogFormat};
use serin_api::{LogFormat, LogFormatError, ResourceId};

use crate::option_fault::{OptionFault, read};
use crate::options::Options;
use crate::report::{Book, Finding};

const FIELD: &str = "accessLoggingService.accessLog";

/// The logs that `options` ask for. One at fault is left out and told.
pub(crate) fn of(id: &ResourceId, options: Option<&Options>, book: &mut Book) -> Vec<AccessLog> {
    let Some(options) = options else { return Vec::new() };
    let mut faults: Vec<OptionFault> = Vec::new();
    let read: GatewayOptions = read(options, &mut faults);
    let mut logs = Vec::new();
    for (at, log) in read.access_logging_service.unwrap_or_default().access_log.into_iter().enumerate() {
        // A log that is not a file is told as not implemented.
        let Some(file) = log.file_sink else { continue };
        match of_file(file) {
            Ok(log) => logs.push(log),
            Err((field, reason)) => {
                faults.push(OptionFault { field: format!("{FIELD}[{at}].fileSink.{field}"), reason });
            }
        }
    }
    for fault in faults {
        let path = format!("spec.options.{}", fault.field);
        book.add(Finding::error(id, path.clone(), format!("{path}: {}", fault.reason)));
    }
    logs
}

fn of_file(file: FileSink) -> Result<AccessLog, (String, String)> {
    if file.path.is_empty() {
        return Err(("path".to_owned(), "a file is needed; /dev/stdout is the gateway's own output".to_owned()));
    }
    let format = match (file.string_format, file.json_format) {
        (text, Some(_)) if !text.is_empty() => {
            return Err(("jsonFormat".to_owned(), "a log has one format: keep this or stringFormat".to_owned()));
        }
        (_, Some(fields)) => {
            let object = Value::Object(fields.into_iter().map(|(name, value)| (name, value.0)).collect());
            check(&object, "jsonFormat")?;
            let Value::Object(object) = object else { return Err(("jsonFormat".to_owned(), "no object".to_owned())) };
            AccessLogFormat::Json(object)
        }
        (text, None) if text.is_empty() => AccessLogFormat::Text(LogFormat::DEFAULT.to_owned()),
        (text, None) => {
            parse(&text, "stringFormat")?;
            AccessLogFormat::Text(text)
        }
    };
    Ok(AccessLog { path: file.path, format })
}

/// Every string of a JSON format is a format.
fn check(value: &Value, path: &str) -> Result<(), (String, String)> {
    match value {
        Value::String(text) => parse(text, path),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| check(value, &format!("{path}.{name}"))),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(at, item)| check(item, &format!("{path}[{at}]")))
        }
        _ => Ok(()),
    }
}

fn parse(text: &str, path: &str) -> Result<(), (String, String)> {
    LogFormat::parse(text).map(|_| ()).map_err(|error: LogFormatError| (path.to_owned(), error.to_string()))
}
