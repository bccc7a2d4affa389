//! Figures: their goals, their table, and the file that keeps them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Is what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    /// The same measured of what it is compared with, in the same run.
    baseline: Option<f64>,
    /// The value as a part of the baseline.
    ratio: Option<f64>,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &str) -> Self {
        Self { name: name.into(), value: rounded(value), unit: unit.to_owned(), baseline: None, ratio: None }
    }

    /// Makes a figure of a time, in milliseconds.
    pub(crate) fn milliseconds(name: impl Into<String>, time: Duration) -> Self {
        Self::new(name, milliseconds(time), "ms")
    }

    pub(crate) fn beside(self, baseline: f64) -> Self {
        let ratio = Some(rounded(self.value / baseline));
        Self { baseline: Some(rounded(baseline)), ratio, ..self }
    }

    /// Says whether it is as good as it is to be, where that is said.
    pub(crate) fn is_met(&self) -> bool {
        Goal::of(self).is_none_or(|goal| goal.is_met(self))
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Keeps three significant digits: no figure is surer than that.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let unit = 10_f64.powi(2 - value.abs().log10().floor() as i32);
    if unit < 1.0 { value.round() } else { (value * unit).round() / unit }
}

/// Answers the smallest value that so many of 100 values do not exceed.
///
/// # Panics
/// Where there are no values.
pub(crate) fn percentile(values: &mut [Duration], percent: usize) -> Duration {
    values.sort_unstable();
    values[(values.len() * percent).div_ceil(100).max(1) - 1]
}

/// Answers the middle one.
///
/// # Panics
/// Where there are no values.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Says what a figure is to be.
#[derive(Clone, Copy)]
enum Goal {
    Under(f64),
    From(f64),
    RatioFrom(f64),
    RatioTo(f64),
    Both(f64, f64),
}

/// Lists the goals by the names of their figures; a name that ends with `_` is how several begin.
const GOALS: &[(&str, Goal)] = &[
    ("append_http_32", Goal::RatioFrom(0.7)),
    ("append_batched", Goal::RatioFrom(3.0)),
    ("live_update_p50", Goal::Under(10.0)),
    ("live_update_p99", Goal::Under(30.0)),
    ("rebuild_events_per_second_", Goal::From(100_000.0)),
    ("run_overhead_per_node", Goal::Both(3.0, 0.1)),
    ("idle_rss_", Goal::Under(64.0)),
    ("ready_", Goal::Under(1000.0)),
    ("sse_10000_missed", Goal::Under(0.0)),
    ("sse_10000_p99", Goal::Under(1000.0)),
    ("sse_10000_rss", Goal::Under(600.0)),
    ("parse_1000", Goal::RatioTo(1.0 / 40.0)),
    ("compile_1000", Goal::RatioTo(1.0 / 40.0)),
    ("one_edit_1000", Goal::Under(20.0)),
    ("canvas_open_1000", Goal::Under(1000.0)),
    ("canvas_frame_p95_1000", Goal::Under(16.7)),
    ("first_view_bundle", Goal::Under(250.0)),
];

impl Goal {
    fn of(figure: &Figure) -> Option<Self> {
        let is_of = |name: &str| figure.name == name || name.ends_with('_') && figure.name.starts_with(name);
        GOALS.iter().find(|(name, _)| is_of(name)).map(|(_, goal)| *goal)
    }

    fn is_met(self, figure: &Figure) -> bool {
        let ratio = |is_good: &dyn Fn(f64) -> bool| figure.ratio.is_some_and(is_good);
        match self {
            Self::Under(value) => figure.value <= value,
            Self::From(value) => figure.value >= value,
            Self::RatioFrom(least) => ratio(&|ratio| ratio >= least),
            Self::RatioTo(most) => ratio(&|ratio| ratio <= most),
            Self::Both(value, most) => figure.value <= value && ratio(&|ratio| ratio <= most),
        }
    }

    fn text(self) -> String {
        match self {
            Self::Under(value) => format!("<= {value}"),
            Self::From(value) => format!(">= {value}"),
            Self::RatioFrom(ratio) => format!("ratio >= {ratio}"),
            Self::RatioTo(ratio) => format!("ratio <= {ratio}"),
            Self::Both(value, ratio) => format!("<= {value}, ratio <= {ratio}"),
        }
    }
}

/// Keeps figures in a file; those of earlier runs stay until they are measured again.
pub(crate) struct Results {
    file: PathBuf,
    figures: Vec<Figure>,
}

impl Results {
    pub(crate) fn read(file: PathBuf) -> Result<Self> {
        let figures = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{} is broken", file.display()))?,
            Err(_) => Vec::new(),
        };
        Ok(Self { file, figures })
    }

    /// Takes figures in the place of those of the same names.
    pub(crate) fn take(&mut self, taken: Vec<Figure>) -> Result<()> {
        self.figures.retain(|figure| taken.iter().all(|taken| taken.name != figure.name));
        self.figures.extend(taken);
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let text = serde_json::to_string_pretty(&self.figures)? + "\n";
        std::fs::write(&self.file, text).with_context(|| format!("could not write {}", self.file.display()))
    }

    pub(crate) fn print(&self) {
        println!("{:<30} {:>10} {:<9} {:>10} {:>8}  goal", "figure", "value", "unit", "baseline", "ratio");
        for figure in &self.figures {
            let Figure { name, value, unit, baseline, ratio } = figure;
            let part = |part: &Option<f64>| part.map_or("-".to_owned(), |part| part.to_string());
            let goal = Goal::of(figure).map_or(String::new(), |goal| {
                format!("{}{}", goal.text(), if figure.is_met() { "" } else { ": missed" })
            });
            println!("{name:<30} {value:>10} {unit:<9} {:>10} {:>8}  {goal}", part(baseline), part(ratio));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let mut values: Vec<_> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut values, 50), Duration::from_millis(100));
        assert_eq!(percentile(&mut values, 99), Duration::from_millis(198));
        assert_eq!(percentile(&mut [Duration::from_millis(7)], 50), Duration::from_millis(7));
    }

    #[test]
    fn figures_keep_three_digits() {
        assert_eq!([123_456.0, 1234.0, 12.345, 0.012_345, 0.0].map(rounded), [123_456.0, 1234.0, 12.3, 0.0123, 0.0]);
    }

    #[test]
    fn what_is_measured_again_takes_the_place_of_what_was() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("bench/results.json");
        let mut results = Results::read(file.clone())?;
        results.take(vec![Figure::new("a", 1.0, "ms"), Figure::new("b", 2.0, "ms")])?;
        let mut results = Results::read(file.clone())?;
        results.take(vec![Figure::new("a", 3.0, "ms").beside(6.0)])?;
        let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(file)?)?;
        assert_eq!(
            kept,
            serde_json::json!([
                {"name": "b", "value": 2.0, "unit": "ms", "baseline": null, "ratio": null},
                {"name": "a", "value": 3.0, "unit": "ms", "baseline": 6.0, "ratio": 0.5},
            ])
        );
        Ok(())
    }

    #[test]
    fn a_goal_of_both_kinds_needs_both() {
        let goal = Goal::Both(3.0, 0.1);
        assert!(goal.is_met(&Figure::new("a", 3.0, "ms").beside(40.0)));
        assert!(!goal.is_met(&Figure::new("a", 3.0, "ms").beside(20.0)));
        assert!(!goal.is_met(&Figure::new("a", 4.0, "ms").beside(80.0)));
    }
}
