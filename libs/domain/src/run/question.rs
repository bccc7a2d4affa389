//! Questions to a target outside of any run, and their answers: the bytes of the store's table `preview`, as JSON.

use dvt_dbt::diagnostic::Place;
use dvt_dbt::tree::Sha256;
use serde::{Deserialize, Serialize};

use crate::id::BranchId;

/// The most rows that a preview answers.
pub const ROWS_MAX: i64 = 500;
/// The most SQL of an unsaved node, in bytes.
pub const SQL_MAX_BYTES: usize = dvt_dbt::SQL_BYTES_MAX;
/// How long a preview's statement may run, in seconds.
pub const SECONDS_MAX: u64 = 30;

/// Asks a target something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Question {
    /// What are the first rows of a node, of unsaved SQL, or of one CTE?
    Rows(RowsQuestion),
    /// Which columns does the target have for a node?
    Columns(ColumnsQuestion),
    /// What are the rows of a query that a run has sent?
    Sent(SentQuestion),
    /// Does the target answer, and may we use it?
    Connection { target: String, database: String },
}

/// Says which files a question is about, and how they are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    pub branch_id: BranchId,
    pub branch_version: i64,
    pub project_version: i64,
    pub environment: String,
}

/// Asks for the first rows of a node as the branch has it, with the environment's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowsQuestion {
    pub moment: Moment,
    /// The node; None for SQL that belongs to no node.
    pub unique_id: Option<String>,
    /// The text of the editor, Jinja included, instead of the node's own.
    pub sql: Option<String>,
    /// The CTE whose rows are wanted instead of the statement's.
    pub cte: Option<String>,
    /// 1 to [`ROWS_MAX`].
    pub limit: i64,
}

/// Asks for the columns of a node's relation, as the branch and the environment name that one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnsQuestion {
    pub moment: Moment,
    pub unique_id: String,
}

/// Asks for the rows that a query of a run has now: those that fail a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SentQuestion {
    /// With the environment, says which target.
    pub project_version: i64,
    pub environment: String,
    /// The blob of the query.
    pub sql: Sha256,
    /// 1 to [`ROWS_MAX`].
    pub limit: i64,
}

/// Answers a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer {
    Rows(Rows),
    Relation(Relation),
    Connected { server: String, duration_us: i64 },
    Failed(Failure),
}

/// Holds rows as text; null is None.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Option<String>>>,
    /// There are more rows than were asked for.
    pub truncated: bool,
    pub duration_us: i64,
}

/// Names a column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// As the database names it, e.g. `int4`.
    pub r#type: String,
}

/// Is what the target has under a node's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    pub schema: String,
    pub name: String,
    /// dbt's word, e.g. `view`; None: there is no such relation.
    pub kind: Option<String>,
    /// In the relation's own order.
    pub columns: Vec<RelationColumn>,
    pub duration_us: i64,
}

/// Is a column of a relation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationColumn {
    pub name: String,
    /// As DDL writes it, e.g. `numeric(10,2)`.
    pub r#type: String,
    pub is_nullable: bool,
}

/// Says why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
    pub sqlstate: Option<String>,
    pub place: Option<Place>,
    pub duration_us: i64,
}
