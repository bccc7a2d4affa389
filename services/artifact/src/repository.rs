//! The outside world that publishing writes to.

mod git;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use dvt_dbt::tree::{Sha256, Tree};
use uuid::Uuid;

pub(crate) use git::LocalGit;

/// Says why a repository could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("could not use the Git repository")]
    Git(#[from] git2::Error),
    #[error("{path} is a folder in the repository and a file in the project, or the other way round")]
    Clash { path: String },
    #[error("another publisher was here: version {found:?} was published last, not {expected:?}")]
    Moved { expected: Option<i64>, found: Option<i64> },
    #[error("commit {0} says nothing of the version that it publishes")]
    Trailer(String),
}

/// Names the branch that a project publishes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) project_id: Uuid,
    pub(crate) branch: String,
}

/// What the next publication differs from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Base {
    /// The version published last; None before the first.
    pub(crate) version: Option<i64>,
    pub(crate) tree: Tree,
}

/// What is published: one version of a branch, and perhaps the artifact made of it.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    /// Of the compilation; found again in the commit, so that a repetition makes no second one.
    pub(crate) compilation_id: Uuid,
    pub(crate) version: i64,
    pub(crate) tree: Tree,
    pub(crate) message: String,
    /// Who asked, without prefix.
    pub(crate) author: String,
    pub(crate) requested_at: DateTime<Utc>,
    pub(crate) artifact: Option<Files>,
}

/// The files of an artifact, below a folder named by its key.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) key: Sha256,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

/// Is what a repository's branch holds of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The version that was published last; None: none yet.
    pub(crate) last_version: Option<i64>,
    /// The compilations that have a commit.
    pub(crate) pushed: BTreeSet<Uuid>,
}

/// The commits that hold a publication, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commits {
    pub(crate) project: String,
    pub(crate) artifacts: Option<String>,
}

/// Writes publications to a repository. Calls block.
pub(crate) trait Repository: Send + Sync + 'static {
    /// Answers what was published already.
    fn standing(&self, target: &Target) -> Result<Standing, Error>;

    /// Publishes in one push, one commit each, in the order given. Only what differs from `base` is written, and no path
    /// outside of either is touched. Refused where another version was published since: what is due would come too late.
    fn publish(&self, target: &Target, base: &Base, publications: &[Publication]) -> Result<Vec<Commits>, Error>;
}
