//! Reads what stands around the nodes: dbt_project.yml, packages, selectors.yml.
//!
//! Responsible for paths, variables and the trees of configs; what a config means is `parse`'s.

mod configs;
mod packages;
mod render;

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::diagnostic::{Diagnostic, Severity};
use crate::jinja::{DispatchConfig, Engine, Quoting, YamlScope};
use crate::tree::{Path, Tree};
use crate::yaml::{self, Lines, Value};

pub(crate) use configs::Configs;
pub use packages::MissingPackage;
pub(crate) use packages::{Found, find as find_packages};
pub(crate) use render::Renderer;

/// The sections that hold configs, with the older names that dbt still reads.
const SECTIONS: [(&str, &[&str]); 10] = [
    ("models", &["models"]),
    ("seeds", &["seeds"]),
    ("snapshots", &["snapshots"]),
    ("sources", &["sources"]),
    ("data_tests", &["data_tests", "data-tests", "tests"]),
    ("unit_tests", &["unit_tests", "unit-tests"]),
    ("metrics", &["metrics"]),
    ("semantic_models", &["semantic-models", "semantic_models"]),
    ("saved_queries", &["saved-queries", "saved_queries"]),
    ("exposures", &["exposures"]),
];

/// The folders of a package by their keys, with what dbt takes where the key is missing.
const FOLDERS: [(&str, &str); 7] = [
    ("model-paths", "models"),
    ("seed-paths", "seeds"),
    ("snapshot-paths", "snapshots"),
    ("analysis-paths", "analyses"),
    ("macro-paths", "macros"),
    ("test-paths", "tests"),
    ("function-paths", "functions"),
];

/// Is what dbt_project.yml says.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub name: String,
    /// Before its Jinja is rendered; [`definition`] alone renders nothing.
    pub yaml: Map<String, Json>,
    path: Path,
    text: String,
    document: Value,
    sections: HashMap<&'static str, Configs>,
}

/// Reads the dbt_project.yml of `folder` (`""` or ending in `/`).
///
/// # Errors
/// What is wrong with the file; it is missing, unreadable or names no project.
pub fn definition(tree: &Tree, folder: &str) -> Result<Definition, Vec<Diagnostic>> {
    let path: Path = format!("{folder}dbt_project.yml").into();
    let broken = |message: &str| vec![invalid(&path, message)];
    let file = tree.find(&path).ok_or_else(|| broken("there is no dbt_project.yml"))?;
    let text = file.text().ok_or_else(|| broken("dbt_project.yml is not UTF-8"))?;
    let read = yaml::read(&path, text);
    let document = match read.value {
        Some(value) if !value.entries().is_empty() => value,
        Some(_) | None if read.diagnostics.is_empty() => return Err(broken("dbt_project.yml is empty")),
        Some(_) | None => return Err(read.diagnostics),
    };
    let Json::Object(yaml) = document.to_json() else { return Err(broken("dbt_project.yml is no mapping")) };
    let name = yaml.get("name").and_then(Json::as_str).ok_or_else(|| broken("dbt_project.yml names no project"))?;
    let (name, text) = (name.to_owned(), text.to_owned());
    Ok(Definition { name, yaml, path, text, document, sections: HashMap::new() })
}

fn invalid(path: &Path, message: &str) -> Diagnostic {
    let (code, message) = ("PROJECT_INVALID".to_owned(), message.to_owned());
    let place = Some(yaml::place_of(path, "", 0));
    Diagnostic { severity: Severity::Error, code, message, place, unique_id: None }
}

/// Says what of dbt_project.yml dbt renders only when it is used.
fn is_late(keys: &[String]) -> bool {
    let Some(first) = keys.first() else { return false };
    let has_configs = ["seeds", "models", "snapshots", "tests", "data_tests"].contains(&first.as_str());
    let is_hook = |key: &String| {
        matches!(key.trim_start_matches(['+', ' ']), "pre-hook" | "post-hook" | "pre_hook" | "post_hook")
    };
    matches!(first.as_str(), "on-run-start" | "on-run-end" | "query-comment" | "vars")
        || (has_configs && keys.iter().any(is_hook))
}

