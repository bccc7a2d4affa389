//! Makes an artifact: parses and compiles a project, and writes what came of it as files. Pure, and takes its time.

use std::collections::BTreeMap;
use std::sync::Arc;

use dvt_dbt::compile::{self, Compilation, Compiled};
use dvt_dbt::diagnostic::{self, Diagnostic, Severity};
use dvt_dbt::manifest::{self, Metadata, manifest};
use dvt_dbt::node::Node;
use dvt_dbt::parse::{ParseInput, Project, parse};
use dvt_dbt::tree::Sha256;
use dvt_domain::compilation::{self, Command, CompileFailed, NodeOutcome, NodeState};
use dvt_store::artifact::{self, Broken, Index, Place, SourceMap, Span};
use indexmap::IndexMap;
use uuid::Uuid;

use super::COMPILER;
use super::files::Files;
use super::inputs::Inputs;

/// The time that stands for every time in an artifact.
const EPOCH: &str = "1970-01-01T00:00:00Z";

/// Is what came of a compilation.
pub(super) enum Made {
    Artifact {
        index: Index,
        /// Ordered by path.
        files: Vec<(String, Arc<[u8]>)>,
    },
    Failed(CompileFailed),
}

/// Makes the artifact of `inputs`. Equal inputs give equal bytes.
pub(super) fn make(inputs: &Inputs, key: Sha256) -> Made {
    let Inputs { tree, packages, root, environment } = inputs;
    let project = parse(ParseInput { tree, root, packages, environment });
    if project.name().is_empty() {
        return Made::Failed(unreadable(project.diagnostics()));
    }
    let selected: Vec<String> =
        project.nodes().values().filter(|node| is_compiled(node)).map(|node| node.unique_id.clone()).collect();
    let compilations = compile::compile(project.engine(), &project, &selected, None);
    let mut writer = Writer::new(&project);
    for (unique_id, compilation) in &compilations {
        writer.add(unique_id, compilation);
    }
    writer.add_broken();
    if let Some(failed) = all_broken(&writer.index, &selected) {
        return Made::Failed(failed);
    }
    writer.finish(&compilations, key)
}

/// Says whether a node has SQL to compile; the others are built from files or only described.
fn is_compiled(node: &Node) -> bool {
    matches!(node.resource_type.as_str(), "model" | "snapshot" | "test" | "analysis")
}

struct Writer<'a> {
    project: &'a Project,
    /// What the parser found wrong with each node, the first error of it.
    errors: BTreeMap<&'a str, &'a Diagnostic>,
    index: Index,
    files: Files,
    source_map: SourceMap,
    paths: BTreeMap<String, usize>,
}

impl<'a> Writer<'a> {
    fn new(project: &'a Project) -> Self {
        let mut errors = BTreeMap::new();
        for diagnostic in project.diagnostics().iter().filter(|found| found.severity == Severity::Error) {
            if let Some(unique_id) = &diagnostic.unique_id {
                errors.entry(unique_id.as_str()).or_insert(diagnostic);
            }
        }
        let index = Index { compiler: COMPILER.to_owned(), nodes: BTreeMap::new() };
        let (files, source_map) = (Files::default(), SourceMap::default());
        Self { project, errors, index, files, source_map, paths: BTreeMap::new() }
    }

    /// What the parser could not read is broken, whatever compiling it would give.
    fn add(&mut self, unique_id: &str, compilation: &Compilation) {
        let node = match (self.errors.get(unique_id), compilation) {
            (Some(error), Compilation::Compiled(_) | Compilation::Deferred(_)) => artifact::Node::Broken(broken(error)),
            (Some(_) | None, Compilation::Broken(error)) => artifact::Node::Broken(broken(error)),
            (None, Compilation::Compiled(compiled)) => {
                artifact::Node::Compiled { sql: self.sql("compiled", unique_id, compiled) }
            }
            (None, Compilation::Deferred(deferred)) => artifact::Node::Deferred {
                reason: deferred.reason.clone(),
                sql: deferred.full.as_ref().map(|full| self.sql("compiled", unique_id, full)),
                incremental: deferred.incremental.as_ref().map(|sql| self.sql("incremental", unique_id, sql)),
            },
        };
        self.index.nodes.insert(unique_id.to_owned(), node);
    }

    /// Adds what is broken and never compiled.
    fn add_broken(&mut self) {
        for (unique_id, error) in &self.errors {
            let node = self.index.nodes.entry((*unique_id).to_owned());
            node.or_insert_with(|| artifact::Node::Broken(broken(error)));
        }
    }

