//! The nodes of a parsed project, as dbt names them.
//!
//! Responsible for the shape only; `parse` makes them.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::diagnostic::Place;
use crate::tree::Path;

/// Names a node in the whole project: `model.PACKAGE.NAME`.
pub type UniqueId = String;

/// Says what a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceType {
    Model,
    Seed,
    Source,
    Test,
    Analysis,
}

impl ResourceType {
    /// Answers dbt's word for it, the first part of a `unique_id`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Seed => "seed",
            Self::Source => "source",
            Self::Test => "test",
            Self::Analysis => "analysis",
        }
    }

    /// Says whether `ref()` can name it.
    pub fn is_referable(self) -> bool {
        match self {
            Self::Model | Self::Seed => true,
            Self::Source | Self::Test | Self::Analysis => false,
        }
    }
}

/// Is one column as the YAML describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub description: String,
    pub data_type: Option<String>,
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
}

/// Is one node of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub unique_id: UniqueId,
    pub resource_type: ResourceType,
    pub name: String,
    pub package_name: String,
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
    pub columns: IndexMap<String, Column>,
    pub tags: Vec<String>,
    pub config: Map<String, Json>,
    pub depends_on: DependsOn,
    pub raw_code: String,
    /// For a source: the name of its group of tables.
    pub source_name: Option<String>,
    pub test: Option<GenericTest>,
}

impl Node {
    /// Answers the resolved materialization.
    pub fn materialized(&self) -> &str {
        self.config.get("materialized").and_then(Json::as_str).unwrap_or("view")
    }
}
