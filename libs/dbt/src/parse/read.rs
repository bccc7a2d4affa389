//! Reads packages, then macros, then nodes, then the edges between them, in dbt's order.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::lookup::Lookup;
use super::memory::{Ground, Memory, Origins, ReadEntry, Same};
use super::names::Names;
use super::package::Package;
use super::patch::Patches;
use super::properties::Entry;
use super::{ParseInput, Project, docs};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::jinja::{Before, Engine, Error, MacroSource, Settings, YamlScope};
use crate::node::{Node, NodeMap, ResourceType, UniqueId};
use crate::project::{self, Definition, Found, Renderer};
use crate::tree::Path;
use crate::yaml::{self, Lines};

/// The packages that dbt itself brings.
const INTERNAL: [&str; 2] = ["dbt", "dbt_postgres"];

/// Reads one project, once.
pub(super) struct Reader<'a> {
    pub(super) packages: Vec<Package<'a>>,
    pub(super) project: Project,
    /// What the last reading left, empty where nothing of it holds any more.
    pub(super) before: Arc<Memory>,
    /// What this one leaves.
    pub(super) memory: Memory,
    /// Where the configs come from of nodes that are not kept yet.
    pub(super) origins: HashMap<UniqueId, Origins>,
    /// The nodes that the thing being read has made so far.
    pub(super) kept: Vec<(Arc<Node>, Arc<Origins>)>,
    pub(super) names: Names,
    /// What is wrong with the SQL of nodes that may be switched off.
    pub(super) judged: Vec<Diagnostic>,
    /// The tests whose macro is dbt's own and needs no rendering.
    pub(super) plain_tests: HashSet<&'static str>,
}

impl<'a> Reader<'a> {
    /// Begins to read, with what an earlier reading left.
    pub(super) fn new(input: ParseInput<'a>, before: Arc<Memory>) -> Self {
        let folder = input.root.trim_matches('/');
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let early = Engine::new(&[], settings(&[], input)).0;
        let mut project = blank_project(early.clone());
        let packages = match project::definition(input.tree, &folder) {
            Ok(definition) => {
                let (definition, found) = definition.rendered(&early);
                project.diagnostics.extend(found);
                let root = Found { definition, folder, tree: input.tree };
                let (found, missing, diagnostics) = project::find_packages(root, input.packages, &early);
                project.diagnostics.extend(diagnostics);
                project.diagnostics.extend(missing.iter().map(Diagnostic::from));
                project.missing = missing;
                found.into_iter().map(Package::new).collect()
            }
            Err(diagnostics) => {
                project.diagnostics.extend(diagnostics);
                Vec::new()
            }
        };
        let macros = macros(&packages);
        let known = before.ground.clone().filter(|ground| ground.is(input.environment, &packages, &macros));
        let before = if known.is_some() { before } else { Arc::default() };
        let ground = known.unwrap_or_else(|| {
            let engine = Engine::new(&macros, settings(&packages, input));
            Arc::new(Ground::new(input.environment, &packages, macros, engine))
        });
        project.engine = ground.engine.clone();
        project.diagnostics.extend(ground.diagnostics.iter().cloned());
        project.folders =
            packages.iter().map(|package| (package.definition.name.clone(), package.folder.clone())).collect();
        if let Some(root) = packages.first() {
            project.name.clone_from(&root.definition.name);
        }
        let own = |name: &str| {
            project
                .engine
                .macros()
                .iter()
                .any(|known| known.name == name && !INTERNAL.contains(&known.package.as_str()))
        };
        let plain_tests = ["not_null", "unique"].into_iter().filter(|name| !own(&format!("test_{name}"))).collect();
        let names = Names::of(&project.engine, &INTERNAL);
        let memory = Memory { ground: Some(ground), ..Memory::default() };
        let (origins, kept, judged) = (HashMap::new(), Vec::new(), Vec::new());
        Self { packages, project, before, memory, origins, kept, names, judged, plain_tests }
    }

