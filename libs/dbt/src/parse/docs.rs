//! Reads docs blocks, and renders the descriptions that name them.

use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};
use serde_json::Value as Json;

use super::memory::Same;
use super::package::Package;
use super::read::Reader;
use super::{Project, lookup};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::jinja::blocks::{BlockKind, blocks};
use crate::jinja::{Error, YamlScope};
use crate::node::{Node, UniqueId};
use crate::tree::Path;
use crate::yaml;

/// A call of `doc()` inside a description.
static DOC: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\bdoc\(\s*(?:['"]([^'"]*)['"]\s*,\s*)?['"]([^'"]*)['"]\s*\)"#)
        .expect("invariant: the pattern is written here")
});

/// Is one docs block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doc {
    pub unique_id: UniqueId,
    pub name: String,
    pub package_name: String,
    /// From the folder that was searched.
    pub path: String,
    pub original_file_path: Path,
    pub block_contents: String,
}

/// Reads the docs blocks of a package.
pub(super) fn read(package: &Package<'_>, project: &mut Project) {
    for file in package.below(&package.definition.docs_paths(), &[".md"]) {
        let Some(text) = file.file.text() else { continue };
        let found = match blocks(text) {
            Ok(found) => found,
            Err(error) => {
                project.diagnostics.push(broken(error, yaml::place_of(file.path, text, 0)));
                continue;
            }
        };
        for block in found.into_iter().filter(|block| block.kind == BlockKind::Docs) {
            let package_name = package.definition.name.clone();
            let written = text[block.body].replace("\r\n", "\n");
            let scope = YamlScope::Project { package: package_name.clone() };
            let contents = match project.engine.render_value(&written, &scope) {
                Ok(Json::String(rendered)) => rendered,
                Ok(_) | Err(_) => written,
            };
            let doc = Doc {
                unique_id: format!("doc.{package_name}.{}", block.name),
                name: block.name.to_owned(),
                package_name,
                path: file.relative.to_owned(),
                original_file_path: file.path.clone(),
                block_contents: contents.trim().to_owned(),
            };
            project.docs.insert(doc.unique_id.clone(), Arc::new(doc));
        }
    }
}

fn broken(error: Error, place: Place) -> Diagnostic {
    let code = error.code.as_str().to_owned();
    Diagnostic { severity: Severity::Error, code, message: error.message, place: Some(place), unique_id: None }
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Says whether a description of a node, or inside it, may be a template.
fn has_templates(node: &Node) -> bool {
    let columns = node.columns.values().any(|column| is_template(&column.description));
    let inside = INSIDE.iter().filter_map(|key| node.properties.get(*key));
    let mut inside = inside.filter(|value| !value.is_null());
    is_template(&node.description) || columns || inside.any(|value| value.as_str().is_none_or(is_template))
}

/// Is a node with its descriptions rendered, and what is wrong with them.
pub(super) struct Described {
    node: Arc<Node>,
    wrong: Vec<(String, String)>,
}

/// The properties that are descriptions or hold some.
const INSIDE: [&str; 4] = ["source_description", "dimensions", "measures", "entities"];

/// Renders descriptions for nodes of one package.
struct Describer<'a> {
    project: &'a Project,
    package: &'a str,
    /// The docs blocks that were named, in order.
    named: Vec<UniqueId>,
    wrong: Vec<(String, String)>,
}

