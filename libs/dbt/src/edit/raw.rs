//! Raw edits: a whole text, a new, moved or removed file. They are accepted whatever they say.

use std::sync::Arc;

use super::{
    AddFile, Code, DecideInput, MoveFile, Plan, Refusal, RemoveFile, SaveFile, SetSql, Subject, diff, restore,
};
use crate::tree::{File, FileChange, Mode};

/// The longest path, in bytes.
const MAX_PATH_BYTES: usize = 1024;

/// Folders whose files are not a project's.
const FOREIGN_FOLDERS: [&str; 2] = [".git", "dbt_packages"];

pub(super) fn save(input: &DecideInput<'_>, save: &SaveFile) -> Result<Plan, Refusal> {
    let files = replaced(input, &save.path, &save.text).map_err(|refusal| refusal.at_field("/path"))?;
    Ok(Plan { summary: format!("edited {}", save.path), files, subjects: vec![file(&save.path)], ..Plan::default() })
}

pub(super) fn set_sql(input: &DecideInput<'_>, set: &SetSql) -> Result<Plan, Refusal> {
    let node = super::find(input, &set.unique_id)?;
    let path = &node.original_file_path;
    if !path.ends_with(".sql") {
        let message = format!("{} has no SQL file; edit {path}", node.name);
        return Err(Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id"));
    }
    let files = replaced(input, path, &set.sql)?;
    let subject = Subject { node: set.unique_id.clone(), property: "sql".to_owned() };
    Ok(Plan {
        summary: format!("changed the SQL of {}", node.name),
        files,
        subjects: vec![subject, file(path)],
        ..Plan::default()
    })
}

pub(super) fn add(input: &DecideInput<'_>, add: &AddFile) -> Result<Plan, Refusal> {
    vacant(input, &add.path).map_err(|refusal| refusal.at_field("/path"))?;
    let bytes = Arc::from(add.text.as_bytes());
    let files = vec![FileChange::Added { path: add.path.as_str().into(), mode: Mode::Regular, bytes }];
    Ok(Plan { summary: format!("added {}", add.path), files, subjects: vec![file(&add.path)], ..Plan::default() })
}

pub(super) fn move_file(input: &DecideInput<'_>, moving: &MoveFile) -> Result<Plan, Refusal> {
    find(input, &moving.path).map_err(|refusal| refusal.at_field("/path"))?;
    let (from, to) = (moving.path.as_str(), moving.to.as_str());
    let summary = format!("moved {from} to {to}");
    let subject = Subject { node: from.to_owned(), property: "path".to_owned() };
    if from == to {
        return Ok(Plan { summary, files: Vec::new(), subjects: vec![subject], ..Plan::default() });
    }
    vacant(input, to).map_err(|refusal| refusal.at_field("/to"))?;
    let files = vec![FileChange::Moved { from: from.into(), to: to.into() }];
    Ok(Plan { summary, files, subjects: vec![subject], ..Plan::default() })
}

pub(super) fn remove(input: &DecideInput<'_>, remove: &RemoveFile) -> Result<Plan, Refusal> {
    let found = find(input, &remove.path).map_err(|refusal| refusal.at_field("/path"))?;
    let files = vec![removal(&remove.path, found)];
    Ok(Plan {
        summary: format!("removed {}", remove.path),
        files,
        subjects: vec![file(&remove.path)],
        ..Plan::default()
    })
}

/// Makes the change that removes a file.
pub(super) fn removal(path: &str, file: &File) -> FileChange {
    FileChange::Removed { path: path.into(), mode: file.mode, bytes: file.bytes.clone() }
}

/// Makes the change that turns the file at `path` into `text`; none where it already says that.
pub(super) fn rewritten(path: &str, file: &File, text: &str) -> Vec<FileChange> {
    let old = file.text().expect("invariant: only files of text are rewritten");
    let edits = diff(old, text);
    if edits.is_empty() {
        return Vec::new();
    }
    vec![FileChange::edited(path, file, edits).expect("invariant: the edits were made from this file")]
}

fn replaced(input: &DecideInput<'_>, path: &str, text: &str) -> Result<Vec<FileChange>, Refusal> {
    let file = find(input, path)?;
    let Some(old) = file.text() else {
        return Err(Refusal::new(Code::FileOpaque, format!("{path} is not UTF-8 and cannot be edited as text")));
    };
    Ok(rewritten(path, file, &restore(old, text)))
}

fn file(path: &str) -> Subject {
    Subject { node: path.to_owned(), property: "file".to_owned() }
}

fn find<'a>(input: &DecideInput<'a>, path: &str) -> Result<&'a File, Refusal> {
    let missing = || Refusal::new(Code::FileNotFound, format!("there is no file {path}"));
    input.files.tree.find(path).ok_or_else(missing)
}

/// Checks that a file may be put at `path`.
pub(super) fn vacant(input: &DecideInput<'_>, path: &str) -> Result<(), Refusal> {
    let invalid = |why: &str| Err(Refusal::new(Code::PathInvalid, format!("the path {why}")));
    if path.len() > MAX_PATH_BYTES {
        let refusal = Refusal::new(Code::PathInvalid, format!("the path is longer than {MAX_PATH_BYTES} bytes"));
        return Err(Refusal { limit: Some(MAX_PATH_BYTES), ..refusal });
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return invalid("has a control character or a backslash; put `/` between folders");
    }
    if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return invalid("has an empty part, `.` or `..`; it starts at the top of the repository");
    }
    if path.split('/').any(|part| FOREIGN_FOLDERS.iter().any(|folder| part.eq_ignore_ascii_case(folder))) {
        return invalid("lies in a folder whose files are not the project's");
    }
    if input.files.tree.find(path).is_some() {
        return Err(Refusal::new(Code::FileExists, format!("there is already a file {path}")));
    }
    let below = format!("{path}/");
    if input.files.tree.iter().any(|(known, _)| known.starts_with(&below)) {
        return Err(Refusal::new(Code::FileExists, format!("{path} is a folder")));
    }
    let above = path.match_indices('/').find(|(at, _)| input.files.tree.find(&path[..*at]).is_some());
    match above {
        Some((at, _)) => Err(Refusal::new(Code::FileExists, format!("{} is a file, not a folder", &path[..at]))),
        None => Ok(()),
    }
}