    fn sql(&mut self, folder: &str, unique_id: &str, compiled: &Compiled) -> artifact::File {
        let node = self.project.find(unique_id).filter(|node| manifest::is_written(node));
        let path = node.map(|node| format!("{folder}/{}", manifest::compiled_path(self.project, node)));
        let spans: Vec<Span> = compiled.source_map.iter().map(|span| self.span(span)).collect();
        let map = self.source_map.nodes.entry(unique_id.to_owned()).or_default();
        if folder == "compiled" {
            map.sql = spans;
        } else {
            map.incremental = spans;
        }
        self.files.add_sql(path, unique_id, &compiled.sql)
    }

    fn span(&mut self, span: &dvt_dbt::jinja::SourceSpan) -> Span {
        let paths = &mut self.source_map.paths;
        let path = *self.paths.entry(span.path.to_string()).or_insert_with_key(|path| {
            paths.push(path.clone());
            paths.len() - 1
        });
        Span { output: (span.output.start, span.output.end), path, source: (span.source.start, span.source.end) }
    }

    fn finish(mut self, compilations: &IndexMap<String, Compilation>, key: Sha256) -> Made {
        let invocation_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &key.0).to_string();
        let metadata = Metadata { invocation_id, generated_at: EPOCH.to_owned() };
        let manifest = manifest(self.project, compilations, &metadata);
        let manifest = serde_json::to_vec(&manifest).expect("invariant: a manifest is JSON");
        self.files.add(artifact::MANIFEST, manifest);
        self.files.add(artifact::INDEX, self.index.to_bytes());
        self.files.add(artifact::SOURCE_MAP, self.source_map.to_bytes());
        Made::Artifact { index: self.index, files: self.files.into_list() }
    }
}

fn broken(diagnostic: &Diagnostic) -> Broken {
    let place = diagnostic.place.as_ref().map(|place| Place {
        path: place.path.to_string(),
        line: place.line,
        column: place.column,
    });
    // It may quote a file, and no text of the database holds a NUL.
    let message = diagnostic.message.replace('\0', "\u{fffd}");
    Broken { code: diagnostic.code.clone(), message, place }
}

fn unreadable(diagnostics: &[Diagnostic]) -> CompileFailed {
    match diagnostics.first() {
        Some(first) => CompileFailed { code: first.code.clone(), message: first.message.clone() },
        None => {
            CompileFailed { code: "PROJECT_INVALID".to_owned(), message: "dbt_project.yml names no project".to_owned() }
        }
    }
}

/// Says what is wrong where there is something to compile and none of it can be.
fn all_broken(index: &Index, selected: &[String]) -> Option<CompileFailed> {
    let mut first = None;
    for unique_id in selected {
        match index.nodes.get(unique_id) {
            Some(artifact::Node::Broken(broken)) => first = first.or(Some(broken)),
            Some(artifact::Node::Compiled { .. } | artifact::Node::Deferred { .. }) | None => return None,
        }
    }
    let first = first?;
    let message = format!("no node can be compiled; the first: {}", first.message);
    Some(CompileFailed { code: first.code.clone(), message })
}

/// Answers the outcome that an artifact's index tells.
pub(super) fn finished(key: Sha256, index: &Index) -> Command {
    let nodes: Vec<NodeOutcome> = index.nodes.iter().map(|(id, node)| node_outcome(id, node)).collect();
    let count = |state: NodeState| nodes.iter().filter(|node| node.state == state).count() as i32;
    Command::Finish(compilation::Compiled {
        artifact: key,
        compiled: count(NodeState::Compiled),
        deferred: count(NodeState::Deferred),
        broken: count(NodeState::Broken),
        nodes,
    })
}

fn node_outcome(unique_id: &str, node: &artifact::Node) -> NodeOutcome {
    let (state, code, message, place) = match node {
        artifact::Node::Compiled { .. } => (NodeState::Compiled, None, None, None),
        artifact::Node::Deferred { reason, .. } => (NodeState::Deferred, None, Some(reason.clone()), None),
        artifact::Node::Broken(broken) => {
            let place = broken.place.as_ref().map(|place| diagnostic::Place {
                path: place.path.as_str().into(),
                line: place.line,
                column: place.column,
            });
            (NodeState::Broken, Some(broken.code.clone()), Some(broken.message.clone()), place)
        }
    };
    NodeOutcome { unique_id: unique_id.to_owned(), state, code, message, place }
}

#[cfg(test)]
mod tests;