impl Describer<'_> {
    fn find(&self, package: Option<&str>, name: &str) -> Option<&Doc> {
        let from = lookup::From { root: &self.project.name, package: self.package };
        let packages =
            [package].into_iter().flatten().chain([from.root, from.package].into_iter().filter(|_| package.is_none()));
        let mut ids = packages.map(|package| format!("doc.{package}.{name}"));
        let own = ids.find_map(|id| self.project.docs.get(&id));
        let found = own.or_else(|| self.project.docs.values().find(|doc| package.is_none() && doc.name == name));
        found.map(|doc| &**doc)
    }

    /// Renders one description. Docs blocks are put in after all else, as their contents are no template.
    fn render(&mut self, text: &str) -> Option<String> {
        if !is_template(text) {
            return None;
        }
        let mut contents: Vec<String> = Vec::new();
        let mut missing = Vec::new();
        let marked = DOC.replace_all(text, |call: &Captures<'_>| {
            let (package, name) = (call.get(1).map(|part| part.as_str()), &call[2]);
            match self.find(package, name) {
                Some(doc) => contents.push(doc.block_contents.clone()),
                None => missing.push(format!("there is no docs block `{name}`")),
            }
            format!("'\u{e000}{}\u{e001}'", contents.len())
        });
        if let Some(message) = missing.into_iter().next() {
            self.wrong.push(("DOC_NOT_FOUND".to_owned(), message));
            return None;
        }
        let named: Vec<UniqueId> = DOC
            .captures_iter(text)
            .filter_map(|call| Some(self.find(call.get(1).map(|part| part.as_str()), &call[2])?.unique_id.clone()))
            .collect();
        self.named.extend(named);
        let scope = YamlScope::Project { package: self.package.to_owned() };
        match self.project.engine.render_value(&marked, &scope) {
            Ok(rendered) => {
                let mut rendered = rendered.as_str().map_or_else(|| super::names::text(&rendered), str::to_owned);
                for (at, contents) in contents.iter().enumerate() {
                    rendered = rendered.replace(&format!("\u{e000}{}\u{e001}", at + 1), contents);
                }
                Some(rendered)
            }
            Err(error) => {
                self.wrong.push((error.code.as_str().to_owned(), error.message));
                None
            }
        }
    }

    fn replace(&mut self, text: &mut String) -> Vec<UniqueId> {
        if let Some(rendered) = self.render(text) {
            *text = rendered;
        }
        std::mem::take(&mut self.named)
    }

    /// Renders the descriptions inside JSON: those of a semantic model's elements, of a macro's arguments.
    fn inside(&mut self, value: &mut Json) {
        match value {
            Json::Object(map) => {
                for (key, value) in map {
                    match value {
                        Json::String(text) if key == "description" || key == "source_description" => {
                            self.replace(text);
                        }
                        other => self.inside(other),
                    }
                }
            }
            Json::Array(list) => list.iter_mut().for_each(|item| self.inside(item)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    fn node(&mut self, node: &mut Node) {
        node.doc_blocks = self.replace(&mut node.description);
        for column in node.columns.values_mut() {
            column.doc_blocks = self.replace(&mut column.description);
        }
        for key in INSIDE {
            match node.properties.get_mut(key) {
                Some(Json::String(text)) => {
                    self.replace(text);
                }
                Some(other) => self.inside(other),
                None => {}
            }
        }
        self.named.clear();
    }
}

impl Reader<'_> {
    fn described(&self, node: &Node) -> Described {
        let (project, package) = (&self.project, node.package_name.as_str());
        let mut describer = Describer { project, package, named: Vec::new(), wrong: Vec::new() };
        let mut node = node.clone();
        describer.node(&mut node);
        Described { node: Arc::new(node), wrong: describer.wrong }
    }

    /// Renders the descriptions of all nodes and macros.
    pub(super) fn describe(&mut self) {
        self.memory.docs = self.project.docs.values().cloned().collect();
        let before = if self.before.docs == self.memory.docs { self.before.clone() } else { Arc::default() };
        let templates = self.project.nodes.shared().filter(|node| has_templates(node)).cloned();
        for node in templates.collect::<Vec<_>>() {
            let key = Same(node.clone());
            let known = before.described.get(&key).cloned();
            let described = known.unwrap_or_else(|| Arc::new(self.described(&node)));
            for (code, message) in &described.wrong {
                self.wrong(&node.unique_id, code, (message.clone(), node.patch.clone()));
            }
            self.project.nodes.insert(described.node.clone());
            self.memory.described.insert(key, described);
        }
        let mut patches = std::mem::take(&mut self.project.macro_patches);
        for (unique_id, patch) in &mut patches {
            let package = Project::package_of_macro(unique_id);
            let mut describer = Describer { project: &self.project, package, named: Vec::new(), wrong: Vec::new() };
            describer.replace(&mut patch.description);
            patch.arguments.iter_mut().for_each(|argument| describer.inside(argument));
        }
        self.project.macro_patches = patches;
    }
}
