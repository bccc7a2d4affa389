//! Differences between two texts: as edits, as unified text, as hunks; between two trees; and edits moved over others.

use std::collections::BTreeSet;
use std::ops::Range;

use similar::{Algorithm, DiffOp, TextDiff, capture_diff_slices};

use crate::tree::{Edit, File, FileChange, Path, Tree};
use crate::yaml::usual_ending;

/// The lines around a change that a unified diff shows.
const CONTEXT_LINES: usize = 3;

/// Where both sides of a changed stretch have more lines than this, it is replaced as a whole: finding the smallest
/// difference costs their product.
const MAX_COMPARED_LINES: usize = 20_000;

/// Is one stretch of changed lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// Where it starts in the old text, from 1.
    pub line: u32,
    pub before: String,
    pub after: String,
}

/// Says which two edits touch the same or neighbouring lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The index of mine.
    pub mine: usize,
    /// The index of theirs.
    pub theirs: usize,
}

/// Answers the edits that turn `old` into `new`: the changed lines, less what they have in common at both ends.
pub fn diff(old: &str, new: &str) -> Vec<Edit> {
    changed(old, new, exact).into_iter().map(|(old_at, new_at)| trimmed(old, new, old_at, new_at)).collect()
}

/// Answers the changes that turn one tree into another, by path.
pub fn between(before: &Tree, after: &Tree) -> Vec<FileChange> {
    let paths: BTreeSet<&Path> = before.iter().chain(after.iter()).map(|(path, _)| path).collect();
    paths.into_iter().flat_map(|path| changes(path, before.find(path), after.find(path))).collect()
}

fn changes(path: &Path, before: Option<&File>, after: Option<&File>) -> Vec<FileChange> {
    let path = path.clone();
    let (before, after) = match (before, after) {
        (None, None) => return Vec::new(),
        (None, Some(file)) => return vec![FileChange::Added { path, mode: file.mode, bytes: file.bytes.clone() }],
        (Some(file), None) => return vec![FileChange::Removed { path, mode: file.mode, bytes: file.bytes.clone() }],
        (Some(before), Some(after)) => (before, after),
    };
    let mut changes = Vec::new();
    if before.mode != after.mode {
        changes.push(FileChange::ModeChanged { path: path.clone(), from: before.mode, to: after.mode });
    }
    if before.sha256 != after.sha256 {
        let edits = match (before.text(), after.text()) {
            (Some(before), Some(after)) => diff(before, after),
            _ => vec![Edit::new(0, &before.bytes[..], &after.bytes[..])],
        };
        changes.push(FileChange::Edited { path, edits, before: before.sha256, after: after.sha256 });
    }
    changes
}

/// Answers the text that a user sent as it would be in the file `base`: with the line endings of each kept line, the
/// file's usual ending on new lines, and its byte order mark.
pub fn restore(base: &str, text: &str) -> String {
    let (mark, body) = split_mark(base);
    let (_, text) = split_mark(text);
    let ending = usual_ending(body);
    let mut out = String::with_capacity(base.len().max(text.len()));
    out.push_str(mark);
    let mut done = 0;
    for (old_at, new_at) in changed(body, text, loose) {
        out.push_str(&body[done..old_at.start]);
        for line in text[new_at].split_inclusive('\n') {
            let (content, ended) = loose(line);
            out.push_str(content);
            out.push_str(if ended { ending } else { "" });
        }
        done = old_at.end;
    }
    out.push_str(&body[done..]);
    out
}

/// Answers the difference between two texts of a file as `diff -u` prints it; empty if there is none.
pub fn unified(path: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let (from, to) = (format!("a/{path}"), format!("b/{path}"));
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().context_radius(CONTEXT_LINES).header(&from, &to).to_string()
}

/// Answers the stretches of lines that differ between two texts.
pub fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    let made = changed(old, new, exact).into_iter().map(|(old_at, new_at)| Hunk {
        line: old[..old_at.start].matches('\n').count() as u32 + 1,
        before: old[old_at].to_owned(),
        after: new[new_at].to_owned(),
    });
    made.collect()
}

/// Moves `mine` over `theirs`, both edits of the text `base`. An edit that both made is dropped from mine.
///
/// # Errors
/// When two of them touch the same or neighbouring lines.
pub fn rebase(base: &[u8], mine: &[Edit], theirs: &[Edit]) -> Result<Vec<Edit>, Overlap> {
    let different = |edit: &&Edit| !theirs.contains(edit);
    let own: Vec<Edit> = mine.iter().filter(different).cloned().collect();
    if let Some(found) = overlap(base, &own, theirs) {
        let at = mine.iter().position(|edit| *edit == own[found.mine]).unwrap_or(found.mine);
        return Err(Overlap { mine: at, ..found });
    }
    let mut moved = Vec::with_capacity(own.len());
    for edit in own {
        let before = theirs.iter().filter(|their| their.end() <= edit.start);
        let shift: isize = before.map(|their| their.new.len() as isize - their.old.len() as isize).sum();
        let start = edit.start.checked_add_signed(shift).expect("invariant: edits before do not overlap");
        moved.push(Edit { start, ..edit });
    }
    Ok(moved)
}

