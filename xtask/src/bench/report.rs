//! The figures of all runs as medians, as a table with ratios, and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::proxy::Proxy;
use super::scenario::Scenario;

/// One run of one proxy, or the medians of several. A scenario without requests has memory only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) scenario: String,
    pub(crate) proxy: String,
    /// User and system time of the proxy's processes for each request, in microseconds.
    pub(crate) cpu_us_per_request: Option<f64>,
    pub(crate) requests_per_second: Option<f64>,
    /// 99 of 100 requests were answered within so many microseconds.
    pub(crate) p99_us: Option<f64>,
    /// Resident memory of the proxy's processes, in MiB.
    pub(crate) rss_mb: f64,
}

/// The median of each figure over the runs of one proxy in one scenario; `None` without runs.
pub(crate) fn median_row(runs: &[Row]) -> Option<Row> {
    let first = runs.first()?;
    let of = |figure: fn(&Row) -> Option<f64>| median(runs.iter().filter_map(figure).collect());
    Some(Row {
        scenario: first.scenario.clone(),
        proxy: first.proxy.clone(),
        cpu_us_per_request: of(|row| row.cpu_us_per_request),
        requests_per_second: of(|row| row.requests_per_second),
        p99_us: of(|row| row.p99_us),
        rss_mb: of(|row| Some(row.rss_mb))?,
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// A figure that has to stay under a bound, as the project has set it.
struct Goal {
    what: &'static str,
    unit: &'static str,
    at_most: f64,
    measured: fn(&[Row]) -> Option<f64>,
}

const GOALS: [Goal; 4] = [
    Goal {
        what: "routes-2: CPU a request, serin / nginx",
        unit: "x",
        at_most: 1.2,
        measured: |rows| {
            Some(cpu(rows, Scenario::Routes2, Proxy::Serin)? / cpu(rows, Scenario::Routes2, Proxy::Nginx)?)
        },
    },
    Goal {
        what: "routes-2: CPU a request, serin / envoy",
        unit: "x",
        at_most: 0.55,
        measured: |rows| {
            Some(cpu(rows, Scenario::Routes2, Proxy::Serin)? / cpu(rows, Scenario::Routes2, Proxy::Envoy)?)
        },
    },
    Goal {
        what: "serin: CPU a request, routes-10000 / routes-2",
        unit: "x",
        at_most: 1.1,
        measured: |rows| {
            Some(cpu(rows, Scenario::Routes10000, Proxy::Serin)? / cpu(rows, Scenario::Routes2, Proxy::Serin)?)
        },
    },
    Goal {
        what: "idle: memory of serin up",
        unit: " MB",
        at_most: 40.0,
        measured: |rows| Some(find(rows, Scenario::Idle, Proxy::Serin)?.rss_mb),
    },
];

fn find(rows: &[Row], scenario: Scenario, proxy: Proxy) -> Option<&Row> {
    rows.iter().find(|row| row.scenario == scenario.to_string() && row.proxy == proxy.to_string())
}

fn cpu(rows: &[Row], scenario: Scenario, proxy: Proxy) -> Option<f64> {
    find(rows, scenario, proxy)?.cpu_us_per_request
}

/// The medians as a table, then Serin's cost in relation to each other proxy's, then how the goals stand.
pub(crate) fn render(rows: &[Row]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<16}{:<10}{:>14}{:>14}{:>10}{:>10}{:>13}",
        "scenario", "proxy", "CPU us/req", "requests/s", "p99 us", "RSS MB", "serin/proxy"
    );
    for row in rows {
        let serin = rows.iter().find(|other| other.scenario == row.scenario && other.proxy == Proxy::Serin.to_string());
        let ratio = serin.and_then(|serin| match (serin.cpu_us_per_request, row.cpu_us_per_request) {
            (Some(serin), Some(other)) => Some(serin / other),
            _ => None,
        });
        let _ = writeln!(
            text,
            "{:<16}{:<10}{:>14}{:>14}{:>10}{:>10.1}{:>13}",
            row.scenario,
            row.proxy,
            figure(row.cpu_us_per_request, 1),
            figure(row.requests_per_second, 0),
            figure(row.p99_us, 0),
            row.rss_mb,
            figure(ratio, 2),
        );
    }
    let mut heading = "\ngoals\n";
    for goal in &GOALS {
        if let Some(measured) = (goal.measured)(rows) {
            let verdict = if measured <= goal.at_most { "reached" } else { "NOT reached" };
            let (unit, at_most) = (goal.unit, goal.at_most);
            let _ =
                writeln!(text, "{heading}{:<50}{measured:>7.2}{unit}, at most {at_most}{unit}: {verdict}", goal.what);
            heading = "";
        }
    }
    text
}

fn figure(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scenario: Scenario, proxy: Proxy, cpu: f64) -> Row {
        Row {
            scenario: scenario.to_string(),
            proxy: proxy.to_string(),
            cpu_us_per_request: Some(cpu),
            requests_per_second: Some(1000.0 / cpu),
            p99_us: None,
            rss_mb: 10.0,
        }
    }

    #[test]
    fn each_figure_has_its_own_median() {
        let mut runs = [1.0, 9.0, 2.0].map(|cpu| row(Scenario::Routes2, Proxy::Serin, cpu));
        runs[0].rss_mb = 30.0;
        let median = median_row(&runs).expect("a row");
        assert_eq!((median.cpu_us_per_request, median.rss_mb, median.p99_us), (Some(2.0), 10.0, None));
        assert_eq!(median_row(&[]), None);
    }

    #[test]
    fn goals_show_for_what_was_measured() {
        let rows = [row(Scenario::Routes2, Proxy::Serin, 12.0), row(Scenario::Routes2, Proxy::Nginx, 8.0)];
        let text = render(&rows);
        assert!(text.contains("serin / nginx") && text.contains("1.50x, at most 1.2x: NOT reached"), "{text}");
        assert!(!text.contains("serin / envoy"), "{text}");
    }
}
