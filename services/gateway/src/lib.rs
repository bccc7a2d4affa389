//! The gateway service: the HTTP API of DVT+.

pub mod api;
pub mod app;
pub mod archive;
pub mod branches;
mod config;
mod docs;
pub mod edits;
pub mod holds;
pub mod http;
pub mod live;
pub mod parsed;
pub mod views;
mod web;

pub use config::{Config, RATE_LIMIT};

use anyhow::ensure;
use dvt_bus::view::Wakes;
use dvt_log::Log;
use dvt_runtime::{CancellationToken, Health, Tasks, admin};
use dvt_store::appender::Appender;
use dvt_store::{Role, Store};
use tokio::net::TcpListener;

use crate::app::{App, Outside, Target, Waits};
use crate::http::guard::Guard;
use crate::live::Live;

/// Runs the service until shutdown.
///
/// # Errors
/// As [`serve`]; when the address is taken.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.listen_addr).await?;
    serve(config, listener, shutdown).await
}

/// Runs the service until shutdown on an address that is bound already, whatever the configuration names.
///
/// # Errors
/// When the address is not a loopback one and the network is not trusted, the database does not answer at start, or a
/// part fails for good.
pub async fn serve(config: Config, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    ensure!(
        address.ip().is_loopback() || config.trust_network,
        "LISTEN_ADDR {address} is not a loopback address, there is no sign-in yet, and TRUST_NETWORK is not set"
    );
    let health = Health::default();
    let mut tasks = Tasks::new(&shutdown, config.runtime.shutdown_grace);
    let store = Store::connect(&config.store, Role::Gateway).await?;
    let log = Log::default();
    log.publish_schemas(&mut *store.acquire().await?).await?;
    let (appender, worker) = Appender::new(&store);
    tasks.spawn("appender", async move {
        worker.run().await;
        anyhow::Ok(())
    });
    let (live, follow) = Live::new(store.clone(), health.signal("log"), tasks.shutdown());
    tasks.spawn("live", follow);
    let (wakes, listen) = Wakes::new(&config.bus, tasks.shutdown());
    tasks.spawn("wakes", listen);
    let database = config.default_database.unwrap_or_else(|| config.default_target.clone());
    let target = Target { name: config.default_target, database };
    let outside = Outside { target, clone_url: config.clone_url };
    let app = App::new(store, log, appender, Waits { live, wakes }, outside);
    let guard = Guard::new(config.rate_limit, config.allowed_hosts);
    let router = api::router(app, guard).merge(admin::router(health.clone()));
    let stop = tasks.shutdown();
    tasks.spawn("http", async move {
        axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
    });
    if let Some(address) = config.runtime.admin_addr {
        tasks.spawn("admin", admin::serve(address, health, tasks.shutdown()));
    }
    tasks.wait().await
}
