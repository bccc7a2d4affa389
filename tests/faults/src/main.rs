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
    let mut report = report::Report::of(arguments.names);
    report.head();
    let done = async {
        if let (Some(minutes), Some(file)) = (arguments.soak, &arguments.report) {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
            let seed = arguments.seed.unwrap_or(now.as_secs());
            println!("seed {seed}");
            return soak::run(&parts, &mut report, (minutes, seed, file)).await;
        }
        crash::all(&parts, &mut report).await?;
        rows::all(&parts, &mut report).await
    };
    let done = done.await;
    let is_clean = report.end();
    done?;
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
