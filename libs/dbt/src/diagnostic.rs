//! What is wrong with a file or a node, and where.

use serde::{Deserialize, Serialize};

use crate::tree::Path;

/// Says how bad a diagnostic is. An error breaks its file or node; a warning breaks nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// Points into a file. Line and column count from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The path in the tree the file came from (for a package file: below `dbt_packages/`).
    pub path: Path,
    pub line: u32,
    pub column: u32,
}

/// Reports one problem in a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// A stable code, e.g. `REF_NOT_FOUND`; the same one in API, command line and UI.
    pub code: String,
    /// Lowercase, no full stop; says what is wrong and what to do.
    pub message: String,
    pub place: Option<Place>,
    /// The node it concerns, where one is known.
    pub unique_id: Option<String>,
}
