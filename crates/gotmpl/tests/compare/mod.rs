//! Compares what is rendered with what Go rendered, case by case.

use std::fmt::Write as _;

use gotmpl::{Error, Function, MissingKey, TemplateSet, Value};
use serde_json::Value as Json;

fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let bits = group.iter().fold(0, |bits, byte| bits << 6 | if *byte == b'=' { 0 } else { digit(*byte) });
        let length = group.iter().filter(|byte| **byte != b'=').count() - 1;
        out.extend_from_slice(&bits.to_be_bytes()[1..=length]);
    }
    out
}

fn render(case: &Json, data: &Json, functions: Vec<Function>) -> Result<Vec<u8>, Error> {
    let delims: Vec<&str> = case["delims"]
        .as_array()
        .map_or(vec!["", ""], |both| both.iter().map(|delim| delim.as_str().unwrap()).collect());
    let mut set = TemplateSet::new().named("root").funcs(functions).delims(delims[0], delims[1]);
    set = match case["option"].as_str() {
        Some("missingkey=zero") => set.missing_key(MissingKey::Zero),
        Some("missingkey=error") => set.missing_key(MissingKey::Error),
        _ => set,
    };
    let templates = case["templates"].as_array().unwrap();
    for template in templates {
        set.parse(template[0].as_str().unwrap(), template[1].as_str().unwrap())?;
    }
    set.render(templates[0][0].as_str().unwrap(), &Value::from_json(case.get("data").unwrap_or(data)))
}

/// Renders each line of a case file and compares it with that of the golden file.
pub(crate) fn compare(cases: &str, golden: &str, data: &str, functions: fn() -> Vec<Function>) {
    let cases: Vec<&str> = cases.lines().collect();
    let golden: Vec<&str> = golden.lines().collect();
    assert_eq!(cases.len(), golden.len(), "re-make the golden file");
    let data: Json = serde_json::from_str(data).unwrap();
    let (mut wrong, mut count) = (String::new(), 0);
    for (case, expected) in cases.iter().zip(golden) {
        let expected: Json = serde_json::from_str(expected).unwrap();
        let rendered = render(&serde_json::from_str(case).unwrap(), &data, functions());
        let text = expected["output"].as_str().unwrap();
        let right = match (&rendered, expected["error"].as_str()) {
            (Ok(output), None) if expected["base64"] == true => *output == base64(text),
            (Ok(output), None) => *output == text.as_bytes(),
            (Err(error), Some(message)) => error.to_string() == *message,
            _ => false,
        };
        if !right {
            count += 1;
            let rendered = rendered.map(|output| String::from_utf8_lossy(&output).into_owned());
            let rendered = rendered.map_err(|error| error.to_string());
            let _ = writeln!(wrong, "{case}\n  expected {expected}\n  rendered {rendered:?}");
        }
    }
    assert!(wrong.is_empty(), "{count} of {} differ:\n{wrong}", cases.len());
}
