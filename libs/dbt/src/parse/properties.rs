//! Reads the properties files (`*.yml`) of a package into entries, one for each thing they describe.
//!
//! Responsible for what dbt renders of them and when; what an entry means is said where it is used.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::package::{Below, Package};
use super::read::Reader;
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::jinja::{Engine, YamlScope};
use crate::project::Renderer;
use crate::tree::Path;
use crate::yaml::{self, Lines, Value};

/// The sections that dbt reads.
const SECTIONS: [&str; 13] = [
    "models",
    "seeds",
    "snapshots",
    "sources",
    "macros",
    "data_tests",
    "analyses",
    "exposures",
    "metrics",
    "groups",
    "semantic_models",
    "unit_tests",
    "saved_queries",
];

/// What an entry may say beside its config, as dbt moves it there.
const MOVED_TO_CONFIG: [&str; 5] = ["meta", "docs", "group", "contract", "access"];

/// Is one entry of a properties file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// The place of its package in the order of reading.
    pub(super) at: usize,
    pub(super) section: &'static str,
    pub(super) name: String,
    /// What it says, rendered but for what dbt renders later.
    pub(super) value: Map<String, Json>,
    pub(super) place: Place,
    /// Where each key of its config stands.
    pub(super) config_places: HashMap<String, Place>,
    pub(super) file: Path,
    /// The file's path from its package's folder.
    pub(super) local: String,
    /// The file's path from the folder that was searched.
    pub(super) relative: String,
}

impl Entry {
    /// Answers its config.
    pub(super) fn config(&self) -> Map<String, Json> {
        object(&self.value, "config")
    }

    /// Answers a text it says.
    pub(super) fn text(&self, key: &str) -> &str {
        text(&self.value, key)
    }

    /// Says what is wrong with it.
    pub(super) fn broken(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: "PROPERTIES_INVALID".to_owned(),
            message: message.into(),
            place: Some(self.place.clone()),
            unique_id: None,
        }
    }
}

/// Answers a text of a mapping, `""` where there is none.
pub(super) fn text<'a>(value: &'a Map<String, Json>, key: &str) -> &'a str {
    value.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// Answers a mapping inside a mapping, empty where there is none.
pub(super) fn object(value: &Map<String, Json>, key: &str) -> Map<String, Json> {
    value.get(key).and_then(Json::as_object).cloned().unwrap_or_default()
}

/// Answers the mappings of a list inside a mapping.
pub(super) fn objects<'a>(value: &'a Map<String, Json>, key: &str) -> impl Iterator<Item = &'a Map<String, Json>> {
    value.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object)
}

/// Answers the texts of a list inside a mapping; a text alone is a list of one.
pub(super) fn texts(value: &Map<String, Json>, key: &str) -> Vec<String> {
    match value.get(key) {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_)) | None => Vec::new(),
    }
}

/// Is what one properties file says.
#[derive(Default)]
pub(super) struct Properties {
    entries: Vec<Arc<Entry>>,
    diagnostics: Vec<Diagnostic>,
}

impl Properties {
    /// Takes the entries over that an earlier version of the file has too, place by place.
    fn take_over(&mut self, before: &Self) {
        for (entry, before) in self.entries.iter_mut().zip(&before.entries) {
            if entry == before {
                *entry = before.clone();
            }
        }
    }
}

impl Reader<'_> {
    /// Reads the properties files of one package, but those that were read before.
    pub(super) fn properties(&mut self, at: usize) -> Vec<Arc<Entry>> {
        let package = &self.packages[at];
        let mut entries = Vec::new();
        for file in package.below(&package.definition.all_paths(), &[".yml", ".yaml"]) {
            let (key, sha256) = ((at, file.path.clone()), file.file.sha256);
            let read = match self.before.properties.get(&key) {
                Some((known, read)) if *known == sha256 => read.clone(),
                before => {
                    let mut read = read_file(at, package, &file, &self.project.engine);
                    if let Some((_, before)) = before {
                        read.take_over(before);
                    }
                    Arc::new(read)
                }
            };
            self.project.diagnostics.extend(read.diagnostics.iter().cloned());
            entries.extend(read.entries.iter().cloned());
            self.memory.properties.insert(key, (sha256, read));
        }
        entries
    }
}

fn read_file(at: usize, package: &Package<'_>, file: &Below<'_>, engine: &Engine) -> Properties {
    let mut read = Properties::default();
    let Some(text) = file.file.text() else {
        read.diagnostics.push(not_text(file.path));
        return read;
    };
    let document = yaml::read(file.path, text);
    read.diagnostics.extend(document.diagnostics);
    let Some(document) = document.value else { return read };
    let scope = YamlScope::Project { package: package.definition.name.clone() };
    let reader = FileReader { at, file: (file.path, file.local, file.relative), text, scope, engine };
    reader.sections(&document, &mut read);
    read
}

/// Says that a file is not UTF-8.
pub(super) fn not_text(path: &Path) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: "FILE_ENCODING".to_owned(),
        message: "the file is not UTF-8".to_owned(),
        place: Some(yaml::place_of(path, "", 0)),
        unique_id: None,
    }
}

