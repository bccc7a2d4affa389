//! Answers the engine's and the compiler's questions about the graph.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::Project;
use super::lookup::From;
use crate::compile::Nodes;
use crate::jinja::{Code, Error, Graph, NodeContext, Quoting, RefCall, Resolved};
use crate::manifest;
use crate::node::{Node, ResourceType};

impl Project {
    fn known(&self, unique_id: &str) -> Result<&Node, Error> {
        let missing = || Error::new(Code::RefNotFound, format!("there is no node {unique_id}"));
        self.nodes.get(unique_id).ok_or_else(missing)
    }

    fn resolved(&self, node: &Node) -> Resolved {
        // What `source()` answers is quoted as the source says, whatever the project's `quoting` is.
        let quoting = match node.resource_type {
            ResourceType::Source => Quoting::default(),
            _ => self.engine.settings().quoting,
        };
        Resolved {
            unique_id: node.unique_id.clone(),
            database: Some(node.database.clone()),
            schema: node.schema.clone(),
            identifier: node.alias.clone(),
            quoting: manifest::quoting(quoting, node),
            ephemeral: node.resource_type == ResourceType::Model && node.materialized() == "ephemeral",
            resource_type: node.resource_type.as_str().to_owned(),
        }
    }

    fn from<'a>(&'a self, package: &'a str) -> From<'a> {
        From { root: &self.name, package }
    }
}

/// Answers a node as templates see it.
fn json_of(node: &Node) -> Map<String, Json> {
    let Ok(Json::Object(map)) = serde_json::to_value(node) else { return Map::new() };
    map
}

/// Answers what the engine renders a node from.
pub(super) fn context_of(node: &Node) -> NodeContext {
    context_with(node, json_of(node))
}

fn context_with(node: &Node, model: Map<String, Json>) -> NodeContext {
    NodeContext {
        unique_id: node.unique_id.clone(),
        name: node.name.clone(),
        package: node.package_name.clone(),
        resource_type: node.resource_type.as_str().to_owned(),
        path: node.original_file_path.clone(),
        offset: node.code_offset,
        before: node.code_before,
        raw_code: Arc::from(node.raw_code.as_str()),
        is_script: node.resource_type == ResourceType::Operation,
        database: node.database.clone(),
        schema: node.schema.clone(),
        alias: node.alias.clone(),
        config: node.config.clone(),
        model,
        test_kwargs: node.test.as_ref().map(|test| test.kwargs.clone()),
        depends_on: Some(node.depends_on.nodes.clone()),
        unit_test: None,
    }
}

impl Graph for Project {
    fn resolve_ref(&self, from: &NodeContext, call: &RefCall) -> Result<Resolved, Error> {
        let unique_id = self.lookup.referred(self.from(&from.package), call)?;
        self.known(unique_id).map(|node| self.resolved(node))
    }

    fn resolve_source(&self, from: &NodeContext, source: &str, table: &str) -> Result<Resolved, Error> {
        let unique_id = self.lookup.sourced(self.from(&from.package), source, table)?;
        self.known(unique_id).map(|node| self.resolved(node))
    }

    fn flat_graph(&self) -> Json {
        let of = |kinds: &[ResourceType]| -> Map<String, Json> {
            let wanted = self.nodes.values().filter(|node| kinds.contains(&node.resource_type));
            wanted.map(|node| (node.unique_id.clone(), Json::Object(manifest::node_json(self, node)))).collect()
        };
        json!({
            "nodes": of(&[
                ResourceType::Model,
                ResourceType::Seed,
                ResourceType::Snapshot,
                ResourceType::Test,
                ResourceType::Analysis,
                ResourceType::Operation,
            ]),
            "sources": of(&[ResourceType::Source]),
            "exposures": of(&[ResourceType::Exposure]),
            "metrics": of(&[ResourceType::Metric]),
            "groups": of(&[ResourceType::Group]),
            "semantic_models": of(&[ResourceType::SemanticModel]),
            "saved_queries": of(&[ResourceType::SavedQuery]),
        })
    }

    fn node(&self, unique_id: &str) -> Option<Json> {
        self.nodes.get(unique_id).map(|node| Json::Object(manifest::node_json(self, node)))
    }
}

impl Nodes for Project {
    fn context(&self, unique_id: &str) -> Option<NodeContext> {
        let node = self.nodes.get(unique_id)?;
        Some(context_with(node, manifest::node_json(self, node)))
    }
}
