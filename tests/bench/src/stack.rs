//! What scripts/bench has started around: the servers, the services, dbt.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio_postgres::{Client, NoTls};

use crate::http::Http;

/// How long the relay may take until Kafka has what is in the log.
const PUBLISHED: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(50);
/// The database of the log.
pub(crate) const LOG: &str = "dvt";
/// What is in the log and not yet known to be on Kafka or in the views.
const BEHIND: &str = "
    select
        exists (
            select from dvt.partition_head h
            left join dvt.relay_cursor c using (topic, partition)
            where coalesce(c.position, 0) < h.position
        )
        or exists (
            select from dvt.partition_head h
            join dvt.checkpoint c using (topic, partition)
            where c.position < h.position
        )";

/// Says where everything is, and what is asked for.
pub(crate) struct Stack {
    /// Parts of the names of the figures that are wanted; all, where there are none.
    names: Vec<String>,
    /// The folder of our own programs.
    pub(crate) programs: PathBuf,
    /// The folder of the logs, and of the services' process ids.
    pub(crate) logs: PathBuf,
    /// dbt-core's program.
    pub(crate) dbt: PathBuf,
    /// What the browser measured before.
    pub(crate) canvas: PathBuf,
    gateway: String,
    /// The other replica.
    pub(crate) other_gateway: SocketAddr,
    pub(crate) postgres: Postgres,
}

/// Is the login of PostgreSQL's superuser.
pub(crate) struct Postgres {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Postgres {
    pub(crate) fn url(&self, database: &str) -> String {
        let Self { host, port, user, password } = self;
        format!("postgres://{user}:{password}@{host}:{port}/{database}")
    }

    pub(crate) async fn connect(&self, database: &str) -> Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.url(database), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl Stack {
    /// Finds everything by the variables that the scripts around set.
    pub(crate) fn find(names: Vec<String>) -> Result<Self> {
        let postgres = Postgres {
            host: variable("PGHOST")?,
            port: variable("PGPORT")?.parse().context("PGPORT is a number")?,
            user: variable("PGUSER")?,
            password: variable("PGPASSWORD")?,
        };
        let other_gateway = variable("DVT_URL_2")?;
        Ok(Self {
            names,
            programs: variable("BIN")?.into(),
            logs: variable("LOGS")?.into(),
            dbt: PathBuf::from(variable("DBT_VENV")?).join("bin/dbt"),
            canvas: variable("CANVAS")?.into(),
            gateway: variable("DVT_URL")?,
            other_gateway: other_gateway.trim_start_matches("http://").parse().context("DVT_URL_2 is an address")?,
            postgres,
        })
    }

    /// Says whether a figure is wanted.
    pub(crate) fn is_asked(&self, figure: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| figure.contains(&**name))
    }

    /// Answers a client with a connection of its own.
    pub(crate) fn http(&self) -> Http {
        Http::new(&self.gateway)
    }

    /// Waits until nobody has anything left to do with what is in the log.
    pub(crate) async fn quiet(&self) -> Result<()> {
        let log = self.postgres.connect(LOG).await?;
        let began = Instant::now();
        while log.query_one(BEHIND, &[]).await?.get(0) {
            ensure!(began.elapsed() < PUBLISHED, "the log is not published after {PUBLISHED:?}");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("run scripts/bench, which sets {name}"))
}
