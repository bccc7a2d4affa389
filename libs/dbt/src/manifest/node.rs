//! One node as a manifest shows it.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::metadata::CREATED_AT;
use super::{defaults, paths, primary_key};
use crate::compile::{Compilation, Compiled};
use crate::jinja::Quoting;
use crate::node::{Column, Node};
use crate::parse::Project;

/// Answers a node as the manifest of `dbt parse` shows it.
pub fn node_json(project: &Project, node: &Node) -> Map<String, Json> {
    match node.resource_type.as_str() {
        "source" => source(project, node),
        _ => data(project, node),
    }
}

/// Adds what the compiler made of a node.
pub(super) fn add_compilation(
    project: &Project,
    node: &Node,
    compilation: &Compilation,
    shown: &mut Map<String, Json>,
) {
    let compiled = match compilation {
        Compilation::Compiled(compiled) => compiled,
        Compilation::Deferred(deferred) => match &deferred.full {
            Some(full) => full,
            None => return,
        },
        Compilation::Broken(_) => return,
    };
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

fn data(project: &Project, node: &Node) -> Map<String, Json> {
    let mut shown = Map::new();
    let config = config(node);
    let group = config.get("group").cloned().unwrap_or(Json::Null);
    let meta = config.get("meta").cloned().unwrap_or(json!({}));
    let docs = config.get("docs").cloned().unwrap_or_else(defaults::docs);
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
            "meta": meta,
            "group": group,
            "docs": docs,
            "patch_path": patch_path(project, node),
            "build_path": null,
            "unrendered_config": {},
            "created_at": CREATED_AT,
            "relation_name": relation_name(project, node),
            "raw_code": node.raw_code,
            "doc_blocks": [],
        }),
    );
    match node.resource_type.as_str() {
        "seed" => put(&mut shown, json!({"root_path": null, "depends_on": {"macros": node.depends_on.macros}})),
        _ => put(&mut shown, code(node)),
    }
    match (node.resource_type.as_str(), &node.test) {
        ("model", _) => put(&mut shown, model(project, node)),
        (_, Some(_)) => put(&mut shown, generic_test(project, node)),
        (_, None) => {}
    }
    shown
}

fn put(shown: &mut Map<String, Json>, more: Json) {
    if let Json::Object(more) = more {
        shown.extend(more);
    }
}

fn identity(project: &Project, node: &Node) -> Json {
    json!({
        "name": node.name,
        "resource_type": node.resource_type,
        "package_name": node.package_name,
        "path": paths::path(project, node),
        "original_file_path": paths::original_file_path(project, node),
        "unique_id": node.unique_id,
        "fqn": node.fqn,
    })
}

fn code(node: &Node) -> Json {
    let contract = node.config.get("contract");
    let is_enforced = contract.and_then(|contract| contract.get("enforced")).and_then(Json::as_bool).unwrap_or(false);
    json!({
        "language": "sql",
        "refs": [],
        "sources": [],
        "metrics": [],
        "functions": [],
        "depends_on": node.depends_on,
        "compiled_path": null,
        "contract": {"enforced": is_enforced, "alias_types": true, "checksum": null},
    })
}

fn model(project: &Project, node: &Node) -> Json {
    json!({
        "access": node.config.get("access").and_then(Json::as_str).unwrap_or("protected"),
        "constraints": [],
        "version": null,
        "latest_version": null,
        "deprecation_date": null,
        "primary_key": primary_key::of(project, node),
        "time_spine": null,
    })
}

fn generic_test(project: &Project, node: &Node) -> Json {
    let Some(test) = &node.test else { return Json::Null };
    let attached = project.find(&test.attached_node);
    let section = test.attached_node.split('.').next().unwrap_or_default();
    json!({
        "column_name": test.column_name,
        "file_key_name": attached.map(|attached| format!("{section}s.{}", attached.name)),
        "attached_node": test.attached_node,
        "test_metadata": {"name": test.name, "kwargs": test.kwargs, "namespace": test.namespace},
    })
}

fn source(project: &Project, node: &Node) -> Map<String, Json> {
    let mut shown = Map::new();
    let config = config(node);
    let key = |key: &str| config.get(key).cloned().unwrap_or(Json::Null);
    let (freshness, loaded_at, query) = (key("freshness"), key("loaded_at_field"), key("loaded_at_query"));
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
            "loaded_at_field": loaded_at,
            "loaded_at_query": query,
            "freshness": freshness,
            "external": null,
            "description": node.description,
            "columns": columns(node),
            "meta": key("meta"),
            "source_meta": {},
            "tags": node.tags,
            "config": config,
            "patch_path": null,
            "unrendered_config": {},
            "relation_name": relation_name(project, node),
            "created_at": CREATED_AT,
            "unrendered_database": null,
            "unrendered_schema": null,
            "doc_blocks": [],
        }),
    );
    shown
}

fn config(node: &Node) -> Map<String, Json> {
    let mut config = defaults::config(node.resource_type.as_str());
    config.extend(node.config.clone());
    config
}

fn columns(node: &Node) -> Map<String, Json> {
    node.columns.iter().map(|(name, column)| (name.clone(), column_json(column))).collect()
}

fn column_json(column: &Column) -> Json {
    json!({
        "name": column.name,
        "description": column.description,
        "meta": {},
        "data_type": column.data_type,
        "constraints": [],
        "quote": null,
        "config": {"meta": {}, "tags": []},
        "tags": [],
        "granularity": null,
        "doc_blocks": [],
    })
}

/// Seeds are checked over their bytes, which a node does not hold; what YAML defines has no sum.
fn checksum(node: &Node) -> Json {
    if node.test.is_some() {
        return json!({"name": "none", "checksum": ""});
    }
    json!({"name": "sha256", "checksum": hex::encode(Sha256::digest(node.raw_code.as_bytes()))})
}

fn patch_path(project: &Project, node: &Node) -> Json {
    let path = node.patch.as_ref().filter(|_| node.test.is_none());
    path.map_or(Json::Null, |place| {
        json!(format!("{}://{}", node.package_name, paths::local_path(project, node, &place.path)))
    })
}

/// Answers the relation as SQL names it; null for what is none.
fn relation_name(project: &Project, node: &Node) -> Json {
    let stores_failures = node.config.get("store_failures") == Some(&Json::Bool(true));
    let is_relation = match node.resource_type.as_str() {
        "model" => node.materialized() != "ephemeral",
        "seed" | "snapshot" | "source" => true,
        "test" => stores_failures,
        _ => false,
    };
    if !is_relation {
        return Json::Null;
    }
    let quoting = quoting(project.engine().settings().quoting, node);
    let parts = [(&node.database, quoting.database), (&node.schema, quoting.schema), (&node.alias, quoting.identifier)];
    let shown = parts.into_iter().filter(|(part, _)| !part.is_empty());
    let quoted = shown.map(|(part, is_quoted)| if is_quoted { format!("\"{part}\"") } else { part.clone() });
    json!(quoted.collect::<Vec<_>>().join("."))
}

fn quoting(project: Quoting, node: &Node) -> Quoting {
    let own = |part: &str, default| {
        let quoting = node.config.get("quoting").and_then(|quoting| quoting.get(part));
        quoting.and_then(Json::as_bool).unwrap_or(default)
    };
    Quoting {
        database: own("database", project.database),
        schema: own("schema", project.schema),
        identifier: own("identifier", project.identifier),
    }
}
