//! Reads packages, then macros, then nodes, then the edges between them.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::graph::{context_of, json_of};
use super::properties::{Entry, Properties};
use super::{ParseInput, Project};
use crate::diagnostic::{Diagnostic, Severity};
use crate::jinja::{Engine, Error, MacroSource, NodeContext, Parsed, Settings, YamlScope};
use crate::node::{Column, DependsOn, Node, ResourceType};
use crate::project::{Definition, definition};
use crate::tree::{Path, Tree};
use crate::yaml;

/// Is one package with its files.
pub(super) struct Package<'a> {
    pub(super) definition: Definition,
    /// The folder of its dbt_project.yml, `""` or ending in `/`.
    pub(super) folder: String,
    pub(super) tree: &'a Tree,
}

impl Package<'_> {
    /// Lists the files below one of `folders` whose names end with `ending`: (path inside the package, path, text).
    pub(super) fn files(&self, folders: &[String], endings: &[&str]) -> Vec<(String, Path, String)> {
        let inside = |path: &str| {
            folders.iter().any(|folder| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        let wanted = |path: &str| inside(path) && endings.iter().any(|ending| path.ends_with(ending));
        let listed = self.tree.iter().filter_map(|(path, file)| {
            let local = path.strip_prefix(self.folder.as_str()).filter(|local| wanted(local))?;
            Some((local.to_owned(), path.clone(), file.text()?.replace("\r\n", "\n")))
        });
        listed.collect()
    }
}

/// Reads one project, once.
pub(super) struct Reader<'a> {
    pub(super) packages: Vec<Package<'a>>,
    pub(super) project: Project,
    /// What pass 1 found in each node, until all nodes are known.
    pub(super) parsed: HashMap<String, Parsed>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: ParseInput<'a>) -> Self {
        let folder = input.root.trim_matches('/');
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let (packages, mut diagnostics) = packages(input, folder);
        let (engine, found) = engine(&packages, input);
        diagnostics.extend(found);
        let name = packages.first().map(|package| package.definition.name.clone()).unwrap_or_default();
        let (nodes, disabled) = (IndexMap::new(), IndexMap::new());
        Self { packages, project: Project { name, engine, nodes, disabled, diagnostics }, parsed: HashMap::new() }
    }

    pub(super) fn read(mut self) -> Project {
        for at in 0..self.packages.len() {
            let properties = Properties::read(&self.packages[at], &mut self.project.diagnostics);
            self.unsupported(at);
            self.folder(at, ("model-paths", "models"), (ResourceType::Model, ".sql"), &properties);
            self.folder(at, ("seed-paths", "seeds"), (ResourceType::Seed, ".csv"), &properties);
            self.folder(at, ("analysis-paths", "analyses"), (ResourceType::Analysis, ".sql"), &properties);
            self.folder(at, ("test-paths", "tests"), (ResourceType::Test, ".sql"), &properties);
            self.sources(at, &properties);
            self.generic_tests(at, &properties);
        }
        self.connect();
        self.project
    }

    pub(super) fn report(&mut self, unique_id: &str, error: Error) {
        self.project.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code: error.code.as_str().to_owned(),
            message: error.message,
            place: error.place,
            unique_id: Some(unique_id.to_owned()),
        });
    }

    fn unsupported(&mut self, at: usize) {
        let package = &self.packages[at];
        let snapshots =
            package.files(&package.definition.paths("snapshot-paths", "snapshots"), &[".sql", ".yml", ".yaml"]);
        let python = package.files(&package.definition.paths("model-paths", "models"), &[".py"]);
        for (_, path, text) in snapshots.into_iter().chain(python) {
            self.project.diagnostics.push(not_read(&path, &text, 0, "snapshots and Python models"));
        }
    }

    fn folder(&mut self, at: usize, paths: (&str, &str), kind: (ResourceType, &str), properties: &Properties) {
        let folders = self.packages[at].definition.paths(paths.0, paths.1);
        for (local, path, text) in self.packages[at].files(&folders, &[kind.1]) {
            if kind.0 == ResourceType::Test && local.split('/').nth(1) == Some("generic") {
                continue;
            }
            let below = folders.iter().find_map(|folder| local.strip_prefix(&format!("{folder}/"))).unwrap_or(&local);
            let mut node = self.blank(at, kind.0, below.trim_end_matches(kind.1));
            node.original_file_path = path;
            node.raw_code = if kind.0 == ResourceType::Seed { String::new() } else { text.trim().to_owned() };
            let entry = properties.find(kind.0, &node.name);
            self.finish(at, node, entry);
        }
    }

    /// Makes a node of a path without its ending.
    pub(super) fn blank(&self, at: usize, resource_type: ResourceType, below: &str) -> Node {
        let package_name = self.packages[at].definition.name.clone();
        let name = below.rsplit('/').next().unwrap_or(below).to_owned();
        let prefix = match resource_type {
            ResourceType::Analysis => Some("analysis".to_owned()),
            ResourceType::Model | ResourceType::Seed | ResourceType::Source | ResourceType::Test => None,
        };
        let fqn = [package_name.clone()].into_iter().chain(prefix).chain(below.split('/').map(str::to_owned)).collect();
        Node {
            unique_id: format!("{}.{package_name}.{name}", resource_type.as_str()),
            resource_type,
            alias: name.clone(),
            name,
            package_name,
            original_file_path: "".into(),
            patch: None,
            fqn,
            database: String::new(),
            schema: String::new(),
            description: String::new(),
            columns: IndexMap::new(),
            tags: Vec::new(),
            config: Map::new(),
            depends_on: DependsOn::default(),
            raw_code: String::new(),
            source_name: None,
            test: None,
        }
    }

    /// Runs pass 1 over a node, resolves its config and names, and keeps it.
    pub(super) fn finish(&mut self, at: usize, mut node: Node, entry: Option<&Entry>) {
        let mut config = self.configured(at, &node);
        if let Some(entry) = entry {
            node.patch = Some(entry.place.clone());
            describe(&mut node, &entry.value);
            let own = ["tags", "docs", "access", "group", "latest_version"];
            merge(
                &mut config,
                &own.iter().filter_map(|key| Some(((*key).to_owned(), entry.value.get(*key)?.clone()))).collect(),
            );
            merge(&mut config, entry.value.get("config").and_then(Json::as_object).unwrap_or(&Map::new()));
        }
        let settings = self.project.engine.settings().environment.clone();
        (node.database, node.schema) = (settings.database, settings.schema);
        let context = NodeContext { depends_on: None, ..context_of(&node) };
        match self.project.engine.parse(&context) {
            Ok(parsed) => {
                parsed.config_calls.iter().for_each(|call| merge(&mut config, call));
                node.depends_on.macros.clone_from(&parsed.macros);
                self.parsed.insert(node.unique_id.clone(), parsed);
            }
            Err(error) => self.report(&node.unique_id, error),
        }
        node.config = config;
        self.render_config(&mut node);
        if let Err(error) = self.name(&mut node) {
            self.report(&node.unique_id, error);
        }
        self.keep(node);
    }

    pub(super) fn keep(&mut self, node: Node) {
        if node.config.get("enabled") == Some(&Json::Bool(false)) {
            self.project.disabled.insert(node.unique_id.clone(), node);
        } else if let Some(known) = self.project.nodes.get(&node.unique_id) {
            let message = format!(
                "{} is defined in {} and again in {}",
                node.name, known.original_file_path, node.original_file_path
            );
            let place = Some(yaml::place_of(&node.original_file_path, "", 0));
            let (code, unique_id) = ("MODEL_DUPLICATE".to_owned(), Some(node.unique_id));
            self.project.diagnostics.push(Diagnostic { severity: Severity::Error, code, message, place, unique_id });
        } else {
            self.project.nodes.insert(node.unique_id.clone(), node);
        }
    }

    pub(super) fn configured(&self, at: usize, node: &Node) -> Map<String, Json> {
        let (section, materialized) = match node.resource_type {
            ResourceType::Model => ("models", "view"),
            ResourceType::Seed => ("seeds", "seed"),
            ResourceType::Source => ("sources", "view"),
            ResourceType::Test => ("data_tests", "test"),
            ResourceType::Analysis => ("analyses", "view"),
        };
        let mut config = json!({"enabled": true, "materialized": materialized, "tags": [], "meta": {}});
        let mut merged = config.as_object_mut().map(std::mem::take).unwrap_or_default();
        let aliases: &[&str] = if section == "data_tests" { &["tests", "data_tests"] } else { &[section] };
        let owners = if at == 0 { vec![0] } else { vec![at, 0] };
        for level in owners
            .iter()
            .flat_map(|owner| aliases.iter().flat_map(|name| self.packages[*owner].definition.configs(name, &node.fqn)))
        {
            merge(&mut merged, &level);
        }
        if node.resource_type == ResourceType::Test && !merged.contains_key("schema") {
            merged.insert("schema".to_owned(), json!("dbt_test__audit"));
        }
        merged
    }

    pub(super) fn render_config(&mut self, node: &mut Node) {
        for (key, value) in &mut node.config {
            let Some(text) = value.as_str().filter(|text| text.contains("{{") && !key.ends_with("hook")) else {
                continue;
            };
            match self.project.engine.render_value(text, &YamlScope::Project { package: node.package_name.clone() }) {
                Ok(rendered) => *value = rendered,
                Err(error) => self.project.diagnostics.push(Diagnostic {
                    severity: Severity::Error,
                    code: error.code.as_str().to_owned(),
                    message: error.message,
                    place: node.patch.clone(),
                    unique_id: Some(node.unique_id.clone()),
                }),
            }
        }
        let tags = node.config.get("tags").and_then(Json::as_array);
        node.tags =
            tags.map(|tags| tags.iter().filter_map(Json::as_str).map(str::to_owned).collect()).unwrap_or_default();
    }

    fn name(&self, node: &mut Node) -> Result<(), Error> {
        let context = context_of(node);
        let model = Json::Object(json_of(node));
        let ask = |macro_name: &str, key: &str| {
            let custom = node.config.get(key).cloned().unwrap_or(Json::Null);
            let answer = self.project.engine.call_macro(macro_name, &[custom, model.clone()], &context)?;
            Ok::<_, Error>(answer.as_str().unwrap_or_default().trim().to_owned())
        };
        let names = (
            ask("generate_database_name", "database")?,
            ask("generate_schema_name", "schema")?,
            ask("generate_alias_name", "alias")?,
        );
        (node.database, node.schema, node.alias) = names;
        Ok(())
    }

    fn connect(&mut self) {
        for unique_id in self.project.nodes.keys().cloned().collect::<Vec<_>>() {
            let Some(parsed) = self.parsed.remove(&unique_id) else { continue };
            let package = self.project.nodes[&unique_id].package_name.clone();
            let refs = parsed.refs.iter().map(|call| self.project.referred(&package, call));
            let sources = parsed.sources.iter().map(|[source, table]| self.project.sourced(source, table));
            let mut parents: Vec<String> = Vec::new();
            let mut failures = Vec::new();
            for found in refs.chain(sources) {
                match found {
                    Ok(node) if parents.contains(&node.unique_id) => {}
                    Ok(node) => parents.push(node.unique_id.clone()),
                    Err(error) => failures.push(error),
                }
            }
            failures.into_iter().for_each(|error| self.report(&unique_id, error));
            self.project.nodes[&unique_id].depends_on.nodes = parents;
        }
    }
}

