//! Turns byte offsets into lines and columns.

use crate::diagnostic::Place;
use crate::tree::Path;

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
