//! The databases that run SQL: what the executor asks of one, and how one is found by its name.
//!
//! One file per database implements [`Target`] and [`Session`]; how a relation is built there is its own business.

mod error;
mod name;
mod notices;
mod postgres;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use dvt_domain::run::Backend;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

pub(crate) use error::{Error, Fault, Refusal};
pub(crate) use name::Name;
pub(crate) use notices::Notices;
pub(crate) use work::{
    Built, Changed, ColumnDocs, Committed, Constraint, ConstraintKind, Contract, ContractColumn, Docs, Given, Grants,
    Hooks, Incremental, Index, Materialization, OnSchemaChange, Seed, Snapshot, SnapshotColumns, Stored, Strategy,
    Table, Test, UnitTest, Work,
};

/// The variables that name targets.
const VARIABLE: &str = "DVT_TARGET_";
const FILE_SUFFIX: &str = "_FILE";

/// Is a database that runs SQL.
#[async_trait::async_trait]
pub(crate) trait Target: Send + Sync {
    /// Opens a session.
    async fn connect(&self) -> Result<Box<dyn Session>, Error>;

    /// Opens a session whose transactions write nothing, unless a statement says otherwise.
    async fn connect_to_read(&self) -> Result<Box<dyn Session>, Error>;

    /// Ends exactly this session, if it is still there, and returns when it is gone.
    async fn end(&self, backend: &Backend) -> Result<(), Error>;

    /// Makes what a run needs before its first step: the ledger, and these schemas.
    async fn prepare(&self, schemas: &[String]) -> Result<(), Error>;

    /// Finds what a step committed.
    async fn committed(&self, key: &Key) -> Result<Option<Committed>, Error>;
}

/// Names a step to the ledger of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) run_id: Uuid,
    pub(crate) unique_id: String,
    pub(crate) attempt: i32,
}

/// Is one session of a target. Dropping it closes it.
#[async_trait::async_trait]
pub(crate) trait Session: Send + Sync {
    /// Answers which session of the server this is.
    fn backend(&self) -> Backend;

    /// Answers what cancels the statement that this session runs.
    fn canceller(&self) -> Arc<dyn Canceller>;

    /// Does a step's work and its ledger row in one transaction.
    async fn build(&mut self, key: &Key, work: &Work) -> Result<Built, Error>;

    /// Runs a test; nothing stays but the rows that it is to keep.
    async fn test(&mut self, test: &Test) -> Result<Counted, Error>;

    /// Writes data that a unit test gives in the place of a relation as a query.
    async fn given(&mut self, name: &Name, given: &Given) -> Result<String, Error>;

    /// Runs a unit test; answers the rows that are one side's only, and how many there are.
    async fn unit_test(&mut self, test: &UnitTest) -> Result<Rows, Error>;

    /// Runs one query in a transaction that cannot write and is taken back, and answers up to `limit` rows of it.
    async fn read(&mut self, sql: &str, limit: Option<i64>) -> Result<Rows, Error>;

    /// Finds a relation of this database.
    async fn relation(&mut self, name: &Name) -> Result<Option<RelationKind>, Error>;

    /// Lists the relations of a schema.
    async fn relations(&mut self, schema: &str) -> Result<Vec<(String, RelationKind)>, Error>;

    /// Lists the columns of a relation, in order.
    async fn columns(&mut self, name: &Name) -> Result<Vec<Column>, Error>;

    /// Answers the database's name and version.
    async fn describe(&mut self) -> Result<Server, Error>;

    /// Takes back what statements have set for the whole session, between transactions.
    async fn reset(&mut self) -> Result<(), Error>;

    /// Answers where it is kept what the server says beside its answers.
    fn notices(&self) -> Notices;
}

/// Cancels what a session runs.
#[async_trait::async_trait]
pub(crate) trait Canceller: Send + Sync {
    /// Asks the server to cancel; that it has heard is all that is known.
    async fn cancel(&self);
}

/// Says what kind of relation there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelationKind {
    Table,
    View,
    MaterializedView,
    External,
}

impl RelationKind {
    /// Answers dbt's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::MaterializedView => "materialized_view",
            Self::External => "external",
        }
    }
}

/// Is a column of a relation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As `information_schema` names it.
    pub(crate) data_type: String,
    pub(crate) char_size: Option<i64>,
    pub(crate) numeric_precision: Option<i64>,
    pub(crate) numeric_scale: Option<i64>,
    /// With its size, as DDL takes it.
    pub(crate) ddl_type: String,
    pub(crate) is_nullable: bool,
}

/// Is the answer to a statement, as text; null is None.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Names and types.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    pub(crate) truncated: bool,
}

/// Is what a test found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) failures: i64,
    pub(crate) should_warn: bool,
    pub(crate) should_error: bool,
}

/// Says where a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) database: String,
    pub(crate) version: String,
    /// What we may not do there and must, with what would allow it.
    pub(crate) lacks: Option<String>,
}

