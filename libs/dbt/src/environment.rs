//! An environment: the target, its schema, and the values a project is read with.
//!
//! The graph is a function of (tree, packages, environment), so everything that can change a node is in here.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Names a database product by dbt's adapter type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Adapter {
    Postgres,
    Snowflake,
    Oracle,
}

impl Adapter {
    /// Answers dbt's adapter type, as `target.type` shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Snowflake => "snowflake",
            Self::Oracle => "oracle",
        }
    }
}

/// Holds what `target`, `var()` and `env_var()` answer while a project is parsed and compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// `target.name` in Jinja.
    pub name: String,
    pub adapter: Adapter,
    pub database: String,
    pub schema: String,
    pub threads: u32,
    /// `target.profile_name`; dbt_project.yml's `profile` where a folder is read with a profiles.yml.
    pub profile: String,
    /// The role that `target.user` shows; empty where unknown.
    #[serde(default)]
    pub user: String,
    /// As `dbt --vars`: these win over dbt_project.yml's.
    #[serde(default)]
    pub vars: serde_json::Map<String, serde_json::Value>,
    /// What `env_var()` answers, and nothing else does.
    #[serde(default)]
    pub env: IndexMap<String, String>,
}
