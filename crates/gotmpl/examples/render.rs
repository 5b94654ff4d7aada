//! Renders templates as Helm does: a JSON list of `{name, template, data}` from stdin, to a JSON list of `{name, output, error}`.
//!
//! A missing key is nothing (`missingkey=zero`), and so is the `<no value>` that text/template prints for it.
//!
//! ```sh
//! echo '[{"name": "a", "template": "{{.x}} {{.y}}", "data": {"x": 1}}]' | cargo run -q -p gotmpl --example render
//! ```

use std::error::Error;
use std::io::{Read, Write};

use gotmpl::{MissingKey, TemplateSet, Value};
use serde_json::{Value as Json, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let cases: Vec<Json> = serde_json::from_str(&input)?;
    let results: Vec<Json> = cases.iter().map(render).collect();
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &results)?;
    writeln!(out)?;
    Ok(())
}

fn render(case: &Json) -> Json {
    let name = case["name"].as_str().unwrap_or_default();
    let source = case["template"].as_str().unwrap_or_default();
    let mut set = TemplateSet::new().missing_key(MissingKey::Zero);
    let rendered = set.parse(name, source).and_then(|()| set.render(name, &Value::from_json(&case["data"])));
    match rendered {
        Ok(output) => {
            json!({"name": name, "output": String::from_utf8_lossy(&output).replace("<no value>", ""), "error": ""})
        }
        Err(error) => json!({"name": name, "output": "", "error": error.to_string()}),
    }
}
