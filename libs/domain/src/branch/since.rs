//! What has happened to a branch since an edit's base: which names moved, which files and which subjects were touched.

use dvt_dbt::edit::{self, Intent, Moved, Subject};
use dvt_dbt::tree::{self, FileChange, Tree};

use super::{Base, Branch, Event, Since};

/// Is the later events of a base, with the files after each.
pub(super) struct History<'a> {
    pub(super) base: &'a Base,
    trees: Vec<Tree>,
    /// What the events are about, by the names of now, in order.
    pub(super) touched: Vec<Touched<'a>>,
}

/// Is something that a later event is about.
pub(super) struct Touched<'a> {
    pub(super) subject: Subject,
    pub(super) by: &'a Since,
}

impl<'a> History<'a> {
    pub(super) fn of(base: &'a Base) -> Self {
        let mut branch = Branch { tree: base.tree.clone(), ..Branch::default() };
        let (mut trees, mut touched) = (Vec::new(), Vec::<Touched<'a>>::new());
        for since in &base.since {
            branch = branch.apply(&since.event).expect("invariant: recorded edits fit the files they were made on");
            trees.push(branch.tree.clone());
            touched
                .extend(since.event.subjects().iter().map(|subject| Touched { subject: subject.clone(), by: since }));
            for touched in &mut touched {
                follow(&mut touched.subject.node, &since.event);
            }
        }
        Self { base, trees, touched }
    }

    /// Answers an intent with the names and paths of now.
    pub(super) fn now(&self, mut intent: Intent) -> Intent {
        for since in &self.base.since {
            names_of(&mut intent).into_iter().for_each(|name| follow(name, &since.event));
        }
        intent
    }

    /// Answers the name at the base of a node of now.
    pub(super) fn node_at_base(&self, unique_id: &str) -> String {
        let back = |id: String, since: &Since| {
            let moved = since.event.moved().iter().find(|moved| moved.to == id);
            moved.map_or(id, |moved| moved.from.clone())
        };
        self.base.since.iter().rev().fold(unique_id.to_owned(), back)
    }

    /// Answers the path at the base of a file of now.
    pub(super) fn path_at_base(&self, path: &tree::Path) -> tree::Path {
        let changes = self.base.since.iter().rev().flat_map(|since| since.event.files().iter().rev());
        changes.fold(path.clone(), |path, change| match change {
            FileChange::Moved { from, to } if *to == path => from.clone(),
            FileChange::Moved { .. }
            | FileChange::Added { .. }
            | FileChange::Edited { .. }
            | FileChange::Removed { .. }
            | FileChange::ModeChanged { .. } => path,
        })
    }

    /// Lists the events that changed the text of a file, with the texts before and after; `path` is the base's.
    fn changes(&self, path: &tree::Path) -> Vec<(&'a Since, Option<&str>, Option<&str>)> {
        let (mut path, mut before) = (path.clone(), &self.base.tree);
        let mut found = Vec::new();
        for (since, after) in self.base.since.iter().zip(&self.trees) {
            let old = before.find(&path);
            for change in since.event.files() {
                if let FileChange::Moved { from, to } = change
                    && *from == path
                {
                    path = to.clone();
                }
            }
            let new = after.find(&path);
            if old.map(|file| file.sha256) != new.map(|file| file.sha256) {
                found.push((since, old.and_then(tree::File::text), new.and_then(tree::File::text)));
            }
            before = after;
        }
        found
    }

    /// Finds the first event after which a file's text is as `like` says; `path` is the base's.
    pub(super) fn first(&self, path: &tree::Path, like: impl Fn(&str) -> bool) -> Option<&'a Since> {
        self.changes(path).into_iter().find(|(_, _, after)| after.is_some_and(&like)).map(|(since, ..)| since)
    }

    /// Finds the last event that changed a file; `path` is the base's.
    pub(super) fn last(&self, path: &tree::Path) -> Option<&'a Since> {
        self.changes(path).pop().map(|(since, ..)| since)
    }

    /// Finds the event in which somebody wrote by hand what `mine`, edits of the files of now, touches.
    pub(super) fn edited_by_hand(&self, now: &Tree, mine: &[FileChange]) -> Option<(&'a Since, tree::Path)> {
        mine.iter().find_map(|change| {
            let FileChange::Edited { path, edits, .. } = change else { return None };
            let now = now.find(path)?.text()?;
            let by_hand = self.changes(&self.path_at_base(path)).into_iter().rev().find(|(since, before, after)| {
                let (true, Some(before), Some(after)) = (is_by_hand(&since.event), before, after) else { return false };
                let back = edit::diff(after, before);
                // Where lines were changed again, the later event is the one that counts.
                let Ok(back) = edit::rebase(after.as_bytes(), &back, &edit::diff(after, now)) else { return false };
                edit::overlap(now.as_bytes(), edits, &back).is_some()
            });
            by_hand.map(|(since, ..)| (since, path.clone()))
        })
    }
}

fn is_by_hand(event: &Event) -> bool {
    match event {
        Event::ProjectImported(_) => true,
        Event::ProjectExported(_) => false,
        Event::Changed(changed) => matches!(changed.intent, Intent::SaveFile(_) | Intent::SetSql(_)),
    }
}

/// Moves a unique_id or a path over one event.
fn follow(name: &mut String, event: &Event) {
    let id = event.moved().iter().find(|Moved { from, .. }| from == name).map(|moved| moved.to.clone());
    let path = || {
        event.files().iter().find_map(|change| match change {
            FileChange::Moved { from, to } => (**from == **name).then(|| to.to_string()),
            FileChange::Added { .. }
            | FileChange::Edited { .. }
            | FileChange::Removed { .. }
            | FileChange::ModeChanged { .. } => None,
        })
    };
    if let Some(now) = id.or_else(path) {
        *name = now;
    }
}

/// Lists the nodes and files that an intent names.
pub(super) fn names(intent: &Intent) -> Vec<String> {
    names_of(&mut intent.clone()).into_iter().map(|name| name.clone()).collect()
}

fn names_of(intent: &mut Intent) -> Vec<&mut String> {
    match intent {
        Intent::AddNode(add) => add.from.iter_mut().collect(),
        Intent::RenameNode(rename) => vec![&mut rename.unique_id],
        Intent::RemoveNode(remove) => vec![&mut remove.unique_id],
        Intent::Connect(connect) => vec![&mut connect.from, &mut connect.to],
        Intent::Disconnect(disconnect) => vec![&mut disconnect.from, &mut disconnect.to],
        Intent::SetSql(set) => vec![&mut set.unique_id],
        Intent::Configure(configure) => vec![&mut configure.unique_id],
        Intent::DescribeNode(describe) => vec![&mut describe.unique_id],
        Intent::DescribeColumn(describe) => vec![&mut describe.unique_id],
        Intent::DeclareColumns(declare) => vec![&mut declare.unique_id],
        Intent::AddTest(add) => vec![&mut add.unique_id],
        Intent::RemoveTest(remove) => vec![&mut remove.unique_id],
        Intent::DeclareSource(_) | Intent::AddFile(_) => Vec::new(),
        Intent::SaveFile(save) => vec![&mut save.path],
        Intent::MoveFile(moving) => vec![&mut moving.path],
        Intent::RemoveFile(remove) => vec![&mut remove.path],
    }
}
