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
            let Some(record) = &notice.record else { return Vec::new() };
            let count =
                |reason: &Reason| (format!(",reason=\"{}\"", reason.as_str()), record.ejections[*reason as usize]);
            Reason::ALL.iter().map(count).collect()
        });
        rows(
            "serin_upstream_ejections_overflow_total",
            "counter",
            "Endpoints not ejected: as many as may be were already.",
            &|notice| notice.record.iter().map(|record| (String::new(), record.overflow)).collect(),
        );
        rows("serin_upstream_endpoints_ejected", "gauge", "Endpoints that are ejected now.", &|notice| {
            vec![(String::new(), notice.bad.iter().filter(|bad| bad.ejected.is_some()).count() as u64)]
        });
        rows("serin_upstream_health_checks_total", "counter", "Health checks, by how they ended.", &|notice| {
            let Some(checks) = notice.checks else { return Vec::new() };
            let row = |result: &str, count| (format!(",result=\"{result}\""), count);
            vec![row("success", checks.good), row("failure", checks.bad)]
        });
        rows("serin_upstream_endpoints_unhealthy", "gauge", "Endpoints whose health checks fail.", &|notice| {
            vec![(String::new(), notice.bad.iter().filter(|bad| bad.unhealthy.is_some()).count() as u64)]
        });
    }
}
