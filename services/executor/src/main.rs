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
    dvt_runtime::telemetry::init()?;
    let shutdown = dvt_runtime::shutdown::on_signal()?;
    dvt_executor::run(config, shutdown).await
}