    pub(super) fn read(mut self) -> Project {
        let mut entries = Vec::new();
        for at in 0..self.packages.len() {
            entries.extend(self.properties(at));
            docs::read(&self.packages[at], &mut self.project);
        }
        self.selectors();
        let patches = Patches::of(&entries);
        self.files(&patches);
        self.yaml_snapshots(&entries);
        self.project.lookup = self.lookup();
        for entry in &entries {
            self.entry_or_known(entry);
        }
        self.project.lookup = self.lookup();
        self.semantic_edges();
        self.unit_tests(&entries);
        self.describe();
        self.connect();
        self.check_cycles();
        self.check_relations();
        self.tell_judged();
        self.remember_broken();
        self.project.memory = Arc::new(self.memory);
        self.project
    }

    /// Reads an entry, unless that was done and its tests stand on the same.
    fn entry_or_known(&mut self, entry: &Arc<Entry>) {
        if entry.section == "macros" {
            return self.macro_patch(entry);
        }
        let (key, attached) = (Same(entry.clone()), self.attachments(entry));
        let known = self.before.entries.get(&key).filter(|known| known.attached == attached);
        let told = known.map(|known| known.told.clone()).unwrap_or_else(|| self.told(|reader| reader.entry(entry)));
        self.hear(&told);
        self.memory.entries.insert(key, ReadEntry { attached, told });
    }

    /// Reads an entry that makes nodes of its own.
    fn entry(&mut self, entry: &Entry) {
        match entry.section {
            "models" | "seeds" | "snapshots" => self.data_tests(entry),
            "sources" => self.source(entry),
            "exposures" => self.exposure(entry),
            "metrics" => self.metric(entry),
            "semantic_models" => self.semantic_model(entry),
            "saved_queries" => self.saved_query(entry),
            "groups" => self.group(entry),
            _ => {}
        }
    }

    fn lookup(&self) -> Lookup {
        let root = self.packages.first().map(|package| &package.definition);
        let own_first = root.is_some_and(|root| root.flag("require_ref_searches_node_package_before_root", false));
        Lookup::of(&self.project, own_first)
    }

    fn selectors(&mut self) {
        let Some(root) = self.packages.first() else { return };
        let path: Path = format!("{}selectors.yml", root.folder).into();
        let Some(text) = root.tree.find(&path).and_then(|file| file.text()) else { return };
        let document = yaml::read(&path, text);
        self.project.diagnostics.extend(document.diagnostics);
        let Some(value) = document.value else { return };
        let lines = Lines::of(text);
        let scope = YamlScope::Project { package: String::new() };
        let mut renderer = Renderer::new(&self.project.engine, scope, (&path, text, &lines));
        self.project.selectors = renderer.render(&value, &|_| false);
        let found = renderer.diagnostics;
        self.project.diagnostics.extend(found);
    }

    /// Reports an error of a node.
    pub(super) fn report(&mut self, unique_id: &str, error: Error) {
        self.project.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code: error.code.as_str().to_owned(),
            message: error.message,
            place: error.place,
            unique_id: Some(unique_id.to_owned()),
        });
    }

    /// Reports what is wrong with a node, by its code, at a place.
    pub(super) fn wrong(&mut self, unique_id: &str, code: &str, (message, place): (String, Option<Place>)) {
        let (code, unique_id) = (code.to_owned(), Some(unique_id.to_owned()));
        self.project.diagnostics.push(Diagnostic { severity: Severity::Error, code, message, place, unique_id });
    }

    /// Makes a node of a package that has nothing but its identity.
    pub(super) fn blank(&self, at: usize, resource_type: ResourceType, name: &str) -> Node {
        let package_name = self.packages[at].definition.name.clone();
        Node {
            unique_id: format!("{}.{package_name}.{name}", resource_type.as_str()),
            resource_type,
            alias: name.to_owned(),
            name: name.to_owned(),
            package_name,
            path: String::new(),
            original_file_path: "".into(),
            patch: None,
            fqn: Vec::new(),
            database: String::new(),
            schema: String::new(),
            description: String::new(),
            doc_blocks: Vec::new(),
            columns: IndexMap::new(),
            tags: Vec::new(),
            config: Map::new(),
            unrendered_config: Map::new(),
            depends_on: crate::node::DependsOn::default(),
            refs: Vec::new(),
            sources: Vec::new(),
            metrics: Vec::new(),
            raw_code: String::new(),
            code_offset: 0,
            code_before: Before::default(),
            language: "sql".to_owned(),
            checksum: None,
            version: None,
            latest_version: None,
            source_name: None,
            test: None,
            properties: Map::new(),
        }
    }

    /// Makes a node of a YAML entry.
    pub(super) fn of_entry(&self, entry: &Entry, resource_type: ResourceType, name: &str) -> Node {
        let mut node = self.blank(entry.at, resource_type, name);
        node.original_file_path = entry.file.clone();
        node.path.clone_from(&entry.relative);
        node.fqn = fqn(&node.package_name, &entry.relative, &[name]);
        node.description = entry.text("description").to_owned();
        node.patch = Some(entry.place.clone());
        node
    }

    fn remember_broken(&mut self) {
        for (at, found) in self.project.diagnostics.iter().enumerate() {
            if let (Severity::Error, Some(unique_id)) = (found.severity, &found.unique_id) {
                self.project.broken.entry(unique_id.clone()).or_insert(at);
            }
        }
    }
}

