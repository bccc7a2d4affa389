//! What is printed: a line each, and what is against the promises below it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::check::Verdict;
use crate::world::Service;

pub(crate) struct Report {
    /// What is asked for, by parts of its name; all, where nothing is.
    asked: Vec<String>,
    passed: usize,
    failed: usize,
    tallies: BTreeMap<String, Tally>,
    findings: Vec<String>,
}

/// Counts what came of one fault.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    hits: usize,
    lost: usize,
    doubled: usize,
    wrong: usize,
}

impl Report {
    pub(crate) fn of(asked: Vec<String>) -> Self {
        Self { asked, passed: 0, failed: 0, tallies: BTreeMap::new(), findings: Vec::new() }
    }

    /// Says whether this is asked for.
    pub(crate) fn asks_for(&self, name: &str) -> bool {
        self.asked.is_empty() || self.asked.iter().any(|asked| name.contains(&**asked))
    }

    pub(crate) fn head(&self) {
        println!(
            "{:<30} {:>8} {:>5} {:>5} {:>8} {:<7} {:>8}",
            "point", "replicas", "hits", "lost", "doubled", "views", "seconds"
        );
    }

    /// Prints a line for one crash point.
    pub(crate) fn add(
        &mut self,
        (point, service, replicas): (&str, Service, usize),
        hits: usize,
        verdict: Result<Verdict>,
        took: Duration,
    ) {
        let (prefix, _) = point.split_once('.').unwrap_or_default();
        let name = match prefix == service.as_str() || prefix == "relay" {
            true => point.to_owned(),
            false => format!("{}: {point}", service.as_str()),
        };
        self.line((&name, replicas, hits), verdict, took);
    }

    /// Prints a line.
    pub(crate) fn line(
        &mut self,
        (name, replicas, hits): (&str, usize, usize),
        verdict: Result<Verdict>,
        took: Duration,
    ) {
        let verdict =
            verdict.unwrap_or_else(|error| Verdict { findings: vec![format!("{error:#}")], ..Verdict::default() });
        let views = if verdict.views_differ { "differ" } else { "equal" };
        let (lost, doubled, seconds) = (verdict.lost, verdict.doubled, took.as_secs_f64());
        println!("{name:<30} {replicas:>8} {hits:>5} {lost:>5} {doubled:>8} {views:<7} {seconds:>8.1}");
        let tally = self.tallies.entry(name.to_owned()).or_default();
        tally.hits += hits;
        tally.lost += lost;
        tally.doubled += doubled;
        tally.wrong += verdict.findings.len();
        self.add_findings(&format!("{name}, {replicas} replicas"), verdict.findings);
    }

    /// Counts a case, and prints what is against the promises.
    pub(crate) fn add_findings(&mut self, of: &str, findings: Vec<String>) {
        match findings.is_empty() {
            true => self.passed += 1,
            false => self.failed += 1,
        }
        for finding in findings {
            println!("  {of}: {finding}");
            self.findings.push(format!("{of}: {finding}"));
        }
    }

    /// Answers what was counted, as JSON.
    pub(crate) fn json(&self) -> Value {
        let faults: Map<String, Value> = self
            .tallies
            .iter()
            .map(|(name, Tally { hits, lost, doubled, wrong })| {
                (name.clone(), json!({"hits": hits, "lost": lost, "doubled": doubled, "wrong": wrong}))
            })
            .collect();
        let total = |count: fn(&Tally) -> usize| self.tallies.values().map(count).sum::<usize>();
        json!({
            "hits": total(|tally| tally.hits),
            "lost": total(|tally| tally.lost),
            "doubled": total(|tally| tally.doubled),
            "wrong": self.findings.len(),
            "faults": faults,
            "findings": self.findings,
        })
    }

    /// Prints the totals; true: every case passed.
    pub(crate) fn end(&self) -> bool {
        println!("faults: {} passed, {} failed", self.passed, self.failed);
        self.failed == 0 && self.passed > 0
    }
}
