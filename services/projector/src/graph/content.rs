//! The rows of a graph's views, from a parsed project.

use std::collections::HashMap;

use dvt_dbt::diagnostic::Severity;
use dvt_dbt::node::Node;
use dvt_dbt::parse::Project;
use dvt_store::view::graph::{self, Content, Diagnostic, Edge};

use crate::projection::place;

/// Answers the rows of a project's graph; `keys` are the identities of nodes that were called otherwise before.
pub(super) fn of(project: &Project, keys: &HashMap<String, String>) -> Content {
    let ordinals: HashMap<&str, i32> = project.nodes().keys().map(String::as_str).zip(0..).collect();
    let edges = project.nodes().values().zip(0..).flat_map(|(node, child)| {
        let parents = node.depends_on.nodes.iter().filter_map(|parent| ordinals.get(parent.as_str()));
        parents.map(move |parent| Edge { parent: *parent, child })
    });
    let counts = Counts::of(project);
    let mut identities = Identities { keys, tests: HashMap::new() };
    let nodes = project.nodes().values().map(|node| row(node, identities.of(node), &counts));
    Content { nodes: nodes.collect(), edges: edges.collect(), diagnostics: diagnostics(project) }
}

/// Answers which identity each node has.
struct Identities<'a> {
    keys: &'a HashMap<String, String>,
    /// How many tests of a kind a column has so far.
    tests: HashMap<String, u32>,
}

impl Identities<'_> {
    /// A generic test has that of its node, so that it follows the node through renames.
    fn of(&mut self, node: &Node) -> String {
        let known = |unique_id: &String| self.keys.get(unique_id).unwrap_or(unique_id).clone();
        let Some(test) = &node.test else { return known(&node.unique_id) };
        let column = test.column_name.as_deref().unwrap_or_default();
        let stem = format!("{}/{column}/{}", known(&test.attached_node), test.name);
        let ordinal = self.tests.entry(stem.clone()).or_default();
        *ordinal += 1;
        format!("{stem}/{ordinal}")
    }
}

/// Counts the tests of each node, and what is wrong with it.
#[derive(Default)]
struct Counts<'a> {
    tests: HashMap<&'a str, i32>,
    errors: HashMap<&'a str, i32>,
    warnings: HashMap<&'a str, i32>,
}

impl<'a> Counts<'a> {
    fn of(project: &'a Project) -> Self {
        let mut counts = Self::default();
        for node in project.nodes().values().filter(|node| is_test(node)) {
            let attached = node.test.as_ref().map(|test| std::slice::from_ref(&test.attached_node));
            for parent in attached.unwrap_or(&node.depends_on.nodes) {
                *counts.tests.entry(parent).or_default() += 1;
            }
        }
        for diagnostic in project.diagnostics() {
            let Some(unique_id) = &diagnostic.unique_id else { continue };
            let of_severity = match diagnostic.severity {
                Severity::Error => &mut counts.errors,
                Severity::Warning => &mut counts.warnings,
            };
            *of_severity.entry(unique_id).or_default() += 1;
        }
        counts
    }
}

fn is_test(node: &Node) -> bool {
    matches!(node.resource_type.as_str(), "test" | "unit_test")
}

/// Says whether a node has a relation of its own in the target.
fn has_relation(node: &Node) -> bool {
    matches!(node.resource_type.as_str(), "model" | "seed" | "snapshot" | "source")
}

fn row(node: &Node, node_key: String, counts: &Counts<'_>) -> graph::Node {
    let count = |of: &HashMap<&str, i32>| of.get(node.unique_id.as_str()).copied().unwrap_or_default();
    let relation = |part: &str| has_relation(node).then(|| text(part));
    let is_built = has_relation(node) && node.resource_type.as_str() != "source";
    graph::Node {
        unique_id: text(&node.unique_id),
        node_key: text(&node_key),
        name: text(&node.name),
        resource_type: node.resource_type.as_str().to_owned(),
        package: text(&node.package_name),
        path: text(&node.original_file_path),
        source_name: node.source_name.as_deref().map(text),
        materialized: is_built.then(|| text(node.materialized())),
        database: relation(&node.database),
        schema: relation(&node.schema),
        alias: relation(&node.alias),
        description: text(&node.description),
        tags: node.tags.iter().map(|tag| text(tag)).collect(),
        tests: count(&counts.tests),
        errors: count(&counts.errors),
        warnings: count(&counts.warnings),
    }
}

fn diagnostics(project: &Project) -> Vec<Diagnostic> {
    let rows = project.diagnostics().iter().map(|diagnostic| Diagnostic {
        severity: match diagnostic.severity {
            Severity::Error => "error".to_owned(),
            Severity::Warning => "warning".to_owned(),
        },
        code: diagnostic.code.clone(),
        message: text(&diagnostic.message),
        place: place(diagnostic.place.as_ref()),
        unique_id: diagnostic.unique_id.as_deref().map(text),
    });
    rows.collect()
}

/// A file may hold a NUL, which no text of the database does.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
