//! Collects the exact edits of the files of a project.

use std::collections::BTreeMap;

use super::{Code, DecideInput, Refusal};
use crate::node::Node;
use crate::tree::{Edit, File, FileChange, Path};
use crate::yaml::{self, Value};

/// Is the edits of one file, by where they start.
pub(super) struct FileEdits<'a> {
    pub(super) path: Path,
    pub(super) text: &'a str,
    file: &'a File,
    edits: BTreeMap<usize, Edit>,
}

impl<'a> FileEdits<'a> {
    /// Begins to edit a file; None where it is no text.
    pub(super) fn of(path: &Path, file: &'a File) -> Option<Self> {
        Some(Self { path: path.clone(), text: file.text()?, file, edits: BTreeMap::new() })
    }

    pub(super) fn replace(&mut self, span: std::ops::Range<usize>, new: &str) {
        if &self.text[span.clone()] != new {
            self.edits.insert(span.start, Edit::new(span.start, &self.text[span], new));
        }
    }

    pub(super) fn is_edited_at(&self, at: usize) -> bool {
        self.edits.range(..=at).next_back().is_some_and(|(_, edit)| at < edit.end().max(edit.start + 1))
    }

    /// Answers the change of the file, if there is one.
    pub(super) fn change(self) -> Option<FileChange> {
        let edits: Vec<Edit> = self.edits.into_values().collect();
        let change = || FileChange::edited(self.path, self.file, edits.clone());
        (!edits.is_empty()).then(|| change().expect("invariant: the edits are of this file and do not overlap"))
    }
}

/// Answers the folder of the package that a file belongs to, `""` or ending in `/`; None outside any.
pub(super) fn package_folder(input: &DecideInput<'_>, path: &str) -> Option<String> {
    let mut folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    loop {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        if input.files.tree.find(&format!("{prefix}dbt_project.yml")).is_some() {
            return Some(prefix);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// Answers the path of the project's dbt_project.yml.
pub(super) fn project_file(input: &DecideInput<'_>) -> Path {
    match input.files.root.trim_matches('/') {
        "" => "dbt_project.yml".into(),
        root => format!("{root}/dbt_project.yml").into(),
    }
}

/// Checks that a node's files are the project's own.
pub(super) fn own<'a>(input: &DecideInput<'a>, node: &Node) -> Result<&'a File, Refusal> {
    input.files.tree.find(&node.original_file_path).ok_or_else(|| {
        let message = format!("{} belongs to the package {}, which is read-only", node.name, node.package_name);
        Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id")
    })
}

/// Says whether a path names a YAML file.
pub(super) fn is_yaml(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}

/// Reads a YAML file; None where it is broken or empty.
pub(super) fn read(path: &Path, text: &str) -> Option<Value> {
    yaml::read(path, text).value
}
