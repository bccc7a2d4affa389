//! The artifact service: compiles versions of branches into artifacts, and publishes projects and artifacts to Git.
//!
//! Requests of the log become job rows; workers claim them. Nobody waits for this service but who asked it.

mod compile;
mod config;
mod outcome;
mod publish;
mod repository;
mod requests;

use std::sync::Arc;

use dvt_bus::consumer::Options;
use dvt_bus::requests::Requests;
use dvt_bus::{Consumer, leases, relay, worker};
use dvt_domain::Topic;
use dvt_log::Log;
use dvt_runtime::{CancellationToken, Health, Tasks, admin};
use dvt_store::job::Kind;
use dvt_store::{Appender, Role, Store};

pub use config::Config;

/// The name of the service's checkpoints.
pub const CONSUMER: &str = "artifact";
/// How many versions are compiled at once; each takes a core and a project's memory.
const COMPILATIONS: usize = 2;
/// How many repositories are published to at once.
const PUBLISHES: usize = 2;

/// Runs the service until shutdown.
///
/// # Errors
/// When the database does not answer at start, or a part fails for good.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let health = Health::default();
    let mut tasks = Tasks::new(&shutdown, config.runtime.shutdown_grace);
    let store = Store::connect(&config.store, Role::Artifact).await?;
    let log = Log::default();
    log.publish_schemas(&mut *store.acquire().await?).await?;

    let (appender, appending) = Appender::new(&store);
    tasks.spawn("appender", async move {
        appending.run().await;
        anyhow::Ok(())
    });
    let options = Options { name: CONSUMER.to_owned(), topics: vec![Topic::Compilation] };
    let requests = Requests::new(requests::Compilations);
    let consumer = Consumer::new(options, &config.bus, &store, requests, health.signal("requests"));
    tasks.spawn("requests", consumer.run(tasks.shutdown()));

    let outcomes = outcome::Outcomes { log, store: store.clone(), appender };
    let compiler = Arc::new(compile::Compiler { outcomes: outcomes.clone() });
    let compiling = worker::Options { kind: Kind::Compile, lease: leases::COMPILE, parallel: COMPILATIONS };
    tasks.spawn("compilations", worker::run(compiling, store.clone(), compiler, tasks.shutdown()));
    let repository = Arc::new(repository::LocalGit::new(config.git_dir.clone()));
    let publisher = Arc::new(publish::Publisher { outcomes, repository });
    let publishing = worker::Options { kind: Kind::Publish, lease: leases::PUBLISH, parallel: PUBLISHES };
    tasks.spawn("publishes", worker::run(publishing, store.clone(), publisher, tasks.shutdown()));

    let relay_store = Store::connect(&config.store, Role::Relay).await?;
    tasks.spawn("relay", relay::run(config.bus.clone(), relay_store, health.signal("relay"), tasks.shutdown()));
    if let Some(address) = config.runtime.admin_addr {
        tasks.spawn("admin", admin::serve(address, health, tasks.shutdown()));
    }
    tasks.wait().await
}
