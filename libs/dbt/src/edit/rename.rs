//! Renames a node everywhere it is named.

use super::check::{Facet, Meant};
use super::files::{self, FileEdits};
use super::refs::{self, Call};
use super::{Code, DecideInput, Moved, Plan, Refusal, RenameNode, Subject, identifier, properties, raw};
use crate::node::{Node, ResourceType};
use crate::tree::{FileChange, Path};
use crate::yaml::edit::is_plain;
use crate::yaml::{Kind, Value};

/// Is a rename on its way.
pub(super) struct Rename<'a> {
    input: &'a DecideInput<'a>,
    pub(super) node: &'a Node,
    to: &'a str,
    /// The section of YAML files that holds its entry.
    section: &'static str,
    /// The folder of its package.
    folder: String,
    /// Whether another package has a node of the same name.
    ambiguous: bool,
}

/// Decides a rename.
pub(super) fn rename(input: &DecideInput<'_>, asked: &RenameNode) -> Result<Plan, Refusal> {
    let rename = Rename::new(input, asked)?;
    let node = rename.node;
    let subjects = vec![Subject { node: node.unique_id.clone(), property: "name".to_owned() }];
    let summary = format!("renamed {} to {}", node.name, asked.to);
    if node.name == asked.to {
        return Ok(Plan { summary, files: Vec::new(), subjects, ..Plan::default() });
    }
    let mut files: Vec<FileChange> = rename.edits()?.into_iter().filter_map(FileEdits::change).collect();
    files.extend(rename.moves()?);
    let moved = rename.moved();
    let renamed = moved.iter().map(|moved| (moved.from.clone(), moved.to.clone())).collect();
    let facets = vec![(moved[0].to.clone(), Facet::Relation)];
    let meant = Meant { renamed, facets, ..Meant::default() };
    Ok(Plan { summary, files, subjects, moved: Some(moved), meant: Some(meant) })
}

impl<'a> Rename<'a> {
    pub(super) fn new(input: &'a DecideInput<'a>, asked: &'a RenameNode) -> Result<Self, Refusal> {
        let node = super::find(input, &asked.unique_id)?;
        let section = properties::section(node).ok_or_else(|| {
            let message =
                format!("a {} cannot be renamed here; edit {}", node.resource_type.as_str(), node.original_file_path);
            Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id")
        })?;
        files::own(input, node)?;
        if node.version.is_some() {
            let message = format!("{} has versions; rename it in {}", node.name, node.original_file_path);
            return Err(Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id"));
        }
        let (package, to) = (&node.package_name, asked.to.as_str());
        identifier::check(to, input.files.environment.adapter).map_err(|refusal| refusal.at_field("/to"))?;
        if node.name != to && node.resource_type.is_referable() {
            identifier::vacant(input.project, package, to).map_err(|refusal| refusal.at_field("/to"))?;
        }
        let folder = files::package_folder(input, &node.original_file_path).unwrap_or_default();
        let same = |other: &&Node| {
            other.name == node.name && other.resource_type.is_referable() && other.package_name != node.package_name
        };
        let ambiguous = input.project.nodes().values().any(|other| same(&other));
        Ok(Self { input, node, to, section, folder, ambiguous })
    }

    /// Answers the edits of all files that name the node.
    pub(super) fn edits(&self) -> Result<Vec<FileEdits<'a>>, Refusal> {
        let mut all = Vec::new();
        for (path, file) in self.input.files.tree.iter() {
            let code = path.ends_with(".sql") || path.ends_with(".py");
            if !code && !files::is_yaml(path) {
                continue;
            }
            let Some(mut edits) = FileEdits::of(path, file).filter(|edits| edits.text.contains(&self.node.name)) else {
                continue;
            };
            let Some(folder) = files::package_folder(self.input, path) else { continue };
            match code {
                true => self.code(&mut edits),
                false => self.yaml(&mut edits, folder == self.folder)?,
            }
            all.push(edits);
        }
        Ok(all)
    }

    fn code(&self, edits: &mut FileEdits<'_>) {
        let text = edits.text;
        let calls = match edits.path.ends_with(".py") {
            true => refs::within(text, 0..text.len()),
            false => refs::in_template(text),
        };
        self.calls(edits, calls);
        if self.node.resource_type == ResourceType::Snapshot && edits.path == self.node.original_file_path {
            let block = refs::code(text).into_iter().find_map(|range| {
                let mut words = text[range.clone()].split_whitespace().filter(|word| !matches!(*word, "-" | "+"));
                let is_block = words.next()?.trim_start_matches(['-', '+']) == "snapshot";
                let name =
                    words.next().filter(|name| is_block && name.trim_end_matches(['-', '+']) == self.node.name)?;
                let at = name.as_ptr() as usize - text.as_ptr() as usize;
                Some(at..at + self.node.name.len())
            });
            block.into_iter().for_each(|span| edits.replace(span, self.to));
        }
    }

    fn calls(&self, edits: &mut FileEdits<'_>, calls: Vec<Call>) {
        let text = edits.text;
        let refers = |call: &Call| call.refers_to(text, &self.node.package_name, &self.node.name);
        for call in calls.into_iter().filter(refers) {
            if call.qualifier.is_some() || !self.ambiguous || self.depends(&edits.path) {
                edits.replace(call.name, self.to);
            }
        }
    }

    /// Says whether a node of a file depends on the renamed one.
    fn depends(&self, path: &Path) -> bool {
        let here = |node: &Node| {
            node.original_file_path == *path || node.patch.as_ref().is_some_and(|place| place.path == *path)
        };
        let nodes = self.input.project.nodes().values();
        nodes.filter(|node| here(node)).any(|node| node.depends_on.nodes.contains(&self.node.unique_id))
    }

