//! The files of a project: path to (mode, bytes), and the exact text changes between two such trees.
//!
//! Responsible for applying changes and refusing any that does not fit the bytes it meets. Knows nothing of dbt's
//! meaning of a file.

use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256 as Hasher};

/// Names content by its SHA-256; hexadecimal as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Hasher::digest(bytes).into())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Sha256 {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Says whether Git would mark a file as executable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Regular,
    Executable,
}

/// Holds one file's mode, bytes and their hash.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    pub mode: Mode,
    pub bytes: Arc<[u8]>,
    pub sha256: Sha256,
}

impl File {
    /// Makes a file of `bytes` and computes their hash.
    pub fn new(mode: Mode, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        let sha256 = Sha256::of(&bytes);
        Self { mode, bytes, sha256 }
    }

    /// Reads the file as UTF-8; None for a file that DVT+ treats as opaque.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?}, {} bytes, {})", self.mode, self.bytes.len(), self.sha256)
    }
}

/// Names a file by its path from the tree's top, with `/` between the parts.
pub type Path = Arc<str>;

/// Holds the files of one moment. Cloning is O(1); one change is O(log n).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: OrdMap<Path, File>,
}

impl Tree {
    /// Finds a file by its path.
    pub fn find(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Lists the files in the byte order of their paths.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Path, &File)> {
        self.files.iter()
    }

    /// Lists the files whose paths begin with `prefix`, in the byte order of their paths.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a Path, &'a File)> {
        let from = self.files.range::<_, str>((Bound::Included(prefix), Bound::Unbounded));
        from.take_while(move |(path, _)| path.starts_with(prefix))
    }

    /// Counts the files.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Says whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Puts a file at `path`, replacing what was there. For building trees; a change to a project is a [`FileChange`].
    pub fn insert(&mut self, path: impl Into<Path>, file: File) {
        self.files.insert(path.into(), file);
    }

    /// Answers this tree with `changes` made, in their order.
    ///
    /// # Errors
    /// When a change does not fit the files it meets. Nothing is changed then.
    pub fn apply(&self, changes: &[FileChange]) -> Result<Self, Error> {
        let mut files = self.files.clone();
        for change in changes {
            apply_one(&mut files, change)?;
        }
        Ok(Self { files })
    }
}

impl<P: Into<Path>> FromIterator<(P, File)> for Tree {
    fn from_iter<I: IntoIterator<Item = (P, File)>>(files: I) -> Self {
        Self { files: files.into_iter().map(|(path, file)| (path.into(), file)).collect() }
    }
}

/// Replaces the bytes `start..start + old.len()` of a file by `new`. Offsets count bytes of the file before the change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    pub start: usize,
    #[serde(with = "serde_bytes")]
    pub old: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub new: Vec<u8>,
}

impl Edit {
    /// Makes an edit of text.
    pub fn new(start: usize, old: impl Into<Vec<u8>>, new: impl Into<Vec<u8>>) -> Self {
        Self { start, old: old.into(), new: new.into() }
    }

    /// Answers the offset just after the replaced bytes.
    pub fn end(&self) -> usize {
        self.start + self.old.len()
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (old, new) = (String::from_utf8_lossy(&self.old), String::from_utf8_lossy(&self.new));
        write!(f, "Edit({}: {old:?} -> {new:?})", self.start)
    }
}

/// Says what happens to the file at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    Added {
        path: Path,
        mode: Mode,
        bytes: Arc<[u8]>,
    },
    /// Edits ascend by `start`, do not overlap, and are applied from last to first.
    Edited {
        path: Path,
        edits: Vec<Edit>,
        before: Sha256,
        after: Sha256,
    },
    Moved {
        from: Path,
        to: Path,
    },
    /// Keeps the bytes, so that the inverse of a removal is an addition.
    Removed {
        path: Path,
        mode: Mode,
        bytes: Arc<[u8]>,
    },
    ModeChanged {
        path: Path,
        from: Mode,
        to: Mode,
    },
}

impl FileChange {
    /// Makes the change that turns `file` at `path` into the result of `edits`.
    ///
    /// # Errors
    /// When the edits do not ascend, overlap, or do not meet the bytes they expect.
    pub fn edited(path: impl Into<Path>, file: &File, edits: Vec<Edit>) -> Result<Self, Error> {
        let path = path.into();
        let after = Sha256::of(&apply_edits(&path, &file.bytes, &edits)?);
        Ok(Self::Edited { path, edits, before: file.sha256, after })
    }

    /// Names the path that the change starts from.
    pub fn path(&self) -> &Path {
        match self {
            Self::Added { path, .. }
            | Self::Edited { path, .. }
            | Self::Removed { path, .. }
            | Self::ModeChanged { path, .. } => path,
            Self::Moved { from, .. } => from,
        }
    }

    /// Answers the change that takes this one back.
    pub fn inverse(&self) -> Self {
        match self.clone() {
            Self::Added { path, mode, bytes } => Self::Removed { path, mode, bytes },
            Self::Removed { path, mode, bytes } => Self::Added { path, mode, bytes },
            Self::Moved { from, to } => Self::Moved { from: to, to: from },
            Self::ModeChanged { path, from, to } => Self::ModeChanged { path, from: to, to: from },
            Self::Edited { path, edits, before, after } => {
                Self::Edited { path, edits: invert_edits(&edits), before: after, after: before }
            }
        }
    }
}

