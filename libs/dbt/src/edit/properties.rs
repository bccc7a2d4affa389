//! Finds the YAML entry of a node, and edits the file it stands in.

use super::{Code, DecideInput, Refusal, files, home};
use crate::node::{Node, ResourceType};
use crate::tree::{File, FileChange, Mode, Path};
use crate::yaml::edit::{Editor, Error, Sharing, Step, sharing};
use crate::yaml::{Value, place_of};
use serde_json::Value as Json;

/// The order in which dbt's style guide writes keys.
const KEY_ORDER: &[&str] = &[
    "version",
    "name",
    "schema",
    "database",
    "label",
    "type",
    "description",
    "data_type",
    "config",
    "arguments",
    "data_tests",
    "tests",
    "columns",
    "tables",
];

/// Is a YAML file on its way.
pub(super) struct YamlEdit<'a> {
    path: Path,
    /// None for a file that is new.
    file: Option<&'a File>,
    editor: Editor,
}

/// Is the entry of a node, in the file that holds it.
pub(super) struct Entry<'a> {
    pub(super) yaml: YamlEdit<'a>,
    pub(super) steps: Vec<Step>,
}

impl<'a> YamlEdit<'a> {
    /// Begins to edit a file of the project.
    pub(super) fn of(input: &DecideInput<'a>, path: &Path) -> Result<Self, Refusal> {
        let Some(file) = input.files.tree.find(path) else {
            let message = format!("{path} belongs to a package, which is read-only");
            return Err(Refusal::new(Code::EditNotExpressible, message));
        };
        let Some(text) = file.text() else {
            return Err(Refusal::new(Code::FileOpaque, format!("{path} is not UTF-8 and cannot be edited as text")));
        };
        Ok(Self { path: path.clone(), file: Some(file), editor: Editor::new(path, text, KEY_ORDER) })
    }

    /// Begins a new file.
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self { path: path.clone(), file: None, editor: Editor::new(path, text, KEY_ORDER) }
    }

    /// Answers what stands at a path.
    pub(super) fn at(&self, steps: &[Step]) -> Option<Json> {
        self.editor.at(steps)
    }

    /// Finds an item of the list at a path by the name it has.
    pub(super) fn named(&self, steps: &[Step], name: &str) -> Option<usize> {
        self.at(steps)?.as_array()?.iter().position(|item| item.get("name").and_then(Json::as_str) == Some(name))
    }

    pub(super) fn set(&mut self, steps: &[Step], value: &Json) -> Result<(), Refusal> {
        self.editor.set(steps, value).map_err(|error| self.refusal(error))
    }

    pub(super) fn push(&mut self, steps: &[Step], item: &Json) -> Result<(), Refusal> {
        self.editor.push(steps, item).map_err(|error| self.refusal(error))
    }

    pub(super) fn remove(&mut self, steps: &[Step]) -> Result<(), Refusal> {
        self.editor.remove(steps).map_err(|error| self.refusal(error))
    }

    fn refusal(&self, error: Error) -> Refusal {
        let place = |at| place_of(&self.path, self.editor.text(), at);
        match error {
            Error::Shared(sharing) => shared(&self.path, self.editor.text(), &sharing),
            Error::Syntax(at) => {
                Refusal::new(Code::YamlSyntax, format!("{} is broken; mend it first", self.path)).at(place(at))
            }
            Error::NotExpressible { at, why } => Refusal::new(Code::EditNotExpressible, why).at(place(at)),
        }
    }

    /// Says whether the file describes nothing any more.
    fn is_bare(&self) -> bool {
        let value = self.editor.value();
        let is_bare = value.as_object().is_none_or(|map| map.keys().all(|key| key == "version"));
        is_bare && !self.editor.text().contains('#')
    }

    /// Answers the change of the file, if there is one; a file that describes nothing any more goes.
    pub(super) fn change(self) -> Option<FileChange> {
        let Some(file) = self.file else {
            let bytes = self.editor.text().as_bytes().into();
            return Some(FileChange::Added { path: self.path, mode: Mode::Regular, bytes });
        };
        let is_changed = file.text() != Some(self.editor.text());
        if is_changed && self.is_bare() {
            return Some(super::raw::removal(&self.path, file));
        }
        super::raw::rewritten(&self.path, file, self.editor.text()).pop()
    }
}

