//! Compiles nodes of a parsed project into the SQL that dbt would send, with the way back to the files.
//!
//! Responsible for pass 2: one node at a time, ephemeral models injected as CTEs, and each node's own outcome: one
//! broken node breaks no other. What names mean is answered by [`Nodes`].

mod custom;
mod inject;

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::SQL_BYTES_MAX;
use crate::diagnostic::{Diagnostic, Severity};
use crate::jinja::{Code, Database, Engine, Error, Graph, NodeContext, RefCall, Rendered, Resolved, SourceSpan};
use crate::sql::{self, Rules};

pub(crate) use custom::BUILT_IN;
pub use custom::custom_materialization;
use inject::{Cte, inject};

/// How many nodes a thread takes at once. Their ephemeral models are compiled for them alone, so that the answer is a
/// function of the nodes, whatever takes which share.
const SHARE: usize = 64;

/// Gives the nodes of a parsed project to the compiler.
pub trait Nodes: Graph + Sync {
    /// Answers a node ready for pass 2: config, names, `depends_on` as pass 1 resolved them.
    fn context(&self, unique_id: &str) -> Option<NodeContext>;
}

/// Is what became of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compilation {
    /// The SQL is final.
    Compiled(Compiled),
    /// Only a run can render the node.
    Deferred(Deferred),
    /// The node cannot be compiled.
    Broken(Diagnostic),
}

/// Is a node's SQL and where each piece of it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    pub sql: String,
    /// Ascending by `output`, without overlaps.
    pub source_map: Vec<SourceSpan>,
    /// The ephemeral models inside, in the order of their CTEs.
    pub ctes: Vec<String>,
    /// The macros that the node itself called; dbt adds them to `depends_on.macros`.
    pub macros: Vec<String>,
}

/// Says why a node waits for its run, with the renderings that are known already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferred {
    pub reason: String,
    /// The rendering where `is_incremental()` is false.
    pub full: Option<Compiled>,
    /// The rendering where `is_incremental()` is true.
    pub incremental: Option<Compiled>,
}

/// Compiles `selected` nodes, each for itself; the answer keeps their order.
///
/// With a `database`, nothing is deferred: what only the target or a run knows is asked there, on this thread. Without
/// one, all cores share the nodes.
///
/// # Panics
/// When rendering a node does.
pub fn compile(
    engine: &Engine,
    nodes: &dyn Nodes,
    selected: &[String],
    database: Option<&dyn Database>,
) -> IndexMap<String, Compilation> {
    let nodes = Shared { nodes, graph: OnceLock::new() };
    if database.is_none() && selected.len() > SHARE {
        return side_by_side(engine, &nodes, selected);
    }
    let all = Compiler::new(engine, &nodes, database).all(selected).collect();
    crate::context::forget_graph();
    all
}

/// Compiles as [`compile`] does without a database: each core takes another share whenever it is done with one.
fn side_by_side(engine: &Engine, nodes: &Shared<'_>, selected: &[String]) -> IndexMap<String, Compilation> {
    let shares: Vec<&[String]> = selected.chunks(SHARE).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(share) = shares.get(at) else { return done };
            done.push((at, Compiler::new(engine, nodes, None).all(share).collect::<Vec<_>>()));
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from).min(shares.len());
    let mut done: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().flat_map(|(_, compiled)| compiled).collect()
}

/// Is a project whose graph is made once for all nodes.
struct Shared<'a> {
    nodes: &'a dyn Nodes,
    graph: OnceLock<Arc<Json>>,
}

impl Graph for Shared<'_> {
    fn resolve_ref(&self, from: &NodeContext, call: &RefCall) -> Result<Resolved, Error> {
        self.nodes.resolve_ref(from, call)
    }

    fn resolve_source(&self, from: &NodeContext, source: &str, table: &str) -> Result<Resolved, Error> {
        self.nodes.resolve_source(from, source, table)
    }

    fn flat_graph(&self) -> Json {
        self.nodes.flat_graph()
    }

    fn shared_graph(&self) -> Arc<Json> {
        self.graph.get_or_init(|| self.nodes.shared_graph()).clone()
    }

    fn node(&self, unique_id: &str) -> Option<Json> {
        self.nodes.node(unique_id)
    }
}

impl Nodes for Shared<'_> {
    fn context(&self, unique_id: &str) -> Option<NodeContext> {
        self.nodes.context(unique_id)
    }
}

/// Is an ephemeral model as it is injected: the CTEs it needs before it, then itself.
type Injected = Result<Rc<Vec<Cte>>, Failure>;

/// Says why a node has no SQL.
#[derive(Clone)]
enum Failure {
    Deferred(String),
    Broken(Box<Error>),
}

struct Compiler<'a> {
    engine: &'a Engine,
    nodes: &'a dyn Nodes,
    database: Option<&'a dyn Database>,
    /// None while a model is being compiled, so that a cycle is seen.
    ephemeral: HashMap<String, Option<Injected>>,
}

impl<'a> Compiler<'a> {
    fn new(engine: &'a Engine, nodes: &'a dyn Nodes, database: Option<&'a dyn Database>) -> Self {
        Self { engine, nodes, database, ephemeral: HashMap::new() }
    }

    fn all(&mut self, selected: &[String]) -> impl Iterator<Item = (String, Compilation)> {
        selected.iter().map(|unique_id| (unique_id.clone(), self.one(unique_id)))
    }

