//! Finds lines and columns of a text that is asked often.

use crate::diagnostic::Place;
use crate::tree::Path;

/// Knows where the lines of a text begin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Finds the lines of `text`.
    pub fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Answers where byte `at` of `text` stands; `text` is the one that the lines were found in.
    pub fn place(&self, path: &Path, text: &str, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let before = text.get(start..at).unwrap_or_default();
        Place { path: path.clone(), line: line as u32, column: before.chars().count() as u32 + 1 }
    }
}

/// Answers the line ending that most lines of a text have; a line feed where there is none.
pub(crate) fn usual_ending(text: &str) -> &'static str {
    let crlf = text.matches("\r\n").count();
    if crlf * 2 > text.matches('\n').count() { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::place_of;

    #[test]
    fn places_are_those_that_counting_finds() {
        let (path, text): (Path, _) = ("a.yml".into(), "é: 1\r\n\nbb: x\n");
        let lines = Lines::of(text);
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            assert_eq!(lines.place(&path, text, at), place_of(&path, text, at), "at {at}");
        }
    }
}
