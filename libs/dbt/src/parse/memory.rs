//! What things were read into, so that a project that differs in a few files is read again in these alone.
//!
//! Responsible for telling what is still the same. Nothing is taken over but where all that it was made of is the same;
//! what was taken over is the same value in memory, so that the next step sees by its input whether it is done already.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::config::Origin;
use super::docs::{Described, Doc};
use super::package::Package;
use super::properties::{Entry, Properties};
use super::read::Reader;
use crate::diagnostic::Diagnostic;
use crate::environment::Environment;
use crate::jinja::{Engine, MacroSource};
use crate::node::{Node, ResourceType};
use crate::tree::{Path, Sha256};

/// Tells where the values of a node's config come from.
pub(super) type Origins = HashMap<String, Origin>;

/// Is a value that stands for itself: two are equal only if they are one.
pub(super) struct Same<T>(pub(super) Arc<T>);

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Eq for Same<T> {}

impl<T> Hash for Same<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// Is what everything is read with. Where it differs, all is read again.
pub(super) struct Ground {
    environment: String,
    /// The path and the text of each dbt_project.yml.
    definitions: Vec<(Path, String)>,
    macros: Vec<MacroSource>,
    pub(super) engine: Engine,
    /// What is wrong with the macros.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Ground {
    pub(super) fn new(
        environment: &Environment,
        packages: &[Package<'_>],
        macros: Vec<MacroSource>,
        (engine, diagnostics): (Engine, Vec<Diagnostic>),
    ) -> Self {
        Self { environment: text(environment), definitions: definitions(packages), macros, engine, diagnostics }
    }

    /// Says whether the same is read with.
    pub(super) fn is(&self, environment: &Environment, packages: &[Package<'_>], macros: &[MacroSource]) -> bool {
        self.environment == text(environment) && self.macros == macros && self.definitions == definitions(packages)
    }
}

/// Two environments may be equal and list their variables in another order, which a template can see.
fn text(environment: &Environment) -> String {
    serde_json::to_string(environment).expect("invariant: an environment is JSON")
}

fn definitions(packages: &[Package<'_>]) -> Vec<(Path, String)> {
    let definitions = packages.iter().map(|package| &package.definition);
    definitions.map(|definition| (definition.path().clone(), definition.text().to_owned())).collect()
}

/// Is what reading one thing told: its nodes, and what is wrong.
pub(super) struct Told {
    nodes: Vec<(Arc<Node>, Arc<Origins>)>,
    diagnostics: Vec<Diagnostic>,
    judged: Vec<Diagnostic>,
}

/// Is a node of a file as it was settled, with the YAML entry, and the version in it, that it was settled with.
pub(super) struct Settled {
    pub(super) patch: Option<(Same<Entry>, Option<usize>)>,
    pub(super) told: Arc<Told>,
}

/// Is an entry as it was read, with what its tests stand on: the node and its group, for each version.
pub(super) struct ReadEntry {
    pub(super) attached: Vec<Option<(String, String)>>,
    pub(super) told: Arc<Told>,
}

/// Is what one file holds, as far as it tells alone.
pub(super) type Drafts = Arc<Result<Vec<Arc<Node>>, Diagnostic>>;

/// Is all that one reading leaves to the next.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) ground: Option<Arc<Ground>>,
    /// By the place of the package, the kind of nodes that the file was read for, and the path.
    pub(super) drafts: HashMap<(usize, ResourceType, Path), (Sha256, Drafts)>,
    pub(super) properties: HashMap<(usize, Path), (Sha256, Arc<Properties>)>,
    pub(super) settled: HashMap<Same<Node>, Settled>,
    pub(super) entries: HashMap<Same<Entry>, ReadEntry>,
    pub(super) docs: Vec<Arc<Doc>>,
    pub(super) described: HashMap<Same<Node>, Arc<Described>>,
    pub(super) connected: HashMap<Same<Node>, Arc<Node>>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memory({} files)", self.drafts.len() + self.properties.len())
    }
}

impl Reader<'_> {
    /// Reads one thing, and answers what that told without taking it in.
    pub(super) fn told(&mut self, read: impl FnOnce(&mut Self)) -> Arc<Told> {
        let (diagnostics, judged) = (self.project.diagnostics.len(), self.judged.len());
        read(self);
        Arc::new(Told {
            nodes: std::mem::take(&mut self.kept),
            diagnostics: self.project.diagnostics.split_off(diagnostics),
            judged: self.judged.split_off(judged),
        })
    }

    /// Takes in what reading a thing told.
    pub(super) fn hear(&mut self, told: &Told) {
        self.project.diagnostics.extend(told.diagnostics.iter().cloned());
        self.judged.extend(told.judged.iter().cloned());
        for (node, origins) in &told.nodes {
            self.project.origins.insert(node.unique_id.clone(), origins.clone());
            self.put(node.clone());
        }
    }

    /// Reads one thing whatever was read before.
    pub(super) fn anew(&mut self, read: impl FnOnce(&mut Self)) {
        let told = self.told(read);
        self.hear(&told);
    }
}
