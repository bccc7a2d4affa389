//! Faults on real processes: crash points, and what breaks around them. Run by scripts/faults.

mod check;
mod client;
mod crash;
mod kafka;
mod parts;
mod process;
mod project;
mod proxy;
mod report;
mod rows;
mod servers;
mod soak;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
struct Arguments {
    /// Only what has one of these in its name
    names: Vec<String>,
    /// Break things at random for so many minutes instead
    #[arg(long, requires = "report")]
    soak: Option<u64>,
    /// Decides what a soak breaks [default: the time]
    #[arg(long)]
    seed: Option<u64>,
    /// Where a soak writes its report
    #[arg(long)]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let parts = parts::Parts::find().await?;
    let report = report::Report::of(arguments.names);
    report.head();
    let work = async {
        if let (Some(minutes), Some(file)) = (arguments.soak, &arguments.report) {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
            let seed = arguments.seed.unwrap_or(now.as_secs());
            println!("seed {seed}");
            return soak::run(&parts, &report, (minutes, seed, file)).await;
        }
        // What breaks nothing that others stand on goes on side by side: much of it is waiting.
        tokio::try_join!(
            crash::services(&parts, 1, &report),
            crash::services(&parts, 2, &report),
            rows::beside(&parts, &report)
        )?;
        tokio::try_join!(crash::relays(&parts, 1, &report), crash::relays(&parts, 2, &report))?;
        rows::alone(&parts, &report).await
    };
    // Whatever is dropped ends the processes it started.
    let done = tokio::select! {
        done = work => done,
        told = told_to_end() => told.and_then(|()| anyhow::bail!("told to end")),
    };
    let is_clean = report.end();
    if let Err(error) = &done {
        println!("{error:#}");
    }
    Ok(if is_clean && done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits until somebody asks this program to end.
async fn told_to_end() -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
