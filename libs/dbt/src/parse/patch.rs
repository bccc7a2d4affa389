//! Finds the YAML entry of a node and applies what it says: config, columns, version.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::columns;
use super::names::text as printed;
use super::properties::{Entry, object, objects, text};
use crate::diagnostic::Place;
use crate::jinja::RefCall;
use crate::node::{Node, ResourceType};

/// A version: its entry, its place among the entry's versions, and the file that it names.
type Version<'e> = (&'e Arc<Entry>, usize, String);

/// Knows the entries by the nodes they describe.
pub(super) struct Patches<'e> {
    named: HashMap<(&'static str, &'e str), Vec<&'e Arc<Entry>>>,
    /// The files of versions, by their names: the entry and the place of the version in it.
    versions: HashMap<String, Vec<(&'e Arc<Entry>, usize)>>,
    /// The latest versions by their models' names: they may stand in a file without a version in its name.
    latest: HashMap<&'e str, Vec<Version<'e>>>,
}

/// Is what the YAML says of one node.
#[derive(Clone, Copy)]
pub(super) struct Patch<'e> {
    pub(super) entry: &'e Arc<Entry>,
    /// The place, among the entry's versions, of the one that the node is.
    pub(super) version: Option<usize>,
}

impl<'e> Patches<'e> {
    pub(super) fn of(entries: &'e [Arc<Entry>]) -> Self {
        let mut patches = Self { named: HashMap::new(), versions: HashMap::new(), latest: HashMap::new() };
        for entry in entries {
            let versions: Vec<&Map<String, Json>> = objects(&entry.value, "versions").collect();
            if entry.section != "models" || versions.is_empty() {
                patches.named.entry((entry.section, &entry.name)).or_default().push(entry);
                continue;
            }
            let latest = latest_version(entry);
            for (at, version) in versions.into_iter().enumerate() {
                let number = version.get("v").map(printed).unwrap_or_default();
                let defined_in = version.get("defined_in").and_then(Json::as_str).map(str::to_owned);
                let file = defined_in.unwrap_or_else(|| format!("{}_v{number}", entry.name));
                if Some(&number) == latest.as_ref().map(printed).as_ref() {
                    patches.latest.entry(&entry.name).or_default().push((entry, at, file.clone()));
                }
                patches.versions.entry(file).or_default().push((entry, at));
            }
        }
        patches
    }

    /// Finds what is said of a node. `is_known` says whether a package has a file of that name for its kind.
    pub(super) fn find(&self, node: &Node, at: usize, is_known: &dyn Fn(usize, &str) -> bool) -> Option<Patch<'e>> {
        let section = match node.resource_type {
            ResourceType::Model => "models",
            ResourceType::Seed => "seeds",
            ResourceType::Snapshot => "snapshots",
            ResourceType::Test => "data_tests",
            ResourceType::Analysis => "analyses",
            ResourceType::Source
            | ResourceType::UnitTest
            | ResourceType::Operation
            | ResourceType::Exposure
            | ResourceType::Metric
            | ResourceType::SemanticModel
            | ResourceType::SavedQuery
            | ResourceType::Group => return None,
        };
        if section == "models" {
            let of_file = self.versions.get(&node.name).into_iter().flatten().find(|(entry, _)| entry.at == at);
            let of_latest = self.latest.get(node.name.as_str()).into_iter().flatten();
            let mut of_latest = of_latest.filter(|(entry, _, file)| entry.at == at && !is_known(at, file));
            let found = of_file.copied().or_else(|| of_latest.next().map(|(entry, version, _)| (*entry, *version)));
            if let Some((entry, version)) = found {
                return Some(Patch { entry, version: Some(version) });
            }
        }
        let named = self.named.get(&(section, node.name.as_str()))?;
        let own = named.iter().find(|entry| entry.at == at);
        let entry = own.or_else(|| named.iter().find(|entry| !is_known(entry.at, &node.name)))?;
        Some(Patch { entry, version: None })
    }
}

/// Answers the version that `ref()` without one means.
pub(super) fn latest_version(entry: &Entry) -> Option<Json> {
    if let Some(latest) = entry.value.get("latest_version").filter(|latest| !latest.is_null()) {
        return Some(latest.clone());
    }
    let versions = objects(&entry.value, "versions").filter_map(|version| version.get("v"));
    let number = |version: &Json| printed(version).parse::<f64>().ok();
    let versions: Vec<&Json> = versions.collect();
    let has_text = versions.iter().any(|version| number(version).is_none());
    let later = |one: &&Json, other: &&Json| match (number(one), number(other)) {
        (Some(one), Some(other)) if !has_text => one.total_cmp(&other),
        _ => printed(one).cmp(&printed(other)),
    };
    versions.into_iter().max_by(later).cloned()
}

