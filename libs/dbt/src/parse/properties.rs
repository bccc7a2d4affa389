//! Reads the YAML files beside the nodes: entries of nodes, sources and generic tests.

use serde_json::{Map, Value as Json, json};

use super::generic;
use super::read::{Package, Reader, merge, not_read};
use crate::diagnostic::{Diagnostic, Place};
use crate::node::{GenericTest, Node, ResourceType};
use crate::yaml;

/// Is one entry of a properties file.
pub(super) struct Entry {
    section: String,
    pub(super) value: Map<String, Json>,
    pub(super) place: Place,
    /// The path inside its package's folder of models, without the file's name.
    below: Vec<String>,
}

/// Is what the YAML files of one package say.
#[derive(Default)]
pub(super) struct Properties {
    entries: Vec<Entry>,
}

impl Properties {
    pub(super) fn read(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut folders = package.definition.paths("model-paths", "models");
        for (key, default) in [
            ("seed-paths", "seeds"),
            ("analysis-paths", "analyses"),
            ("macro-paths", "macros"),
            ("test-paths", "tests"),
        ] {
            folders.extend(package.definition.paths(key, default));
        }
        let mut properties = Self::default();
        for (local, path, text) in package.files(&folders, &[".yml", ".yaml"]) {
            let document = yaml::read(&path, &text);
            diagnostics.extend(document.diagnostics);
            let Some(document) = document.value else { continue };
            let parts: Vec<String> = local.split('/').map(str::to_owned).collect();
            for (key, list) in document.entries() {
                let section = key.as_str().unwrap_or_default();
                match section {
                    "version" | "macros" | "anchors" => {}
                    "models" | "seeds" | "analyses" | "sources" | "data_tests" => {
                        properties.entries.extend(list.items().iter().filter_map(|item| {
                            Some(Entry {
                                section: section.to_owned(),
                                value: item.to_json().as_object()?.clone(),
                                place: yaml::place_of(&path, &text, item.span.start),
                                below: parts[1..parts.len() - 1].to_vec(),
                            })
                        }));
                    }
                    _ => diagnostics.push(not_read(&path, &text, key.span.start, &format!("`{section}`"))),
                }
            }
        }
        properties
    }

    pub(super) fn find(&self, kind: ResourceType, name: &str) -> Option<&Entry> {
        let section = match kind {
            ResourceType::Model => "models",
            ResourceType::Seed => "seeds",
            ResourceType::Source => "sources",
            ResourceType::Test => "data_tests",
            ResourceType::Analysis => "analyses",
        };
        self.entries.iter().find(|entry| entry.section == section && text(&entry.value, "name") == name)
    }
}

fn text<'a>(value: &'a Map<String, Json>, key: &str) -> &'a str {
    value.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Map<String, Json>, key: &str) -> impl Iterator<Item = &'a Map<String, Json>> {
    value.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object)
}

/// What a generic test stands on.
struct Target<'a> {
    name: &'a str,
    model: &'a str,
    unique_id: &'a str,
    prefix: &'a str,
}

