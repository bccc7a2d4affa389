//! Shows a rename and a removal before they are made.

use super::files::{self, FileEdits};
use super::remove::Removal;
use super::rename::Rename;
use super::{
    DecideInput, Decided, EditPreview, FilePreview, Intent, Mention, RemovalPreview, RenameNode, RenamePreview, decide,
    hunks,
};
use super::{Refusal, refs};
use crate::node::Node;
use crate::tree::{FileChange, Tree};
use crate::yaml;

/// The most mentions that a preview lists.
const MAX_MENTIONS: usize = 100;

/// Decides an edit and shows it without making it.
///
/// # Errors
/// As [`decide`].
pub fn preview(input: &DecideInput<'_>, intent: &Intent) -> Result<EditPreview, Refusal> {
    let decided = decide(input, intent)?;
    let tree = input.files.tree.apply(&decided.files).expect("invariant: decided edits fit their files");
    Ok(EditPreview { summary: decided.summary, files: previews(input.files.tree, &tree, &decided.files) })
}

/// Decides a rename and shows it without making it.
///
/// # Errors
/// As [`decide`].
pub fn preview_rename(input: &DecideInput<'_>, unique_id: &str, to: &str) -> Result<RenamePreview, Refusal> {
    let asked = RenameNode { unique_id: unique_id.to_owned(), to: to.to_owned() };
    let decided = decide(input, &Intent::RenameNode(asked.clone()))?;
    let tree = input.files.tree.apply(&decided.files).expect("invariant: decided edits fit their files");
    let rename = Rename::new(input, &asked)?;
    let mentions = mentions(input, &rename)?;
    let target = target(rename.node, &decided);
    Ok(RenamePreview { files: previews(input.files.tree, &tree, &decided.files), mentions, target })
}

/// Shows a removal without making it, with what it would break.
///
/// # Errors
/// When there is no such node, or it cannot be removed by an edit.
pub fn preview_removal(input: &DecideInput<'_>, unique_id: &str) -> Result<RemovalPreview, Refusal> {
    let removal = Removal::new(input, unique_id)?;
    let files = removal.files()?;
    let after = input.files.tree.apply(&files).expect("invariant: planned edits fit their files");
    let users = removal.users(&files).into_iter().take(MAX_MENTIONS);
    let breaks = users.map(|user| {
        let text = input.files.tree.find(&user.place.path).and_then(|file| file.text()).unwrap_or_default();
        let told = text.lines().nth(user.place.line as usize - 1).unwrap_or_default().trim().to_owned();
        Mention { path: user.place.path, line: user.place.line, text: told }
    });
    let node = removal.node;
    let target = match node.is_relational() {
        true => {
            format!("nothing: {}.{}.{} stays as it is until somebody drops it", node.database, node.schema, node.alias)
        }
        false => "nothing: it has no relation of its own".to_owned(),
    };
    Ok(RemovalPreview { breaks: breaks.collect(), files: previews(input.files.tree, &after, &files), target })
}

fn previews(before: &Tree, after: &Tree, changes: &[FileChange]) -> Vec<FilePreview> {
    let mut previews: Vec<FilePreview> = Vec::new();
    for change in changes {
        let path = change.path();
        if !previews.iter().any(|preview| preview.path == *path) {
            previews.push(FilePreview { path: path.clone(), is_removed: false, moved_to: None, hunks: Vec::new() });
        }
        let preview = previews.iter_mut().find(|preview| preview.path == *path);
        match (preview, change) {
            (Some(preview), FileChange::Moved { to, .. }) => preview.moved_to = Some(to.clone()),
            (Some(preview), FileChange::Removed { .. }) => preview.is_removed = true,
            _ => {}
        }
    }
    for preview in &mut previews {
        let now = preview.moved_to.as_ref().unwrap_or(&preview.path);
        let text = |tree: &Tree, path| tree.find(path).and_then(|file| file.text().map(str::to_owned));
        let is_new = before.find(&preview.path).is_none();
        let old = if is_new { Some(String::new()) } else { text(before, &preview.path) };
        if let (Some(old), Some(new)) = (old, text(after, now)) {
            preview.hunks = hunks(&old, &new);
        }
    }
    previews
}

/// Lists the lines that may name a node and are left alone: strings in templates, and words in YAML and Markdown.
fn mentions(input: &DecideInput<'_>, rename: &Rename<'_>) -> Result<Vec<Mention>, Refusal> {
    let name = rename.node.name.as_str();
    let edited = rename.edits()?;
    let mut found: Vec<Mention> = Vec::new();
    for (path, file) in input.files.tree.iter() {
        let code = path.ends_with(".sql");
        if !(code || files::is_yaml(path) || path.ends_with(".md")) {
            continue;
        }
        let Some(text) = file.text().filter(|text| text.contains(name)) else { continue };
        let edits = edited.iter().find(|edits| edits.path == *path);
        let ranges = if code { refs::code(text) } else { std::iter::once(0..text.len()).collect() };
        for (at, _) in text.match_indices(name) {
            let quote = |byte: Option<&u8>| matches!(byte, Some(b'\'' | b'"'));
            let (before, after) =
                (at.checked_sub(1).and_then(|at| text.as_bytes().get(at)), text.as_bytes().get(at + name.len()));
            let word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            let whole = if code { quote(before) && quote(after) } else { !word(before) && !word(after) };
            let inside = ranges.iter().any(|range| range.contains(&at));
            if whole && inside && !edits.is_some_and(|edits: &FileEdits<'_>| edits.is_edited_at(at)) {
                let line = yaml::place_of(path, text, at).line;
                let told = text.lines().nth(line as usize - 1).unwrap_or_default().trim().to_owned();
                found.push(Mention { path: path.clone(), line, text: told });
            }
        }
    }
    found.dedup();
    found.truncate(MAX_MENTIONS);
    Ok(found)
}

/// Says what happens in the target.
fn target(old: &Node, decided: &Decided) -> String {
    let new = decided.moved.first().and_then(|moved| decided.project.find(&moved.to)).unwrap_or(old);
    let relation = |node: &Node| format!("{}.{}.{}", node.database, node.schema, node.alias);
    if !old.is_relational() {
        return "nothing: it has no relation of its own".to_owned();
    }
    if relation(old) == relation(new) {
        return format!("nothing: its relation stays {}", relation(old));
    }
    format!("the next run makes {}; {} stays as it is until somebody drops it", relation(new), relation(old))
}
