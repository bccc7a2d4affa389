//! Reads the generic tests that YAML entries declare.

use serde_json::{Map, Value as Json, json};

use super::columns::written_of_version;
use super::generic;
use super::names::text as printed;
use super::properties::{Entry, object, objects, text, texts};
use super::read::{Reader, fqn};
use crate::jinja::{RefCall, YamlScope};
use crate::node::{GenericTest, Node, ResourceType};

/// The keys of a test that are its config, in dbt's order.
pub(crate) const CONFIG_KEYS: [&str; 14] = [
    "severity",
    "tags",
    "enabled",
    "where",
    "limit",
    "warn_if",
    "error_if",
    "fail_calc",
    "store_failures",
    "store_failures_as",
    "meta",
    "database",
    "schema",
    "alias",
];

/// Is what a test stands on.
pub(super) struct Target<'a> {
    /// As the test's name shows it.
    pub(super) name: String,
    /// What the macro's argument `model` renders to.
    pub(super) relation: String,
    /// What comes before the macro's name in the test's name.
    pub(super) prefix: &'static str,
    /// The section and the name that dbt files the test under.
    pub(super) file_key: String,
    pub(super) reads: Reads,
    /// The tags of its tests.
    pub(super) tags: Vec<String>,
    pub(super) entry: &'a Entry,
}

/// Says what a test reads without rendering anything.
#[derive(Clone)]
pub(super) enum Reads {
    Ref(RefCall),
    Source([String; 2]),
}

/// Is a test as it is written, taken apart.
struct Written {
    name: String,
    namespace: Option<String>,
    config: Map<String, Json>,
    kwargs: Map<String, Json>,
    custom_name: Option<String>,
    description: String,
}

