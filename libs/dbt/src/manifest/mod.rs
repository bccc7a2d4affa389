//! Writes a parsed project as dbt's `manifest.json`, schema version 12.
//!
//! Responsible for the shape that dbt's consumers read. It adds nothing to what the parser and the compiler found, and
//! holds neither a clock nor a path of this machine: the same project gives the same bytes.

mod contract;
mod graph;
mod metadata;
mod node;
mod paths;
mod primary_key;
mod relation;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::compile::Compilation;
use crate::jinja::Macro;
use crate::node::{Node, ResourceType};
use crate::parse::Project;
use crate::select;

pub use node::node_json;
pub use paths::{compiled_path, is_written, local_path, original_file_path};
pub(crate) use relation::name as relation_name;
pub use relation::{quoting, stored_name};

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
        let idle = project.idle_tests().values().filter(|_| map == "nodes");
        let listed = project.nodes().values().filter(|node| map_of(node) == map);
        listed.chain(idle).map(|node| (node.unique_id.clone(), full(project, node, compilations))).collect()
    };
    let disabled = project.disabled().values();
    let disabled = disabled.map(|node| (node.unique_id.clone(), json!([Json::Object(node_json(project, node))])));
    json!({
        "metadata": metadata::json(project, metadata),
        "nodes": nodes("nodes"),
        "sources": nodes("sources"),
        "macros": macros(project),
        "docs": docs(project),
        "exposures": nodes("exposures"),
        "metrics": nodes("metrics"),
        "groups": nodes("groups"),
        "selectors": select::normalized(project.selectors()),
        "disabled": disabled.collect::<Map<_, _>>(),
        "parent_map": graph::parents(project),
        "child_map": graph::children(project),
        "group_map": graph::groups(project),
        "saved_queries": nodes("saved_queries"),
        "semantic_models": nodes("semantic_models"),
        "unit_tests": nodes("unit_tests"),
        "functions": {},
    })
}

/// Answers the manifest's map that a node stands in.
fn map_of(node: &Node) -> &'static str {
    match node.resource_type {
        ResourceType::Model
        | ResourceType::Seed
        | ResourceType::Snapshot
        | ResourceType::Test
        | ResourceType::Analysis
        | ResourceType::Operation => "nodes",
        ResourceType::Source => "sources",
        ResourceType::UnitTest => "unit_tests",
        ResourceType::Exposure => "exposures",
        ResourceType::Metric => "metrics",
        ResourceType::SemanticModel => "semantic_models",
        ResourceType::SavedQuery => "saved_queries",
        ResourceType::Group => "groups",
    }
}

fn full(project: &Project, node: &Node, compilations: &IndexMap<String, Compilation>) -> Json {
    let mut shown = node_json(project, node);
    if let Some(compilation) = compilations.get(&node.unique_id) {
        node::add_compilation(project, node, compilation, &mut shown);
    }
    Json::Object(shown)
}

fn docs(project: &Project) -> Map<String, Json> {
    let shown = project.docs().values().map(|doc| {
        let value = json!({
            "name": doc.name,
            "resource_type": "doc",
            "package_name": doc.package_name,
            "path": doc.path,
            "original_file_path": paths::below_package(project, &doc.package_name, &doc.original_file_path),
            "unique_id": doc.unique_id,
            "block_contents": doc.block_contents,
        });
        (doc.unique_id.clone(), value)
    });
    shown.collect()
}

fn macros(project: &Project) -> Map<String, Json> {
    project.macros().iter().map(|shown| (shown.unique_id.clone(), macro_json(project, shown))).collect()
}

fn macro_json(project: &Project, definition: &Macro) -> Json {
    let patch = project.macro_patch(&definition.unique_id);
    let path = paths::below_package(project, &definition.package, &definition.path);
    let meta = patch.map_or_else(|| json!({}), |patch| json!(patch.meta));
    let docs = patch.map_or_else(node::docs, |patch| json!(patch.docs));
    let patch_path = patch.map(|patch| {
        let place = paths::below_package(project, &definition.package, &patch.place.path);
        format!("{}://{place}", definition.package)
    });
    json!({
        "name": definition.name,
        "resource_type": "macro",
        "package_name": definition.package,
        "path": path,
        "original_file_path": path,
        "unique_id": definition.unique_id,
        "macro_sql": definition.macro_sql,
        "depends_on": {"macros": definition.depends_on_macros},
        "description": patch.map_or("", |patch| &patch.description),
        "meta": meta,
        "docs": docs,
        "config": {"meta": meta, "docs": docs},
        "patch_path": patch_path,
        "arguments": patch.map_or(&[][..], |patch| &patch.arguments),
        "created_at": metadata::CREATED_AT,
        "supported_languages": null,
    })
}
