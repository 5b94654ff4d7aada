//! The server's tables in columns.

use serde_json::Value;

use crate::out::Columns;

/// How a table is to be shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// Columns of lower priority too.
    pub(super) wide: bool,
    /// A column with the namespace.
    pub(super) namespaces: bool,
    /// No heading.
    pub(super) no_headers: bool,
    /// A column with the labels.
    pub(super) labels: bool,
}

/// What asks the server for tables.
pub(super) const ACCEPT: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// A table as text. `prefix` stands before each name, for tables of several kinds; `columns` are those of an earlier
/// part of the same table, since events of a watch do not repeat them.
pub(super) fn render(table: &Value, look: Look, prefix: &str, columns: Option<&[Value]>) -> String {
    let definitions = table["columnDefinitions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let definitions = if definitions.is_empty() { columns.unwrap_or_default() } else { definitions };
    let shown: Vec<usize> = (0..definitions.len())
        .filter(|index| look.wide || definitions[*index]["priority"].as_i64().unwrap_or(0) == 0)
        .collect();
    let mut lines = Columns::default();
    if !look.no_headers {
        let mut heading = Vec::new();
        if look.namespaces {
            heading.push("NAMESPACE".to_owned());
        }
        heading.extend(shown.iter().map(|index| text(&definitions[*index]["name"]).to_uppercase()));
        if look.labels {
            heading.push("LABELS".to_owned());
        }
        lines.row(heading);
    }
    for row in table["rows"].as_array().into_iter().flatten() {
        let metadata = &row["object"]["metadata"];
        let mut cells = Vec::new();
        if look.namespaces {
            cells.push(text(&metadata["namespace"]));
        }
        for (place, index) in shown.iter().enumerate() {
            let cell = text(&row["cells"][*index]);
            cells.push(if place == 0 { format!("{prefix}{cell}") } else { cell });
        }
        if look.labels {
            let labels = metadata["labels"].as_object().into_iter().flatten();
            let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={}", text(value))).collect();
            cells.push(if labels.is_empty() { "<none>".to_owned() } else { labels.join(",") });
        }
        lines.row(cells);
    }
    lines.render()
}

/// A cell, cut at its first line's end as kubectl cuts it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => match text.split_once(['\n', '\r', '\u{c}']) {
            Some((line, _)) => format!("{line}..."),
            None => text.clone(),
        },
        Value::Null => "<none>".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_of_several_lines_is_cut_at_the_first() {
        let table = json!({
            "columnDefinitions": [{"name": "Name"}, {"name": "Reason"}],
            "rows": [{"cells": ["a", "warning:\n  no such table"]}],
        });
        assert_eq!(render(&table, Look::default(), "", None), "NAME   REASON\na      warning:...\n");
    }

    #[test]
    fn columns_of_low_priority_are_for_wide_tables() {
        let table = json!({
            "columnDefinitions": [
                {"name": "Name", "priority": 0}, {"name": "Ready", "priority": 0}, {"name": "IP", "priority": 1},
            ],
            "rows": [{"cells": ["a", "1/1", "127.1.0.2"], "object": {"metadata": {"namespace": "echo"}}}],
        });
        assert_eq!(render(&table, Look::default(), "", None), "NAME   READY\na      1/1\n");
        let wide = Look { wide: true, namespaces: true, ..Look::default() };
        assert_eq!(
            render(&table, wide, "pod/", None),
            "NAMESPACE   NAME    READY   IP\necho        pod/a   1/1     127.1.0.2\n"
        );
    }
}