/// Finds two edits of the text `base` that touch the same or neighbouring lines.
pub fn overlap(base: &[u8], mine: &[Edit], theirs: &[Edit]) -> Option<Overlap> {
    let theirs: Vec<_> = theirs.iter().map(|edit| lines_of(base, edit)).collect();
    mine.iter().enumerate().find_map(|(at, edit)| {
        let lines = lines_of(base, edit);
        let touching = |their: &Range<usize>| lines.start <= their.end && their.start <= lines.end;
        theirs.iter().position(touching).map(|their| Overlap { mine: at, theirs: their })
    })
}

/// Answers the lines that two edits of the text `base` touch: as they were, after the first, after the second edit.
pub fn three(base: &str, first: &Edit, second: &Edit) -> [String; 3] {
    let (a, b) = (lines_of(base.as_bytes(), first), lines_of(base.as_bytes(), second));
    let (start, end) = (a.start.min(b.start), a.end.max(b.end));
    let after = |edit: &Edit| {
        format!("{}{}{}", &base[start..edit.start], String::from_utf8_lossy(&edit.new), &base[edit.end()..end])
    };
    [base[start..end].to_owned(), after(first), after(second)]
}

/// Answers the whole lines that an edit touches.
fn lines_of(text: &[u8], edit: &Edit) -> Range<usize> {
    let start = text[..edit.start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let end = edit.end();
    if end == start || (end > edit.start && text[end - 1] == b'\n') {
        return start..end;
    }
    start..text[end..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| end + at + 1)
}

/// Answers the byte ranges of both texts that differ, as whole lines; `key` is what makes lines equal.
fn changed<'a>(old: &'a str, new: &'a str, key: fn(&'a str) -> Key<'a>) -> Vec<(Range<usize>, Range<usize>)> {
    let (old_lines, new_lines) = (Lines::of(old, key), Lines::of(new, key));
    let (a, b) = (&old_lines.keys, &new_lines.keys);
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    if a.is_empty() && b.is_empty() {
        return Vec::new();
    }
    if a.len().min(b.len()) > MAX_COMPARED_LINES {
        return vec![(old_lines.bytes(head, a.len()), new_lines.bytes(head, b.len()))];
    }
    let ops = capture_diff_slices(Algorithm::Myers, a, b);
    let mut ranges: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for op in ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
        let (a, b) = (op.old_range(), op.new_range());
        let next = (old_lines.bytes(head + a.start, a.len()), new_lines.bytes(head + b.start, b.len()));
        match ranges.last_mut().filter(|last| last.0.end == next.0.start && last.1.end == next.1.start) {
            Some(last) => (last.0.end, last.1.end) = (next.0.end, next.1.end),
            None => ranges.push(next),
        }
    }
    ranges
}

/// Is what makes two lines equal: their text, and whether a line feed ends them.
type Key<'a> = (&'a str, bool);

fn exact(line: &str) -> Key<'_> {
    (line, true)
}

/// Takes a line that ends in CRLF and one that ends in LF for the same.
fn loose(line: &str) -> Key<'_> {
    match line.strip_suffix('\n') {
        Some(bare) => (bare.strip_suffix('\r').unwrap_or(bare), true),
        None => (line, false),
    }
}

struct Lines<'a> {
    keys: Vec<Key<'a>>,
    /// Where each line starts, and the end of the text.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str, key: fn(&'a str) -> Key<'a>) -> Self {
        let mut starts = vec![0];
        let keys = text.split_inclusive('\n').map(|line| {
            starts.push(starts[starts.len() - 1] + line.len());
            key(line)
        });
        Self { keys: keys.collect(), starts }
    }

    fn bytes(&self, first: usize, count: usize) -> Range<usize> {
        self.starts[first]..self.starts[first + count]
    }
}

/// Makes the edit of a changed stretch, less what both sides have in common at its ends.
fn trimmed(old: &str, new: &str, old_at: Range<usize>, new_at: Range<usize>) -> Edit {
    let (a, b) = (&old[old_at.clone()], &new[new_at]);
    let head: usize = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let (a, b) = (&a[head..], &b[head..]);
    let same = a.chars().rev().zip(b.chars().rev()).take_while(|(a, b)| a == b);
    let tail: usize = same.map(|(a, _)| a.len_utf8()).sum();
    Edit::new(old_at.start + head, &a[..a.len() - tail], &b[..b.len() - tail])
}

fn split_mark(text: &str) -> (&str, &str) {
    text.split_at(if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 })
}
