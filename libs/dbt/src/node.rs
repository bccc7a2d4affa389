//! The nodes of a parsed project, as dbt names them.
//!
//! Responsible for the shape only; `parse` makes them.

mod map;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::diagnostic::Place;
use crate::jinja::{Before, RefCall};
use crate::tree::Path;

pub use map::NodeMap;

/// Names a node in the whole project: `model.PACKAGE.NAME`.
pub type UniqueId = String;

/// Says what a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceType {
    Model,
    Seed,
    Snapshot,
    Source,
    Test,
    UnitTest,
    Analysis,
    /// A statement of `on-run-start` or `on-run-end`.
    Operation,
    Exposure,
    Metric,
    SemanticModel,
    SavedQuery,
    Group,
}

impl ResourceType {
    /// How many kinds there are.
    pub(crate) const COUNT: usize = Self::Group as usize + 1;

    /// Answers dbt's word for it, the first part of a `unique_id`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Seed => "seed",
            Self::Snapshot => "snapshot",
            Self::Source => "source",
            Self::Test => "test",
            Self::UnitTest => "unit_test",
            Self::Analysis => "analysis",
            Self::Operation => "operation",
            Self::Exposure => "exposure",
            Self::Metric => "metric",
            Self::SemanticModel => "semantic_model",
            Self::SavedQuery => "saved_query",
            Self::Group => "group",
        }
    }

    /// Says whether `ref()` can name it.
    pub fn is_referable(self) -> bool {
        match self {
            Self::Model | Self::Seed | Self::Snapshot => true,
            Self::Source
            | Self::Test
            | Self::UnitTest
            | Self::Analysis
            | Self::Operation
            | Self::Exposure
            | Self::Metric
            | Self::SemanticModel
            | Self::SavedQuery
            | Self::Group => false,
        }
    }
}

/// Is one column as the YAML describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub description: String,
    pub data_type: Option<String>,
    pub meta: Map<String, Json>,
    pub tags: Vec<String>,
    pub constraints: Vec<Json>,
    pub quote: Option<bool>,
    pub granularity: Option<String>,
    /// The docs blocks that the description names.
    pub doc_blocks: Vec<String>,
    /// What the YAML says beyond what dbt knows of columns.
    pub extra: Map<String, Json>,
}

/// Lists what a node depends on, in the order of its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependsOn {
    pub nodes: Vec<UniqueId>,
    pub macros: Vec<String>,
}

/// Holds what only a generic test has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenericTest {
    pub name: String,
    pub namespace: Option<String>,
    pub kwargs: Map<String, Json>,
    pub attached_node: UniqueId,
    pub column_name: Option<String>,
    /// The section of the YAML file and the name in it, e.g. `models.orders`.
    pub file_key_name: String,
}

/// Is one node of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub unique_id: UniqueId,
    pub resource_type: ResourceType,
    pub name: String,
    pub package_name: String,
    /// dbt's `path`: from the folder of its kind; for a generic test the name dbt would give its file.
    pub path: String,
    /// Where it is defined: the SQL or CSV file; for what only YAML defines, that file.
    pub original_file_path: Path,
    /// Where its YAML entry stands.
    pub patch: Option<Place>,
    pub fqn: Vec<String>,
    pub database: String,
    pub schema: String,
    /// The name of its relation; for a source its identifier.
    pub alias: String,
    pub description: String,
    /// The docs blocks that the description names.
    pub doc_blocks: Vec<String>,
    pub columns: IndexMap<String, Column>,
    pub tags: Vec<String>,
    /// Every key that dbt knows for its kind, and what else was set.
    pub config: Map<String, Json>,
    /// What was set, as it was written in dbt_project.yml.
    pub unrendered_config: Map<String, Json>,
    pub depends_on: DependsOn,
    pub refs: Vec<RefCall>,
    pub sources: Vec<[String; 2]>,
    pub metrics: Vec<Vec<String>>,
    pub raw_code: String,
    /// The byte of its file at which `raw_code` begins.
    pub code_offset: usize,
    /// Counts what stands in the file before it.
    pub code_before: Before,
    /// `sql` or `python`.
    pub language: String,
    /// The SHA-256 that dbt compares, in hexadecimal; None for what has no file of its own.
    pub checksum: Option<String>,
    pub version: Option<Json>,
    pub latest_version: Option<Json>,
    /// For a source: the name of its group of tables.
    pub source_name: Option<String>,
    pub test: Option<GenericTest>,
    /// What only one kind of node has, as the manifest shows it.
    pub properties: Map<String, Json>,
}

impl Node {
    /// Answers the resolved materialization.
    pub fn materialized(&self) -> &str {
        self.config.get("materialized").and_then(Json::as_str).unwrap_or("view")
    }

    /// Says whether its config switches it on.
    pub fn is_enabled(&self) -> bool {
        match self.config.get("enabled") {
            Some(Json::Bool(enabled)) => *enabled,
            Some(Json::Null) => false,
            Some(Json::String(text)) => !text.is_empty(),
            Some(Json::Number(_) | Json::Array(_) | Json::Object(_)) | None => true,
        }
    }

    /// Says whether it becomes a table or a view that its own name or a `ref()` reads.
    pub fn is_relational(&self) -> bool {
        self.resource_type.is_referable() && self.materialized() != "ephemeral"
    }

    /// Says whether the target has a relation of its name: one that a run makes, or one that a source declares.
    pub fn has_relation(&self) -> bool {
        self.resource_type == ResourceType::Source || self.is_relational()
    }
}
