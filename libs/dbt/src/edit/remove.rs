//! Removes a node with its file, its YAML entry and its unit tests.

use std::collections::BTreeMap;

use super::check::Meant;
use super::files;
use super::properties::{Entry, YamlEdit};
use super::refs;
use super::{Code, DecideInput, Plan, Refusal, RemoveNode, RemoveTest, Subject, calls, data_tests, raw, rename};
use crate::diagnostic::Place;
use crate::node::{Node, ResourceType};
use crate::tree::{FileChange, Path};
use crate::yaml::edit::Step;
use crate::yaml::place_of;

/// The most users of a node that a refusal names.
const NAMED_MAX: usize = 5;

/// Is a removal on its way.
pub(super) struct Removal<'a> {
    input: &'a DecideInput<'a>,
    pub(super) node: &'a Node,
    /// The ids that go: the node's first, then those of its unit tests.
    gone: Vec<String>,
}

/// Decides that a node goes.
pub(super) fn remove(input: &DecideInput<'_>, asked: &RemoveNode) -> Result<Plan, Refusal> {
    let removal = Removal::new(input, &asked.unique_id)?;
    let node = removal.node;
    if node.test.is_some() {
        return data_tests::remove(input, &RemoveTest { unique_id: asked.unique_id.clone() });
    }
    let files = removal.files()?;
    let users = removal.users(&files);
    if !users.is_empty() {
        let named: Vec<&str> = users.iter().take(NAMED_MAX).map(|user| user.name.as_str()).collect();
        let more = users.len().saturating_sub(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("{} is used by {}{more}; disconnect it first", node.name, named.join(", "));
        let places = users.into_iter().map(|user| user.place).collect();
        return Err(Refusal::new(Code::RefNotFound, message).at_field("/unique_id").at_all(places));
    }
    let meant = Meant { nodes: removal.gone.clone(), tests: vec![node.unique_id.clone()], ..Meant::default() };
    Ok(Plan {
        summary: format!("removed {}", node.name),
        files,
        subjects: vec![Subject { node: node.unique_id.clone(), property: "name".to_owned() }],
        moved: Some(Vec::new()),
        meant: Some(meant),
    })
}

/// Is what would name a node that is gone.
pub(super) struct User {
    pub(super) name: String,
    pub(super) place: Place,
}

impl<'a> Removal<'a> {
    pub(super) fn new(input: &'a DecideInput<'a>, unique_id: &str) -> Result<Self, Refusal> {
        let node = super::find(input, unique_id)?;
        files::own(input, node)?;
        if node.resource_type == ResourceType::Operation {
            let message = format!("{} is a hook; edit {}", node.name, node.original_file_path);
            return Err(Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id"));
        }
        let mut gone = vec![node.unique_id.clone()];
        let tests = input.project.nodes().values().filter(|test| test.resource_type == ResourceType::UnitTest);
        let own = tests.filter(|_| node.resource_type == ResourceType::Model);
        gone.extend(
            own.filter(|test| test.depends_on.nodes.contains(&node.unique_id)).map(|test| test.unique_id.clone()),
        );
        Ok(Self { input, node, gone })
    }

    /// Answers the changes of files.
    pub(super) fn files(&self) -> Result<Vec<FileChange>, Refusal> {
        let mut changes = Vec::new();
        let path = &self.node.original_file_path;
        if !files::is_yaml(path) {
            let sharing = |other: &&Node| {
                other.original_file_path == *path && other.unique_id != self.node.unique_id && other.test.is_none()
            };
            if let Some(other) = self.input.project.nodes().values().find(sharing) {
                let message = format!("{path} also defines {}; edit the file", other.name);
                return Err(Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id"));
            }
            changes.push(raw::removal(path, files::own(self.input, self.node)?));
        }
        for (path, mut entries) in self.entries()? {
            let mut yaml = YamlEdit::of(self.input, &path)?;
            entries.sort_by_key(|steps| std::cmp::Reverse(steps.iter().map(index).collect::<Vec<_>>()));
            for steps in entries {
                yaml.remove(&steps)?;
            }
            changes.extend(yaml.change());
        }
        Ok(changes)
    }

    /// Lists the YAML entries that go, by file.
    fn entries(&self) -> Result<BTreeMap<Path, Vec<Vec<Step>>>, Refusal> {
        let mut entries: BTreeMap<Path, Vec<Vec<Step>>> = BTreeMap::new();
        for node in self.gone.iter().filter_map(|id| self.input.project.find(id)) {
            let Some(Entry { yaml, mut steps }) = Entry::find(self.input, node)? else { continue };
            if node.resource_type == ResourceType::Source {
                // A source without tables says nothing.
                let tables = yaml.at(&steps[..3]).and_then(|tables| tables.as_array().map(Vec::len));
                steps.truncate(if tables == Some(1) { 2 } else { steps.len() });
            }
            let path = node.patch.as_ref().map(|place| place.path.clone()).unwrap_or_default();
            entries.entry(path).or_default().push(steps);
        }
        Ok(entries)
    }

    /// Lists what would still name the node after `changes`.
    pub(super) fn users(&self, changes: &[FileChange]) -> Vec<User> {
        let Ok(tree) = self.input.files.tree.apply(changes) else { return Vec::new() };
        let nodes = self.input.project.nodes().values();
        let of_other = |other: &Node| match &other.test {
            Some(test) => test.attached_node != self.node.unique_id,
            None => !self.gone.contains(&other.unique_id),
        };
        let users = nodes.filter(|other| other.depends_on.nodes.contains(&self.node.unique_id) && of_other(other));
        let mut found: Vec<User> = users.map(|user| self.user(user)).collect();
        let alike = |other: &Node| {
            other.name == self.node.name
                && other.unique_id != self.node.unique_id
                && (other.resource_type.is_referable() || other.resource_type == ResourceType::Source)
        };
        if self.input.project.nodes().values().any(alike) {
            return found;
        }
        for (path, file) in tree.iter().filter(|(path, _)| files::package_folder(self.input, path).is_some()) {
            let Some(text) = file.text().filter(|text| text.contains(&self.node.name)) else { continue };
            for at in self.calls(path, text) {
                let place = place_of(path, text, at);
                if !found.iter().any(|user| user.place.path == *path) {
                    found.push(User { name: path.to_string(), place });
                }
            }
        }
        found
    }

    fn user(&self, user: &Node) -> User {
        let path = &user.original_file_path;
        let text = self.input.files.tree.find(path).and_then(|file| file.text()).unwrap_or_default();
        let at = self.calls(path, text).first().map(|at| place_of(path, text, *at));
        let own = || user.patch.clone().unwrap_or_else(|| place_of(path, "", 0));
        let place = at.filter(|_| !files::is_yaml(path)).unwrap_or_else(own);
        User { name: user.name.clone(), place }
    }

    /// Finds the calls in a file that name the node.
    fn calls(&self, path: &Path, text: &str) -> Vec<usize> {
        let found = match () {
            () if path.ends_with(".sql") => refs::in_template(text),
            () if path.ends_with(".py") => refs::within(text, 0..text.len()),
            () if files::is_yaml(path) => {
                let mut spans = Vec::new();
                files::read(path, text).iter().for_each(|root| rename::scalars(root, &mut spans));
                spans.into_iter().flat_map(|span| refs::within(text, span)).collect()
            }
            () => Vec::new(),
        };
        let names = |call: &refs::Call| calls::names(text, call, self.node);
        found.into_iter().filter(names).map(|call| call.span.start).collect()
    }
}

fn index(step: &Step) -> usize {
    match step {
        Step::Item(at) => *at,
        Step::Key(_) => 0,
    }
}
