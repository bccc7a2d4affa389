//! The records whose shape differs from the event's: what the event holds in full, they name by hash.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use dvt_dbt::edit::{Moved, Subject};
use dvt_dbt::tree::{Edit, FileChange, Mode, Sha256};
use dvt_domain::branch::LeftOut;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::decode::Error;

#[derive(Serialize, Deserialize)]
pub(crate) struct ProjectImported {
    pub(crate) source: String,
    pub(crate) tree: Sha256,
    pub(crate) packages: Sha256,
    pub(crate) files: i64,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) moved: Vec<Moved>,
    pub(crate) given: Option<Sha256>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Compiled {
    pub(crate) artifact: Sha256,
    pub(crate) compiled: i32,
    pub(crate) deferred: i32,
    pub(crate) broken: i32,
    pub(crate) nodes: Sha256,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct RunPlanned {
    pub(crate) steps: Sha256,
    pub(crate) count: i32,
}

/// An intent of whichever kind with the changes it made.
#[derive(Serialize)]
pub(crate) struct Changed<I> {
    pub(crate) intent: I,
    pub(crate) change: Change,
}

/// Read as a map: Avro wants a struct to be named as its record, and this one serves many records.
impl<'de, I: Deserialize<'de>> Deserialize<'de> for Changed<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "snake_case")]
        enum Key {
            Intent,
            Change,
            #[serde(other)]
            Other,
        }

        struct Fields<I>(PhantomData<I>);

        impl<'de, I: Deserialize<'de>> Visitor<'de> for Fields<I> {
            type Value = Changed<I>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an intent and its change")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Changed<I>, A::Error> {
                let (mut intent, mut change) = (None, None);
                while let Some(key) = map.next_key()? {
                    match key {
                        Key::Intent => intent = Some(map.next_value()?),
                        Key::Change => change = Some(map.next_value()?),
                        Key::Other => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                let intent = intent.ok_or_else(|| A::Error::missing_field("intent"))?;
                Ok(Changed { intent, change: change.ok_or_else(|| A::Error::missing_field("change"))? })
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) summary: String,
    pub(crate) files: Vec<FileRecord>,
    pub(crate) files_blob: Option<Sha256>,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) moved: Vec<Moved>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ChangeSet {
    pub(crate) files: Vec<FileRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    Added,
    Edited,
    Moved,
    Removed,
    ModeChanged,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "FileChange")]
pub(crate) struct FileRecord {
    op: Op,
    path: String,
    moved_to: Option<String>,
    mode: Option<Mode>,
    old_mode: Option<Mode>,
    before: Option<Sha256>,
    after: Option<Sha256>,
    edits: Vec<EditRecord>,
    #[serde(with = "serde_bytes")]
    content: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Edit")]
struct EditRecord {
    start: i64,
    #[serde(with = "serde_bytes")]
    old: Vec<u8>,
    #[serde(with = "serde_bytes")]
    new: Vec<u8>,
}

impl FileRecord {
    fn new(op: Op, path: &str) -> Self {
        let path = path.to_owned();
        Self {
            op,
            path,
            moved_to: None,
            mode: None,
            old_mode: None,
            before: None,
            after: None,
            edits: Vec::new(),
            content: None,
        }
    }

    /// Counts the bytes of content, which decide whether a change is kept as a blob.
    pub(crate) fn size(&self) -> usize {
        let edits: usize = self.edits.iter().map(|edit| edit.old.len() + edit.new.len()).sum();
        edits + self.content.as_ref().map_or(0, Vec::len)
    }
}

impl From<&FileChange> for FileRecord {
    fn from(change: &FileChange) -> Self {
        match change {
            FileChange::Added { path, mode, bytes } => {
                Self { mode: Some(*mode), content: Some(bytes.to_vec()), ..Self::new(Op::Added, path) }
            }
            FileChange::Removed { path, mode, bytes } => {
                Self { mode: Some(*mode), content: Some(bytes.to_vec()), ..Self::new(Op::Removed, path) }
            }
            FileChange::Moved { from, to } => Self { moved_to: Some(to.to_string()), ..Self::new(Op::Moved, from) },
            FileChange::ModeChanged { path, from, to } => {
                Self { mode: Some(*to), old_mode: Some(*from), ..Self::new(Op::ModeChanged, path) }
            }
            FileChange::Edited { path, edits, before, after } => Self {
                before: Some(*before),
                after: Some(*after),
                edits: edits.iter().map(EditRecord::from).collect(),
                ..Self::new(Op::Edited, path)
            },
        }
    }
}

impl TryFrom<FileRecord> for FileChange {
    type Error = Error;

    fn try_from(record: FileRecord) -> Result<Self, Error> {
        let path: Arc<str> = record.path.into();
        let lacks = |field| Error::Field { record: "FileChange", field };
        let content = record.content.map(Arc::<[u8]>::from).ok_or_else(|| lacks("content"));
        let mode = record.mode.ok_or_else(|| lacks("mode"));
        Ok(match record.op {
            Op::Added => Self::Added { path, mode: mode?, bytes: content? },
            Op::Removed => Self::Removed { path, mode: mode?, bytes: content? },
            Op::Moved => Self::Moved { from: path, to: record.moved_to.ok_or_else(|| lacks("moved_to"))?.into() },
            Op::ModeChanged => {
                Self::ModeChanged { path, from: record.old_mode.ok_or_else(|| lacks("old_mode"))?, to: mode? }
            }
            Op::Edited => Self::Edited {
                path,
                edits: record.edits.into_iter().map(Edit::try_from).collect::<Result<_, _>>()?,
                before: record.before.ok_or_else(|| lacks("before"))?,
                after: record.after.ok_or_else(|| lacks("after"))?,
            },
        })
    }
}

impl From<&Edit> for EditRecord {
    fn from(edit: &Edit) -> Self {
        Self { start: edit.start as i64, old: edit.old.clone(), new: edit.new.clone() }
    }
}

impl TryFrom<EditRecord> for Edit {
    type Error = Error;

    fn try_from(record: EditRecord) -> Result<Self, Error> {
        let start = usize::try_from(record.start).map_err(|_| Error::Field { record: "Edit", field: "start" })?;
        Ok(Self { start, old: record.old, new: record.new })
    }
}
