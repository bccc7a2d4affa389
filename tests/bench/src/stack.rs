//! What scripts/bench has started around: the servers, the services, dbt.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::http::Http;

/// Says where everything is.
pub(crate) struct Stack {
    /// The folder of our own programs.
    pub(crate) programs: PathBuf,
    /// dbt-core's program.
    pub(crate) dbt: PathBuf,
    /// What the browser measured before.
    pub(crate) canvas: PathBuf,
    pub(crate) gateway: String,
    pub(crate) postgres: Postgres,
}

/// Is the login of PostgreSQL's superuser.
pub(crate) struct Postgres {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Stack {
    /// Finds everything by the variables that the scripts around set.
    pub(crate) fn find() -> Result<Self> {
        let postgres = Postgres {
            host: variable("PGHOST")?,
            port: variable("PGPORT")?.parse().context("PGPORT is a number")?,
            user: variable("PGUSER")?,
            password: variable("PGPASSWORD")?,
        };
        Ok(Self {
            programs: variable("BIN")?.into(),
            dbt: PathBuf::from(variable("DBT_VENV")?).join("bin/dbt"),
            canvas: variable("CANVAS")?.into(),
            gateway: variable("DVT_URL")?,
            postgres,
        })
    }

    pub(crate) fn http(&self) -> Http {
        Http::new(&self.gateway)
    }
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("run scripts/bench, which sets {name}"))
}
