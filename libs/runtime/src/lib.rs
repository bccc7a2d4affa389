//! What every service needs around its work: telemetry, named tasks with graceful shutdown, health and metrics.
//!
//! Knows nothing of what a service does.

pub mod admin;
pub mod error;
#[cfg(feature = "failpoints")]
mod failpoints;
pub mod health;
pub mod metrics;
mod pace;
pub mod secret;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
pub mod trace;

pub use health::{Health, Signal};
pub use pace::Pace;
pub use tasks::Tasks;
pub use tokio_util::sync::CancellationToken;

use std::net::SocketAddr;
use std::time::Duration;

/// Parsing and streaming allocate much and little at a time, for long: the system's allocator took a third of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Holds the settings that all services have in common.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Address of /livez, /readyz and /metrics; none are served without it
    #[arg(long, env = "ADMIN_ADDR")]
    pub admin_addr: Option<SocketAddr>,
    /// How long what is being done may take to end after a first signal
    #[arg(long, env = "SHUTDOWN_GRACE", default_value = "10s", value_parser = humantime::parse_duration)]
    pub shutdown_grace: Duration,
}
