//! Reads the snapshots that YAML alone defines, by the relation they copy.

use std::sync::Arc;

use serde_json::Value as Json;

use super::patch::{Patch, Reference, reference};
use super::properties::Entry;
use super::read::{Reader, fqn};
use crate::node::{Node, ResourceType};

impl Reader<'_> {
    pub(super) fn yaml_snapshots(&mut self, entries: &[Arc<Entry>]) {
        for entry in entries.iter().filter(|entry| entry.section == "snapshots") {
            if entry.value.contains_key("relation") {
                self.anew(|reader| reader.yaml_snapshot(entry));
            }
        }
        self.unused(entries);
        self.check_snapshots();
    }

    fn yaml_snapshot(&mut self, entry: &Arc<Entry>) {
        let relation = entry.text("relation");
        let mut node = self.blank(entry.at, ResourceType::Snapshot, &entry.name);
        node.path = format!("{}/{}.sql", entry.relative, entry.name);
        node.fqn = fqn(&node.package_name, &entry.relative, &[&entry.name]);
        node.original_file_path = entry.file.clone();
        node.raw_code = format!("select * from {{{{ {relation} }}}}");
        let package = &self.packages[entry.at];
        let text = package.tree.find(&entry.file).and_then(|file| file.text()).unwrap_or_default();
        node.checksum = Some(super::files::sha256(text.trim().as_bytes()));
        match reference(relation) {
            Some(Reference::Ref(call)) => node.refs.push(call),
            Some(Reference::Source(source)) => node.sources.push(source),
            None => {
                let message = format!("the relation of a snapshot is a ref() or a source(), not `{relation}`");
                self.wrong(&node.unique_id, "PROPERTIES_INVALID", (message, Some(entry.place.clone())));
            }
        }
        let patch = Patch { entry, version: None };
        patch.describe(&mut node);
        self.settle(entry.at, node, (Some(patch), Vec::new()));
    }

    /// Reports the snapshots that do not say how they tell a change.
    fn check_snapshots(&mut self) {
        let snapshots = self.project.nodes.values().filter(|node| node.resource_type == ResourceType::Snapshot);
        let wrong: Vec<(String, &'static str)> =
            snapshots.filter_map(|node| Some((node.unique_id.clone(), what_is_wrong(node)?))).collect();
        for (unique_id, message) in wrong {
            let place = self.project.nodes[&unique_id].patch.clone();
            self.wrong(&unique_id, "SNAPSHOT_INVALID", (message.to_owned(), place));
        }
    }
}

fn what_is_wrong(node: &Node) -> Option<&'static str> {
    let is_set = |key: &str| match node.config.get(key) {
        Some(Json::String(text)) => !text.is_empty(),
        Some(Json::Array(list)) => !list.is_empty(),
        Some(Json::Null) | None => false,
        Some(Json::Bool(_) | Json::Number(_) | Json::Object(_)) => true,
    };
    let strategy = node.config.get("strategy").and_then(Json::as_str).unwrap_or_default();
    if strategy.is_empty() || !is_set("unique_key") {
        return Some("a snapshot needs a strategy and a unique_key");
    }
    let checks = node.config.get("check_cols");
    match strategy {
        "check" if !is_set("check_cols") => Some("a snapshot that checks columns needs check_cols"),
        "check" if checks.and_then(Json::as_str).is_some_and(|text| text != "all") => {
            Some("check_cols is `all` or a list of columns")
        }
        "timestamp" if !is_set("updated_at") => Some("a snapshot by timestamp needs updated_at"),
        "timestamp" if is_set("check_cols") => Some("a snapshot by timestamp has no check_cols"),
        _ if node.materialized() != "snapshot" => Some("a snapshot is materialized as a snapshot"),
        _ => None,
    }
}
