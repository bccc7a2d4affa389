//! The projector as a process of its own.

use clap::{Parser, Subcommand};
use dvt_projector::{Config, rebuild, run};
use dvt_runtime::{shutdown, telemetry};
use dvt_store::{Role, Store};

#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Makes all views anew from the log alone, and swaps them in
    Rebuild,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let telemetry = telemetry::init("projector")?;
    let ended = match arguments.command {
        None => run(arguments.config, shutdown::on_signal()?).await,
        Some(Command::Rebuild) => make_anew(&arguments.config).await,
    };
    telemetry.end().await;
    ended
}

async fn make_anew(config: &Config) -> anyhow::Result<()> {
    let store = Store::connect(&config.store, Role::Projector).await?;
    let rebuilt = rebuild(&store).await?;
    tracing::info!(events = rebuilt.events, broken_streams = rebuilt.broken, "views made anew");
    Ok(())
}
