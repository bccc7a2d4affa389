//! Numbers about the process, as Prometheus reads them. One registry a process; a metric is made when it first counts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of durations, in seconds: from a fast statement to a slow compilation.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Names one value of a metric, e.g. `[("consumer", "projector")]`.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

#[derive(Clone, Debug)]
enum Value {
    Counter(u64),
    Gauge(f64),
    Histogram { counts: [u64; BUCKETS.len()], count: u64, sum: f64 },
}

static METRICS: Mutex<BTreeMap<&'static str, BTreeMap<String, Value>>> = Mutex::new(BTreeMap::new());

fn change(name: &'static str, labels: Labels<'_>, empty: Value, change: impl FnOnce(&mut Value)) {
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    let mut metrics = METRICS.lock().unwrap_or_else(PoisonError::into_inner);
    change(metrics.entry(name).or_default().entry(labels.join(",")).or_insert(empty));
}

/// Adds to a counter; its name ends with `_total`.
pub fn count(name: &'static str, labels: Labels<'_>, by: u64) {
    change(name, labels, Value::Counter(0), |value| {
        if let Value::Counter(counter) = value {
            *counter += by;
        }
    });
}

/// Sets a gauge.
pub fn gauge(name: &'static str, labels: Labels<'_>, to: f64) {
    change(name, labels, Value::Gauge(to), |value| *value = Value::Gauge(to));
}

/// Adds a duration to a histogram; its name ends with `_seconds`.
pub fn observe(name: &'static str, labels: Labels<'_>, duration: Duration) {
    let empty = Value::Histogram { counts: [0; BUCKETS.len()], count: 0, sum: 0.0 };
    change(name, labels, empty, |value| {
        if let Value::Histogram { counts, count, sum } = value {
            let seconds = duration.as_secs_f64();
            for (bound, bucket) in BUCKETS.iter().zip(counts) {
                *bucket += u64::from(seconds <= *bound);
            }
            *count += 1;
            *sum += seconds;
        }
    });
}

/// Answers all metrics in Prometheus' text format.
pub fn render() -> String {
    let metrics = METRICS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut text = String::new();
    for (name, values) in &metrics {
        let kind = match values.values().next() {
            Some(Value::Counter(_)) => "counter",
            Some(Value::Gauge(_)) => "gauge",
            Some(Value::Histogram { .. }) => "histogram",
            None => continue,
        };
        line(&mut text, format_args!("# TYPE {name} {kind}"));
        for (labels, value) in values {
            render_value(&mut text, name, labels, value);
        }
    }
    text
}

fn render_value(text: &mut String, name: &str, labels: &str, value: &Value) {
    let braces = |labels: &str| if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    match value {
        Value::Counter(counter) => line(text, format_args!("{name}{} {counter}", braces(labels))),
        Value::Gauge(gauge) => line(text, format_args!("{name}{} {gauge}", braces(labels))),
        Value::Histogram { counts, count, sum } => {
            let comma = if labels.is_empty() { "" } else { "," };
            let bounds = BUCKETS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            for (bound, bucket) in bounds.zip(counts.iter().chain([count])) {
                line(text, format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {bucket}"));
            }
            line(text, format_args!("{name}_sum{} {sum}", braces(labels)));
            line(text, format_args!("{name}_count{} {count}", braces(labels)));
        }
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("invariant: a string takes all text");
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_what_was_counted() {
        count("test_handled_total", &[("consumer", "a \"b\"")], 2);
        count("test_handled_total", &[("consumer", "a \"b\"")], 1);
        gauge("test_lag", &[], 1.5);
        observe("test_handle_seconds", &[], Duration::from_millis(30));
        let text = render();
        assert!(text.contains("# TYPE test_handled_total counter\ntest_handled_total{consumer=\"a \\\"b\\\"\"} 3\n"));
        assert!(text.contains("# TYPE test_lag gauge\ntest_lag 1.5\n"));
        assert!(text.contains("test_handle_seconds_bucket{le=\"0.025\"} 0\n"));
        assert!(text.contains("test_handle_seconds_bucket{le=\"0.05\"} 1\n"));
        assert!(text.contains("test_handle_seconds_bucket{le=\"+Inf\"} 1\n"));
        assert!(text.contains("test_handle_seconds_count 1\n"));
    }
}