/// Says that something is not read yet.
pub(super) fn not_read(path: &Path, text: &str, at: usize, what: &str) -> Diagnostic {
    let message = format!("{what} are not supported yet");
    let place = Some(yaml::place_of(path, text, at));
    Diagnostic { severity: Severity::Error, code: "MEMBER_NOT_SUPPORTED".to_owned(), message, place, unique_id: None }
}

fn describe(node: &mut Node, entry: &Map<String, Json>) {
    let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    node.description = entry.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
    for column in entry.get("columns").and_then(Json::as_array).into_iter().flatten() {
        let data_type = column.get("data_type").and_then(Json::as_str).map(str::to_owned);
        let made = Column { name: text(column, "name"), description: text(column, "description"), data_type };
        node.columns.insert(made.name.clone(), made);
    }
}

/// Lays `over` on a config as dbt does: tags add up, meta merges, all else is replaced.
pub(super) fn merge(config: &mut Map<String, Json>, over: &Map<String, Json>) {
    for (key, value) in over {
        match (key.as_str(), config.get_mut(key), value) {
            ("tags", Some(Json::Array(tags)), Json::Array(more)) => tags.extend(more.iter().cloned()),
            ("tags", Some(Json::Array(tags)), Json::String(_)) => tags.push(value.clone()),
            ("meta", Some(Json::Object(meta)), Json::Object(more)) => meta.extend(more.clone()),
            (_, Some(slot), _) => *slot = value.clone(),
            (_, None, _) => {
                config.insert(key.clone(), value.clone());
            }
        }
    }
}

