//! Decides edits of a branch: an edit made on an older version is decided anew on the files of now, and refused only
//! where somebody has changed the same lines or the same property since.

use dvt_dbt::edit::{self, Code, DecideInput, Decided, Intent, Refusal, Subject};
use dvt_dbt::parse::{ParseInput, Project, parse};
use dvt_dbt::tree::{self, Tree};

use super::since::{self, History, Touched};
use super::{Change, Changed, Event, property};
use crate::envelope::{Actor, Timestamp};

/// Is what an edit was made on, and what has happened since.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Base {
    pub version: i64,
    /// The files at that version.
    pub tree: Tree,
    /// The events after that version, in order; none where the edit was made on the branch as it is.
    pub since: Vec<Since>,
}

/// Is one later event, with who made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Since {
    pub version: i64,
    pub actor: Actor,
    pub at: Timestamp,
    pub event: Event,
}

/// Says which later edit collides with this one, and the three texts of what both touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub version: i64,
    pub actor: Actor,
    pub at: Timestamp,
    /// Says what the other edit did.
    pub summary: String,
    pub subject: Option<Subject>,
    pub path: Option<tree::Path>,
    pub base: Option<String>,
    pub theirs: Option<String>,
    pub mine: Option<String>,
}

/// Says why an edit is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("another edit came first: {}", .0.summary)]
    Conflict(Box<Conflict>),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Is an edit that may be made.
#[derive(Clone, Debug)]
pub struct Decision {
    pub event: Event,
    /// The project as it reads after the edit.
    pub project: Project,
}

/// Decides an edit that was made on `base` on the files of now; None where these already say what is meant.
///
/// # Errors
/// When the edit cannot be expressed, breaks a rule of the graph, or collides with a later one.
pub fn decide(input: &DecideInput<'_>, intent: Intent, base: &Base) -> Result<Option<Decision>, Error> {
    if base.since.is_empty() {
        return Ok(recorded(edit::decide(input, &intent)?, intent));
    }
    let history = History::of(base);
    let intent = history.now(intent);
    let intent = match text_of(input, &intent) {
        Some((path, text)) => merge(input, &history, (intent, &path, text))?,
        None => intent,
    };
    let decided = edit::decide(input, &intent).map_err(|refusal| gone(input, &history, (refusal, &intent)))?;
    check(input, &history, (&decided, &intent))?;
    Ok(recorded(decided, intent))
}

fn recorded(decided: Decided, intent: Intent) -> Option<Decision> {
    let Decided { summary, files, subjects, moved, project } = decided;
    if files.is_empty() {
        return None;
    }
    let event = Event::Changed(Changed { intent, change: Change { summary, files, subjects, moved } });
    Some(Decision { event, project })
}

/// Answers the file and the whole text that an intent replaces it with; None for all other intents.
fn text_of(input: &DecideInput<'_>, intent: &Intent) -> Option<(tree::Path, String)> {
    match intent {
        Intent::SaveFile(save) => Some((save.path.as_str().into(), save.text.clone())),
        Intent::SetSql(set) => {
            let node = input.project.find(&set.unique_id).or_else(|| input.project.disabled().get(&set.unique_id));
            Some((node?.original_file_path.clone(), set.sql.clone()))
        }
        Intent::AddNode(_)
        | Intent::RenameNode(_)
        | Intent::RemoveNode(_)
        | Intent::Connect(_)
        | Intent::Disconnect(_)
        | Intent::Configure(_)
        | Intent::DescribeNode(_)
        | Intent::DescribeColumn(_)
        | Intent::DeclareColumns(_)
        | Intent::AddTest(_)
        | Intent::RemoveTest(_)
        | Intent::DeclareSource(_)
        | Intent::AddFile(_)
        | Intent::MoveFile(_)
        | Intent::RemoveFile(_) => None,
    }
}

fn with_text(intent: Intent, text: String) -> Intent {
    match intent {
        Intent::SaveFile(save) => Intent::SaveFile(edit::SaveFile { text, ..save }),
        Intent::SetSql(set) => Intent::SetSql(edit::SetSql { sql: text, ..set }),
        Intent::AddNode(_)
        | Intent::RenameNode(_)
        | Intent::RemoveNode(_)
        | Intent::Connect(_)
        | Intent::Disconnect(_)
        | Intent::Configure(_)
        | Intent::DescribeNode(_)
        | Intent::DescribeColumn(_)
        | Intent::DeclareColumns(_)
        | Intent::AddTest(_)
        | Intent::RemoveTest(_)
        | Intent::DeclareSource(_)
        | Intent::AddFile(_)
        | Intent::MoveFile(_)
        | Intent::RemoveFile(_) => intent,
    }
}

