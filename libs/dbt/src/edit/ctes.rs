//! Finds the common table expressions of a SQL template, and the imports among them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::refs;

/// An import reads one relation and does nothing to it but choose columns and rows.
static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?is)^\s*(select)\s+[^()]*?\sfrom\s+\{\{[^{}]*\}\}(?:\s+where\s.*)?\s*$";
    Regex::new(pattern).expect("invariant: the pattern is written here")
});

/// Is one common table expression.
pub(super) struct Cte {
    pub(super) name: Range<usize>,
    /// Between the parentheses.
    pub(super) body: Range<usize>,
}

impl Cte {
    /// Answers all that it is, to its closing parenthesis.
    pub(super) fn span(&self) -> Range<usize> {
        self.name.start..self.body.end + 1
    }

    /// Says whether it does no more than to read one relation.
    pub(super) fn is_import(&self, text: &str) -> bool {
        let body = &text[self.body.clone()];
        IMPORT.is_match(body) && refs::in_template(body).len() == 1
    }
}

/// Is the `with` of a statement.
pub(super) struct With {
    pub(super) start: usize,
    pub(super) ctes: Vec<Cte>,
}

impl With {
    /// Finds the first `with` in a range of a text.
    pub(super) fn of(text: &str, within: Range<usize>) -> Option<Self> {
        let mut at = within.start;
        while at < within.end {
            if let Some(end) = opaque(text, at) {
                at = end;
                continue;
            }
            match word(text, at) {
                Some(end) if text[at..end].eq_ignore_ascii_case("with") => {
                    return Some(Self { start: at, ctes: ctes(text, end) });
                }
                Some(end) => at = end,
                None => at = next(text, at),
            }
        }
        None
    }
}

fn ctes(text: &str, from: usize) -> Vec<Cte> {
    let (mut found, mut at) = (Vec::new(), from);
    loop {
        at = blank(text, at);
        if word(text, at).is_some_and(|end| found.is_empty() && text[at..end].eq_ignore_ascii_case("recursive")) {
            at = blank(text, at + "recursive".len());
        }
        let Some(cte) = cte(text, at) else { return found };
        at = blank(text, cte.body.end + 1);
        found.push(cte);
        if !text[at..].starts_with(',') {
            return found;
        }
        at += 1;
    }
}

/// Reads `name as [not materialized] (…)`.
fn cte(text: &str, start: usize) -> Option<Cte> {
    let name = match text[start..].strip_prefix('"') {
        Some(rest) => start..start + rest.find('"')? + 2,
        None => start..word(text, start)?,
    };
    let mut at = blank(text, name.end);
    if text[at..].starts_with('(') {
        at = blank(text, closing(text, at)? + 1);
    }
    let mut is_as = false;
    while let Some(end) = word(text, at) {
        is_as |= text[at..end].eq_ignore_ascii_case("as");
        at = blank(text, end);
    }
    let is_open = is_as && text[at..].starts_with('(');
    is_open.then_some(())?;
    Some(Cte { name, body: at + 1..closing(text, at)? })
}

/// Finds the parenthesis that closes the one at `open`.
fn closing(text: &str, open: usize) -> Option<usize> {
    let (mut at, mut depth) = (open, 0_usize);
    while at < text.len() {
        if let Some(end) = opaque(text, at) {
            at = end;
            continue;
        }
        match text.as_bytes()[at] {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
        at = next(text, at);
    }
    None
}

fn next(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

fn word(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (end > 0).then_some(at + end)
}

/// Skips white space and comments.
fn blank(text: &str, from: usize) -> usize {
    let mut at = from;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let is_comment = ["--", "/*", "{#"].iter().any(|mark| text[at..].starts_with(mark));
        match opaque(text, at).filter(|_| is_comment) {
            Some(end) => at = end,
            None => return at,
        }
    }
}

/// Answers where a comment, a string, a quoted name or a tag of the template ends, if one begins at `at`.
fn opaque(text: &str, at: usize) -> Option<usize> {
    let marks = [("--", "\n"), ("/*", "*/"), ("{#", "#}"), ("{{", "}}"), ("{%", "%}"), ("'", "'"), ("\"", "\"")];
    let (open, close) = marks.into_iter().find(|(open, _)| text[at..].starts_with(open))?;
    let start = at + open.len();
    Some(text[start..].find(close).map_or(text.len(), |found| start + found + close.len()))
}

/// Says whether a name is used outside of a range, comments left out.
pub(super) fn is_used(text: &str, name: &str, outside: &Range<usize>) -> bool {
    let mut at = 0;
    while at < text.len() {
        if at == outside.start {
            at = outside.end;
            continue;
        }
        let is_comment = ["--", "/*", "{#"].iter().any(|mark| text[at..].starts_with(mark));
        if let Some(end) = opaque(text, at).filter(|_| is_comment) {
            at = end;
            continue;
        }
        match word(text, at) {
            Some(end) if text[at..end].eq_ignore_ascii_case(name) => return true,
            Some(end) => at = end,
            None => at = next(text, at),
        }
    }
    false
}
