//! Reads what the YAML says of macros.

use serde_json::{Map, Value as Json, json};

use super::Project;
use super::properties::{Entry, object, objects};
use super::read::Reader;
use crate::diagnostic::{Diagnostic, Place, Severity};

/// Is what the YAML says of one macro.
#[derive(Clone, Debug, PartialEq)]
pub struct MacroPatch {
    pub description: String,
    pub meta: Map<String, Json>,
    pub docs: Json,
    /// Each with `name`, `type` and `description`.
    pub arguments: Vec<Json>,
    pub place: Place,
}

impl Reader<'_> {
    pub(super) fn macro_patch(&mut self, entry: &Entry) {
        let unique_id = format!("macro.{}.{}", self.packages[entry.at].definition.name, entry.name);
        if !self.project.macros().iter().any(|known| known.unique_id == unique_id) {
            let what = entry.broken(format!("there is no macro {}", entry.name));
            let code = "PROPERTIES_UNUSED".to_owned();
            self.project.diagnostics.push(Diagnostic { severity: Severity::Warning, code, ..what });
            return;
        }
        let config = entry.config();
        let mut meta = object(&entry.value, "meta");
        meta.extend(object(&config, "meta"));
        let given = config.get("docs").or_else(|| entry.value.get("docs")).and_then(Json::as_object);
        let mut docs = json!({"show": true, "node_color": null});
        if let (Some(docs), Some(given)) = (docs.as_object_mut(), given) {
            docs.extend(given.clone());
        }
        let arguments = objects(&entry.value, "arguments").map(|argument| {
            let part = |key: &str, default: Json| argument.get(key).cloned().unwrap_or(default);
            json!({
                "name": part("name", Json::Null),
                "type": part("type", Json::Null),
                "description": part("description", json!("")),
            })
        });
        let patch = MacroPatch {
            description: entry.text("description").to_owned(),
            meta,
            docs,
            arguments: arguments.collect(),
            place: entry.place.clone(),
        };
        self.project.macro_patches.insert(unique_id, patch);
    }
}

impl Project {
    /// Answers the package of a macro by its id.
    pub(super) fn package_of_macro(unique_id: &str) -> &str {
        unique_id.split('.').nth(1).unwrap_or_default()
    }
}