impl Reader<'_> {
    pub(super) fn sources(&mut self, at: usize, properties: &Properties) {
        for entry in properties.entries.iter().filter(|entry| entry.section == "sources") {
            let source = text(&entry.value, "name");
            for table in list(&entry.value, "tables") {
                let name = text(table, "name");
                let below: Vec<&str> = entry.below.iter().map(String::as_str).chain([source, name]).collect();
                let mut node = self.blank(at, ResourceType::Source, &below.join("/"));
                node.unique_id = format!("source.{}.{source}.{name}", node.package_name);
                node.source_name = Some(source.to_owned());
                node.original_file_path = entry.place.path.clone();
                node.patch = Some(entry.place.clone());
                node.description = text(table, "description").to_owned();
                let mut config = self.configured(at, &node);
                for level in [&entry.value, table] {
                    let tags = level.get("tags").map(|tags| ("tags".to_owned(), tags.clone()));
                    merge(&mut config, &tags.into_iter().collect());
                    merge(&mut config, level.get("config").and_then(Json::as_object).unwrap_or(&Map::new()));
                }
                node.config = config;
                let environment = self.project.engine.settings().environment.clone();
                let given = [("database", environment.database.as_str()), ("schema", source), ("identifier", name)];
                for (key, default) in given {
                    let from = if key == "identifier" { table } else { &entry.value };
                    node.config.insert(key.to_owned(), from.get(key).cloned().unwrap_or_else(|| json!(default)));
                }
                self.render_config(&mut node);
                let mut take = |key| {
                    node.config.remove(key).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
                };
                (node.database, node.schema, node.alias) = (take("database"), take("schema"), take("identifier"));
                self.keep(node);
            }
        }
    }

    pub(super) fn generic_tests(&mut self, at: usize, properties: &Properties) {
        let package = self.packages[at].definition.name.clone();
        for entry in &properties.entries {
            let name = text(&entry.value, "name");
            match entry.section.as_str() {
                "models" | "seeds" => {
                    let unique_id = format!("{}.{package}.{name}", entry.section.trim_end_matches('s'));
                    let model = format!("{{{{ get_where_subquery(ref('{name}')) }}}}");
                    let target = Target { name, model: &model, unique_id: &unique_id, prefix: "" };
                    self.tests_of(at, entry, (&entry.value, &target));
                }
                "sources" => {
                    for table in list(&entry.value, "tables") {
                        let child = text(table, "name");
                        let model = format!("{{{{ get_where_subquery(source('{name}', '{child}')) }}}}");
                        let unique_id = format!("source.{package}.{name}.{child}");
                        let full = format!("{name}_{child}");
                        let target = Target { name: &full, model: &model, unique_id: &unique_id, prefix: "source_" };
                        self.tests_of(at, entry, (table, &target));
                    }
                }
                _ => {}
            }
        }
    }

    fn tests_of(&mut self, at: usize, entry: &Entry, (holder, target): (&Map<String, Json>, &Target<'_>)) {
        if !self.project.nodes.contains_key(target.unique_id) {
            return;
        }
        let columns = list(holder, "columns").map(|column| (column, Some(text(column, "name"))));
        for (level, column) in [(holder, None)].into_iter().chain(columns) {
            for key in ["tests", "data_tests"] {
                for written in level.get(key).and_then(Json::as_array).into_iter().flatten() {
                    if let Some((node, own)) = self.generic_test(at, (written, column), target) {
                        let entry =
                            Entry { section: String::new(), value: own, place: entry.place.clone(), below: Vec::new() };
                        let node = Node { original_file_path: entry.place.path.clone(), ..node };
                        self.finish(at, node, Some(&entry));
                    }
                }
            }
        }
    }

    fn generic_test(
        &self,
        at: usize,
        (written, column): (&Json, Option<&str>),
        target: &Target<'_>,
    ) -> Option<(Node, Map<String, Json>)> {
        let (called, mut kwargs) = match written {
            Json::String(name) => (name.clone(), Map::new()),
            Json::Object(map) => {
                let (name, args) = map.iter().find(|(_, value)| value.is_object())?;
                (name.clone(), args.as_object()?.clone())
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => return None,
        };
        let mut config = kwargs.remove("config").and_then(|value| value.as_object().cloned()).unwrap_or_default();
        for key in [
            "severity",
            "tags",
            "enabled",
            "where",
            "limit",
            "warn_if",
            "error_if",
            "fail_calc",
            "store_failures",
            "meta",
            "database",
            "schema",
            "alias",
        ] {
            config.extend(kwargs.remove(key).map(|value| (key.to_owned(), value)));
        }
        let custom = kwargs.remove("name").and_then(|name| name.as_str().map(str::to_owned));
        kwargs.remove("description");
        if let Some(Json::Object(arguments)) = kwargs.remove("arguments") {
            kwargs.extend(arguments);
        }
        kwargs.extend(column.map(|column| ("column_name".to_owned(), json!(column))));
        kwargs.insert("model".to_owned(), json!(target.model));
        let (namespace, name) =
            called.split_once('.').map_or((None, called.as_str()), |(space, name)| (Some(space), name));
        let kind = format!("{}{}{name}", namespace.map(|space| format!("{space}_")).unwrap_or_default(), target.prefix);
        let (full, alias) =
            custom.map_or_else(|| generic::names(&kind, target.name, &kwargs), |name| (name.clone(), name));
        let mut node = self.blank(at, ResourceType::Test, &full);
        let macro_name = namespace.map_or(format!("test_{name}"), |space| format!("{space}.test_{name}"));
        node.raw_code = format!("{{{{ {macro_name}(**_dbt_generic_test_kwargs) }}}}");
        if alias != full && !config.contains_key("alias") {
            config.insert("alias".to_owned(), json!(alias));
        }
        let test = GenericTest {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            kwargs,
            attached_node: target.unique_id.to_owned(),
            column_name: column.map(str::to_owned),
        };
        node.unique_id = format!("{}.{}", node.unique_id, generic::hash(&full, &test));
        node.test = Some(test);
        Some((node, json!({"config": config}).as_object().cloned().unwrap_or_default()))
    }
}