impl Definition {
    /// Renders the file's Jinja, as dbt does before it looks at anything.
    pub(crate) fn rendered(mut self, engine: &Engine) -> (Self, Vec<Diagnostic>) {
        let scope = YamlScope::Project { package: String::new() };
        let lines = Lines::of(&self.text);
        let mut renderer = Renderer::new(engine, scope, (&self.path, &self.text, &lines));
        let rendered = renderer.render(&self.document, &is_late);
        let diagnostics = renderer.diagnostics;
        if let Json::Object(yaml) = rendered {
            self.yaml = yaml;
        }
        for (section, names) in SECTIONS {
            let found = names.iter().find_map(|name| Some((self.yaml.get(*name)?, self.document.find(name)?)));
            if let Some((rendered, written)) = found {
                let place = |at| lines.place(&self.path, &self.text, at);
                self.sections.insert(section, Configs::of(rendered, written, &place));
            }
        }
        (self, diagnostics)
    }

    /// Answers dbt_project.yml as it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Answers the configs that a section gives to `fqn`, outermost first.
    pub(crate) fn configs(&self, section: &str, fqn: &[String]) -> Vec<&Configs> {
        self.sections.get(section).map(|configs| configs.levels(fqn)).unwrap_or_default()
    }

    /// Answers where the file stands.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Answers the folders of a `*-paths` key.
    pub fn paths(&self, key: &str) -> Vec<String> {
        let listed = self.yaml.get(key).and_then(Json::as_array);
        let given = listed.map(|list| list.iter().filter_map(Json::as_str).map(clean).collect());
        let default = FOLDERS.iter().find(|(known, _)| *known == key).map(|(_, folder)| (*folder).to_owned());
        given.unwrap_or_else(|| default.into_iter().collect())
    }

    /// Answers the folders that hold properties files: all but those of docs.
    pub(crate) fn all_paths(&self) -> Vec<String> {
        let mut all: Vec<String> = FOLDERS.iter().flat_map(|(key, _)| self.paths(key)).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Answers the folders that hold docs blocks.
    pub(crate) fn docs_paths(&self) -> Vec<String> {
        if self.yaml.contains_key("docs-paths") { self.paths("docs-paths") } else { self.all_paths() }
    }

    /// Answers the folder that packages are installed into.
    pub(crate) fn install_path(&self) -> String {
        self.yaml.get("packages-install-path").and_then(Json::as_str).map_or_else(|| "dbt_packages".to_owned(), clean)
    }

    /// Answers the statements of `on-run-start` or `on-run-end`.
    pub(crate) fn run_hooks(&self, key: &str) -> Vec<String> {
        match self.yaml.get(key) {
            Some(Json::String(statement)) => vec![statement.clone()],
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_)) | None => Vec::new(),
        }
    }

    /// Answers a switch under `flags`.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.yaml.get("flags").and_then(|flags| flags.get(name)?.as_bool()).unwrap_or(default)
    }

    /// Answers where dispatch looks for macros.
    pub fn dispatch(&self) -> Vec<DispatchConfig> {
        let listed = self.yaml.get("dispatch").and_then(Json::as_array);
        let one = |entry: &Json| {
            let order = entry.get("search_order")?.as_array()?;
            Some(DispatchConfig {
                macro_namespace: entry.get("macro_namespace")?.as_str()?.to_owned(),
                search_order: order.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            })
        };
        listed.map(|list| list.iter().filter_map(one).collect()).unwrap_or_default()
    }

    /// Answers which parts of relation names are quoted.
    pub fn quoting(&self) -> Quoting {
        let part = |name| self.yaml.get("quoting").and_then(|quoting| quoting.get(name)?.as_bool()).unwrap_or(true);
        Quoting { database: part("database"), schema: part("schema"), identifier: part("identifier") }
    }
}

/// Answers a folder as the tree names it.
fn clean(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}