impl Reader<'_> {
    /// Reads the tests of a model, a seed or a snapshot.
    pub(super) fn data_tests(&mut self, entry: &Entry) {
        let versions: Vec<&Map<String, Json>> = objects(&entry.value, "versions").collect();
        if versions.is_empty() {
            let target = target(entry, None);
            self.tests_on(&entry.value, (None, &target));
        }
        for version in versions {
            let target = target(entry, version.get("v"));
            self.tests_on(&entry.value, (Some(version), &target));
        }
    }

    /// Reads the tests of what `holder` describes: those of its columns, then its own.
    pub(super) fn tests_on(
        &mut self,
        holder: &Map<String, Json>,
        (version, target): (Option<&Map<String, Json>>, &Target<'_>),
    ) {
        let quotes = holder.get("quote_columns").and_then(Json::as_bool);
        for column in written_of_version(holder, version) {
            let name = text(column, "name");
            let is_quoted = column.get("quote").and_then(Json::as_bool).or(quotes).unwrap_or(false);
            let name = if is_quoted { format!("\"{name}\"") } else { name.to_owned() };
            let mut tags = texts(column, "tags");
            tags.extend(texts(&object(column, "config"), "tags"));
            for test in tests_of(column) {
                self.data_test(test, target, Some((&name, &tags)));
            }
        }
        let own = version.filter(|version| version.contains_key("data_tests") || version.contains_key("tests"));
        for test in tests_of(own.unwrap_or(holder)) {
            self.data_test(test, target, None);
        }
    }

    fn data_test(&mut self, test: &Json, target: &Target<'_>, column: Option<(&str, &[String])>) {
        let written = match self.take_apart(test, target, column.map(|(name, _)| name)) {
            Ok(written) => written,
            Err(message) => return self.project.diagnostics.push(target.entry.broken(message)),
        };
        let mut tags: Vec<String> = target.tags.clone();
        tags.extend(column.into_iter().flat_map(|(_, tags)| tags.iter().cloned()));
        tags.extend(texts(&written.config, "tags"));
        tags.sort();
        tags.dedup();
        let (node, calls) = self.test_node(written, target, column.map(|(name, _)| name));
        self.keep_test(Node { tags, ..node }, calls, target);
    }

    /// Takes a test apart into its macro, its config and its arguments.
    fn take_apart(&self, test: &Json, target: &Target<'_>, column: Option<&str>) -> Result<Written, String> {
        let (called, mut kwargs) = called(test)?;
        kwargs.extend(column.map(|column| ("column_name".to_owned(), json!(column))));
        let has_arguments = self.packages[0].definition.flag("require_generic_test_arguments_property", true);
        if let Some(Json::Object(arguments)) = kwargs.get("arguments").filter(|_| has_arguments).cloned() {
            kwargs.shift_remove("arguments");
            kwargs.extend(arguments);
        }
        if kwargs.contains_key("model") {
            return Err(format!("the test `{called}` may not have an argument named model"));
        }
        let (namespace, name) = match called.split_once('.') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
            None => (None, called),
        };
        let mut nested = match kwargs.shift_remove("config") {
            Some(Json::Object(config)) => config,
            Some(_) | None => Map::new(),
        };
        let mut config = Map::new();
        for key in CONFIG_KEYS {
            let value = kwargs.shift_remove(key).filter(|value| !value.is_null());
            config.extend(value.or_else(|| nested.shift_remove(key)).map(|value| (key.to_owned(), value)));
        }
        config.extend(nested);
        let config = self.rendered(config, &self.packages[target.entry.at].definition.name)?;
        let mut take = |key| kwargs.shift_remove(key).and_then(|value| value.as_str().map(str::to_owned));
        let (description, custom_name) = (take("description").unwrap_or_default(), take("name"));
        kwargs.insert("model".to_owned(), json!(target.relation));
        Ok(Written { name, namespace, config, kwargs, custom_name, description })
    }

    /// Renders the texts of a test's config.
    fn rendered(&self, config: Map<String, Json>, package: &str) -> Result<Map<String, Json>, String> {
        let mut rendered = Map::new();
        for (key, value) in config {
            let value = match value.as_str().filter(|text| text.contains('{')) {
                Some(text) => {
                    let scope = YamlScope::Project { package: package.to_owned() };
                    self.project.engine.render_value(text, &scope).map_err(|error| error.message)?
                }
                None => value,
            };
            if !value.is_null() {
                rendered.insert(key, value);
            }
        }
        Ok(rendered)
    }

    fn test_node(&self, written: Written, target: &Target<'_>, column: Option<&str>) -> (Node, Vec<Map<String, Json>>) {
        let Written { name, namespace, mut config, kwargs, custom_name, description } = written;
        let space = namespace.as_ref().map(|space| format!("{space}_")).unwrap_or_default();
        let kind = format!("{space}{}{name}", target.prefix);
        let (full, short) = match custom_name {
            Some(name) => (name.clone(), name),
            None => generic::names(&kind, &target.name, &kwargs),
        };
        if short != full && !config.contains_key("alias") {
            config.insert("alias".to_owned(), json!(short));
        }
        let mut node = self.blank(target.entry.at, ResourceType::Test, &full);
        node.path = format!("{short}.sql");
        node.original_file_path = target.entry.file.clone();
        let below = target.entry.local.split_once('/').map_or(target.entry.local.as_str(), |(_, below)| below);
        node.fqn = fqn(&node.package_name, below, &[&full]);
        node.description = description;
        node.patch = Some(target.entry.place.clone());
        let called = namespace.as_ref().map_or(format!("test_{name}"), |space| format!("{space}.test_{name}"));
        node.raw_code = format!("{{{{ {called}(**_dbt_generic_test_kwargs) }}}}{}", generic::config_call(&config));
        let test = GenericTest {
            name,
            namespace,
            kwargs,
            attached_node: String::new(),
            column_name: column.map(str::to_owned),
            file_key_name: target.file_key.clone(),
        };
        node.unique_id = format!("{}.{}", node.unique_id, generic::hash(&full, &test));
        node.test = Some(test);
        (node, vec![config])
    }

    fn keep_test(&mut self, mut node: Node, mut calls: Vec<Map<String, Json>>, target: &Target<'_>) {
        let name = node.test.as_ref().map(|test| test.name.clone()).unwrap_or_default();
        if self.plain_tests.contains(name.as_str()) && node.test.as_ref().is_some_and(|test| test.namespace.is_none()) {
            node.depends_on.macros.push(format!("macro.dbt.test_{name}"));
            match target.reads.clone() {
                Reads::Ref(call) => node.refs.push(call),
                Reads::Source(source) => node.sources.push(source),
            }
        } else {
            calls.extend(self.parse_code(&mut node));
        }
        let attached = match &target.reads {
            Reads::Ref(call) => self.attached(&node.package_name, call).map(|attached| {
                let group = attached.config.get("group").cloned().unwrap_or(Json::Null);
                (attached.unique_id.clone(), group)
            }),
            Reads::Source([source, table]) => {
                Some((format!("source.{}.{source}.{table}", node.package_name), Json::Null))
            }
        };
        if let (Some((attached, group)), Some(test)) = (attached, &mut node.test) {
            test.attached_node = attached;
            node.properties.insert("group".to_owned(), group);
        }
        self.settle(target.entry.at, node, (None, calls));
    }

    /// Finds the node that a test stands on, switched on or not.
    fn attached(&self, package: &str, call: &RefCall) -> Option<&Node> {
        let id = self.project.lookup.attached(package, call)?;
        self.project.nodes.get(id).or_else(|| self.project.disabled.get(id))
    }

    /// Answers what the tests of an entry stand on, for each of its versions: the node and its group.
    pub(super) fn attachments(&self, entry: &Entry) -> Vec<Option<(String, String)>> {
        if !matches!(entry.section, "models" | "seeds" | "snapshots") {
            return Vec::new();
        }
        let package = &self.packages[entry.at].definition.name;
        let versions: Vec<&Map<String, Json>> = objects(&entry.value, "versions").collect();
        let versions = if versions.is_empty() { vec![None] } else { versions.iter().map(|v| v.get("v")).collect() };
        let attached = versions.into_iter().map(|version| {
            let call = RefCall { package: None, name: entry.name.clone(), version: version.cloned() };
            let node = self.attached(package, &call)?;
            let group = node.config.get("group").map(Json::to_string).unwrap_or_default();
            Some((node.unique_id.clone(), group))
        });
        attached.collect()
    }
}