    fn one(&mut self, unique_id: &str) -> Compilation {
        let Some(node) = self.nodes.context(unique_id) else {
            let error = Error::new(Code::RefNotFound, format!("there is no node {unique_id}"));
            return Compilation::Broken(diagnostic(unique_id, error));
        };
        if let Some(error) = custom::refused(self.engine, &node) {
            return Compilation::Broken(diagnostic(unique_id, error));
        }
        let rendered = match self.engine.compile(&node, self.nodes, self.database) {
            Ok(rendered) => rendered,
            Err(error) => return Compilation::Broken(diagnostic(unique_id, error)),
        };
        if let Some(wrong) = self.judge(&node, &rendered) {
            return Compilation::Broken(diagnostic(unique_id, wrong));
        }
        let known = rendered.deferred.is_none() || !rendered.sql.is_empty();
        let deferred = rendered.deferred.clone();
        let full = if known { self.injected(rendered).map(Some) } else { Ok(None) };
        match (deferred, full) {
            (_, Err(Failure::Broken(error))) => Compilation::Broken(diagnostic(unique_id, *error)),
            (reason, Err(Failure::Deferred(inner))) => {
                Compilation::Deferred(Deferred { reason: reason.unwrap_or(inner), full: None, incremental: None })
            }
            (None, Ok(full)) => Compilation::Compiled(full.unwrap_or_default()),
            (Some(reason), Ok(full)) => {
                let incremental = if full.is_some() { self.incremental(&node) } else { None };
                Compilation::Deferred(Deferred { reason, full, incremental })
            }
        }
    }

    /// Finds what no database of this kind would take.
    fn judge(&self, node: &NodeContext, rendered: &Rendered) -> Option<Error> {
        let adapter = self.engine.settings().environment.adapter;
        let is_script = node.is_script || node.resource_type == "analysis";
        let wrong = sql::judge(&rendered.sql, Rules { adapter, is_script, asks_grammar: false })?;
        let place = self.engine.place(&[node], &rendered.source_map, wrong.at);
        Some(Error::new(wrong.code, wrong.message).at(|| place))
    }

    /// Renders what an incremental run would send, where nothing but that question is open.
    fn incremental(&mut self, node: &NodeContext) -> Option<Compiled> {
        let rendered = self.engine.compile_incremental(node, self.nodes, true).ok()?;
        if rendered.deferred.is_some() {
            return None;
        }
        self.injected(rendered).ok()
    }

    /// Puts the ephemeral models that a node refers to before its own SQL.
    fn injected(&mut self, rendered: Rendered) -> Result<Compiled, Failure> {
        let mut ctes: Vec<Cte> = Vec::new();
        for unique_id in &rendered.ctes {
            for cte in self.ephemeral(unique_id)?.iter() {
                if !ctes.iter().any(|known| known.unique_id == cte.unique_id) {
                    ctes.push(cte.clone());
                }
            }
        }
        let compiled = inject(rendered, &ctes);
        if compiled.sql.len() > SQL_BYTES_MAX {
            let message = format!("the compiled SQL has {} bytes, the limit is {SQL_BYTES_MAX}", compiled.sql.len());
            return Err(Failure::Broken(Box::new(Error::new(Code::SqlTooLarge, message))));
        }
        Ok(compiled)
    }

    fn ephemeral(&mut self, unique_id: &str) -> Injected {
        match self.ephemeral.get(unique_id) {
            Some(Some(done)) => return done.clone(),
            Some(None) => {
                let message = format!("{unique_id} refers to itself through ephemeral models");
                return Err(Failure::Broken(Box::new(Error::new(Code::TemplateCycle, message))));
            }
            None => {}
        }
        self.ephemeral.insert(unique_id.to_owned(), None);
        let made = self.ephemeral_anew(unique_id);
        self.ephemeral.insert(unique_id.to_owned(), Some(made.clone()));
        made
    }

    fn ephemeral_anew(&mut self, unique_id: &str) -> Injected {
        let broken = |error: Error| Failure::Broken(Box::new(error));
        let missing = || broken(Error::new(Code::RefNotFound, format!("there is no node {unique_id}")));
        let node = self.nodes.context(unique_id).ok_or_else(missing)?;
        let rendered = self.engine.compile(&node, self.nodes, self.database).map_err(broken)?;
        if let Some(reason) = rendered.deferred {
            return Err(Failure::Deferred(format!("{unique_id} waits for its run: {reason}")));
        }
        let mut ctes: Vec<Cte> = Vec::new();
        for inner in &rendered.ctes {
            for cte in self.ephemeral(inner)?.iter() {
                if !ctes.iter().any(|known| known.unique_id == cte.unique_id) {
                    ctes.push(cte.clone());
                }
            }
        }
        let name = format!("__dbt__cte__{}", node.alias);
        ctes.push(Cte { unique_id: unique_id.to_owned(), name, sql: rendered.sql, source_map: rendered.source_map });
        Ok(Rc::new(ctes))
    }
}

fn diagnostic(unique_id: &str, error: Error) -> Diagnostic {
    let calls = error.stack.iter().filter(|frame| !frame.name.is_empty()).map(|frame| frame.name.as_str());
    let calls: Vec<&str> = calls.collect();
    let through = if calls.is_empty() { String::new() } else { format!(" (in {})", calls.join(", called by ")) };
    Diagnostic {
        severity: Severity::Error,
        code: error.code.as_str().to_owned(),
        message: format!("{}{through}", error.message),
        place: error.place,
        unique_id: Some(unique_id.to_owned()),
    }
}

/// Answers a node's materialization.
fn materialized(node: &NodeContext) -> &str {
    node.config.get("materialized").and_then(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
