//! The maps of a manifest that say who stands beside whom.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::node::{Node, ResourceType};
use crate::parse::Project;

fn members(project: &Project) -> impl Iterator<Item = &Node> {
    let all = project.nodes().values().chain(project.idle_tests().values());
    all.filter(|node| node.resource_type != ResourceType::Group)
}

/// Answers what each node depends on, sorted.
pub(super) fn parents(project: &Project) -> Map<String, Json> {
    let sorted = members(project).map(|node| {
        let mut parents: Vec<&str> = node.depends_on.nodes.iter().map(String::as_str).collect();
        parents.sort_unstable();
        (node.unique_id.clone(), json!(parents))
    });
    sorted.collect()
}

/// Answers what depends on each node, sorted.
pub(super) fn children(project: &Project) -> Map<String, Json> {
    let mut children = project.children();
    let sorted = members(project).map(|node| {
        let mut children = children.swap_remove(node.unique_id.as_str()).unwrap_or_default();
        children.sort_unstable();
        (node.unique_id.clone(), json!(children))
    });
    sorted.collect()
}

/// Answers the members of each group.
pub(super) fn groups(project: &Project) -> Map<String, Json> {
    let names = project
        .nodes()
        .values()
        .filter(|node| node.resource_type == ResourceType::Group)
        .map(|node| node.name.as_str());
    let mut groups: BTreeMap<&str, Vec<&str>> = names.map(|name| (name, Vec::new())).collect();
    for node in members(project) {
        let group = node.config.get("group").and_then(Json::as_str);
        if let Some(group) = group.and_then(|name| groups.get_mut(name)) {
            group.push(&node.unique_id);
        }
    }
    groups.into_iter().map(|(name, members)| (name.to_owned(), json!(members))).collect()
}
