//! A repository: commits in order, and a branch that only its finder may move.

use uuid::Uuid;

/// A commit of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) version: i64,
    pub(crate) compilation: Uuid,
}

/// The repositories, by project.
#[derive(Debug, Default)]
pub(crate) struct Git {
    pub(crate) is_down: bool,
    pub(crate) is_slow: bool,
    pub(crate) branches: std::collections::BTreeMap<Uuid, Vec<Commit>>,
}

impl Git {
    pub(crate) fn history(&self, project_id: Uuid) -> Vec<Commit> {
        self.branches.get(&project_id).cloned().unwrap_or_default()
    }

    /// Moves a branch from where it was found; false: it is elsewhere by now.
    pub(crate) fn push(&mut self, project_id: Uuid, found: usize, new: Vec<Commit>) -> bool {
        let branch = self.branches.entry(project_id).or_default();
        let is_there = branch.len() == found;
        if is_there {
            branch.extend(new);
        }
        is_there
    }
}
