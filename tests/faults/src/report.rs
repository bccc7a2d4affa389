//! What is printed: a line each, and what is against the promises below it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::check::Verdict;

/// Is how long something took that is promised within a time. It fails nothing: the programs are not optimised, and the
/// machine may have other things to do. What never ends is found by whoever waits for it.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    pub(crate) what: String,
    pub(crate) took: Duration,
    pub(crate) promised: Duration,
}

impl Time {
    fn is_late(&self) -> bool {
        self.took > self.promised
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, took, promised } = self;
        let late = if self.is_late() { " (late)" } else { "" };
        write!(f, "{what} took {:.1} s{late}, promised are {:.1} s", took.as_secs_f64(), promised.as_secs_f64())
    }
}

/// Collects what came of all faults, of several worlds at once.
pub(crate) struct Report {
    /// What is asked for, by parts of its name; all, where nothing is.
    asked: Vec<String>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
    tallies: BTreeMap<String, Tally>,
    /// The longest time of each kind.
    times: BTreeMap<String, Time>,
    findings: Vec<String>,
}

/// Counts what came of one fault.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    hits: usize,
    lost: usize,
    doubled: usize,
    /// Steps and runs that ended otherwise than what they did.
    wrong_outcomes: usize,
    findings: usize,
}

impl Tally {
    fn json(self) -> Value {
        let Self { hits, lost, doubled, wrong_outcomes, findings } = self;
        json!({
            "hits": hits, "lost": lost, "doubled": doubled, "wrong_outcomes": wrong_outcomes, "findings": findings,
        })
    }
}

impl Report {
    pub(crate) fn of(asked: Vec<String>) -> Self {
        Self { asked, counts: Mutex::default() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether this is asked for.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        self.asked.is_empty() || self.asked.iter().any(|asked| name.contains(&**asked))
    }

    pub(crate) fn head(&self) {
        println!(
            "{:<30} {:>8} {:>5} {:>5} {:>8} {:<7} {:>8}",
            "fault", "replicas", "hits", "lost", "doubled", "views", "seconds"
        );
    }

    /// Prints a line for each fault of a pass, and what the check after them found.
    pub(crate) fn add(&self, (faults, replicas): (&[(&str, usize)], usize), verdict: Result<Verdict>, took: Duration) {
        let verdict = verdict.unwrap_or_else(|error| Verdict::of(format!("{error:#}")));
        let views = if verdict.views_differ { "differ" } else { "equal" };
        let (lost, doubled) = (verdict.lost, verdict.doubled);
        let mut counts = self.counts();
        let mut seconds = format!("{:.1}", took.as_secs_f64());
        for (name, hits) in faults {
            println!("{name:<30} {replicas:>8} {hits:>5} {lost:>5} {doubled:>8} {views:<7} {seconds:>8}");
            seconds = "\"".to_owned();
            let tally = counts.tallies.entry((*name).to_owned()).or_default();
            tally.hits += hits;
            tally.lost += lost;
            tally.doubled += doubled;
            tally.wrong_outcomes += verdict.findings.iter().filter(|finding| finding.starts_with("I5")).count();
            tally.findings += verdict.findings.len();
            match verdict.findings.is_empty() {
                true => counts.passed += 1,
                false => counts.failed += 1,
            }
        }
        let names: Vec<&str> = faults.iter().map(|(name, _)| *name).collect();
        counts.note(&format!("{}, {replicas} replicas", names.join(" + ")), verdict.findings);
    }

    /// Prints how long took what is promised within a time, and keeps the longest of each.
    pub(crate) fn add_times(&self, name: &str, times: Vec<Time>) {
        let mut counts = self.counts();
        for time in times {
            println!("  {name}: {time}");
            let longest = counts.times.entry(format!("{name}: {}", time.what)).or_insert_with(|| time.clone());
            if longest.took < time.took {
                *longest = time;
            }
        }
    }

    /// Counts a check of everything before it, and prints what is against the promises.
    pub(crate) fn add_findings(&self, of: &str, findings: Vec<String>) {
        let mut counts = self.counts();
        match findings.is_empty() {
            true => counts.passed += 1,
            false => counts.failed += 1,
        }
        counts.note(of, findings);
    }

    /// Answers what was counted, as JSON.
    pub(crate) fn json(&self) -> Value {
        let counts = self.counts();
        let faults: Map<String, Value> =
            counts.tallies.iter().map(|(name, tally)| (name.clone(), tally.json())).collect();
        let seconds: Map<String, Value> = counts
            .times
            .iter()
            .map(|(name, time)| {
                let (longest, promised) = (time.took.as_secs_f64(), time.promised.as_secs_f64());
                (name.clone(), json!({"longest": longest, "promised": promised, "is_late": time.is_late()}))
            })
            .collect();
        let total = |count: fn(&Tally) -> usize| counts.tallies.values().map(count).sum::<usize>();
        json!({
            "hits": total(|tally| tally.hits),
            "lost": total(|tally| tally.lost),
            "doubled": total(|tally| tally.doubled),
            "wrong_outcomes": total(|tally| tally.wrong_outcomes),
            "faults": faults,
            "seconds": seconds,
            "findings": counts.findings,
        })
    }

    /// Prints the totals; true: every case passed.
    pub(crate) fn end(&self) -> bool {
        let Counts { passed, failed, .. } = *self.counts();
        println!("faults: {passed} passed, {failed} failed");
        failed == 0 && passed > 0
    }
}

impl Counts {
    fn note(&mut self, of: &str, findings: Vec<String>) {
        for finding in findings {
            println!("  {of}: {finding}");
            self.findings.push(format!("{of}: {finding}"));
        }
    }
}
