//! How what was found is printed.

use serde_json::{Value, json};

use super::area::Area;
use super::envoys::Envoy;
use super::verdict::{Grade, How};
use crate::out;

/// Prints it as Gloo's documents show it, and the Envoys that are connected.
pub(super) fn text(areas: &[Area], envoys: &[Envoy], wrong: bool) {
    for area in areas {
        if area.findings.is_empty() {
            out::line(format!("Checking {}... {}", area.name, out::good("OK")));
            continue;
        }
        let problems = area.findings.iter().any(|finding| finding.grade == Grade::Problem);
        let mut opening = format!("Checking {}... ", area.name);
        if !problems {
            out::line(format!("{opening}{}", out::good("OK")));
            opening.clear();
        }
        for finding in &area.findings {
            let what = match finding.how {
                How::Rejected => out::bad(&format!("Found rejected {}", area.one)),
                How::Warnings => out::bad(&format!("Found {} with warnings", area.one)),
                How::Pending => out::bad(&format!("Found {} with no status", area.one)),
                How::Unready => out::bad(&format!("Found {} that is not ready", area.one)),
                How::Unhealthy => out::bad(&format!("Found {} without a healthy endpoint", area.one)),
                How::Behind => out::bad(&format!("Found {} that is behind", area.one)),
                How::Refused => out::bad("Found what Envoys refuse"),
                How::Advice => out::caution(&format!("Advice on {}", area.one)),
            };
            let name = [finding.namespace.as_str(), &finding.name].join(" ");
            out::line(format!("{opening}{what}: {}", name.trim_start()));
            out::line(format!("Reason: {}", finding.reason.trim_end()));
            opening.clear();
        }
    }
    for envoy in envoys {
        out::line(format!("Envoy {} {}.", envoy.node, envoy.describe()));
    }
    if wrong {
        out::line(out::bad("Problems detected!"));
    } else {
        out::line(out::good("No problems detected."));
    }
}

/// Prints it for programs.
pub(super) fn json(areas: &[Area], envoys: &[Envoy], wrong: bool) {
    let areas: Vec<Value> = areas.iter().map(|area| json!({ "area": area.name, "findings": area.findings })).collect();
    out::line(format!("{:#}", json!({ "ok": !wrong, "areas": areas, "envoys": envoys })));
}
