//! Reads dbt_project.yml.
//!
//! Responsible for paths, variables and the trees of configs; what a config means is `parse`'s.

use serde_json::{Map, Value as Json};

use crate::diagnostic::Diagnostic;
use crate::jinja::{DispatchConfig, Quoting};
use crate::tree::{Path, Tree};
use crate::yaml::{self, Value};

/// Is what dbt_project.yml says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definition {
    pub name: String,
    pub yaml: Map<String, Json>,
}

/// Reads the dbt_project.yml of `folder` (`""` or ending in `/`).
///
/// # Errors
/// What is wrong with the file; it is missing, unreadable or names no project.
pub fn definition(tree: &Tree, folder: &str) -> Result<Definition, Vec<Diagnostic>> {
    let path: Path = format!("{folder}dbt_project.yml").into();
    let broken = |message: &str| {
        let (code, message) = ("PROJECT_INVALID".to_owned(), message.to_owned());
        let place = Some(yaml::place_of(&path, "", 0));
        vec![Diagnostic { severity: crate::diagnostic::Severity::Error, code, message, place, unique_id: None }]
    };
    let file = tree.find(&path).ok_or_else(|| broken("there is no dbt_project.yml"))?;
    let text = file.text().ok_or_else(|| broken("dbt_project.yml is not UTF-8"))?;
    let document = yaml::read(&path, text);
    let value = document.value.as_ref().map(Value::to_json);
    let Some(Json::Object(yaml)) = value else {
        return Err(if document.diagnostics.is_empty() {
            broken("dbt_project.yml is empty")
        } else {
            document.diagnostics
        });
    };
    let name = yaml.get("name").and_then(Json::as_str).ok_or_else(|| broken("dbt_project.yml names no project"))?;
    Ok(Definition { name: name.to_owned(), yaml })
}

impl Definition {
    /// Answers the folders of a `*-paths` key.
    pub fn paths(&self, key: &str, default: &str) -> Vec<String> {
        let listed = self.yaml.get(key).and_then(Json::as_array);
        let given =
            listed.map(|list| list.iter().filter_map(Json::as_str).map(|path| path.trim_matches('/').to_owned()));
        given.map_or_else(|| vec![default.to_owned()], Iterator::collect)
    }

    /// Answers the configs that the tree under `section` gives to `fqn`, outermost first.
    pub fn configs(&self, section: &str, fqn: &[String]) -> Vec<Map<String, Json>> {
        let mut levels = Vec::new();
        let mut at = self.yaml.get(section);
        let mut rest = fqn.iter();
        while let Some(Json::Object(level)) = at {
            let next = rest.next();
            let own = level.iter().filter(|(key, value)| {
                key.starts_with('+') || (!value.is_object() && next.is_none_or(|next| next != *key))
            });
            levels.push(own.map(|(key, value)| (key.trim_start_matches('+').to_owned(), value.clone())).collect());
            at = next.and_then(|next| level.get(next));
        }
        levels
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
