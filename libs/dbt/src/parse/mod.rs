//! Reads a project into nodes, edges and diagnostics, as dbt does.
//!
//! Responsible for the files of the project and its packages; what nodes become in a database is not known here. What
//! is not read is an error on its node, or on its file, that names it.

mod columns;
mod config;
mod connect;
mod cycles;
mod data_tests;
mod defaults;
mod docs;
mod exposures;
mod files;
mod generic;
mod graph;
mod lookup;
mod macros;
mod memory;
mod names;
mod package;
mod patch;
mod properties;
mod read;
mod relations;
mod semantic;
mod settle;
mod snapshots;
mod sources;
mod statements;
#[cfg(test)]
mod tests;
mod types;
mod unit_tests;

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diagnostic::Diagnostic;
use crate::environment::Environment;
use crate::jinja::{Engine, Macro};
use crate::node::{Node, NodeMap, UniqueId};
use crate::project::MissingPackage;
use crate::tree::Tree;

pub use config::{Layer, Origin};
pub(crate) use data_tests::CONFIG_KEYS;
pub(crate) use defaults::adds_up;
pub use docs::Doc;
pub use macros::MacroPatch;

use lookup::Lookup;
use memory::{Memory, Origins};

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
    nodes: NodeMap,
    disabled: NodeMap,
    idle_tests: NodeMap,
    docs: IndexMap<UniqueId, Arc<Doc>>,
    macro_patches: IndexMap<String, MacroPatch>,
    /// The folder of each package, by its name.
    folders: IndexMap<String, String>,
    selectors: Json,
    missing: Vec<MissingPackage>,
    origins: HashMap<UniqueId, Arc<Origins>>,
    lookup: Lookup,
    diagnostics: Vec<Diagnostic>,
    /// The first error of each node that has one, by its place among the diagnostics.
    broken: HashMap<UniqueId, usize>,
    memory: Arc<Memory>,
}

/// Reads a project. It never fails: what is broken is a diagnostic, and only without a readable dbt_project.yml is
/// nothing else read.
pub fn parse(input: ParseInput<'_>) -> Project {
    read::Reader::new(input, Arc::default()).read()
}

impl Project {
    /// Reads other files, or for another environment, as [`parse`] does; what this project was read from and is the same
    /// there is not read again. Nodes that come out the same are the same in memory.
    pub fn update(&self, input: ParseInput<'_>) -> Self {
        read::Reader::new(input, self.memory.clone()).read()
    }

    /// Answers the project's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Answers all enabled nodes by their ids.
    pub fn nodes(&self) -> &NodeMap {
        &self.nodes
    }

    /// Finds an enabled node.
    pub fn find(&self, unique_id: &str) -> Option<&Node> {
        self.nodes.get(unique_id)
    }

    /// Answers the nodes that are switched off.
    pub fn disabled(&self) -> &NodeMap {
        &self.disabled
    }

    /// Answers the tests of what is switched off or missing: dbt lists them among its nodes and never runs them.
    pub fn idle_tests(&self) -> &NodeMap {
        &self.idle_tests
    }

    /// Answers the docs blocks by their ids.
    pub fn docs(&self) -> &IndexMap<UniqueId, Arc<Doc>> {
        &self.docs
    }

    /// Lists the macros of the project, its packages and dbt itself.
    pub fn macros(&self) -> &[Macro] {
        self.engine.macros()
    }

    /// Finds what the YAML says of a macro.
    pub fn macro_patch(&self, unique_id: &str) -> Option<&MacroPatch> {
        self.macro_patches.get(unique_id)
    }

    /// Answers the folder of a package's dbt_project.yml in its tree, `""` or ending in `/`.
    pub fn folder(&self, package: &str) -> &str {
        self.folders.get(package).map(String::as_str).unwrap_or_default()
    }

    /// Answers the selectors.yml of the root, rendered; null without one.
    pub fn selectors(&self) -> &Json {
        &self.selectors
    }

    /// Lists the packages that the project asks for and that are not there.
    pub fn packages_missing(&self) -> &[MissingPackage] {
        &self.missing
    }

    /// Tells where a value of a node's config was set; None if there is no such node or no such key.
    pub fn origin(&self, unique_id: &str, key: &str) -> Option<Origin> {
        let node = self.nodes.get(unique_id).or_else(|| self.disabled.get(unique_id))?;
        let set = self.origins.get(unique_id).and_then(|origins| origins.get(key));
        let default = || node.config.contains_key(key).then_some(Origin { layer: Layer::Default, place: None });
        set.cloned().or_else(default)
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
