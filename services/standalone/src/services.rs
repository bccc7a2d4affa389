//! Which services run in this process, and how each is configured: what a cluster gives by environment variables.

use std::net::TcpListener;
use std::path::PathBuf;

use dvt_runtime::Tasks;
use secrecy::SecretString;

use crate::up::GRACE;

/// Where the parts of this process find each other.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) database_url: String,
    pub(crate) brokers: String,
    pub(crate) registry_url: String,
    /// The name of the target that projects run on, and its address.
    pub(crate) target: (String, String),
    /// All targets that there are, that one among them.
    pub(crate) targets: Vec<(String, SecretString)>,
    pub(crate) repositories: PathBuf,
}

/// Starts every service as a task; the gateway listens on `listener`.
///
/// # Errors
/// When nothing can be accepted on the address.
pub(crate) fn start(tasks: &mut Tasks, addresses: &Addresses, listener: TcpListener) -> std::io::Result<()> {
    let store = dvt_store::Config::of(&*addresses.database_url);
    let bus = dvt_bus::Config {
        kafka_brokers: Some(addresses.brokers.clone()),
        kafka_topic_prefix: String::new(),
        schema_registry_url: Some(addresses.registry_url.clone()),
    };
    let runtime = dvt_runtime::Config { admin_addr: None, shutdown_grace: GRACE };
    let projector = dvt_projector::Config { store: store.clone(), bus: bus.clone(), runtime: runtime.clone() };
    tasks.spawn("projector", dvt_projector::run(projector, tasks.shutdown()));
    let gateway = dvt_gateway::Config {
        store: store.clone(),
        bus: bus.clone(),
        runtime: runtime.clone(),
        listen_addr: listener.local_addr()?,
        trust_network: false,
        allowed_hosts: Vec::new(),
        default_target: addresses.target.0.clone(),
        default_database: database_of(&addresses.target.1),
        clone_url: addresses.repositories.to_str().map(str::to_owned),
        rate_limit: dvt_gateway::RATE_LIMIT,
    };
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tasks.spawn("gateway", dvt_gateway::serve(gateway, listener, tasks.shutdown()));
    let (git_dir, targets) = (addresses.repositories.clone(), addresses.targets.clone());
    let artifact = dvt_artifact::Config { store: store.clone(), bus: bus.clone(), runtime: runtime.clone(), git_dir };
    tasks.spawn("artifact", dvt_artifact::run(artifact, tasks.shutdown()));
    let executor = dvt_executor::Config { bus, targets, ..dvt_executor::Config::of(store, runtime) };
    tasks.spawn("executor", dvt_executor::run(executor, tasks.shutdown()));
    Ok(())
}

/// Reads the database in a target's address.
fn database_of(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    Some(url.path().trim_start_matches('/').to_owned()).filter(|database| !database.is_empty())
}
