//! The methods of criteria: what each of them compares.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::pattern::{self, Pattern};
use super::spec::Criterion;
use super::{Error, Set, graph, state};
use crate::manifest;
use crate::node::{Node, ResourceType};
use crate::parse::Project;

/// Is what a criterion compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Access,
    /// The path of keys below a node's config.
    Config(Vec<String>),
    Exposure,
    File,
    Fqn,
    Group,
    Metric,
    Package,
    Path,
    ResourceType,
    SavedQuery,
    SemanticModel,
    Source,
    State,
    Tag,
    TestName,
    TestType,
    UnitTest,
    Version,
}

/// The methods by the names that dbt gives them.
pub(super) const KNOWN: [&str; 19] = [
    "access",
    "config",
    "exposure",
    "file",
    "fqn",
    "group",
    "metric",
    "package",
    "path",
    "resource_type",
    "saved_query",
    "semantic_model",
    "source",
    "state",
    "tag",
    "test_name",
    "test_type",
    "unit_test",
    "version",
];

/// The kinds of nodes that dbt knows by name, whether or not they can be selected.
const RESOURCE_TYPES: [&str; 19] = [
    "analysis",
    "doc",
    "exposure",
    "fixture",
    "function",
    "group",
    "macro",
    "metric",
    "model",
    "operation",
    "rpc",
    "saved_query",
    "seed",
    "semantic_model",
    "snapshot",
    "source",
    "sql_operation",
    "test",
    "unit_test",
];

/// What makes a part of a name a pattern.
const WILD: [char; 4] = ['*', '?', '[', ']'];

impl Method {
    /// Reads a method's name, with its arguments behind dots.
    pub(super) fn read(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('.').map(str::to_owned);
        let name = parts.next().unwrap_or_default();
        Ok(match name.as_str() {
            "access" => Self::Access,
            "config" => Self::Config(parts.collect()),
            "exposure" => Self::Exposure,
            "file" => Self::File,
            "fqn" => Self::Fqn,
            "group" => Self::Group,
            "metric" => Self::Metric,
            "package" => Self::Package,
            "path" => Self::Path,
            "resource_type" => Self::ResourceType,
            "saved_query" => Self::SavedQuery,
            "semantic_model" => Self::SemanticModel,
            "source" => Self::Source,
            "state" => Self::State,
            "tag" => Self::Tag,
            "test_name" => Self::TestName,
            "test_type" => Self::TestType,
            "unit_test" => Self::UnitTest,
            "version" => Self::Version,
            "result" | "source_status" => return Err(Error::NotSupported(name)),
            _ => return Err(Error::Method(name)),
        })
    }

    /// Guesses the method of a value that names none.
    pub(super) fn guess(value: &str) -> &'static str {
        let lower = value.to_lowercase();
        if value.contains('/') {
            "path"
        } else if [".sql", ".py", ".csv"].iter().any(|ending| lower.ends_with(ending)) {
            "file"
        } else {
            "fqn"
        }
    }
}

/// Answers the nodes that a criterion names itself.
pub(super) fn matching((project, previous): (&Project, Option<&Project>), criterion: &Criterion) -> Result<Set, Error> {
    let value = match &criterion.value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    if criterion.method == Method::State {
        let previous = previous.ok_or_else(|| Error::NotSupported("state".to_owned()))?;
        return state::matching(project, previous, &value);
    }
    let fits = test_of(project, criterion, &value)?;
    let nodes = project.nodes().values().enumerate();
    Ok(nodes.filter(|(_, node)| fits(node)).map(|(at, _)| at).collect())
}

type Test<'a> = Box<dyn Fn(&Node) -> bool + 'a>;

