//! The projector service: keeps the views in step with the log, and makes them anew.

mod config;
pub mod graph;
mod handler;
pub mod projection;
mod rebuild;

pub use config::Config;
pub use rebuild::{Rebuilt, rebuild};

use dvt_bus::consumer::Options;
use dvt_bus::view::Announcer;
use dvt_bus::{Consumer, relay};
use dvt_runtime::{CancellationToken, Health, Tasks, admin};
use dvt_store::{Role, Store};

/// The name of the projector's checkpoints.
pub const CONSUMER: &str = dvt_store::view::WRITER;

/// Runs the service until shutdown.
///
/// # Errors
/// When the database does not answer at start, or a part fails for good.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let health = Health::default();
    let mut tasks = Tasks::new(&shutdown, config.runtime.shutdown_grace);
    let store = Store::connect(&config.store, Role::Projector).await?;
    let options = Options { name: CONSUMER.to_owned(), topics: projection::TOPICS.to_vec() };
    let relay_store = Store::connect(&config.store, Role::Relay).await?;
    let (announcer, announcing) = Announcer::new(&config.bus, &relay_store, tasks.shutdown());
    tasks.spawn("announcer", announcing);
    let views = handler::Views::new(announcer.clone());
    let consumer = Consumer::new(options, &config.bus, &store, views, health.signal("views"));
    tasks.spawn("views", consumer.run(tasks.shutdown()));
    tasks.spawn("graphs", graph::run(store.clone(), announcer, health.signal("graphs"), tasks.shutdown()));
    tasks.spawn("relay", relay::run(config.bus.clone(), relay_store, health.signal("relay"), tasks.shutdown()));
    if let Some(address) = config.runtime.admin_addr {
        tasks.spawn("admin", admin::serve(address, health, tasks.shutdown()));
    }
    tasks.wait().await
}