fn target<'a>(entry: &'a Entry, version: Option<&Json>) -> Target<'a> {
    let name = &entry.name;
    let shown = version.map(printed);
    let (shown_name, relation) = match &shown {
        Some(version) => (format!("{name}_v{version}"), format!("ref('{name}', version='{version}')")),
        None => (name.clone(), format!("ref('{name}')")),
    };
    Target {
        name: shown_name,
        relation: format!("{{{{ get_where_subquery({relation}) }}}}"),
        prefix: "",
        file_key: format!("{}.{name}", entry.section),
        reads: Reads::Ref(RefCall { package: None, name: name.clone(), version: version.cloned() }),
        tags: Vec::new(),
        entry,
    }
}

/// Lists the tests of a node or a column, by either name of the key.
fn tests_of(holder: &Map<String, Json>) -> impl Iterator<Item = &Json> {
    let listed = ["data_tests", "tests"].into_iter().find_map(|key| holder.get(key)?.as_array());
    listed.into_iter().flatten()
}

/// Answers the macro that a test names and what is written below it.
fn called(test: &Json) -> Result<(String, Map<String, Json>), String> {
    match test {
        Json::String(name) => Ok((name.clone(), Map::new())),
        Json::Object(map) if map.contains_key("test_name") => {
            let mut arguments = map.clone();
            let name = arguments.shift_remove("test_name").and_then(|name| name.as_str().map(str::to_owned));
            Ok((name.ok_or("the name of a test is a text")?, arguments))
        }
        Json::Object(map) => match map.iter().collect::<Vec<_>>().as_slice() {
            [(name, Json::Object(arguments))] => Ok(((*name).clone(), arguments.clone())),
            [(name, _)] => Err(format!("what stands below the test `{name}` is a mapping")),
            _ => Err("a test is a mapping with one key, its name".to_owned()),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => {
            Err("a test is a name, or a mapping with one key, its name".to_owned())
        }
    }
}