/// Moves a text that was written on an older version of a file over what others changed in that file.
fn merge(
    input: &DecideInput<'_>,
    history: &History<'_>,
    (intent, path, text): (Intent, &tree::Path, String),
) -> Result<Intent, Error> {
    let read = |tree: &Tree, path: &str| tree.find(path).and_then(|file| file.text().map(str::to_owned));
    let old_path = history.path_at_base(path);
    let (Some(old), Some(new)) = (read(&history.base.tree, &old_path), read(input.files.tree, path)) else {
        return match history.last(&old_path) {
            Some(by) if history.base.tree.find(&old_path).is_some() => {
                Err(conflict(by, path, [None, None, Some(text)]))
            }
            Some(_) | None => Ok(intent),
        };
    };
    if old == new {
        return Ok(intent);
    }
    let mine = edit::diff(&old, &edit::restore(&old, &text));
    let collides = |with: &str| edit::rebase(old.as_bytes(), &mine, &edit::diff(&old, with));
    match collides(&new) {
        Ok(moved) => {
            let merged = tree::apply_edits(path, new.as_bytes(), &moved).expect("invariant: the edits were moved here");
            let merged = String::from_utf8(merged).expect("invariant: edits of text make text");
            Ok(with_text(intent, merged))
        }
        Err(overlap) => {
            let by = history
                .first(&old_path, |text| collides(text).is_err())
                .or_else(|| history.last(&old_path))
                .expect("invariant: a file that differs was touched by an event");
            let theirs = edit::diff(&old, &new);
            let texts = edit::three(&old, &theirs[overlap.theirs], &mine[overlap.mine]);
            Err(conflict(by, path, texts.map(Some)))
        }
    }
}

/// Turns the refusal of an edit whose node somebody has taken away since into a conflict with that.
fn gone(input: &DecideInput<'_>, history: &History<'_>, (refusal, intent): (Refusal, &Intent)) -> Error {
    if !matches!(refusal.code, Code::NodeNotFound | Code::TestNotFound | Code::FileNotFound) {
        return Error::Refused(refusal);
    }
    let names = since::names(intent);
    if let Some(touched) = history.touched.iter().rev().find(|touched| names.contains(&touched.subject.node)) {
        let (subject, mine) = (Some(touched.subject.clone()), property::meant(intent));
        return Error::Conflict(Box::new(Conflict { subject, mine, ..about(touched.by) }));
    }
    let before = parse(ParseInput { tree: &history.base.tree, ..input.files });
    let missing = names.iter().filter(|name| input.project.find(name).is_none());
    let by = missing.filter_map(|name| before.find(&history.node_at_base(name))).find_map(|node| {
        let path = &node.original_file_path;
        Some((history.last(path)?, path))
    });
    match by {
        Some((by, path)) => conflict(by, path, [None, None, property::meant(intent)]),
        None => Error::Refused(refusal),
    }
}

fn about(since: &Since) -> Conflict {
    let Since { version, actor, at, event } = since;
    let (version, actor, at, summary) = (*version, actor.clone(), *at, event.summary());
    Conflict { version, actor, at, summary, subject: None, path: None, base: None, theirs: None, mine: None }
}

fn conflict(by: &Since, path: &tree::Path, [base, theirs, mine]: [Option<String>; 3]) -> Error {
    Error::Conflict(Box::new(Conflict { path: Some(path.clone()), base, theirs, mine, ..about(by) }))
}

/// Checks that nobody has changed since what this edit changes: the same property, the same lines by hand, or a file
/// that it takes away.
fn check(input: &DecideInput<'_>, history: &History<'_>, (decided, intent): (&Decided, &Intent)) -> Result<(), Error> {
    if decided.files.is_empty() {
        return Ok(());
    }
    if !matches!(intent, Intent::SaveFile(_) | Intent::SetSql(_)) {
        let same = |touched: &&Touched<'_>| decided.subjects.contains(&touched.subject);
        if let Some(touched) = history.touched.iter().rev().find(same) {
            let [base, theirs] = property::base_and_now(input, history, &touched.subject);
            let (subject, mine) = (Some(touched.subject.clone()), property::meant(intent));
            return Err(Error::Conflict(Box::new(Conflict { subject, base, theirs, mine, ..about(touched.by) })));
        }
        if let Some((by, path)) = history.edited_by_hand(input.files.tree, &decided.files) {
            return Err(conflict(by, &path, [None, None, property::meant(intent)]));
        }
    }
    let removed = decided.files.iter().find_map(|change| match change {
        tree::FileChange::Removed { path, .. } => Some((history.last(&history.path_at_base(path))?, path)),
        tree::FileChange::Added { .. }
        | tree::FileChange::Edited { .. }
        | tree::FileChange::Moved { .. }
        | tree::FileChange::ModeChanged { .. } => None,
    });
    removed.map_or(Ok(()), |(by, path)| Err(conflict(by, path, [None, None, None])))
}