impl<'a> Entry<'a> {
    /// Finds the entry of a node.
    ///
    /// # Errors
    /// When the node is a package's, or its entry stands in a file that cannot be edited.
    pub(super) fn find(input: &DecideInput<'a>, node: &Node) -> Result<Option<Self>, Refusal> {
        unversioned(node)?;
        let Some(place) = &node.patch else { return Ok(None) };
        let yaml = YamlEdit::of(input, &place.path)?;
        let text = yaml.editor.text();
        let Some(root) = yaml.editor.read() else { return Ok(None) };
        let is_here = |item: &Value| place_of(&place.path, text, item.span.start) == *place;
        let found = root
            .entries()
            .iter()
            .find_map(|(section, list)| Some((section.as_str()?.to_owned(), list.items().iter().position(is_here)?)));
        let Some((section, at)) = found else { return Ok(None) };
        let mut steps = vec![Step::Key(section), Step::Item(at)];
        if node.resource_type == ResourceType::Source {
            steps.push("tables".into());
            let Some(table) = yaml.named(&steps, &node.name) else { return Ok(None) };
            steps.push(table.into());
        }
        Ok(Some(Self { yaml, steps }))
    }

    /// Finds the entry of a node, or begins one where the project is used to having them.
    ///
    /// # Errors
    /// As [`Entry::find`]; and when nodes of this kind have no entries.
    pub(super) fn of(input: &DecideInput<'a>, node: &Node) -> Result<Self, Refusal> {
        if let Some(entry) = Self::find(input, node)? {
            return Ok(entry);
        }
        files::own(input, node)?;
        let section = section(node).filter(|_| node.resource_type != ResourceType::Exposure).ok_or_else(|| {
            let message = format!("a {} has no YAML entry to edit", node.resource_type.as_str());
            Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id")
        })?;
        let mut yaml = home::of_node(input, node)?;
        let list = [Step::from(section)];
        yaml.push(&list, &serde_json::json!({"name": node.name}))?;
        let at = yaml.named(&list, &node.name).unwrap_or_default();
        Ok(Self { yaml, steps: vec![section.into(), at.into()] })
    }

    /// Answers the path of something in the entry.
    pub(super) fn path(&self, below: impl IntoIterator<Item = Step>) -> Vec<Step> {
        self.steps.iter().cloned().chain(below).collect()
    }

    /// Finds a column of the entry.
    pub(super) fn column(&self, name: &str) -> Option<Vec<Step>> {
        let columns = self.path(["columns".into()]);
        let at = self.yaml.named(&columns, name)?;
        Some(columns.into_iter().chain([at.into()]).collect())
    }
}

/// Refuses a model of several versions: what is one version's and what is all's is not told apart here.
fn unversioned(node: &Node) -> Result<(), Refusal> {
    let Some(patch) = node.patch.as_ref().filter(|_| node.version.is_some()) else { return Ok(()) };
    let message = format!("{} has versions; edit {}", node.name, patch.path);
    Err(Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id").at(patch.clone()))
}

/// Refuses an edit that goes through an alias, an anchor or a merge key at byte `at`.
pub(super) fn through_alias(path: &Path, text: &str, at: usize) -> Refusal {
    let sharing = sharing(text, at);
    let unknown = Sharing { name: String::new(), anchor: at, users: Vec::new() };
    shared(path, text, &sharing.unwrap_or(unknown))
}

/// Says which anchor a value is shared through; its place comes first, then those of its users.
fn shared(path: &Path, text: &str, sharing: &Sharing) -> Refusal {
    let places: Vec<_> = [sharing.anchor].iter().chain(&sharing.users).map(|at| place_of(path, text, *at)).collect();
    let lines: Vec<String> = places[1..].iter().map(|place| place.line.to_string()).collect();
    let used = if lines.is_empty() { String::new() } else { format!(", used in line {}", lines.join(", ")) };
    let (name, line) = (&sharing.name, places[0].line);
    let message = format!("the value is shared through the YAML anchor `{name}` in line {line}{used}; edit the file");
    Refusal::new(Code::YamlAlias, message).at_all(places)
}

/// Names the section of YAML files for nodes of a kind; None for what has none with a name of its own.
pub(super) fn section(node: &Node) -> Option<&'static str> {
    match node.resource_type {
        ResourceType::Model => Some("models"),
        ResourceType::Seed => Some("seeds"),
        ResourceType::Snapshot => Some("snapshots"),
        ResourceType::Analysis => Some("analyses"),
        ResourceType::Exposure => Some("exposures"),
        ResourceType::Test if node.test.is_none() => Some("data_tests"),
        ResourceType::Test
        | ResourceType::Source
        | ResourceType::UnitTest
        | ResourceType::Operation
        | ResourceType::Metric
        | ResourceType::SemanticModel
        | ResourceType::SavedQuery
        | ResourceType::Group => None,
    }
}
