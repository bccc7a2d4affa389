//! What a user can mean: one struct per intent, the same one in the API, in events and here.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Holds a free JSON value: inline where a person may read it, as its text in a binary format.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => self.0.serialize(serializer),
            false => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return serde_json::Value::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Names what an edit is about: a node (dbt's unique_id, or a path where there is no node) and its property, e.g.
/// `name`, `sql`, `description`, `columns.id.description`, `columns.id.data_tests.unique`, `config.materialized`,
/// `parents.UNIQUE_ID`, `file`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subject {
    pub node: String,
    pub property: String,
}

/// Records that a node has another unique_id than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Moved {
    pub from: String,
    pub to: String,
}

/// Adds a model. Its folder follows from `layer` (`staging`, `intermediate`, `marts`) unless `folder` names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddNode {
    pub name: String,
    pub layer: Option<String>,
    /// From the project's root, e.g. `models/marts/finance`.
    pub folder: Option<String>,
    pub sql: Option<String>,
    /// The unique_ids that the new model reads, where no SQL is given.
    #[serde(default)]
    pub from: Vec<String>,
}

/// Renames a node, everywhere it is named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RenameNode {
    pub unique_id: String,
    pub to: String,
}

/// Removes a node with its file and its YAML entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RemoveNode {
    pub unique_id: String,
}

/// Makes the node `to` depend on the node `from`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Connect {
    pub from: String,
    pub to: String,
}

/// Takes the dependency of `to` on `from` away, where nothing uses it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    pub from: String,
    pub to: String,
}

/// Replaces the text of the file that defines a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetSql {
    pub unique_id: String,
    pub sql: String,
}

/// Sets a config of a node; null removes it. `place` is `node` or `folder`, where the value stands in dbt_project.yml.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Configure {
    pub unique_id: String,
    pub key: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub value: Json,
    pub place: Option<String>,
}

/// Sets a node's description; empty removes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DescribeNode {
    pub unique_id: String,
    pub text: String,
}

/// Sets a column's description; empty removes it. A column that is not declared yet is, also without a description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DescribeColumn {
    pub unique_id: String,
    pub column: String,
    pub text: String,
}

/// Declares columns of a node with their types, all in one edit; of one that is declared already, only its type is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeclareColumns {
    pub unique_id: String,
    pub columns: Vec<DeclaredColumn>,
}

/// Is a column to declare; without a type, only its name is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeclaredColumn {
    pub name: String,
    /// As DDL writes it, e.g. `numeric(10,2)`.
    pub data_type: Option<String>,
}

/// Adds a generic test to a node or to one of its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddTest {
    pub unique_id: String,
    pub column: Option<String>,
    /// The test's name, with its package where it is not the project's or dbt's own.
    pub test: String,
    /// A JSON object of the test's arguments.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub arguments: Option<Json>,
    /// A JSON object of the test's config, e.g. its severity.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub config: Option<Json>,
}

/// Removes a test, named by its own unique_id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RemoveTest {
    pub unique_id: String,
}

/// Declares tables of a source, and the source itself where it is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeclareSource {
    pub source: String,
    pub schema: Option<String>,
    pub database: Option<String>,
    pub tables: Vec<String>,
}

/// Replaces the text of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SaveFile {
    pub path: String,
    pub text: String,
}

/// Adds a file of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddFile {
    pub path: String,
    pub text: String,
}

/// Moves a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MoveFile {
    pub path: String,
    pub to: String,
}

/// Removes a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RemoveFile {
    pub path: String,
}

/// Says what a user means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Intent {
    AddNode(AddNode),
    RenameNode(RenameNode),
    RemoveNode(RemoveNode),
    Connect(Connect),
    Disconnect(Disconnect),
    SetSql(SetSql),
    Configure(Configure),
    DescribeNode(DescribeNode),
    DescribeColumn(DescribeColumn),
    DeclareColumns(DeclareColumns),
    AddTest(AddTest),
    RemoveTest(RemoveTest),
    DeclareSource(DeclareSource),
    SaveFile(SaveFile),
    AddFile(AddFile),
    MoveFile(MoveFile),
    RemoveFile(RemoveFile),
}

impl Intent {
    /// Names the event that records the intent.
    pub fn event_name(&self) -> &'static str {
        match self {
            Self::AddNode(_) => "NodeAdded",
            Self::RenameNode(_) => "NodeRenamed",
            Self::RemoveNode(_) => "NodeRemoved",
            Self::Connect(_) => "NodeConnected",
            Self::Disconnect(_) => "NodeDisconnected",
            Self::SetSql(_) => "NodeSqlChanged",
            Self::Configure(_) => "NodeConfigured",
            Self::DescribeNode(_) => "NodeDescribed",
            Self::DescribeColumn(_) => "ColumnDescribed",
            Self::DeclareColumns(_) => "ColumnsDeclared",
            Self::AddTest(_) => "TestAdded",
            Self::RemoveTest(_) => "TestRemoved",
            Self::DeclareSource(_) => "SourceDeclared",
            Self::SaveFile(_) => "FileEdited",
            Self::AddFile(_) => "FileAdded",
            Self::MoveFile(_) => "FileMoved",
            Self::RemoveFile(_) => "FileRemoved",
        }
    }
}
