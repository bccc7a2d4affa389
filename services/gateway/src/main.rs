//! The gateway as a process of its own.

use clap::Parser;
use dvt_gateway::{Config, run};
use dvt_runtime::{shutdown, telemetry};

#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let telemetry = telemetry::init("gateway")?;
    let ended = run(arguments.config, shutdown::on_signal()?).await;
    telemetry.end().await;
    ended
}
