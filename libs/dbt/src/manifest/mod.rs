//! Writes a parsed project as dbt's `manifest.json`, schema version 12.
//!
//! Responsible for the shape that dbt's consumers read. It adds nothing to what the parser and the compiler found, and
//! holds neither a clock nor a path of this machine: the same project gives the same bytes.

mod defaults;
mod graph;
mod metadata;
mod node;
mod paths;
mod primary_key;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::compile::Compilation;
use crate::node::Node;
use crate::parse::Project;

pub use node::node_json;
pub use paths::{compiled_path, is_written, local_path, original_file_path};

/// Holds what a manifest says of the invocation that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// A UUID as text.
    pub invocation_id: String,
    /// RFC 3339 in UTC.
    pub generated_at: String,
}

/// Answers the manifest of a project; without `compilations` it is the one that `dbt parse` writes.
pub fn manifest(project: &Project, compilations: &IndexMap<String, Compilation>, metadata: &Metadata) -> Json {
    let nodes = |map: &str| -> Map<String, Json> {
        let listed = project.nodes().values().filter(|node| map_of(node) == map);
        listed.map(|node| (node.unique_id.clone(), full(project, node, compilations))).collect()
    };
    let disabled = project.disabled().values();
    let disabled = disabled.map(|node| (node.unique_id.clone(), json!([Json::Object(node_json(project, node))])));
    json!({
        "metadata": metadata::json(project, metadata),
        "nodes": nodes("nodes"),
        "sources": nodes("sources"),
        "macros": macros(project),
        "docs": {},
        "exposures": nodes("exposures"),
        "metrics": nodes("metrics"),
        "groups": nodes("groups"),
        "selectors": {},
        "disabled": disabled.collect::<Map<_, _>>(),
        "parent_map": graph::parents(project),
        "child_map": graph::children(project),
        "group_map": graph::groups(project),
        "saved_queries": nodes("saved_queries"),
        "semantic_models": nodes("semantic_models"),
        "unit_tests": nodes("unit_tests"),
        "functions": nodes("functions"),
    })
}

/// Answers the manifest's map that a node stands in.
fn map_of(node: &Node) -> &'static str {
    match node.resource_type.as_str() {
        "source" => "sources",
        "exposure" => "exposures",
        "metric" => "metrics",
        "group" => "groups",
        "saved_query" => "saved_queries",
        "semantic_model" => "semantic_models",
        "unit_test" => "unit_tests",
        "function" => "functions",
        _ => "nodes",
    }
}

fn full(project: &Project, node: &Node, compilations: &IndexMap<String, Compilation>) -> Json {
    let mut shown = node_json(project, node);
    if let Some(compilation) = compilations.get(&node.unique_id) {
        node::add_compilation(project, node, compilation, &mut shown);
    }
    Json::Object(shown)
}

fn macros(project: &Project) -> Map<String, Json> {
    let shown = project.macros().iter().map(|definition| {
        let path = paths::below_package(project, &definition.package, &definition.path);
        let value = json!({
            "name": definition.name,
            "resource_type": "macro",
            "package_name": definition.package,
            "path": path,
            "original_file_path": path,
            "unique_id": definition.unique_id,
            "macro_sql": definition.macro_sql,
            "depends_on": {"macros": definition.depends_on_macros},
            "description": "",
            "meta": {},
            "docs": defaults::docs(),
            "config": {"meta": {}, "docs": defaults::docs()},
            "patch_path": null,
            "arguments": [],
            "created_at": metadata::CREATED_AT,
            "supported_languages": null,
        });
        (definition.unique_id.clone(), value)
    });
    shown.collect()
}