/// Answers the parts of a node's name in its project: the package, the folders of its file, then `names`.
pub(super) fn fqn(package: &str, relative: &str, names: &[&str]) -> Vec<String> {
    let folders = relative.rsplit_once('/').map(|(folders, _)| folders.split('/')).into_iter().flatten();
    [package].into_iter().chain(folders).chain(names.iter().copied()).map(str::to_owned).collect()
}

fn blank_project(engine: Engine) -> Project {
    Project {
        name: String::new(),
        engine,
        nodes: NodeMap::default(),
        disabled: NodeMap::default(),
        idle_tests: NodeMap::default(),
        memory: Arc::default(),
        docs: IndexMap::new(),
        macro_patches: IndexMap::new(),
        folders: IndexMap::new(),
        selectors: Json::Null,
        missing: Vec::new(),
        origins: HashMap::new(),
        lookup: Lookup::default(),
        diagnostics: Vec::new(),
        broken: HashMap::new(),
    }
}

/// Lists the files of macros and generic tests.
fn macros(packages: &[Package<'_>]) -> Vec<MacroSource> {
    let mut sources = Vec::new();
    for package in packages {
        let definition = &package.definition;
        let mut folders = definition.paths("macro-paths");
        folders.extend(definition.paths("test-paths").iter().map(|folder| format!("{folder}/generic")));
        for file in package.below(&folders, &[".sql"]) {
            let Some(text) = file.file.text() else { continue };
            let path = file.path.clone();
            sources.push(MacroSource { package: definition.name.clone(), path, source: Arc::from(text) });
        }
    }
    sources
}

fn settings(packages: &[Package<'_>], input: ParseInput<'_>) -> Settings {
    let root = packages.first().map(|package| &package.definition);
    let vars = packages.iter().map(|package| (package.definition.name.clone(), vars(&package.definition, root)));
    Settings {
        environment: input.environment.clone(),
        root_package: root.map(|root| root.name.clone()).unwrap_or_default(),
        packages: packages.iter().skip(1).map(|package| package.definition.name.clone()).collect(),
        versions: packages.iter().filter_map(|package| version(&package.definition)).collect(),
        flags: root.and_then(|root| root.yaml.get("flags")?.as_object().cloned()).unwrap_or_default(),
        dispatch: root.map(Definition::dispatch).unwrap_or_default(),
        vars: vars.collect(),
        quoting: root.map(Definition::quoting).unwrap_or_default(),
        which: "compile".to_owned(),
        full_refresh: false,
    }
}

fn version(definition: &Definition) -> Option<(String, Json)> {
    Some((definition.name.clone(), definition.yaml.get("version")?.clone()))
}

/// Answers the variables of a package: its own, then the root's, each with what it says for this package alone.
fn vars(package: &Definition, root: Option<&Definition>) -> Json {
    let mut all = Map::new();
    for source in [Some(package), root].into_iter().flatten() {
        let given = source.yaml.get("vars").and_then(Json::as_object);
        all.extend(given.cloned().unwrap_or_default());
        let scoped = given.and_then(|vars| vars.get(&package.name)?.as_object());
        all.extend(scoped.cloned().unwrap_or_default());
    }
    Json::Object(all)
}
