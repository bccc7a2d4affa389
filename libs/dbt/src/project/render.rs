//! Renders the Jinja inside YAML values, as dbt's native environment does.

use serde_json::{Map, Value as Json};

use crate::diagnostic::{Diagnostic, Severity};
use crate::jinja::{Engine, YamlScope};
use crate::tree::Path;
use crate::yaml::{Kind, Lines, Value};

/// Renders the values of one file and collects what cannot be rendered.
pub(crate) struct Renderer<'a> {
    engine: &'a Engine,
    scope: YamlScope,
    path: &'a Path,
    text: &'a str,
    lines: &'a Lines,
    keys: Vec<String>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Renderer<'a> {
    /// Makes a renderer for the file at a path, with its text and its lines.
    pub(crate) fn new(engine: &'a Engine, scope: YamlScope, file: (&'a Path, &'a str, &'a Lines)) -> Self {
        let (path, text, lines) = file;
        Self { engine, scope, path, text, lines, keys: Vec::new(), diagnostics: Vec::new() }
    }

    /// Renders a value; what `is_late` says of the keys that lead to it stays as it is written. An item of a list
    /// counts as a key of its own.
    pub(crate) fn render(&mut self, value: &Value, is_late: &dyn Fn(&[String]) -> bool) -> Json {
        match &value.kind {
            Kind::Str(text) if is_late(&self.keys) => Json::String(text.clone()),
            Kind::Str(text) => self.text(text, value.span.start),
            Kind::Timestamp(text) => Json::String(if is_late(&self.keys) { text.clone() } else { iso(text) }),
            Kind::Seq(items) => {
                let items = items.iter().enumerate().map(|(at, item)| self.below(at.to_string(), item, is_late));
                Json::Array(items.collect())
            }
            Kind::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    let key = key.key_text();
                    (key.clone(), self.below(key, value, is_late))
                });
                Json::Object(entries.collect::<Map<_, _>>())
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => value.to_json(),
        }
    }

    fn below(&mut self, key: String, value: &Value, is_late: &dyn Fn(&[String]) -> bool) -> Json {
        self.keys.push(key);
        let rendered = self.render(value, is_late);
        self.keys.pop();
        rendered
    }

    fn text(&mut self, text: &str, at: usize) -> Json {
        let is_template = ["{{", "{%", "{#", "}}", "%}", "#}"].iter().any(|mark| text.contains(mark));
        if !is_template {
            // Jinja drops one line feed at the end of a template, and dbt makes a template of every string.
            return Json::String(text.strip_suffix('\n').unwrap_or(text).to_owned());
        }
        match self.engine.render_value(text, &self.scope) {
            Ok(value) => value,
            Err(error) => {
                let place = Some(self.lines.place(self.path, self.text, at));
                let code = error.code.as_str().to_owned();
                let (severity, message) = (Severity::Error, error.message);
                self.diagnostics.push(Diagnostic { severity, code, message, place, unique_id: None });
                Json::String(text.to_owned())
            }
        }
    }
}

/// Writes a date or a time as Python's `isoformat` does.
fn iso(text: &str) -> String {
    let Some((date, time)) = text.split_once([' ', 't', 'T']) else { return text.to_owned() };
    format!("{date}T{}", time.trim())
}
