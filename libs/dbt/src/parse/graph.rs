//! Answers the engine's and the compiler's questions about the graph.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::Project;
use crate::compile::Nodes;
use crate::jinja::{Code, Error, Graph, NodeContext, RefCall, Resolved};
use crate::node::{Node, ResourceType};

impl Project {
    /// Finds the node that a `ref()` written in `package` names: its own package's first, then the root's, then any.
    pub(super) fn referred(&self, package: &str, call: &RefCall) -> Result<&Node, Error> {
        let wanted = |node: &&Node| {
            node.resource_type.is_referable()
                && node.name == call.name
                && call.package.as_ref().is_none_or(|wanted| *wanted == node.package_name)
        };
        let found: Vec<&Node> = self.nodes.values().filter(wanted).collect();
        let of = |package: &str| found.iter().find(|node| node.package_name == package).copied();
        if call.version.is_some() {
            return Err(Error::unsupported("ref(..., version=...)"));
        }
        of(package).or_else(|| of(&self.name)).or_else(|| found.first().copied()).ok_or_else(|| {
            let off = self.disabled.values().any(|node| wanted(&node));
            let code = if off { Code::NodeDisabled } else { Code::RefNotFound };
            let why = if off { "is disabled" } else { "does not exist" };
            Error::new(code, format!("the node `{}` that ref() names {why}", call.name))
        })
    }

    pub(super) fn sourced(&self, source: &str, table: &str) -> Result<&Node, Error> {
        let wanted = |node: &&Node| node.source_name.as_deref() == Some(source) && node.name == table;
        let missing = || Error::new(Code::SourceNotFound, format!("the source `{source}.{table}` does not exist"));
        self.nodes.values().find(wanted).ok_or_else(missing)
    }

    fn resolved(&self, node: &Node) -> Resolved {
        Resolved {
            unique_id: node.unique_id.clone(),
            database: Some(node.database.clone()),
            schema: node.schema.clone(),
            identifier: node.alias.clone(),
            quoting: self.engine.settings().quoting,
            ephemeral: node.resource_type == ResourceType::Model && node.materialized() == "ephemeral",
            resource_type: node.resource_type.as_str().to_owned(),
        }
    }
}

/// Answers a node as templates see it.
pub(super) fn json_of(node: &Node) -> Map<String, Json> {
    let Ok(Json::Object(map)) = serde_json::to_value(node) else { return Map::new() };
    map
}

/// Answers what the engine renders a node from.
pub(super) fn context_of(node: &Node) -> NodeContext {
    NodeContext {
        unique_id: node.unique_id.clone(),
        name: node.name.clone(),
        package: node.package_name.clone(),
        resource_type: node.resource_type.as_str().to_owned(),
        path: node.original_file_path.clone(),
        offset: 0,
        raw_code: Arc::from(node.raw_code.as_str()),
        database: node.database.clone(),
        schema: node.schema.clone(),
        alias: node.alias.clone(),
        config: node.config.clone(),
        model: json_of(node),
        test_kwargs: node.test.as_ref().map(|test| test.kwargs.clone()),
        depends_on: Some(node.depends_on.nodes.clone()),
    }
}

impl Graph for Project {
    fn resolve_ref(&self, from: &NodeContext, call: &RefCall) -> Result<Resolved, Error> {
        self.referred(&from.package, call).map(|node| self.resolved(node))
    }

    fn resolve_source(&self, _from: &NodeContext, source: &str, table: &str) -> Result<Resolved, Error> {
        self.sourced(source, table).map(|node| self.resolved(node))
    }

    fn flat_graph(&self) -> Json {
        let (mut nodes, mut sources) = (Map::new(), Map::new());
        for node in self.nodes.values() {
            let into = if node.resource_type == ResourceType::Source { &mut sources } else { &mut nodes };
            into.insert(node.unique_id.clone(), Json::Object(json_of(node)));
        }
        json!({"nodes": nodes, "sources": sources, "exposures": {}, "metrics": {}, "groups": {}})
    }

    fn node(&self, unique_id: &str) -> Option<Json> {
        self.nodes.get(unique_id).map(|node| Json::Object(json_of(node)))
    }
}

impl Nodes for Project {
    fn context(&self, unique_id: &str) -> Option<NodeContext> {
        self.nodes.get(unique_id).map(context_of)
    }
}