impl Server {
    /// Checks that the session is where an environment wants to be.
    ///
    /// # Errors
    /// TARGET_DATABASE.
    pub(crate) fn check_database(&self, wanted: &str) -> Result<(), Fault> {
        match self.database == wanted {
            true => Ok(()),
            false => {
                let message = format!(
                    "the target's address leads to the database `{}`, and the environment names `{wanted}`",
                    self.database
                );
                Err(Fault::new("TARGET_DATABASE", message))
            }
        }
    }

    /// Checks that we may do there what a run does.
    ///
    /// # Errors
    /// TARGET_PRIVILEGE.
    pub(crate) fn check_rights(&self) -> Result<(), Fault> {
        self.lacks.clone().map_or(Ok(()), |lacks| Err(Fault::new("TARGET_PRIVILEGE", lacks)))
    }
}

/// Finds targets by their names. The addresses leave this module only into connections.
#[derive(Clone, Default)]
pub(crate) struct Targets(BTreeMap<String, Result<Arc<dyn Target>, Fault>>);

impl Targets {
    /// Takes the targets of a list of names and addresses.
    pub(crate) fn new(addresses: &[(String, SecretString)]) -> Self {
        let target = |(name, address): &(String, SecretString)| {
            let made = open(address.expose_secret());
            if let Err(fault) = &made {
                tracing::error!(target = name, code = fault.code, reason = fault.message, "a target is refused");
            }
            (name.to_ascii_lowercase(), made)
        };
        Self(addresses.iter().map(target).collect())
    }

    /// Finds a target.
    ///
    /// # Errors
    /// TARGET_UNKNOWN, or why its address was refused at start.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<dyn Target>, Fault> {
        let known = || match self.0.is_empty() {
            true => "there are none".to_owned(),
            false => format!("there are {}", self.0.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        let unknown = || {
            let variable = format!("{VARIABLE}{}", name.to_ascii_uppercase());
            Fault::new("TARGET_UNKNOWN", format!("the executor has no target `{name}` ({variable}); {}", known()))
        };
        self.0.get(&name.to_ascii_lowercase()).ok_or_else(unknown)?.clone()
    }
}

fn open(address: &str) -> Result<Arc<dyn Target>, Fault> {
    match address.split_once("://").map_or("", |(scheme, _)| scheme) {
        "postgres" | "postgresql" => Ok(Arc::new(postgres::Postgres::new(address)?)),
        "snowflake" | "oracle" => {
            Err(Fault::new("TARGET_NOT_SUPPORTED", "only postgres targets run today; this one comes later"))
        }
        _ => Err(Fault::new("TARGET_ADDRESS", "an address starts with postgres://, snowflake:// or oracle://")),
    }
}

/// Reads the targets of the environment: `DVT_TARGET_<NAME>`, or the file that `DVT_TARGET_<NAME>_FILE` names.
///
/// # Errors
/// When a name has both, or its file cannot be read.
pub fn from_env() -> Result<Vec<(String, SecretString)>, dvt_runtime::secret::Error> {
    let variables: BTreeMap<String, String> = std::env::vars().filter(|(name, _)| name.starts_with(VARIABLE)).collect();
    let mut names: Vec<&str> = variables.keys().map(|name| name.strip_suffix(FILE_SUFFIX).unwrap_or(name)).collect();
    names.dedup();
    let mut targets = Vec::new();
    for variable in names {
        let value = variables.get(variable).map(|value| SecretString::from(value.as_str()));
        let file = variables.get(&format!("{variable}{FILE_SUFFIX}")).map(std::path::Path::new);
        if let Some(address) = dvt_runtime::secret::resolve(variable, value.as_ref(), file)? {
            targets.push((variable[VARIABLE.len()..].to_ascii_lowercase(), address));
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(address: &str) -> &'static str {
        Targets::new(&[("local".into(), address.into())]).find("LOCAL").err().map_or("", |fault| fault.code)
    }

    #[test]
    fn refuses_addresses_that_lead_where_no_warehouse_is() {
        assert_eq!(code("postgres://u:p@127.0.0.1/shop"), "");
        assert_eq!(code("postgres://u:p@169.254.169.254/shop"), "TARGET_HOST_NOT_ALLOWED");
        assert_eq!(code("postgres://u:p@[fe80::1]/shop"), "TARGET_HOST_NOT_ALLOWED");
        assert_eq!(code("postgres://u:p@db.example/shop?sslmode=disable"), "TARGET_PARAM_DENIED");
        assert_eq!(code("postgres://u:p@127.0.0.1/shop?host=/var/run"), "TARGET_PARAM_DENIED");
        assert_eq!(code("postgres://u:p@127.0.0.1/shop?nonsense=1"), "TARGET_PARAM_DENIED");
        assert_eq!(code("mysql://u:p@127.0.0.1/shop"), "TARGET_ADDRESS");
        assert_eq!(code("snowflake://account/db"), "TARGET_NOT_SUPPORTED");
    }

    #[test]
    fn names_the_targets_that_there_are() {
        let targets = Targets::new(&[("local".into(), "postgres://u:p@127.0.0.1/shop".into())]);
        let fault = targets.find("prod").err().expect("there is none");
        assert_eq!(fault.message, "the executor has no target `prod` (DVT_TARGET_PROD); there are local");
    }
}