fn test_of<'a>(project: &'a Project, criterion: &'a Criterion, value: &'a str) -> Result<Test<'a>, Error> {
    let pattern = Pattern::new(value);
    Ok(match &criterion.method {
        Method::Access => {
            Box::new(|node| node.resource_type == ResourceType::Model && config_text(node, "access") == Some(value))
        }
        Method::Config(keys) => Box::new(|node| configured(node, keys, &criterion.value)),
        Method::Exposure => named(ResourceType::Exposure, value)?,
        Method::File => Box::new(move |node| {
            let file = node.original_file_path.rsplit('/').next().unwrap_or_default();
            pattern.fits(file) || pattern.fits(file.rsplit_once('.').map_or(file, |(stem, _)| stem))
        }),
        Method::Fqn => Box::new(|node| node.resource_type != ResourceType::Source && names_fqn(node, value)),
        Method::Group => Box::new(move |node| {
            let groups = graph::is_data(node) || node.resource_type == ResourceType::Metric;
            groups && config_text(node, "group").is_some_and(|group| pattern.fits(group))
        }),
        Method::Metric => named(ResourceType::Metric, value)?,
        Method::Package => {
            let pattern = if value == "this" { Pattern::new(project.name()) } else { pattern };
            Box::new(move |node| pattern.fits(&node.package_name))
        }
        Method::Path => Box::new(|node| at_path(project, node, value)),
        Method::ResourceType => resource_type(value)?,
        Method::SavedQuery => named(ResourceType::SavedQuery, value)?,
        Method::SemanticModel => named(ResourceType::SemanticModel, value)?,
        Method::Source => source(value)?,
        // Compares projects, not nodes by themselves.
        Method::State => Box::new(|_| false),
        Method::Tag => Box::new(move |node| node.tags.iter().any(|tag| pattern.fits(tag))),
        Method::TestName => Box::new(move |node| {
            let generic = node.test.as_ref().is_some_and(|test| pattern.fits(&test.name));
            generic || (node.resource_type == ResourceType::UnitTest && pattern.fits(&node.name))
        }),
        Method::TestType => test_type(value)?,
        Method::UnitTest => named(ResourceType::UnitTest, value)?,
        Method::Version => version(value)?,
    })
}

fn config_text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.config.get(key).and_then(Json::as_str)
}

/// Names a node of a kind as `NAME` or `PACKAGE.NAME`.
fn named<'a>(kind: ResourceType, value: &str) -> Result<Test<'a>, Error> {
    let parts: Vec<&str> = value.split('.').collect();
    let (package, name) = match parts.as_slice() {
        [name] => ("*", *name),
        [package, name] => (*package, *name),
        _ => return Err(wrong(kind.as_str(), value, "NAME or PACKAGE.NAME")),
    };
    let (package, name) = (Pattern::new(package), Pattern::new(name));
    Ok(Box::new(move |node| node.resource_type == kind && package.fits(&node.package_name) && name.fits(&node.name)))
}

fn source<'a>(value: &str) -> Result<Test<'a>, Error> {
    let parts: Vec<&str> = value.split('.').collect();
    let (package, source, table) = match parts.as_slice() {
        [source] => ("*", *source, "*"),
        [source, table] => ("*", *source, *table),
        [package, source, table] => (*package, *source, *table),
        _ => return Err(wrong("source", value, "SOURCE, SOURCE.TABLE or PACKAGE.SOURCE.TABLE")),
    };
    let (package, source, table) = (Pattern::new(package), Pattern::new(source), Pattern::new(table));
    Ok(Box::new(move |node| {
        let of_source = node.source_name.as_ref().is_some_and(|name| source.fits(name));
        of_source && package.fits(&node.package_name) && table.fits(&node.name)
    }))
}

fn resource_type(value: &str) -> Result<Test<'_>, Error> {
    if !RESOURCE_TYPES.contains(&value) {
        return Err(wrong("resource_type", value, "a kind of node, e.g. model"));
    }
    Ok(Box::new(move |node| node.resource_type.as_str() == value))
}

fn test_type<'a>(value: &str) -> Result<Test<'a>, Error> {
    let is_singular = |node: &Node| node.resource_type == ResourceType::Test && node.test.is_none();
    Ok(match value {
        "generic" | "schema" => Box::new(|node| node.test.is_some()),
        "singular" => Box::new(is_singular),
        "data" => Box::new(|node| node.resource_type == ResourceType::Test),
        "unit" => Box::new(|node| node.resource_type == ResourceType::UnitTest),
        other => return Err(wrong("test_type", other, "generic, singular, data or unit")),
    })
}