/// Reads one properties file.
struct FileReader<'a> {
    at: usize,
    /// Its path in the tree, from the package's folder and from the folder that was searched.
    file: (&'a Path, &'a str, &'a str),
    text: &'a str,
    scope: YamlScope,
    engine: &'a Engine,
}

impl FileReader<'_> {
    fn sections(&self, document: &Value, Properties { entries, diagnostics: found }: &mut Properties) {
        let lines = Lines::of(self.text);
        for (key, list) in document.entries() {
            let written = key.key_text();
            let Some(section) = SECTIONS.into_iter().find(|known| *known == written) else {
                if written == "functions" {
                    found.push(self.wrong(&lines, key, ("MEMBER_NOT_SUPPORTED", "`functions` are not supported yet")));
                }
                continue;
            };
            for item in list.items() {
                match self.entry(section, item, (&lines, &mut *found)) {
                    Some(entry) => entries.push(Arc::new(entry)),
                    None => {
                        let message = format!("an entry of `{section}` is a mapping with a name");
                        found.push(self.wrong(&lines, item, ("PROPERTIES_INVALID", &message)));
                    }
                }
            }
        }
    }

    fn wrong(&self, lines: &Lines, at: &Value, (code, message): (&str, &str)) -> Diagnostic {
        let place = Some(lines.place(self.file.0, self.text, at.span.start));
        let (code, message) = (code.to_owned(), message.to_owned());
        Diagnostic { severity: Severity::Error, code, message, place, unique_id: None }
    }

    fn entry(
        &self,
        section: &'static str,
        item: &Value,
        (lines, found): (&Lines, &mut Vec<Diagnostic>),
    ) -> Option<Entry> {
        let (path, local, relative) = self.file;
        let mut renderer = Renderer::new(self.engine, self.scope.clone(), (path, self.text, lines));
        let Json::Object(mut value) = renderer.render(item, &|keys| is_late(section, keys)) else { return None };
        found.extend(renderer.diagnostics);
        let name = value.get("name")?.as_str()?.to_owned();
        if section == "sources" {
            for part in ["database", "schema"] {
                let written = item.find(part).map_or(Json::Null, Value::to_json);
                value.insert(format!("unrendered_{part}"), written);
            }
        }
        let place = |value: &Value| lines.place(path, self.text, value.span.start);
        let inside = item.find("config").map(Value::entries).unwrap_or_default();
        let moved = item.entries().iter().filter(|(key, _)| MOVED_TO_CONFIG.contains(&key.key_text().as_str()));
        let config_places = moved.chain(inside).map(|(key, _)| (key.key_text(), place(key))).collect();
        if matches!(section, "models" | "seeds" | "snapshots" | "analyses" | "data_tests") {
            move_to_config(&mut value);
        }
        Some(Entry {
            at: self.at,
            section,
            name,
            value,
            place: place(item),
            config_places,
            file: path.clone(),
            local: local.to_owned(),
            relative: relative.to_owned(),
        })
    }
}

fn move_to_config(value: &mut Map<String, Json>) {
    for key in MOVED_TO_CONFIG {
        let Some(moved) = value.get(key).cloned() else { continue };
        let config = value.entry("config").or_insert_with(|| Json::Object(Map::new()));
        if config.is_null() {
            *config = Json::Object(Map::new());
        }
        if let Some(config) = config.as_object_mut() {
            config.entry(key).or_insert(moved);
        }
    }
}

/// Says what of an entry dbt renders only when it is used.
fn is_late(section: &str, keys: &[String]) -> bool {
    let key = |at: usize| keys.get(at).map(String::as_str).unwrap_or_default();
    match section {
        "sources" => {
            let own = matches!(key(0), "description" | "loaded_at_query")
                || (key(0) == "config" && key(1) == "loaded_at_query");
            own || (key(0) == "tables" && keys.get(2..).is_some_and(is_late_everywhere))
        }
        "macros" if key(0) == "arguments" => is_late_everywhere(&keys[1..]),
        "metrics" => keys.iter().rev().take(2).any(|key| key == "filter") || is_late_everywhere(keys),
        "saved_queries" => (key(0) == "query_params" && key(1) == "where") || is_late_everywhere(keys),
        _ => is_late_everywhere(keys),
    }
}

fn is_late_everywhere(keys: &[String]) -> bool {
    let key = |at: usize| keys.get(at).map(String::as_str).unwrap_or_default();
    let late = |text: &str| matches!(text, "tests" | "data_tests" | "description" | "loaded_at_query");
    late(key(0))
        || (keys.len() == 2 && late(key(1)))
        || (key(0) == "config" && matches!(key(1), "pre_hook" | "post_hook" | "loaded_at_query"))
        || (keys.len() == 5 && key(4) == "description")
        || (matches!(key(0), "columns" | "dimensions" | "measures" | "entities")
            && matches!(key(2), "tests" | "data_tests" | "description"))
}
