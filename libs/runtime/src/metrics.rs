//! Numbers about the process, as Prometheus reads them. [`catalogue`] lists every metric there is; a series appears when
//! it first counts.

mod catalogue;

use std::sync::LazyLock;
use std::time::Duration;

use metrics::Label;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

pub use catalogue::*;

/// How often what histograms took is summed up, asked for or not: until then each value is kept.
const UPKEEP: Duration = Duration::from_secs(5);

/// Counts up, as long as the process lives. Its name ends with `_total`.
#[derive(Clone, Copy, Debug)]
pub struct Counter<const LABELS: usize> {
    name: &'static str,
    labels: [&'static str; LABELS],
}

/// Goes up and down.
#[derive(Clone, Copy, Debug)]
pub struct Gauge<const LABELS: usize> {
    name: &'static str,
    labels: [&'static str; LABELS],
}

/// Counts durations, in seconds. Its name ends with `_seconds`.
#[derive(Clone, Copy, Debug)]
pub struct Durations<const LABELS: usize> {
    name: &'static str,
    labels: [&'static str; LABELS],
}

/// Counts sizes of batches.
#[derive(Clone, Copy, Debug)]
pub struct Sizes<const LABELS: usize> {
    name: &'static str,
    labels: [&'static str; LABELS],
}

impl<const LABELS: usize> Counter<LABELS> {
    /// Counts `by` more.
    pub fn add(&self, values: [&str; LABELS], by: u64) {
        LazyLock::force(&RECORDER);
        metrics::counter!(self.name, labels(self.labels, values)).increment(by);
    }
}

impl<const LABELS: usize> Gauge<LABELS> {
    /// Sets the value.
    pub fn set(&self, values: [&str; LABELS], to: f64) {
        LazyLock::force(&RECORDER);
        metrics::gauge!(self.name, labels(self.labels, values)).set(to);
    }

    /// Changes the value, for what several parts of a process count together.
    pub fn add(&self, values: [&str; LABELS], by: f64) {
        LazyLock::force(&RECORDER);
        metrics::gauge!(self.name, labels(self.labels, values)).increment(by);
    }
}

impl<const LABELS: usize> Durations<LABELS> {
    /// Takes one duration.
    pub fn observe(&self, values: [&str; LABELS], duration: Duration) {
        LazyLock::force(&RECORDER);
        metrics::histogram!(self.name, labels(self.labels, values)).record(duration);
    }
}

impl<const LABELS: usize> Sizes<LABELS> {
    /// Takes one size.
    pub fn observe(&self, values: [&str; LABELS], size: usize) {
        LazyLock::force(&RECORDER);
        metrics::histogram!(self.name, labels(self.labels, values)).record(size as f64);
    }
}

fn labels<const LABELS: usize>(names: [&'static str; LABELS], values: [&str; LABELS]) -> Vec<Label> {
    names.into_iter().zip(values).map(|(name, value)| Label::new(name, value.to_owned())).collect()
}

/// Says what kind of metric one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Durations,
    Sizes,
}

impl Kind {
    fn is_histogram(self) -> bool {
        matches!(self, Self::Durations | Self::Sizes)
    }
}

/// Describes one metric.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub help: &'static str,
    /// The upper bounds of a histogram's buckets.
    pub buckets: &'static [f64],
}

struct Recorder {
    handle: PrometheusHandle,
    process: Collector,
}

static RECORDER: LazyLock<Recorder> = LazyLock::new(Recorder::start);

impl Recorder {
    fn start() -> Self {
        let histograms = ALL.iter().filter(|metric| metric.kind.is_histogram());
        let builder = histograms.fold(PrometheusBuilder::new(), |builder, metric| {
            let named = Matcher::Full(metric.name.to_owned());
            builder.set_buckets_for_metric(named, metric.buckets).expect("invariant: a histogram has buckets")
        });
        let handle = builder.install_recorder().expect("invariant: nothing else of this process records metrics");
        for metric in ALL {
            match metric.kind {
                Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
                Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
                Kind::Durations | Kind::Sizes => metrics::describe_histogram!(metric.name, metric.help),
            }
        }
        let process = Collector::default();
        process.describe();
        let kept = handle.clone();
        let upkeep = move || loop {
            std::thread::sleep(UPKEEP);
            kept.run_upkeep();
        };
        // Without it a process that nobody asks keeps more than it should, and works.
        if let Err(error) = std::thread::Builder::new().name("metrics".to_owned()).spawn(upkeep) {
            tracing::warn!(%error, "could not start the upkeep of metrics");
        }
        Self { handle, process }
    }
}

/// Answers all metrics in Prometheus' text format.
pub fn render() -> String {
    RECORDER.process.collect();
    RECORDER.handle.render()
}

#[cfg(test)]
mod tests;
