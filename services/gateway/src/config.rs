//! The gateway's settings.

use std::net::SocketAddr;
use std::num::NonZeroU32;

/// The requests of one actor in a second, unless configured.
pub const RATE_LIMIT: NonZeroU32 = NonZeroU32::new(1_000).expect("invariant: not zero");

/// Serves DVT+'s HTTP API.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Config {
    #[command(flatten)]
    pub store: dvt_store::Config,
    #[command(flatten)]
    pub bus: dvt_bus::Config,
    #[command(flatten)]
    pub runtime: dvt_runtime::Config,
    /// Address of the API; a loopback address, unless the network is trusted
    #[arg(long, env = "LISTEN_ADDR", default_value = "127.0.0.1:8700")]
    pub listen_addr: SocketAddr,
    /// Listen on any address though there is no sign-in yet: only trusted ones, as a proxy with sign-in, can reach it
    #[arg(long, env = "TRUST_NETWORK")]
    pub trust_network: bool,
    /// Names by which such a proxy reaches the API, beside localhost and loopback addresses
    #[arg(long, env = "ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// The target that the environment `dev` of a new project runs on
    #[arg(long, env = "DEFAULT_TARGET", default_value = "local")]
    pub default_target: String,
    /// The database of that target [default: of the same name as the target]
    #[arg(long, env = "DEFAULT_DATABASE")]
    pub default_database: Option<String>,
    /// Where published projects can be cloned from, as CLONE_URL/<project id>.git [default: the page does not say]
    #[arg(long, env = "CLONE_URL")]
    pub clone_url: Option<String>,
    /// Requests of one actor in a second
    #[arg(long, env = "RATE_LIMIT", default_value_t = RATE_LIMIT)]
    pub rate_limit: NonZeroU32,
}
