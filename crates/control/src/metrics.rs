//! Counters of the control plane, in the Prometheus text format.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the control plane counts.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) translations: AtomicU64,
    pub(crate) translation_micros: AtomicU64,
    pub(crate) last_translation_micros: AtomicU64,
    pub(crate) applied: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) endpoint_updates: AtomicU64,
    pub(crate) status_writes: AtomicU64,
    pub(crate) statuses_pending: AtomicU64,
    pub(crate) proxy_writes: AtomicU64,
    /// How often the Proxy object was to be changed.
    pub(crate) proxy_wanted: AtomicU64,
    /// Up to which of these changes the API has it.
    pub(crate) proxy_settled: AtomicU64,
    pub(crate) watch_failures: AtomicU64,
    pub(crate) frozen: AtomicU64,
}

impl Metrics {
    /// Notes one translation and how long it took.
    pub(crate) fn translated(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.translations.fetch_add(1, Ordering::Relaxed);
        self.translation_micros.fetch_add(micros, Ordering::Relaxed);
        self.last_translation_micros.store(micros, Ordering::Relaxed);
    }

    /// How many statuses the API does not have yet, that of the Proxy object among them.
    pub(crate) fn pending(&self) -> u64 {
        let proxy = self.proxy_wanted.load(Ordering::Relaxed) != self.proxy_settled.load(Ordering::Relaxed);
        self.statuses_pending.load(Ordering::Relaxed) + u64::from(proxy)
    }

    /// Appends the counters to `out`.
    pub(crate) fn write(&self, out: &mut String) {
        let seconds =
            |micros: &AtomicU64| format!("{}", Duration::from_micros(micros.load(Ordering::Relaxed)).as_secs_f64());
        let count = |value: &AtomicU64| value.load(Ordering::Relaxed).to_string();
        let rows = [
            (
                "serin_control_translations_total",
                "counter",
                "Translations of the whole configuration.",
                count(&self.translations),
            ),
            (
                "serin_control_translation_seconds_total",
                "counter",
                "Time spent on translations.",
                seconds(&self.translation_micros),
            ),
            (
                "serin_control_last_translation_seconds",
                "gauge",
                "Time the last translation took.",
                seconds(&self.last_translation_micros),
            ),
            (
                "serin_control_configurations_applied_total",
                "counter",
                "Configurations handed to the data plane.",
                count(&self.applied),
            ),
            (
                "serin_control_configurations_refused_total",
                "counter",
                "Configurations that the data plane refused.",
                count(&self.refused),
            ),
            (
                "serin_control_endpoint_updates_total",
                "counter",
                "Updates of endpoints handed to the data plane.",
                count(&self.endpoint_updates),
            ),
            (
                "serin_control_status_writes_total",
                "counter",
                "Statuses written to the API.",
                count(&self.status_writes),
            ),
            (
                "serin_control_statuses_pending",
                "gauge",
                "Statuses that wait to be written.",
                count(&self.statuses_pending),
            ),
            (
                "serin_control_proxy_writes_total",
                "counter",
                "Proxy objects written to the API.",
                count(&self.proxy_writes),
            ),
            (
                "serin_control_watch_failures_total",
                "counter",
                "Watches that failed and were started again.",
                count(&self.watch_failures),
            ),
            (
                "serin_control_frozen",
                "gauge",
                "1 while the last good configuration is kept because of a fault.",
                count(&self.frozen),
            ),
        ];
        for (name, kind, help, value) in rows {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
    }
}
