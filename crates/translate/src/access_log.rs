//! A Gateway's access logs: which files, and what their lines say.

use serde_json::Value;
use serin_api::gateway::{AccessLogFilter, FileSink, GatewayOptions};
use serin_api::proxy::{AccessLog, AccessLogFormat};
use serin_api::{Format, Operator, ResourceId};

use crate::log_filter;
use crate::option_fault::{OptionFault, read};
use crate::options::Options;
use crate::report::{Book, Finding};

/// An operator that only Envoys know: the field it is in, and its name.
type Unserved = (String, &'static str);

const FIELD: &str = "accessLoggingService.accessLog";

/// The logs that `options` ask for. One at fault is left out and told.
pub(crate) fn of(id: &ResourceId, options: Option<&Options>, book: &mut Book) -> Vec<AccessLog> {
    let Some(options) = options else { return Vec::new() };
    let mut faults: Vec<OptionFault> = Vec::new();
    let mine = options.iter().filter(|(name, _)| *name == "accessLoggingService");
    let read: GatewayOptions = read(&mine.map(|(name, value)| (name.clone(), value.clone())).collect(), &mut faults);
    let mut logs = Vec::new();
    for (at, log) in read.access_logging_service.unwrap_or_default().access_log.into_iter().enumerate() {
        // A log that is not a file is told as not implemented.
        let Some(file) = log.file_sink else { continue };
        let mut unserved = Vec::new();
        match of_file(file, log.filter.as_ref(), &mut unserved) {
            Ok(log) => logs.push(log),
            Err((field, reason)) => faults.push(OptionFault { field: format!("{FIELD}[{at}].{field}"), reason }),
        }
        for (field, name) in unserved {
            let path = format!("spec.options.{FIELD}[{at}].{field}");
            let message = format!("{path}: Envoys write %{name}%, Serin's own data plane writes - in its place");
            book.add(Finding::advice(id, path, message));
        }
    }
    for fault in faults {
        let path = format!("spec.options.{}", fault.field);
        book.add(Finding::error(id, path.clone(), format!("{path}: {}", fault.reason)));
    }
    logs
}

fn of_file(
    file: FileSink,
    filter: Option<&AccessLogFilter>,
    unserved: &mut Vec<Unserved>,
) -> Result<AccessLog, (String, String)> {
    let filter = filter.map(|filter| log_filter::of(filter, "filter")).transpose()?;
    if file.path.is_empty() {
        return Err((
            "fileSink.path".to_owned(),
            "a file is needed; /dev/stdout is the gateway's own output".to_owned(),
        ));
    }
    let format = match (file.string_format, file.json_format) {
        (text, Some(_)) if !text.is_empty() => {
            return Err((
                "fileSink.jsonFormat".to_owned(),
                "a log has one format: keep this or stringFormat".to_owned(),
            ));
        }
        (_, Some(fields)) => {
            let object = Value::Object(fields.into_iter().map(|(name, value)| (name, value.0)).collect());
            check(&object, "fileSink.jsonFormat", unserved)?;
            let Value::Object(object) = object else {
                return Err(("fileSink.jsonFormat".to_owned(), "no object".to_owned()));
            };
            AccessLogFormat::Json(object)
        }
        (text, None) if text.is_empty() => AccessLogFormat::Text(Format::DEFAULT_LINE.to_owned()),
        (text, None) => {
            parse(&text, "fileSink.stringFormat", unserved)?;
            AccessLogFormat::Text(text)
        }
    };
    Ok(AccessLog { path: file.path, format, filter })
}

/// Every string of a JSON format is a format.
fn check(value: &Value, path: &str, unserved: &mut Vec<Unserved>) -> Result<(), (String, String)> {
    match value {
        Value::String(text) => parse(text, path, unserved),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(name, value)| check(value, &format!("{path}.{name}"), unserved))
        }
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(at, item)| check(item, &format!("{path}[{at}]"), unserved))
        }
        _ => Ok(()),
    }
}

fn parse(text: &str, path: &str, unserved: &mut Vec<Unserved>) -> Result<(), (String, String)> {
    let format = Format::parse(text).map_err(|error| (path.to_owned(), error.to_string()))?;
    for operator in format.operators() {
        if let Operator::Unserved(name) = operator {
            unserved.push((path.to_owned(), name));
        }
    }
    Ok(())
}
