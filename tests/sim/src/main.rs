//! Simulates the product: its pure machines under one seed, in virtual time, with faults. `--seed N` replays one seed
//! with a trace.

mod appender;
mod checks;
mod consumer;
mod db;
mod executor;
mod faults;
mod fold;
mod gateway;
mod git;
mod kafka;
#[cfg(feature = "mutants")]
mod mutants;
mod publisher;
mod relay;
mod runtime;
mod scenario;
mod target;
mod worker;
mod world;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::Parser;

/// Runs seeds of the simulation.
#[derive(Parser)]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 5_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Replays one seed and writes its trace
    #[arg(long)]
    seed: Option<u64>,
    /// Finds each seeded bug and writes the table of them
    #[cfg(feature = "mutants")]
    #[arg(long)]
    mutants: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[cfg(feature = "mutants")]
    if arguments.mutants {
        return mutants::table(arguments.seeds);
    }
    match arguments.seed {
        Some(seed) => replay(seed),
        None => run(arguments.from..arguments.from + arguments.seeds),
    }
}

fn replay(seed: u64) -> ExitCode {
    let report = scenario::run(seed, true);
    report.trace.iter().for_each(|line| println!("{line}"));
    println!("{report}");
    if report.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs seeds on every core, up to the first few that break something.
fn run(seeds: std::ops::Range<u64>) -> ExitCode {
    let (begun, next) = (Instant::now(), AtomicU64::new(seeds.start));
    let (failed, totals) = (Mutex::new(Vec::new()), Mutex::new(scenario::Totals::default()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || failed.lock().unwrap_or_else(PoisonError::into_inner).len() >= 5 {
                        return;
                    }
                    let report = scenario::run_safely(seed);
                    totals.lock().unwrap_or_else(PoisonError::into_inner).add(&report);
                    if !report.broken.is_empty() {
                        println!("{report}");
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{totals} in {:.1} s; {} seeds failed", begun.elapsed().as_secs_f64(), failed.len());
    match failed.first() {
        Some(seed) => {
            println!("replay one: make sim SEED={seed}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}
