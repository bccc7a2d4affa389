//! Postgres as a target.

mod catalog;
mod contract;
mod incremental;
mod ledger;
mod materialize;
mod outfit;
mod quote;
mod seed;
mod session;
mod snapshot;
mod statement;
#[cfg(test)]
mod tests;
mod unit;

use std::net::IpAddr;
use std::time::Duration;

use dvt_domain::run::Backend;
use tokio_postgres::config::{Host, SslMode};

use super::{Committed, Error, Fault, Key, Session, Target};
use session::PgSession;

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may be silent on the network before its session counts as lost.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a session may take to end once it is told to, in milliseconds.
const END_TIMEOUT_MS: u32 = 8_000;

/// Is one Postgres database, by its address.
pub(super) struct Postgres {
    config: tokio_postgres::Config,
}

impl Postgres {
    /// Takes an address.
    ///
    /// # Errors
    /// When it is not one, or leads where no target may be.
    pub(super) fn new(address: &str) -> Result<Self, Fault> {
        let mut config: tokio_postgres::Config = address.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            match cause.contains("option") {
                true => Fault::new("TARGET_PARAM_DENIED", cause),
                false => Fault::new("TARGET_ADDRESS", "the target's address is not a postgres:// address"),
            }
        })?;
        check(&config)?;
        config.application_name("dvt").connect_timeout(CONNECT_TIMEOUT);
        config
            .keepalives_idle(SILENCE)
            .keepalives_interval(SILENCE / 3)
            .keepalives_retries(3)
            .tcp_user_timeout(SILENCE);
        Ok(Self { config })
    }

    async fn session(&self) -> Result<PgSession, Error> {
        PgSession::open(&self.config).await
    }
}

/// Refuses addresses that are no warehouse's.
fn check(config: &tokio_postgres::Config) -> Result<(), Fault> {
    let mut remote = false;
    for host in config.get_hosts() {
        match host {
            Host::Tcp(name) => {
                let address: Option<IpAddr> = name.parse().ok();
                if address.is_some_and(is_link_local) {
                    let message =
                        format!("the target's host {name} is not allowed: link-local addresses are not databases");
                    return Err(Fault::new("TARGET_HOST_NOT_ALLOWED", message));
                }
                remote |= name != "localhost" && !address.is_some_and(|address| address.is_loopback());
            }
            Host::Unix(_) => {
                return Err(Fault::new(
                    "TARGET_PARAM_DENIED",
                    "parameter host: a target is reached by TCP, not by a socket file",
                ));
            }
        }
    }
    if let Some(address) = config.get_hostaddrs().iter().find(|address| is_link_local(**address)) {
        return Err(Fault::new("TARGET_HOST_NOT_ALLOWED", format!("the target's host {address} is not allowed")));
    }
    match config.get_ssl_mode() {
        SslMode::Disable if remote => {
            Err(Fault::new("TARGET_PARAM_DENIED", "parameter sslmode: `disable` is allowed on this machine only"))
        }
        SslMode::Require => {
            Err(Fault::new("TARGET_TLS_NOT_SUPPORTED", "sslmode=require: DVT+ does not speak TLS to targets yet"))
        }
        _ => Ok(()),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_unspecified(),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.is_link_local() || address.is_unspecified(),
            None => address.is_unicast_link_local() || address.is_unspecified(),
        },
    }
}

#[async_trait::async_trait]
impl Target for Postgres {
    async fn connect(&self) -> Result<Box<dyn Session>, Error> {
        Ok(Box::new(self.session().await?))
    }

    async fn connect_to_read(&self) -> Result<Box<dyn Session>, Error> {
        let mut session = self.session().await?;
        session.plain("set default_transaction_read_only = on").await?;
        Ok(Box::new(session))
    }

    async fn end(&self, backend: &Backend) -> Result<(), Error> {
        let mut session = self.session().await?;
        let Backend { pid, started_at } = backend;
        let ended = session
            .text(&format!(
                "select pg_terminate_backend(pid, {END_TIMEOUT_MS})
                from pg_stat_activity
                where pid = {pid} and (extract(epoch from backend_start) * 1000000)::bigint = {}",
                started_at.0
            ))
            .await?;
        match ended.iter().all(|row| row.first().and_then(Option::as_deref) == Some("t")) {
            true => Ok(()),
            false => Err(Error::Unreachable(format!("session {pid} did not end in {END_TIMEOUT_MS} ms"))),
        }
    }

    async fn prepare(&self, schemas: &[String]) -> Result<(), Error> {
        let mut session = self.session().await?;
        ledger::create(&mut session, schemas).await
    }

    async fn committed(&self, key: &Key) -> Result<Option<Committed>, Error> {
        let mut session = self.session().await?;
        ledger::find(&mut session, key).await
    }
}
