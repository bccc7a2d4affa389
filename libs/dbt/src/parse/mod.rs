//! Reads a project into nodes, edges and diagnostics.
//!
//! Responsible for models, seeds, analyses, singular tests, sources and generic tests of the project and its packages.
//! What it does not read yet is a diagnostic that names it.

mod generic;
mod graph;
mod properties;
mod read;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;

use crate::diagnostic::Diagnostic;
use crate::environment::Environment;
use crate::jinja::{Engine, Macro};
use crate::node::{Node, UniqueId};
use crate::tree::Tree;

/// Is all that a project is read from.
#[derive(Clone, Copy, Debug)]
pub struct ParseInput<'a> {
    pub tree: &'a Tree,
    /// The folder of dbt_project.yml, `""` for the top.
    pub root: &'a str,
    /// Paths `dbt_packages/NAME/...`.
    pub packages: &'a Tree,
    pub environment: &'a Environment,
}

/// Is a project as dbt reads it in one environment.
#[derive(Clone, Debug)]
pub struct Project {
    name: String,
    engine: Engine,
    nodes: IndexMap<UniqueId, Node>,
    disabled: IndexMap<UniqueId, Node>,
    diagnostics: Vec<Diagnostic>,
}

/// Reads a project. It never fails: what is broken is a diagnostic, and only without a readable dbt_project.yml is
/// nothing else read.
pub fn parse(input: ParseInput<'_>) -> Project {
    read::Reader::new(input).read()
}

impl Project {
    /// Answers the project's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers all enabled nodes by their ids.
    pub fn nodes(&self) -> &IndexMap<UniqueId, Node> {
        &self.nodes
    }

    /// Finds an enabled node.
    pub fn find(&self, unique_id: &str) -> Option<&Node> {
        self.nodes.get(unique_id)
    }

    /// Answers the nodes that are switched off.
    pub fn disabled(&self) -> &IndexMap<UniqueId, Node> {
        &self.disabled
    }

    /// Lists the macros of the project, its packages and dbt itself.
    pub fn macros(&self) -> &[Macro] {
        self.engine.macros()
    }

    /// Lists what is wrong, in the order of reading.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Answers what renders this project's templates.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Answers who depends on each node.
    pub fn children(&self) -> IndexMap<&str, Vec<&str>> {
        let mut children: IndexMap<&str, Vec<&str>> = self.nodes.keys().map(|id| (id.as_str(), Vec::new())).collect();
        for node in self.nodes.values() {
            for parent in &node.depends_on.nodes {
                children.entry(parent).or_default().push(&node.unique_id);
            }
        }
        children
    }
}
