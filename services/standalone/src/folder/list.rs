//! How `dvt ls` shows nodes.

use dvt_dbt::manifest;
use dvt_dbt::node::{Node, ResourceType};
use dvt_dbt::parse::Project;
use serde_json::{Map, Value};

/// The keys of a node that are shown where none are asked for.
const KEYS: [&str; 10] = [
    "alias",
    "name",
    "package_name",
    "depends_on",
    "tags",
    "config",
    "resource_type",
    "source_name",
    "original_file_path",
    "unique_id",
];

/// Says how to show nodes.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Format {
    /// As `--select` would name it
    Selector,
    /// Its name
    Name,
    /// The file it stands in
    Path,
    /// An object a line
    Json,
}

/// Answers one node's line.
pub(super) fn line(project: &Project, node: &Node, format: Format, keys: &[String]) -> String {
    match format {
        Format::Selector => selector(node),
        Format::Name => name(node),
        Format::Path => manifest::original_file_path(project, node).into_owned(),
        Format::Json => Value::Object(shown(manifest::node_json(project, node), keys)).to_string(),
    }
}

fn name(node: &Node) -> String {
    match (&node.source_name, &node.version) {
        (Some(source), _) => format!("{source}.{}", node.name),
        (None, Some(version)) if node.resource_type == ResourceType::Model => {
            format!("{}.v{}", node.name, text(version))
        }
        (None, _) => node.name.clone(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn selector(node: &Node) -> String {
    let (kind, package) = (node.resource_type.as_str(), &node.package_name);
    match node.resource_type {
        ResourceType::Source => format!("{kind}:{package}.{}", name(node)),
        ResourceType::Exposure | ResourceType::Metric | ResourceType::SavedQuery | ResourceType::SemanticModel => {
            format!("{kind}:{package}.{}", node.name)
        }
        ResourceType::UnitTest => {
            let version = node.version.as_ref().map(|version| format!("_v{}", text(version)));
            format!("{kind}:{package}.{}{}", node.name, version.unwrap_or_default())
        }
        ResourceType::Model
        | ResourceType::Seed
        | ResourceType::Snapshot
        | ResourceType::Test
        | ResourceType::Analysis
        | ResourceType::Operation
        | ResourceType::Group => node.fqn.join("."),
    }
}

fn shown(node: Map<String, Value>, keys: &[String]) -> Map<String, Value> {
    if keys.is_empty() {
        return node.into_iter().filter(|(key, _)| KEYS.contains(&key.as_str())).collect();
    }
    let found = keys.iter().filter_map(|key| {
        let mut parts = key.split('.');
        let first = node.get(parts.next().unwrap_or_default())?;
        let value = parts.try_fold(first, |value, part| value.get(part))?;
        (!(value.is_null() && key.contains('.'))).then(|| (key.clone(), value.clone()))
    });
    found.collect()
}
