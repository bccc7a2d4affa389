//! How `dvt ls` shows nodes.

use dvt_dbt::manifest;
use dvt_dbt::node::Node;
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
        Format::Name => match &node.source_name {
            Some(source) => format!("{source}.{}", node.name),
            None => node.name.clone(),
        },
        Format::Path => manifest::original_file_path(project, node).to_owned(),
        Format::Json => Value::Object(shown(manifest::node_json(project, node), keys)).to_string(),
    }
}

fn selector(node: &Node) -> String {
    let kind = node.resource_type.as_str();
    match kind {
        "source" => {
            let source = node.source_name.as_deref().unwrap_or_default();
            format!("source:{}.{source}.{}", node.package_name, node.name)
        }
        "exposure" | "metric" | "saved_query" | "semantic_model" | "unit_test" => {
            format!("{kind}:{}.{}", node.package_name, node.name)
        }
        _ => node.fqn.join("."),
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
