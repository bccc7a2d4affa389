//! `dvt up`: every service in this process, on the servers of `dvt-embedded`.
//!
//! Decides who is first in a data folder, starts the parts in their order and stops them in the reverse one. What a
//! service does is the service's own business.

use std::fs::{self, File, TryLockError};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use dvt_bus::Topics;
use dvt_domain::envelope::PARTITIONS;
use dvt_embedded::kafka::Broker;
use dvt_embedded::postgres::Cluster;
use dvt_embedded::registry::Registry;
use dvt_runtime::{CancellationToken, Tasks, shutdown, telemetry};
use secrecy::{ExposeSecret, SecretString};

use crate::output;
use crate::running::{self, Running};
use crate::services::{self, Addresses};

const LOCK_FILE: &str = "lock";
/// The log's database.
pub(crate) const DATABASE: &str = "dvt";
/// The folder of the cluster, in the data folder.
pub(crate) const POSTGRES_FOLDER: &str = "postgres";
/// The target's database, and the role that owns it.
const TARGET_DATABASE: &str = "warehouse";
/// The target of environment `dev` where the user names none.
const OWN_TARGET: &str = "warehouse";
/// The port where none was used before and none is asked for.
const FIRST_PORT: u16 = 8080;
/// How long a second `dvt up` waits for the first to be ready.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long the services may take to end.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// How often readiness is asked for.
const POLL: Duration = Duration::from_millis(50);

/// Says where to keep data and where to listen.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that everything is kept in
    #[arg(long, env = "DVT_DATA", default_value = running::DATA_FOLDER)]
    data: PathBuf,
    /// The address to listen on, on this machine only [default: that of the last time, or a free port]
    #[arg(long, env = "LISTEN_ADDR")]
    listen: Option<SocketAddr>,
    /// The target that projects run on; its address is in DVT_TARGET_<NAME> or DVT_TARGET_<NAME>_FILE [default: a
    /// database of its own]
    #[arg(long)]
    target: Option<String>,
}