    fn yaml(&self, edits: &mut FileEdits<'_>, own_package: bool) -> Result<(), Refusal> {
        let text = edits.text;
        let Some(root) = files::read(&edits.path, text) else { return Ok(()) };
        let mut spans = Vec::new();
        scalars(&root, &mut spans);
        for span in spans {
            self.calls(edits, refs::within(text, span));
        }
        if edits.path.rsplit('/').next() == Some("dbt_project.yml") {
            self.config_key(edits, &root);
        }
        if !own_package {
            return Ok(());
        }
        for (section, key) in [(self.section, "name"), ("unit_tests", "model")] {
            if section == "unit_tests" && !self.node.resource_type.is_referable() {
                continue;
            }
            for item in root.find(section).map(Value::items).unwrap_or_default() {
                let Some(name) = item.find(key).filter(|name| name.as_str() == Some(&self.node.name)) else { continue };
                self.name(edits, item, name)?;
            }
        }
        Ok(())
    }

    /// Replaces the name in an entry of a YAML file, as it is quoted.
    fn name(&self, edits: &mut FileEdits<'_>, item: &Value, name: &Value) -> Result<(), Refusal> {
        let (text, span) = (edits.text, name.span.clone());
        let written = &text[span.clone()];
        let inside = item.span.start <= span.start && span.end <= item.span.end;
        if !inside || written.starts_with(['*', '&']) {
            return Err(properties::through_alias(&edits.path, text, span.start));
        }
        let at = written.find(&self.node.name).map(|at| span.start + at);
        let Some(at) = at else {
            let message = format!("the name {} is written with escapes; edit the file", self.node.name);
            let place = crate::yaml::place_of(&edits.path, text, span.start);
            return Err(Refusal::new(Code::EditNotExpressible, message).at(place));
        };
        let quoted = self.quoted(written);
        edits.replace(at..at + self.node.name.len(), &quoted);
        Ok(())
    }

    /// Answers the new name as it is written in the place of a scalar, in quotes of its own where YAML needs them.
    fn quoted(&self, written: &str) -> String {
        let plain = !written.starts_with(['\'', '"']);
        if plain && !is_plain(self.to, true) { format!("\"{}\"", self.to) } else { self.to.to_owned() }
    }

    /// Replaces the name where dbt_project.yml configures the node by it.
    fn config_key(&self, edits: &mut FileEdits<'_>, root: &Value) {
        let mut level = root.find(self.section);
        for (at, part) in self.node.fqn.iter().enumerate() {
            let entry = level.and_then(|level| level.entries().iter().find(|(key, _)| key.as_str() == Some(part)));
            let Some((key, value)) = entry else { return };
            if at + 1 == self.node.fqn.len() && part == &self.node.name {
                let start = key.span.start + edits.text[key.span.clone()].find(part.as_str()).unwrap_or(0);
                let quoted = self.quoted(&edits.text[key.span.clone()]);
                edits.replace(start..start + part.len(), &quoted);
            }
            level = Some(value);
        }
    }

    /// Answers the moves of the node's own file and of a YAML file that is named after it.
    fn moves(&self) -> Result<Vec<FileChange>, Refusal> {
        let mut moves = Vec::new();
        let path = &self.node.original_file_path;
        let patch = self.node.patch.as_ref().map(|place| &place.path).filter(|patch| *patch != path);
        for from in [Some(path), patch].into_iter().flatten() {
            let (folder, name) = from.rsplit_once('/').map_or(("", &**from), |(folder, name)| (folder, name));
            let ending = name.strip_prefix(self.node.name.as_str()).filter(|rest| rest.starts_with('.'));
            let Some(ending) = ending else { continue };
            let to = if folder.is_empty() {
                format!("{}{ending}", self.to)
            } else {
                format!("{folder}/{}{ending}", self.to)
            };
            raw::vacant(self.input, &to).map_err(|refusal| refusal.at_field("/to"))?;
            moves.push(FileChange::Moved { from: from.clone(), to: to.into() });
        }
        Ok(moves)
    }

    /// Lists the ids that change with the name, the node's first.
    fn moved(&self) -> Vec<Moved> {
        let Node { unique_id, package_name, resource_type, .. } = self.node;
        let to = format!("{}.{package_name}.{}", resource_type.as_str(), self.to);
        let (before, after) =
            (format!("unit_test.{package_name}.{}.", self.node.name), format!("unit_test.{package_name}.{}.", self.to));
        let unit_tests = self.input.project.nodes().keys().filter_map(|id| {
            let name = id.strip_prefix(&before).filter(|_| *resource_type == ResourceType::Model)?;
            Some(Moved { from: id.clone(), to: format!("{after}{name}") })
        });
        [Moved { from: unique_id.clone(), to }].into_iter().chain(unit_tests).collect()
    }
}

/// Collects where strings stand that dbt may render, less descriptions and meta, which only mention.
pub(super) fn scalars(value: &Value, spans: &mut Vec<std::ops::Range<usize>>) {
    match &value.kind {
        Kind::Str(_) => spans.push(value.span.clone()),
        Kind::Seq(items) => items.iter().for_each(|item| scalars(item, spans)),
        Kind::Map(entries) => {
            let told = |key: &Value| matches!(key.as_str(), Some("description" | "meta"));
            entries.iter().filter(|(key, _)| !told(key)).for_each(|(_, value)| scalars(value, spans));
        }
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::Timestamp(_) => {}
    }
}
