//! One node as a manifest shows it.

use serde_json::{Map, Value as Json, json};

use super::metadata::CREATED_AT;
use super::{contract, paths, primary_key, relation};
use crate::compile::{Compilation, Compiled};
use crate::jinja::RefCall;
use crate::node::{Column, Node, ResourceType};
use crate::parse::Project;

/// Answers a node as the manifest of `dbt parse` shows it.
pub fn node_json(project: &Project, node: &Node) -> Map<String, Json> {
    let config = &node.config;
    let mut shown = match node.resource_type {
        ResourceType::Model
        | ResourceType::Seed
        | ResourceType::Snapshot
        | ResourceType::Test
        | ResourceType::Analysis
        | ResourceType::Operation => data(project, node, config),
        ResourceType::Source => source(project, node, config),
        ResourceType::UnitTest
        | ResourceType::Exposure
        | ResourceType::Metric
        | ResourceType::SemanticModel
        | ResourceType::SavedQuery
        | ResourceType::Group => declared(project, node, config),
    };
    shown.extend(node.properties.clone());
    shown
}

/// Adds what the compiler made of a node.
pub(super) fn add_compilation(
    project: &Project,
    node: &Node,
    compilation: &Compilation,
    shown: &mut Map<String, Json>,
) {
    let compiled = match compilation {
        Compilation::Compiled(compiled) => Some(compiled),
        Compilation::Deferred(deferred) => deferred.full.as_ref(),
        Compilation::Broken(_) => None,
    };
    let Some(compiled) = compiled else { return };
    let path = format!("target/compiled/{}", paths::compiled_path(project, node));
    shown.insert("compiled_path".to_owned(), if paths::is_written(node) { Json::from(path) } else { Json::Null });
    shown.insert("compiled".to_owned(), json!(true));
    shown.insert("compiled_code".to_owned(), json!(compiled.sql));
    shown.insert("extra_ctes_injected".to_owned(), json!(true));
    shown.insert("extra_ctes".to_owned(), extra_ctes(compiled));
    add_macros(compiled, shown);
}

fn extra_ctes(compiled: &Compiled) -> Json {
    compiled.ctes.iter().map(|unique_id| json!({"id": unique_id, "sql": null})).collect()
}

/// Compiling calls macros that reading did not.
fn add_macros(compiled: &Compiled, shown: &mut Map<String, Json>) {
    let macros = shown.get_mut("depends_on").and_then(|depends_on| depends_on.get_mut("macros"));
    let Some(macros) = macros.and_then(Json::as_array_mut) else { return };
    for called in &compiled.macros {
        if !macros.iter().any(|known| known == called) {
            macros.push(json!(called));
        }
    }
}

fn put(shown: &mut Map<String, Json>, more: Json) {
    if let Json::Object(more) = more {
        shown.extend(more);
    }
}

fn data(project: &Project, node: &Node, config: &Map<String, Json>) -> Map<String, Json> {
    let of_config = |key: &str| config.get(key).cloned().unwrap_or(Json::Null);
    let mut shown = Map::new();
    put(&mut shown, json!({"database": node.database, "schema": node.schema}));
    put(&mut shown, identity(project, node));
    put(
        &mut shown,
        json!({
            "alias": node.alias,
            "checksum": checksum(node),
            "config": config,
            "tags": node.tags,
            "description": node.description,
            "columns": columns(node),
            "meta": of_config("meta"),
            "group": of_config("group"),
            "docs": config.get("docs").cloned().unwrap_or_else(docs),
            "patch_path": patch_path(project, node),
            "build_path": null,
            "unrendered_config": node.unrendered_config,
            "created_at": CREATED_AT,
            "relation_name": relation::name(project, node),
            "raw_code": node.raw_code,
            "doc_blocks": node.doc_blocks,
        }),
    );
    match node.resource_type {
        ResourceType::Seed => {
            put(&mut shown, json!({"root_path": null, "depends_on": {"macros": node.depends_on.macros}}));
        }
        _ => put(&mut shown, code(node)),
    }
    if node.resource_type == ResourceType::Model {
        put(&mut shown, model(project, node));
    }
    if let Some(test) = &node.test {
        let metadata = json!({"name": test.name, "kwargs": test.kwargs, "namespace": test.namespace});
        put(
            &mut shown,
            json!({
                "column_name": test.column_name,
                "file_key_name": test.file_key_name,
                "attached_node": Some(&test.attached_node).filter(|attached| !attached.starts_with("source.")),
                "test_metadata": metadata,
            }),
        );
    }
    shown
}

fn identity(project: &Project, node: &Node) -> Json {
    json!({
        "name": node.name,
        "resource_type": node.resource_type,
        "package_name": node.package_name,
        "path": node.path,
        "original_file_path": paths::original_file_path(project, node),
        "unique_id": node.unique_id,
        "fqn": node.fqn,
    })
}

fn code(node: &Node) -> Json {
    json!({
        "language": node.language,
        "refs": refs(&node.refs),
        "sources": node.sources,
        "metrics": node.metrics,
        "functions": [],
        "depends_on": depends_on(node),
        "compiled_path": null,
        "contract": contract::json(node),
    })
}