/// Starts everything, or prints where it runs already.
///
/// # Errors
/// When a part does not start, or one ends in an error.
pub(crate) fn up(args: Args) -> anyhow::Result<ExitCode> {
    fs::create_dir_all(&args.data).with_context(|| format!("could not make the folder {}", args.data.display()))?;
    let data = args.data.canonicalize().with_context(|| format!("could not use the folder {}", args.data.display()))?;
    let lock = File::create(data.join(LOCK_FILE)).context("could not make the lock file")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match lock.try_lock() {
        Ok(()) => runtime.block_on(first(&data, args))?,
        Err(TryLockError::WouldBlock) => runtime.block_on(second(&data))?,
        Err(TryLockError::Error(error)) => return Err(error).context("could not lock the data folder"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn second(data: &Path) -> anyhow::Result<()> {
    let ready = async {
        loop {
            if let Some(running) = Running::find(data)
                && is_ready(&running.url).await
            {
                return running.url;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let url = tokio::time::timeout(PATIENCE, ready).await.context("another `dvt up` has this data and is not ready")?;
    output::print_line(&url)
}

async fn first(data: &Path, args: Args) -> anyhow::Result<()> {
    let telemetry = telemetry::init("standalone").context("could not start logging")?;
    let shutdown = shutdown::on_signal()?;
    // Held from here on, so that nobody else who starts now takes it.
    let listener = listen(data, args.listen)?;
    Running::remove(data)?;
    let cluster = Cluster::open(&data.join(POSTGRES_FOLDER)).await?;
    let database_url = cluster.create_database(DATABASE).await?;
    dvt_store::migrate(&database_url).await?;
    let broker = Broker::start(Topics::new("").all(), i32::from(PARTITIONS))?;
    let registry = Registry::start(&database_url).await?;
    let mut targets = dvt_executor::targets_from_env()?;
    let target = match args.target {
        Some(name) => (name.clone(), target_url(&targets, &name)?),
        None => {
            let own = (OWN_TARGET.to_owned(), cluster.create_owned_database(TARGET_DATABASE).await?);
            targets.push((own.0.clone(), own.1.clone().into()));
            own
        }
    };
    let addresses = Addresses {
        database_url,
        brokers: broker.bootstrap().to_owned(),
        registry_url: registry.url().to_owned(),
        target,
        targets,
        repositories: data.join("repositories"),
    };
    let ended = serve(data.to_owned(), (addresses, listener), &shutdown).await;
    registry.stop().await;
    drop(broker);
    cluster.stop().await?;
    telemetry.end().await;
    ended
}

/// Runs the services until shutdown or until one fails.
async fn serve(
    data: PathBuf,
    (addresses, listener): (Addresses, TcpListener),
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let running = Running {
        url: format!("http://{}", listener.local_addr()?),
        pid: std::process::id(),
        target_url: addresses.target.1.clone(),
        repository: addresses.repositories.clone(),
    };
    let mut tasks = Tasks::new(shutdown, GRACE);
    services::start(&mut tasks, &addresses, listener).context("could not listen")?;
    let stopped = tasks.shutdown();
    tasks.spawn("announce", async move {
        tokio::select! {
            () = stopped.cancelled() => Ok(()),
            () = until_ready(&running.url) => {
                running.write(&data)?;
                output::print_line(&running.url)
            }
        }
    });
    tasks.wait().await
}

async fn until_ready(url: &str) {
    while !is_ready(url).await {
        tokio::time::sleep(POLL).await;
    }
}

async fn is_ready(url: &str) -> bool {
    reqwest::get(format!("{url}/readyz")).await.is_ok_and(|answer| answer.status().is_success())
}

/// Listens on an address: the one asked for, that of the last time, the usual one, or any that is free.
fn listen(data: &Path, asked: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    if let Some(address) = asked {
        ensure!(address.ip().is_loopback(), "could not listen on {address}: without sign-in only 127.0.0.1 is allowed");
    }
    let last = Running::find(data).and_then(|last| last.url.strip_prefix("http://")?.parse().ok());
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST_PORT));
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let candidates = asked.map_or_else(|| last.into_iter().chain([usual, any]).collect(), |asked| vec![asked]);
    for candidate in &candidates {
        if let Ok(listener) = TcpListener::bind(candidate) {
            return Ok(listener);
        }
    }
    bail!("could not listen on {candidates:?}: the port is taken")
}

fn target_url(targets: &[(String, SecretString)], name: &str) -> anyhow::Result<String> {
    let found = targets.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let variable = format!("DVT_TARGET_{}", name.to_uppercase());
    let (_, url) =
        found.with_context(|| format!("target `{name}` has no address: set {variable} or {variable}_FILE"))?;
    Ok(url.expose_secret().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listens_on_this_machine_only() {
        let data = tempfile::tempdir().expect("a folder can be made");
        let refused = listen(data.path(), Some(SocketAddr::from(([0, 0, 0, 0], 0)))).expect_err("it is no loopback");
        assert!(refused.to_string().contains("127.0.0.1"));
    }

    #[test]
    fn listens_again_where_it_did_the_last_time() {
        let data = tempfile::tempdir().expect("a folder can be made");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = listen(data.path(), Some(any)).expect("a port is free");
        let first = listener.local_addr().expect("it listens");
        let running =
            Running { url: format!("http://{first}"), pid: 1, target_url: String::new(), repository: PathBuf::new() };
        running.write(data.path()).expect("the folder can be written");
        let meanwhile = listen(data.path(), None).expect("another port is free").local_addr().expect("it listens");
        assert_ne!(meanwhile, first, "it is taken");
        drop(listener);
        let again = listen(data.path(), None).expect("the port is free again").local_addr().expect("it listens");
        assert_eq!(again, first);
    }

    #[test]
    fn names_the_variables_of_a_target_without_an_address() {
        let error = target_url(&[], "nowhere_at_all").expect_err("there is no such target");
        assert!(error.to_string().contains("DVT_TARGET_NOWHERE_AT_ALL_FILE"));
    }
}
