//! The executor service as a process of its own.

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "dvt-executor", version)]
struct Cli {
    #[command(flatten)]
    config: dvt_executor::Config,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut config = Cli::parse().config;
    config.targets = dvt_executor::targets_from_env()?;
    let telemetry = dvt_runtime::telemetry::init("executor")?;
    let shutdown = dvt_runtime::shutdown::on_signal()?;
    let ended = dvt_executor::run(config, shutdown).await;
    telemetry.end().await;
    ended
}
