//! The branch aggregate: the files of a project, and who changed what with which intent.
//!
//! A branch's state is its files. Nodes, edges and tests are views that the dbt library reads from them.

mod decide;
mod property;
mod since;
#[cfg(test)]
mod tests;

pub use decide::{Base, Conflict, Decision, Error, Since, decide};

use dvt_dbt::edit::{Intent, Moved, Subject};
use dvt_dbt::tree::{self, FileChange, Tree};
use serde::{Deserialize, Serialize};

/// Records a change of a branch.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    ProjectImported(ProjectImported),
    ProjectExported(ProjectExported),
    Changed(Changed),
}

/// Replaces all files by those of an archive or a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectImported {
    /// What the user named, e.g. `shop.zip`.
    pub source: String,
    pub tree: Tree,
    /// The read-only files below `dbt_packages/`; never published.
    pub packages: Tree,
    pub left_out: Vec<LeftOut>,
    pub moved: Vec<Moved>,
    /// The files as they were given, where they were merged with later edits: the base of the next merge.
    pub given: Option<Tree>,
}

/// Names a file that an import did not take, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub path: String,
    pub reason: String,
}

/// Records that a working copy was made of a version, the base of a later import into the same project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectExported {
    pub version: i64,
}

/// Records what a user meant and the exact changes of files that it made.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub intent: Intent,
    pub change: Change,
}

/// Holds the exact changes of files of one event, what they are about, and which nodes moved by them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    pub summary: String,
    pub files: Vec<FileChange>,
    pub subjects: Vec<Subject>,
    pub moved: Vec<Moved>,
}

/// Holds the files of a branch at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Branch {
    pub tree: Tree,
    pub packages: Tree,
}

impl Branch {
    /// Answers the branch after `event`.
    ///
    /// # Errors
    /// When the event's edits do not meet the bytes that they were made for: the log is corrupt.
    pub fn apply(&self, event: &Event) -> Result<Self, tree::Error> {
        Ok(match event {
            Event::ProjectImported(imported) => {
                Self { tree: imported.tree.clone(), packages: imported.packages.clone() }
            }
            Event::ProjectExported(_) => self.clone(),
            Event::Changed(changed) => {
                Self { tree: self.tree.apply(&changed.change.files)?, packages: self.packages.clone() }
            }
        })
    }
}

impl Event {
    /// Says in a few words what the event did, e.g. `renamed orders to fct_orders`.
    pub fn summary(&self) -> String {
        match self {
            Self::ProjectImported(imported) => format!("imported {}", imported.source),
            Self::ProjectExported(exported) => format!("exported version {}", exported.version),
            Self::Changed(changed) => changed.change.summary.clone(),
        }
    }

    /// Lists the changes of files, which an import has none of.
    pub fn files(&self) -> &[FileChange] {
        match self {
            Self::ProjectImported(_) | Self::ProjectExported(_) => &[],
            Self::Changed(changed) => &changed.change.files,
        }
    }

    /// Lists what the event is about.
    pub fn subjects(&self) -> &[Subject] {
        match self {
            Self::ProjectImported(_) | Self::ProjectExported(_) => &[],
            Self::Changed(changed) => &changed.change.subjects,
        }
    }

    /// Lists the nodes that have another unique_id after the event.
    pub fn moved(&self) -> &[Moved] {
        match self {
            Self::ProjectImported(imported) => &imported.moved,
            Self::ProjectExported(_) => &[],
            Self::Changed(changed) => &changed.change.moved,
        }
    }
}
