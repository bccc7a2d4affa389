//! What a step asks of a target, said without a word of its dialect.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::Name;

/// Is the work of one step: a relation, how it is built, and the statements around it.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) relation: Name,
    pub(crate) materialization: Materialization,
    /// The rendered pre-hooks and post-hooks.
    pub(crate) before: Hooks,
    pub(crate) after: Hooks,
    pub(crate) grants: Grants,
    pub(crate) docs: Docs,
}

/// Is the statements on one side of a relation's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hooks {
    /// Share the transaction of the relation.
    pub(crate) inside: Vec<String>,
    /// Come before it begins or after its commit, each by itself; the ledger knows nothing of them.
    pub(crate) outside: Vec<String>,
}

/// Names who may do what with a relation: roles by privilege. Empty: whatever is granted stays.
pub(crate) type Grants = BTreeMap<String, Vec<String>>;

/// Is what a database keeps as comments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Docs {
    pub(crate) relation: Option<String>,
    /// Names and descriptions; a quoted name is meant to the letter.
    pub(crate) columns: Vec<ColumnDocs>,
}

/// Describes a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnDocs {
    pub(crate) name: String,
    pub(crate) is_quoted: bool,
    pub(crate) description: String,
}

/// Says how a relation is built.
#[derive(Clone, Debug)]
pub(crate) enum Materialization {
    View {
        sql: String,
        contract: Option<Contract>,
    },
    Table(Table),
    Incremental(Incremental),
    Seed(Seed),
    Snapshot(Snapshot),
    /// Statements that build nothing of their own: a hook of the run.
    Statements(String),
}

/// Is a table that is built anew and swapped in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) sql: String,
    /// `sql_header`: goes before the statement.
    pub(crate) header: String,
    pub(crate) unlogged: bool,
    pub(crate) indexes: Vec<Index>,
    pub(crate) contract: Option<Contract>,
}

/// Says exactly which columns a relation has, and what holds of its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contract {
    pub(crate) columns: Vec<ContractColumn>,
    pub(crate) constraints: Vec<Constraint>,
}

/// Is a column of a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ContractColumn {
    pub(crate) name: String,
    pub(crate) is_quoted: bool,
    /// As DDL writes it.
    pub(crate) data_type: String,
    pub(crate) constraints: Vec<Constraint>,
}

/// Is a constraint of a column or of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Constraint {
    pub(crate) kind: ConstraintKind,
    pub(crate) name: Option<String>,
    pub(crate) expression: String,
    pub(crate) columns: Vec<String>,
    /// What a foreign key leads to, with the columns there.
    pub(crate) to: Option<(Name, Vec<String>)>,
}

/// Names dbt's kinds of constraints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ConstraintKind {
    Check,
    NotNull,
    Unique,
    PrimaryKey,
    ForeignKey,
    #[default]
    Custom,
}

/// Is an index of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) columns: Vec<String>,
    pub(crate) unique: bool,
    /// e.g. `btree`; empty for the database's own choice.
    pub(crate) method: String,
}

/// Is a table to which a run adds.
#[derive(Clone, Debug)]
pub(crate) struct Incremental {
    pub(crate) table: Table,
    /// Builds it anew even where it exists.
    pub(crate) full_refresh: bool,
    pub(crate) strategy: Strategy,
    pub(crate) unique_key: Vec<String>,
    pub(crate) predicates: Vec<String>,
    pub(crate) on_schema_change: OnSchemaChange,
    /// For a merge: the columns to update, and those not to; empty for all.
    pub(crate) update_columns: Vec<String>,
    pub(crate) exclude_columns: Vec<String>,
}

/// Says how new rows meet old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    Append,
    DeleteInsert,
    Merge,
}

/// Says what happens where the SQL has other columns than the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnSchemaChange {
    Ignore,
    Fail,
    AppendNewColumns,
    SyncAllColumns,
}

/// Is a table of a CSV file.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    /// Names and types.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    pub(crate) full_refresh: bool,
}

/// Is a table that keeps every version of each row.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) sql: String,
    pub(crate) unique_key: Vec<String>,
    pub(crate) changed: Changed,
    /// Ends rows that are gone from the source.
    pub(crate) invalidate_deleted: bool,
    /// SQL for the end of a version that is still valid; empty for null.
    pub(crate) valid_to_current: String,
    pub(crate) columns: SnapshotColumns,
}

/// Says how a changed row is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// This column is later than it was.
    UpdatedAt(String),
    /// One of these columns differs; empty for all.
    Columns(Vec<String>),
}

/// Names the columns that a snapshot adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotColumns {
    pub(crate) scd_id: String,
    pub(crate) updated_at: String,
    pub(crate) valid_from: String,
    pub(crate) valid_to: String,
}

impl Default for SnapshotColumns {
    fn default() -> Self {
        Self {
            scd_id: "dbt_scd_id".into(),
            updated_at: "dbt_updated_at".into(),
            valid_from: "dbt_valid_from".into(),
            valid_to: "dbt_valid_to".into(),
        }
    }
}

/// Is a query whose rows are what is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) sql: String,
    pub(crate) fail_calc: String,
    pub(crate) warn_if: String,
    pub(crate) error_if: String,
    pub(crate) limit: Option<i64>,
    /// The relation that keeps the rows, where they are to be kept.
    pub(crate) stored: Option<Stored>,
}

/// Says where the rows that fail a test are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) relation: Name,
    /// As a view, which shows them as they are whenever it is read.
    pub(crate) as_view: bool,
}

/// Is what a unit test wants of a query.
#[derive(Clone, Debug)]
pub(crate) struct UnitTest {
    pub(crate) sql: String,
    pub(crate) expect: Given,
}

/// Is data that a unit test gives or expects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Given {
    /// Names and values; what a row leaves out is null, or is not looked at.
    Rows(Vec<Map<String, Json>>),
    Sql(String),
}

/// Is what the target proves that a step has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) built: Built,
    /// How long the transaction took, by the target's clock.
    pub(crate) duration_us: i64,
}

/// Is what a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) rows: Option<i64>,
    /// As the database says it, e.g. `SELECT 42`.
    pub(crate) message: String,
}
