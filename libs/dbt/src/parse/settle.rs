//! Settles a node: its config, its names, its hooks, and whether it is switched on.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::config::{Config, Layers};
use super::graph::context_of;
use super::names::text;
use super::patch::Patch;
use super::read::Reader;
use super::types;
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::node::{Node, ResourceType};
use crate::yaml;

/// Is the config of a YAML entry, and where each key of it stands.
pub(super) type Written<'w> = (&'w Map<String, Json>, &'w dyn Fn(&str) -> Option<Place>);

/// Answers the section of dbt_project.yml that a kind of node takes its config from.
fn section(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::Model | ResourceType::Analysis | ResourceType::Operation | ResourceType::Group => "models",
        ResourceType::Seed => "seeds",
        ResourceType::Snapshot => "snapshots",
        ResourceType::Source => "sources",
        ResourceType::Test => "data_tests",
        ResourceType::UnitTest => "unit_tests",
        ResourceType::Exposure => "exposures",
        ResourceType::Metric => "metrics",
        ResourceType::SemanticModel => "semantic_models",
        ResourceType::SavedQuery => "saved_queries",
    }
}

impl Reader<'_> {
    /// Lays all layers of a node's config over each other.
    pub(super) fn layers(
        &self,
        at: usize,
        node: &Node,
        written: Option<Written<'_>>,
        calls: &[Map<String, Json>],
    ) -> Config {
        let mut layers = Layers::new(node.resource_type);
        let section = section(node.resource_type);
        for level in self.packages[at].definition.configs(section, &node.fqn) {
            layers.project(level);
        }
        if let Some((values, place)) = written {
            layers.yaml(values, place);
        }
        if !calls.is_empty() {
            layers.calls(calls, &|key| self.call_place(node, key));
        }
        if at != 0 {
            for level in self.packages[0].definition.configs(section, &node.fqn) {
                layers.project(level);
            }
        }
        layers.finish()
    }

    /// Finds a key of a `config()` call in the node's file.
    fn call_place(&self, node: &Node, key: &str) -> Option<Place> {
        self.place_in_code(node, find_call(&node.raw_code, key).unwrap_or_default())
    }

    /// Answers where byte `at` of a node's code stands in its file.
    pub(super) fn place_in_code(&self, node: &Node, at: usize) -> Option<Place> {
        let package = self.packages.iter().find(|package| package.definition.name == node.package_name)?;
        let text = package.tree.find(&node.original_file_path)?.text()?;
        Some(yaml::place_of(&node.original_file_path, text, node.code_offset + at))
    }

    /// Gives a node its config, and remembers where the values of it come from.
    pub(super) fn configure(&mut self, node: &mut Node, config: Config) {
        for (key, expected) in types::wrong(&config.values) {
            let got = &config.values[key];
            let place = config.origins.get(key).and_then(|origin| origin.place.clone());
            let message = format!("the config `{key}` must be {expected}, got {got}");
            self.wrong(&node.unique_id, "CONFIG_TYPE", (message, place));
        }
        node.config = config.values;
        node.unrendered_config = config.written;
        self.origins.insert(node.unique_id.clone(), config.origins);
        let tags = match node.config.get("tags") {
            Some(Json::Array(tags)) => tags.iter().map(text).collect(),
            Some(Json::String(tag)) => vec![tag.clone()],
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_)) | None => Vec::new(),
        };
        for tag in tags {
            if !node.tags.contains(&tag) {
                node.tags.push(tag);
            }
        }
    }

    /// Settles a node that has code, and keeps it.
    pub(super) fn settle(&mut self, at: usize, mut node: Node, told: (Option<Patch<'_>>, Vec<Map<String, Json>>)) {
        let (patch, calls) = told;
        let mut values = patch.map(|patch| patch.config());
        if node.language == "python" {
            let values = values.get_or_insert_with(Map::new);
            values.entry("materialized").or_insert_with(|| Json::from("table"));
        }
        let place = |key: &str| patch.and_then(|patch| patch.config_place(key));
        let config = self.layers(at, &node, values.as_ref().map(|values| (values, &place as _)), &calls);
        self.configure(&mut node, config);
        self.name_and_keep(node);
    }

    /// Names a node, reads its hooks, and keeps it.
    pub(super) fn name_and_keep(&mut self, mut node: Node) {
        if let Err(error) = self.names.set(&self.project.engine, &mut node) {
            self.report(&node.unique_id, error);
        }
        if node.resource_type != ResourceType::Test {
            self.hooks(&mut node);
        }
        self.keep(node);
    }

    fn hooks(&mut self, node: &mut Node) {
        let hooks = ["pre-hook", "post-hook"].into_iter().filter_map(|key| node.config.get(key)?.as_array());
        let hooks: Vec<String> =
            hooks.flatten().filter_map(|hook| hook.get("sql")?.as_str().map(str::to_owned)).collect();
        for hook in hooks {
            match self.project.engine.parse_text(&context_of(node), &hook) {
                Ok(parsed) => {
                    node.refs.extend(parsed.refs);
                    node.sources.extend(parsed.sources);
                    node.depends_on.macros.extend(parsed.macros);
                }
                Err(error) => self.report(&node.unique_id, error),
            }
        }
    }

    /// Finishes a node of the thing that is being read.
    pub(super) fn keep(&mut self, mut node: Node) {
        let mut seen = std::collections::HashSet::new();
        node.depends_on.macros.retain(|called| seen.insert(called.clone()));
        let origins = self.origins.remove(&node.unique_id).unwrap_or_default();
        self.kept.push((Arc::new(node), Arc::new(origins)));
    }

    /// Puts a node to the others; one that is there twice is reported at both places.
    pub(super) fn put(&mut self, node: Arc<Node>) {
        if !node.is_enabled() {
            if !self.project.disabled.contains_key(&node.unique_id) {
                self.project.disabled.insert(node);
            }
            return;
        }
        let Some(known) = self.project.nodes.get(&node.unique_id) else {
            self.project.nodes.insert(node);
            return;
        };
        let place = |node: &Node| {
            let of_entry = node.patch.clone().filter(|place| place.path == node.original_file_path);
            of_entry.unwrap_or_else(|| yaml::place_of(&node.original_file_path, "", 0))
        };
        let (first, second) = (place(known), place(&node));
        let message = format!("{} is defined in {} and again in {}", node.name, first.path, second.path);
        let twice = [first, second].into_iter().map(|place| Diagnostic {
            severity: Severity::Error,
            code: "MODEL_DUPLICATE".to_owned(),
            message: message.clone(),
            place: Some(place),
            unique_id: Some(node.unique_id.clone()),
        });
        self.project.diagnostics.extend(twice);
    }
}

/// Finds where a key of a `config()` call is written: as an argument, or as a key of a mapping.
fn find_call(code: &str, key: &str) -> Option<usize> {
    let bare = key.replace('-', "_");
    let start = code.find("config")?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    for name in [bare.as_str(), key] {
        for (at, _) in code[start..].match_indices(name) {
            let (from, to) = (start + at, start + at + name.len());
            let before = code.as_bytes().get(from.wrapping_sub(1)).copied();
            let after = code[to..].trim_start_matches(['\'', '"']).trim_start();
            if before.is_none_or(|byte| !is_word(byte)) && (after.starts_with('=') || after.starts_with(':')) {
                return Some(from);
            }
        }
    }
    None
}
