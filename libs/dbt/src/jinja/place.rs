//! Turns byte offsets into lines and columns.

use serde::{Deserialize, Serialize};

use crate::diagnostic::Place;
use crate::tree::Path;

/// Counts what stands in a file before a text of it: whole lines, then characters of the text's own line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    pub lines: u32,
    pub columns: u32,
}

impl Before {
    /// Counts what stands before byte `at` of `file`.
    pub fn of(file: &str, at: usize) -> Self {
        let Place { line, column, .. } = place_of(&Path::from(""), file, at);
        Self { lines: line - 1, columns: column - 1 }
    }

    /// Turns a place in the text into the place in its file.
    pub(crate) fn shift(self, place: Place) -> Place {
        let columns = if place.line == 1 { self.columns } else { 0 };
        Place { line: place.line + self.lines, column: place.column + columns, ..place }
    }
}

/// Answers where byte `at` of `file` stands.
pub(crate) fn place_of(path: &Path, file: &str, at: usize) -> Place {
    let mut at = at.min(file.len());
    while !file.is_char_boundary(at) {
        at -= 1;
    }
    let before = &file[..at];
    let line = before.bytes().filter(|b| *b == b'\n').count() as u32 + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) as u32 + 1;
    Place { path: path.clone(), line, column }
}

/// Answers the byte of a piece of a file that became byte `at` of a text of `length` bytes; None where the text is no
/// copy of the piece, but what an expression made.
pub fn copied(piece: &[u8], length: usize, at: usize) -> Option<usize> {
    // Each line end is rendered as one line feed.
    let is_kept = |index: &usize| piece[*index] != b'\r' || piece.get(index + 1) != Some(&b'\n');
    if (0..piece.len()).filter(is_kept).count() != length {
        return None;
    }
    Some((0..piece.len()).filter(is_kept).nth(at).unwrap_or(piece.len()))
}