fn depends_on(node: &Node) -> Json {
    json!({"macros": node.depends_on.macros, "nodes": node.depends_on.nodes})
}

fn refs(calls: &[RefCall]) -> Json {
    let shown = |call: &RefCall| json!({"name": call.name, "package": call.package, "version": call.version});
    calls.iter().map(shown).collect()
}

fn model(project: &Project, node: &Node) -> Json {
    json!({
        "access": node.config.get("access").and_then(Json::as_str).unwrap_or("protected"),
        "constraints": [],
        "version": node.version,
        "latest_version": node.latest_version,
        "deprecation_date": null,
        "primary_key": primary_key::of(project, node),
        "time_spine": null,
    })
}

fn source(project: &Project, node: &Node, config: &Map<String, Json>) -> Map<String, Json> {
    let of_config = |key: &str| config.get(key).cloned().unwrap_or(Json::Null);
    let mut shown = Map::new();
    put(&mut shown, json!({"database": node.database, "schema": node.schema}));
    put(&mut shown, identity(project, node));
    put(
        &mut shown,
        json!({
            "source_name": node.source_name,
            "source_description": "",
            "loader": "",
            "identifier": node.alias,
            "quoting": {"database": null, "schema": null, "identifier": null, "column": null},
            "loaded_at_field": of_config("loaded_at_field"),
            "loaded_at_query": of_config("loaded_at_query"),
            "freshness": of_config("freshness"),
            "external": null,
            "description": node.description,
            "columns": columns(node),
            "meta": of_config("meta"),
            "source_meta": {},
            "tags": node.tags,
            "config": config,
            "patch_path": null,
            "unrendered_config": node.unrendered_config,
            "relation_name": relation::name(project, node),
            "created_at": CREATED_AT,
            "unrendered_database": null,
            "unrendered_schema": null,
            "doc_blocks": node.doc_blocks,
        }),
    );
    shown
}

/// Shows what only YAML declares: `properties` hold the most of it.
fn declared(project: &Project, node: &Node, config: &Map<String, Json>) -> Map<String, Json> {
    let of_config = |key: &str| config.get(key).cloned().unwrap_or(Json::Null);
    let all = json!({
        "description": node.description,
        "meta": of_config("meta"),
        "tags": node.tags,
        "config": config,
        "unrendered_config": node.unrendered_config,
        "depends_on": depends_on(node),
        "refs": refs(&node.refs),
        "sources": node.sources,
        "metrics": node.metrics,
        "created_at": CREATED_AT,
        "group": of_config("group"),
        "schema": node.schema,
    });
    let keys: &[&str] = match node.resource_type {
        ResourceType::Exposure => {
            &["description", "meta", "tags", "config", "unrendered_config", "depends_on", "refs", "sources", "metrics"]
        }
        ResourceType::Metric => &[
            "description",
            "meta",
            "tags",
            "config",
            "unrendered_config",
            "sources",
            "depends_on",
            "refs",
            "metrics",
            "group",
        ],
        ResourceType::SemanticModel => &["description", "depends_on", "refs", "config", "unrendered_config", "group"],
        ResourceType::SavedQuery => {
            &["description", "config", "unrendered_config", "group", "depends_on", "refs", "tags"]
        }
        ResourceType::UnitTest => &["description", "depends_on", "config", "schema"],
        _ => &["description", "config"],
    };
    let mut shown = Map::new();
    put(&mut shown, identity(project, node));
    shown.extend(keys.iter().map(|key| ((*key).to_owned(), all[*key].clone())));
    if node.resource_type == ResourceType::Group {
        shown.shift_remove("fqn");
    } else {
        shown.insert("created_at".to_owned(), all["created_at"].clone());
    }
    shown
}

/// Answers `docs` where nobody set it.
pub(super) fn docs() -> Json {
    json!({"show": true, "node_color": null})
}

fn columns(node: &Node) -> Map<String, Json> {
    node.columns.iter().map(|(name, column)| (name.clone(), column_json(column))).collect()
}

fn column_json(column: &Column) -> Json {
    let mut shown = Map::new();
    put(
        &mut shown,
        json!({
            "name": column.name,
            "description": column.description,
            "meta": column.meta,
            "data_type": column.data_type,
            "constraints": column.constraints,
            "quote": column.quote,
            "config": {"meta": column.meta, "tags": column.tags},
            "tags": column.tags,
            "granularity": column.granularity,
            "doc_blocks": column.doc_blocks,
        }),
    );
    shown.extend(column.extra.clone());
    Json::Object(shown)
}

fn checksum(node: &Node) -> Json {
    match &node.checksum {
        Some(checksum) => json!({"name": "sha256", "checksum": checksum}),
        None => json!({"name": "none", "checksum": ""}),
    }
}

fn patch_path(project: &Project, node: &Node) -> Json {
    let place = node.patch.as_ref().filter(|_| node.test.is_none());
    place.map_or(Json::Null, |place| {
        json!(format!("{}://{}", node.package_name, paths::local_path(project, node, &place.path)))
    })
}