fn packages(input: ParseInput<'_>, folder: String) -> (Vec<Package<'_>>, Vec<Diagnostic>) {
    let root = match definition(input.tree, &folder) {
        Ok(definition) => Package { definition, folder, tree: input.tree },
        Err(diagnostics) => return (Vec::new(), diagnostics),
    };
    let (mut packages, mut diagnostics) = (vec![root], Vec::new());
    for (path, _) in input.packages.iter() {
        let parts: Vec<&str> = path.split('/').collect();
        if let ["dbt_packages", name, "dbt_project.yml"] = parts.as_slice() {
            let folder = format!("dbt_packages/{name}/");
            match definition(input.packages, &folder) {
                Ok(definition) => packages.push(Package { definition, folder, tree: input.packages }),
                Err(found) => diagnostics.extend(found),
            }
        }
    }
    (packages, diagnostics)
}

fn engine(packages: &[Package<'_>], input: ParseInput<'_>) -> (Engine, Vec<Diagnostic>) {
    let mut sources = Vec::new();
    let mut vars = Map::new();
    for package in packages {
        let definition = &package.definition;
        let mut folders = definition.paths("macro-paths", "macros");
        folders.extend(definition.paths("test-paths", "tests").iter().map(|folder| format!("{folder}/generic")));
        for (_, path, text) in package.files(&folders, &[".sql"]) {
            sources.push(MacroSource { package: definition.name.clone(), path, source: Arc::from(text) });
        }
        let mut own = Map::new();
        for source in [definition, &packages[0].definition] {
            let given = source.yaml.get("vars").and_then(Json::as_object);
            own.extend(given.cloned().unwrap_or_default());
            let scoped = given.and_then(|vars| vars.get(&definition.name)?.as_object());
            own.extend(scoped.cloned().unwrap_or_default());
        }
        vars.insert(definition.name.clone(), Json::Object(own));
    }
    let root = packages.first().map(|package| &package.definition);
    let settings = Settings {
        environment: input.environment.clone(),
        root_package: root.map(|root| root.name.clone()).unwrap_or_default(),
        packages: packages.iter().skip(1).map(|package| package.definition.name.clone()).collect(),
        dispatch: root.map(Definition::dispatch).unwrap_or_default(),
        vars,
        quoting: root.map(Definition::quoting).unwrap_or_default(),
        which: "compile".to_owned(),
        full_refresh: false,
    };
    Engine::new(&sources, settings)
}
