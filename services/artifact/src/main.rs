//! The artifact service as a process of its own.

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "dvt-artifact", version)]
struct Cli {
    #[command(flatten)]
    config: dvt_artifact::Config,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Cli::parse().config;
    let telemetry = dvt_runtime::telemetry::init("artifact")?;
    let shutdown = dvt_runtime::shutdown::on_signal()?;
    let ended = dvt_artifact::run(config, shutdown).await;
    telemetry.end().await;
    ended
}