fn version<'a>(value: &str) -> Result<Test<'a>, Error> {
    let order = |node: &Node| Some(compared(node.version.as_ref()?, node.latest_version.as_ref()?));
    Ok(match value {
        "none" => Box::new(|node| node.resource_type == ResourceType::Model && node.version.is_none()),
        "latest" => Box::new(move |node| order(node) == Some(Ordering::Equal)),
        "prerelease" => Box::new(move |node| order(node) == Some(Ordering::Greater)),
        "old" => Box::new(move |node| order(node) == Some(Ordering::Less)),
        other => return Err(wrong("version", other, "latest, prerelease, old or none")),
    })
}

/// Compares versions as numbers where they are, else as text.
fn compared(left: &Json, right: &Json) -> Ordering {
    let number = |value: &Json| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let numbers = number(left).zip(number(right)).and_then(|(left, right)| left.partial_cmp(&right));
    numbers.unwrap_or_else(|| text(left).cmp(&text(right)))
}

fn wrong(method: &'static str, value: &str, expected: &'static str) -> Error {
    Error::Value { method, value: value.to_owned(), expected }
}

/// Compares what stands in a node's config below `keys`; of a list, any item.
fn configured(node: &Node, keys: &[String], wanted: &Json) -> bool {
    if !graph::is_data(node) && node.resource_type != ResourceType::Source {
        return false;
    }
    let Some((first, rest)) = keys.split_first() else { return false };
    let found = rest.iter().try_fold(node.config.get(first).unwrap_or(&Json::Null), |value, key| value.get(key));
    let ignores_case = keys == ["severity"];
    let same = |value: &Json| match (value, wanted) {
        (Json::Bool(value), Json::String(text)) => text.eq_ignore_ascii_case(if *value { "true" } else { "false" }),
        (Json::String(value), Json::String(text)) if ignores_case => value.eq_ignore_ascii_case(text),
        (value, wanted) => value == wanted,
    };
    match found {
        Some(Json::Array(items)) => items.iter().any(same),
        Some(Json::Null) | None => false,
        Some(value) => same(value),
    }
}

/// Says whether a path of the root project, or a folder above it, is where a node or its YAML entry stands.
fn at_path(project: &Project, node: &Node, value: &str) -> bool {
    let own = manifest::original_file_path(project, node);
    let patch = node.patch.as_ref().map(|place| manifest::local_path(project, node, &place.path));
    pattern::holds(value, &own) || patch.is_some_and(|path| pattern::is_exactly(value, path))
}

/// Says whether a name with dots names a node: the last part of its fqn, or its first parts, with or without the
/// package.
fn names_fqn(node: &Node, name: &str) -> bool {
    let fqn: Vec<&str> = node.fqn.iter().map(String::as_str).collect();
    let unscoped = fqn.get(1..).unwrap_or_default();
    let is_versioned = node.version.is_some();
    names_leaf(&fqn, name, is_versioned) || names_from_top(&fqn, name) || names_from_top(unscoped, name)
}

/// Compares the last part of an fqn; of a versioned model, its name with or without the version.
fn names_leaf(fqn: &[&str], name: &str, is_versioned: bool) -> bool {
    let is_wild = !name.contains('.') && name.contains(WILD);
    let fits = |leaf: &str| leaf == name || (is_wild && Pattern::new(name).fits(leaf));
    match fqn {
        [.., leaf, version] if is_versioned => {
            let parts: Vec<&str> = name.split('.').collect();
            let tail = parts[parts.len().saturating_sub(2)..].join("_");
            fits(leaf) || tail == format!("{leaf}_{version}")
        }
        [.., leaf] => fits(leaf),
        [] => false,
    }
}

fn names_from_top(fqn: &[&str], name: &str) -> bool {
    let wanted: Vec<&str> = name.split('.').collect();
    let flat: Vec<&str> = fqn.iter().flat_map(|part| part.split('.')).collect();
    if flat.len() < wanted.len() {
        return false;
    }
    match wanted.iter().position(|part| part.contains(WILD)) {
        Some(at) => flat[..at] == wanted[..at] && Pattern::new(&wanted[at..].join(".")).fits(&flat[at..].join(".")),
        None => flat[..wanted.len()] == wanted[..],
    }
}
