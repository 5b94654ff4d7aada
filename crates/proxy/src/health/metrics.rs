//! What the judge did, as Prometheus text.

use std::fmt::Write;

use super::board::Board;
use super::tally::Reason;

impl Board {
    /// Appends the counters of every cluster whose endpoints are judged.
    pub(crate) fn render(&self, out: &mut String) {
        let all = self.all();
        let mut rows =
            |name: &str, kind: &str, help: &str, of: &dyn Fn(&super::board::Notice) -> Vec<(String, u64)>| {
                let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
                for (cluster, notice) in &all {
                    for (labels, value) in of(notice) {
                        let _ = writeln!(out, "{name}{{upstream=\"{cluster}\"{labels}}} {value}");
                    }
                }
            };
        rows("serin_upstream_ejections_total", "counter", "Endpoints ejected for what they answered.", &|notice| {
            let count = |reason: &Reason| {
                (format!(",reason=\"{}\"", reason.as_str()), notice.record.ejections[*reason as usize])
            };
            Reason::ALL.iter().map(count).collect()
        });
        rows(
            "serin_upstream_ejections_overflow_total",
            "counter",
            "Endpoints not ejected: as many as may be were already.",
            &|notice| vec![(String::new(), notice.record.overflow)],
        );
        rows("serin_upstream_endpoints_ejected", "gauge", "Endpoints that are ejected now.", &|notice| {
            vec![(String::new(), notice.bad.iter().filter(|bad| bad.ejected.is_some()).count() as u64)]
        });
    }
}
