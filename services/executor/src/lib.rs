//! The executor service: plans runs and runs them on their targets, and answers previews.
//!
//! A request of the log becomes a job row; whoever holds its lease drives the run. What a step does is committed on the
//! target together with a row of its ledger, so that a run is followed by another executor without a second effect.

mod abandon;
mod attempt;
mod bridge;
mod compiled;
mod config;
mod contract;
mod csv;
mod cte;
mod drive;
mod measure;
mod missing;
mod prepare;
mod preview;
mod project;
mod reconcile;
mod requests;
mod sessions;
mod step;
mod step_log;
mod stream;
mod targets;
mod task;
mod unit;
mod work;

use std::sync::Arc;

use dvt_bus::consumer::Options;
use dvt_bus::leases::Lease;
use dvt_bus::requests::Requests;
use dvt_bus::{Consumer, relay, worker};
use dvt_domain::Topic;
use dvt_log::Log;
use dvt_runtime::{CancellationToken, Health, Tasks, admin};
use dvt_store::job::Kind;
use dvt_store::{Appender, Role, Store};

pub use config::Config;
pub use targets::from_env as targets_from_env;

/// The name of the service's checkpoints.
pub const CONSUMER: &str = "executor";
/// How many runs one process drives at once.
const RUNS: usize = 16;

/// Runs the service until shutdown.
///
/// # Errors
/// When the database does not answer at start, or a part fails for good.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let health = Health::default();
    let mut tasks = Tasks::new(&shutdown, config.runtime.shutdown_grace);
    let store = Store::connect(&config.store, Role::Executor).await?;
    let log = Log::default();
    log.publish_schemas(&mut *store.acquire().await?).await?;

    let (appender, appending) = Appender::new(&store);
    tasks.spawn("appender", async move {
        appending.run().await;
        anyhow::Ok(())
    });
    let options = Options { name: CONSUMER.to_owned(), topics: vec![Topic::Run] };
    let requests = Requests::new(requests::Runs);
    let consumer = Consumer::new(options, &config.bus, &store, requests, health.signal("requests"));
    tasks.spawn("requests", consumer.run(tasks.shutdown()));

    let targets = targets::Targets::new(&config.targets);
    let previews = preview::Previews { log: log.clone(), store: store.clone(), targets: targets.clone() };
    tasks.spawn("previews", previews.run(tasks.shutdown()));
    let runs = Arc::new(drive::Runs { log, store: store.clone(), appender, targets, name: name() });
    let driving = worker::Options { kind: Kind::Run, lease: Lease::of(config.lease), parallel: RUNS };
    tasks.spawn("runs", worker::run(driving, store.clone(), runs, tasks.shutdown()));

    let relay_store = Store::connect(&config.store, Role::Relay).await?;
    tasks.spawn("relay", relay::run(config.bus.clone(), relay_store, health.signal("relay"), tasks.shutdown()));
    if let Some(address) = config.runtime.admin_addr {
        tasks.spawn("admin", admin::serve(address, health, tasks.shutdown()));
    }
    tasks.wait().await
}

/// Answers what this process is called in RunStarted.
fn name() -> String {
    format!("executor-{}", uuid::Uuid::now_v7().simple())
}