/// Answers the changes that take `changes` back, in the order in which they apply.
pub fn invert(changes: &[FileChange]) -> Vec<FileChange> {
    changes.iter().rev().map(FileChange::inverse).collect()
}

fn invert_edits(edits: &[Edit]) -> Vec<Edit> {
    let mut shift = 0_isize;
    edits
        .iter()
        .map(|edit| {
            let start = edit.start.checked_add_signed(shift).expect("invariant: edits ascend");
            shift += edit.new.len() as isize - edit.old.len() as isize;
            Edit { start, old: edit.new.clone(), new: edit.old.clone() }
        })
        .collect()
}

/// Says why a change does not fit a tree.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    #[error("there is no file {0}")]
    Missing(Path),
    #[error("there is already a file {0}")]
    Exists(Path),
    #[error("edits of {0} do not ascend or overlap at byte {1}")]
    Order(Path, usize),
    #[error("edit of {0} at byte {1} does not meet the bytes it replaces")]
    Mismatch(Path, usize),
    #[error("{path} has sha256 {got}, expected {expected}")]
    Hash { path: Path, expected: Sha256, got: Sha256 },
}

/// Applies ascending edits to `bytes`.
///
/// # Errors
/// When the edits do not ascend, overlap, or do not meet the bytes they expect.
pub fn apply_edits(path: &Path, bytes: &[u8], edits: &[Edit]) -> Result<Vec<u8>, Error> {
    let mut result = Vec::with_capacity(bytes.len() + edits.iter().map(|edit| edit.new.len()).sum::<usize>());
    let mut done = 0;
    for edit in edits {
        if edit.start < done {
            return Err(Error::Order(path.clone(), edit.start));
        }
        if bytes.get(edit.start..edit.end()) != Some(&edit.old[..]) {
            return Err(Error::Mismatch(path.clone(), edit.start));
        }
        result.extend_from_slice(&bytes[done..edit.start]);
        result.extend_from_slice(&edit.new);
        done = edit.end();
    }
    result.extend_from_slice(&bytes[done..]);
    Ok(result)
}

fn apply_one(files: &mut OrdMap<Path, File>, change: &FileChange) -> Result<(), Error> {
    let get =
        |files: &OrdMap<Path, File>, path: &Path| files.get(path).cloned().ok_or_else(|| Error::Missing(path.clone()));
    let vacant = |files: &OrdMap<Path, File>, path: &Path| match files.contains_key(path) {
        true => Err(Error::Exists(path.clone())),
        false => Ok(()),
    };
    match change {
        FileChange::Added { path, mode, bytes } => {
            vacant(files, path)?;
            files.insert(path.clone(), File::new(*mode, bytes.clone()));
        }
        FileChange::Removed { path, bytes, .. } => {
            let file = get(files, path)?;
            check_hash(path, Sha256::of(bytes), file.sha256)?;
            files.remove(path);
        }
        FileChange::Moved { from, to } => {
            let file = get(files, from)?;
            vacant(files, to)?;
            files.remove(from);
            files.insert(to.clone(), file);
        }
        FileChange::ModeChanged { path, to, .. } => {
            let file = get(files, path)?;
            files.insert(path.clone(), File { mode: *to, ..file });
        }
        FileChange::Edited { path, edits, before, after } => {
            let file = get(files, path)?;
            check_hash(path, *before, file.sha256)?;
            let edited = File::new(file.mode, apply_edits(path, &file.bytes, edits)?);
            check_hash(path, *after, edited.sha256)?;
            files.insert(path.clone(), edited);
        }
    }
    Ok(())
}

fn check_hash(path: &Path, expected: Sha256, got: Sha256) -> Result<(), Error> {
    match expected == got {
        true => Ok(()),
        false => Err(Error::Hash { path: path.clone(), expected, got }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        Tree::from_iter([("a.sql", File::new(Mode::Regular, *b"select 1\n"))])
    }

    #[test]
    fn applies_edits_and_takes_them_back() {
        let file = tree().find("a.sql").cloned().expect("the file is there");
        let edits = vec![Edit::new(0, "select", "SELECT"), Edit::new(7, "1", "1 as one")];
        let change = FileChange::edited("a.sql", &file, edits).expect("the edits fit");
        let after = tree().apply(std::slice::from_ref(&change)).expect("the change fits");
        assert_eq!(after.find("a.sql").and_then(File::text), Some("SELECT 1 as one\n"));
        assert_eq!(after.apply(&invert(&[change])).expect("the inverse fits"), tree());
    }

    #[test]
    fn refuses_an_edit_of_other_bytes() {
        let file = File::new(Mode::Regular, *b"select 2\n");
        let change = FileChange::edited("a.sql", &file, vec![Edit::new(7, "2", "3")]).expect("the edit fits its file");
        assert!(matches!(tree().apply(&[change]), Err(Error::Hash { .. })));
    }

    #[test]
    fn refuses_to_add_where_a_file_is() {
        let change = FileChange::Added { path: "a.sql".into(), mode: Mode::Regular, bytes: Arc::from(*b"x") };
        assert_eq!(tree().apply(&[change]), Err(Error::Exists("a.sql".into())));
    }

    #[test]
    fn refuses_overlapping_edits() {
        let edits = [Edit::new(0, "select", "s"), Edit::new(5, "t", "u")];
        assert!(matches!(apply_edits(&"a.sql".into(), b"select 1\n", &edits), Err(Error::Order(_, 5))));
    }
}