impl<'e> Patch<'e> {
    fn version(&self) -> Option<&'e Map<String, Json>> {
        objects(&self.entry.value, "versions").nth(self.version?)
    }

    /// Answers the config of the YAML, its version's included.
    pub(super) fn config(&self) -> Map<String, Json> {
        let mut config = self.entry.config();
        if let Some(version) = self.version() {
            deep_merge(&mut config, &object(version, "config"));
            for key in ["access", "docs"] {
                config.extend(version.get(key).map(|value| (key.to_owned(), value.clone())));
            }
        }
        config
    }

    pub(super) fn config_place(&self, key: &str) -> Option<Place> {
        self.entry.config_places.get(key).or(Some(&self.entry.place)).cloned()
    }

    /// Gives a node its version's name and id; its config depends on them.
    pub(super) fn name(&self, node: &mut Node) {
        let Some(version) = self.version().and_then(|version| version.get("v")) else { return };
        let shown = format!("v{}", printed(version));
        node.unique_id = format!("model.{}.{}.{shown}", node.package_name, self.entry.name);
        node.name.clone_from(&self.entry.name);
        if let Some(last) = node.fqn.last_mut() {
            last.clone_from(&self.entry.name);
        }
        node.fqn.push(shown);
        node.version = Some(version.clone());
        node.latest_version = latest_version(self.entry);
    }

    /// Applies all but the config.
    pub(super) fn describe(&self, node: &mut Node) {
        node.patch = Some(self.entry.place.clone());
        let own = self.version().map(|version| text(version, "description")).filter(|text| !text.is_empty());
        node.description = own.unwrap_or_else(|| self.entry.text("description")).to_owned();
        node.columns = columns::of_version(&self.entry.value, self.version());
        if node.resource_type != ResourceType::Model {
            return;
        }
        let of_version = |key: &str| self.version().and_then(|version| version.get(key)).filter(|value| is_set(value));
        let constraints = of_version("constraints").or_else(|| self.entry.value.get("constraints"));
        let constraints = constraints.and_then(Json::as_array).cloned().unwrap_or_default();
        let constraints: Vec<Json> = constraints.iter().filter_map(columns::model_constraint).collect();
        let of_entry = |key: &str| self.entry.value.get(key).filter(|_| self.version().is_none());
        let deprecated = of_version("deprecation_date").or_else(|| of_entry("deprecation_date"));
        node.properties.insert("deprecation_date".to_owned(), deprecated.cloned().unwrap_or(Json::Null));
        node.properties.insert("time_spine".to_owned(), of_entry("time_spine").map_or(Json::Null, time_spine));
        let of_columns = node.columns.values().flat_map(|column| &column.constraints);
        let named = of_columns.chain(&constraints).filter_map(|constraint| constraint.get("to")?.as_str());
        for reference in named.filter_map(reference).collect::<Vec<_>>() {
            match reference {
                Reference::Ref(call) => node.refs.push(call),
                Reference::Source(source) => node.sources.push(source),
            }
        }
        node.properties.insert("constraints".to_owned(), json!(constraints));
    }
}

fn is_set(value: &Json) -> bool {
    !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
}

fn time_spine(written: &Json) -> Json {
    let granularities = written.get("custom_granularities").and_then(Json::as_array).cloned().unwrap_or_default();
    let granularities: Vec<Json> = granularities
        .iter()
        .map(|one| json!({"name": one.get("name"), "column_name": one.get("column_name")}))
        .collect();
    json!({
        "standard_granularity_column": written.get("standard_granularity_column"),
        "custom_granularities": granularities,
    })
}

/// Lays one mapping over another, mappings inside them too.
pub(super) fn deep_merge(under: &mut Map<String, Json>, over: &Map<String, Json>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Json::Object(inner)), Json::Object(more)) => deep_merge(inner, more),
            (Some(slot), _) => *slot = value.clone(),
            (None, _) => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Is a `ref()` or `source()` that YAML writes as a text.
pub(super) enum Reference {
    Ref(RefCall),
    Source([String; 2]),
}

/// Reads `ref('x')`, `ref('package', 'x', v=2)` or `source('a', 'b')`.
pub(super) fn reference(written: &str) -> Option<Reference> {
    let (called, rest) = written.trim().split_once('(')?;
    let inside = rest.trim_end().strip_suffix(')')?;
    let (mut names, mut version) = (Vec::new(), None);
    for part in inside.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some((key, value)) if matches!(key.trim(), "v" | "version") => {
                let bare = value.trim().trim_matches(['\'', '"']);
                let is_text = bare.len() != value.trim().len();
                let number = bare.parse::<i64>().map(Json::from).or_else(|_| bare.parse::<f64>().map(Json::from));
                version = Some(number.ok().filter(|_| !is_text).unwrap_or_else(|| json!(bare)));
            }
            Some(_) => return None,
            None => names.push(part.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"'])?.to_owned()),
        }
    }
    match (called.trim(), names.as_slice()) {
        ("ref", [name]) => Some(Reference::Ref(RefCall { package: None, name: name.clone(), version })),
        ("ref", [package, name]) => {
            Some(Reference::Ref(RefCall { package: Some(package.clone()), name: name.clone(), version }))
        }
        ("source", [source, table]) => Some(Reference::Source([source.clone(), table.clone()])),
        _ => None,
    }
}
