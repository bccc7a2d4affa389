//! The seeded bugs: each must be found by a check.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::scenario;

/// Every seeded bug, by its name in the code.
const MUTANTS: [&str; 34] = [
    "append_forgets_the_partition_before",
    "append_hashes_each_event_alone",
    "append_ignores_keys",
    "append_ignores_versions",
    "appender_acknowledges_before_commit",
    "appender_keeps_who_stood_behind_a_loser",
    "appender_takes_what_was_decided_before_a_loss",
    "rounds_count_who_stood_behind",
    "rounds_never_reserve",
    "relay_advances_over_a_failed_record",
    "relay_believes_offsets_that_go_back",
    "relay_believes_the_cursor",
    "relay_follower_asks_late",
    "relay_sets_no_cursor_at_the_start",
    "relay_starts_at_the_last_record",
    "plan_applies_behind_a_gap",
    "plan_applies_again",
    "consumer_waits_for_kafka",
    "consumer_applies_without_lock",
    "consumer_moves_the_checkpoint_first",
    "consumer_moves_the_checkpoint_later",
    "run_goes_back_to_an_older_attempt",
    "run_finishes_with_open_steps",
    "schedule_ignores_needs",
    "schedule_ignores_threads",
    "verdict_fails_what_is_unknown",
    "verdict_tries_again_what_is_unknown",
    "verdict_does_not_believe_the_ledger",
    "executor_sends_before_the_intent",
    "executor_reads_the_ledger_of_a_living_session",
    "publishing_ignores_what_was_published",
    "publishing_takes_requests_as_they_come",
    "publishing_passes_a_compilation",
    "publisher_pushes_on_any_head",
];

/// What came of one bug: its name, and the check that found it with the seed.
type Found = (&'static str, Option<(&'static str, u64)>);

/// Looks for each bug in up to so many seeds, and writes which check found it.
pub(crate) fn table(seeds: u64) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {})); // a panic finds a bug as well
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::<Found>::new()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(name) = MUTANTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    dvt_mutant::turn_on(Some(name));
                    let broken = |seed| scenario::run_safely(seed).broken.first().map(|(check, _)| (*check, seed));
                    let caught = (1..=seeds).find_map(broken);
                    dvt_mutant::turn_on(None);
                    found.lock().unwrap_or_else(PoisonError::into_inner).push((name, caught));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_unstable();
    println!("{:<50} | {:<22} | seed", "mutant", "found by");
    for (name, caught) in &found {
        match caught {
            Some((check, seed)) => println!("{name:<50} | {check:<22} | {seed}"),
            None => println!("{name:<50} | {:<22} | of {seeds}", "NOT FOUND"),
        }
    }
    let caught = found.iter().filter(|(_, caught)| caught.is_some()).count();
    println!("{caught} of {} found", found.len());
    if caught == found.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
