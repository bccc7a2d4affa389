//! The real parts that everything here runs on, started once by the scripts around: PostgreSQL, Kafka, a registry.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio_postgres::{Client, NoTls};

use crate::proxy::Proxy;
use crate::world::Service;

/// Says where the parts are; services reach each of them through a proxy, of which that of Kafka is everybody's.
pub(crate) struct Parts {
    /// The folder of the programs, which have failpoints.
    programs: PathBuf,
    pub(crate) logs: PathBuf,
    pub(crate) postgres: Login,
    /// Kafka names its clients one address, this one.
    pub(crate) kafka: Proxy,
    pub(crate) registry: SocketAddr,
    /// Kafka itself, without a proxy.
    pub(crate) brokers: String,
}

/// Is the superuser, and the password of every other login.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) address: SocketAddr,
    user: String,
    password: String,
    others: String,
}

impl Login {
    /// Answers the superuser's address of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{}:{}@{}/{database}", self.user, self.password, self.address)
    }

    /// Answers the address of a database for a login, through a proxy.
    pub(crate) fn through(&self, proxy: &Proxy, (login, database): (&str, &str)) -> String {
        format!("postgres://{login}:{}@{}/{database}", self.others, proxy.address())
    }

    /// Connects as the superuser, past every proxy.
    pub(crate) async fn connect(&self, database: &str) -> Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.url(database), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl Parts {
    /// Finds the parts by the variables that the scripts around set.
    pub(crate) async fn find() -> Result<Self> {
        let port: u16 = variable("PGPORT")?.parse().context("PGPORT is a number")?;
        let postgres = Login {
            address: here(port),
            user: variable("PGUSER")?,
            password: variable("PGPASSWORD")?,
            others: variable("DB_PASSWORD")?,
        };
        let brokers = variable("KAFKA_BROKERS")?;
        let proxied = here(variable("KAFKA_PROXIED_PORT")?.parse().context("KAFKA_PROXIED_PORT is a number")?);
        let behind = variable("KAFKA_BEHIND_PROXY")?.parse().context("KAFKA_BEHIND_PROXY is an address")?;
        let registry = variable("SCHEMA_REGISTRY_URL")?;
        let registry = registry.trim_start_matches("http://").split('/').next().unwrap_or_default().parse();
        Ok(Self {
            programs: variable("BIN")?.into(),
            logs: variable("LOGS")?.into(),
            kafka: Proxy::start(proxied, behind).await?,
            registry: registry.context("SCHEMA_REGISTRY_URL names an address")?,
            postgres,
            brokers,
        })
    }

    /// Answers the path of a service's program.
    pub(crate) fn program(&self, service: Service) -> PathBuf {
        self.programs.join(format!("dvt-{}", service.as_str()))
    }

    /// Answers the path of the command line tool.
    pub(crate) fn dvt(&self) -> PathBuf {
        self.programs.join("dvt")
    }
}

pub(crate) fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("run scripts/faults, which sets {name}"))
}

fn here(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Answers an address that nobody listens on now.
pub(crate) fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind(here(0))?.local_addr()
}
