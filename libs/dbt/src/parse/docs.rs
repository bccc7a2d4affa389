//! Reads docs blocks, and renders the descriptions that name them.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value as Json;

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
            project.docs.insert(doc.unique_id.clone(), doc);
        }
    }
}

fn broken(error: Error, place: Place) -> Diagnostic {
    let code = error.code.as_str().to_owned();
    Diagnostic { severity: Severity::Error, code, message: error.message, place: Some(place), unique_id: None }
}

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
        own.or_else(|| self.project.docs.values().find(|doc| package.is_none() && doc.name == name))
    }

    /// Renders one description. Docs blocks are put in after all else, as their contents are no template.
    fn render(&mut self, text: &str) -> Option<String> {
        if !text.contains("{{") && !text.contains("{%") {
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
        for key in ["source_description", "dimensions", "measures", "entities"] {
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
    /// Renders the descriptions of all nodes and macros.
    pub(super) fn describe(&mut self) {
        let mut nodes = std::mem::take(&mut self.project.nodes);
        let mut wrong = Vec::new();
        for node in nodes.values_mut() {
            let package = node.package_name.clone();
            let mut describer =
                Describer { project: &self.project, package: &package, named: Vec::new(), wrong: Vec::new() };
            describer.node(node);
            let place = node.patch.clone();
            wrong.extend(describer.wrong.into_iter().map(|found| (node.unique_id.clone(), found, place.clone())));
        }
        self.project.nodes = nodes;
        for (unique_id, (code, message), place) in wrong {
            self.wrong(&unique_id, &code, (message, place));
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
