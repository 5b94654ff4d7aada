//! The counters of all workers, summed, as Prometheus text.

use std::fmt::Write;
use std::sync::Arc;

use super::counters::{BUCKETS, CLASSES, Counter, WorkerCounters};
use super::registry::{Labels, Registry};

/// Appends request counters and latency histograms by label set, then what is counted once per data plane.
pub(crate) fn render(registry: &Registry, workers: &[Arc<WorkerCounters>], swaps: u64, out: &mut String) {
    let series = registry.all();
    let label_texts: Vec<String> = series.iter().map(label_text).collect();

    header(out, "serin_requests_total", "counter", "Requests answered.");
    for (number, labels) in label_texts.iter().enumerate() {
        for (class, name) in CLASSES.iter().enumerate() {
            let count = sum(workers, number, |counters| &counters.classes[class]);
            if count > 0 {
                let _ = writeln!(out, "serin_requests_total{{{labels},code_class=\"{name}\"}} {count}");
            }
        }
    }
    header(
        out,
        "serin_request_duration_seconds",
        "histogram",
        "Time from a request's headers to the end of its response.",
    );
    for (number, labels) in label_texts.iter().enumerate() {
        let mut count = 0;
        let buckets: Vec<u64> =
            (0..=BUCKETS.len()).map(|bucket| sum(workers, number, |counters| &counters.buckets[bucket])).collect();
        if buckets.iter().all(|count| *count == 0) {
            continue;
        }
        for (bound, in_bucket) in BUCKETS.iter().zip(&buckets) {
            count += in_bucket;
            let _ = writeln!(
                out,
                "serin_request_duration_seconds_bucket{{{labels},le=\"{}\"}} {count}",
                *bound as f64 / 1e6
            );
        }
        count += buckets[BUCKETS.len()];
        let seconds = sum(workers, number, |counters| &counters.sum_micros) as f64 / 1e6;
        let _ = writeln!(out, "serin_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "serin_request_duration_seconds_sum{{{labels}}} {seconds}");
        let _ = writeln!(out, "serin_request_duration_seconds_count{{{labels}}} {count}");
    }

    type Pick = fn(&WorkerCounters) -> &Counter;
    let totals: [(&str, &str, &str, Pick); 14] = [
        ("serin_connections_active", "gauge", "Connections from clients that are open.", |w| &w.connections),
        ("serin_connections_total", "counter", "Connections from clients.", |w| &w.connections_total),
        ("serin_connections_refused_total", "counter", "Connections closed at once: too many.", |w| {
            &w.connections_refused
        }),
        ("serin_tls_handshake_failures_total", "counter", "TLS handshakes with clients that failed.", |w| {
            &w.tls_handshake_failures
        }),
        ("serin_upstream_connections_total", "counter", "Connections to upstreams.", |w| &w.upstream_connections_total),
        ("serin_upstream_connect_failures_total", "counter", "Endpoints that could not be connected to.", |w| {
            &w.upstream_connect_failures
        }),
        ("serin_upstream_retries_total", "counter", "Requests sent again on another connection.", |w| {
            &w.upstream_retries
        }),
        ("serin_upstream_retries_refused_total", "counter", "Requests not sent again: too many were already.", |w| {
            &w.upstream_retries_refused
        }),
        (
            "serin_upstream_overflows_total",
            "counter",
            "Requests refused: their upstream had too much under way.",
            |w| &w.upstream_overflows,
        ),
        ("serin_upstream_timeouts_total", "counter", "Requests that ran into their route's timeout.", |w| {
            &w.upstream_timeouts
        }),
        ("serin_shadows_sent_total", "counter", "Copies of requests that were sent.", |w| &w.shadows_sent),
        ("serin_shadows_dropped_total", "counter", "Copies of requests that were not sent.", |w| &w.shadows_dropped),
        ("serin_access_log_dropped_total", "counter", "Lines dropped: an access log's file was too slow.", |w| {
            &w.access_log_dropped
        }),
        ("serin_panics_total", "counter", "Connections lost to a defect in the data plane.", |w| &w.panics),
    ];
    for (name, kind, help, pick) in totals {
        header(out, name, kind, help);
        let total = workers.iter().fold(0_u64, |total, worker| total.wrapping_add(pick(worker).get()));
        let _ = writeln!(out, "{name} {total}");
    }
    header(out, "serin_config_swaps_total", "counter", "Configurations put into service.");
    let _ = writeln!(out, "serin_config_swaps_total {swaps}");
    header(out, "serin_workers", "gauge", "Worker threads.");
    let _ = writeln!(out, "serin_workers {}", workers.len());
}

fn header(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sum(
    workers: &[Arc<WorkerCounters>],
    series: usize,
    pick: impl Fn(&super::counters::SeriesCounters) -> &Counter,
) -> u64 {
    workers.iter().filter_map(|worker| worker.series(series as u32)).map(|counters| pick(counters).get()).sum()
}

fn label_text(labels: &Labels) -> String {
    format!(
        "listener=\"{}\",route=\"{}\",upstream=\"{}\",version=\"{}\"",
        escape(&labels.scope.listener),
        escape(&labels.scope.route),
        escape(&labels.scope.upstream),
        escape(&labels.version)
    )
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn workers_are_summed_and_buckets_are_cumulative() {
        let registry = Registry::new(10);
        let series = registry.series(registry.scope(&"ns.gw".into(), "a\"b", "u_ns"), registry.version("v2"));
        let workers = [Arc::new(WorkerCounters::new(10)), Arc::new(WorkerCounters::new(10))];
        workers[0].observe(series, 200, Duration::from_micros(400));
        workers[1].observe(series, 204, Duration::from_micros(600));
        workers[1].observe(series, 503, Duration::from_secs(60));
        let mut out = String::new();
        render(&registry, &workers, 3, &mut out);
        let labels = "listener=\"ns.gw\",route=\"a\\\"b\",upstream=\"u_ns\",version=\"v2\"";
        for line in [
            format!("serin_requests_total{{{labels},code_class=\"2xx\"}} 2"),
            format!("serin_requests_total{{{labels},code_class=\"5xx\"}} 1"),
            format!("serin_request_duration_seconds_bucket{{{labels},le=\"0.0005\"}} 1"),
            format!("serin_request_duration_seconds_bucket{{{labels},le=\"0.001\"}} 2"),
            format!("serin_request_duration_seconds_bucket{{{labels},le=\"10\"}} 2"),
            format!("serin_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("serin_request_duration_seconds_count{{{labels}}} 3"),
            "serin_config_swaps_total 3".to_owned(),
        ] {
            assert!(out.lines().any(|have| have == line), "{line}\n{out}");
        }
    }
}
