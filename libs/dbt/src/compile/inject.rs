//! Puts CTEs into a statement where dbt does: after its `with`, or before everything with a `with` of their own.

use crate::jinja::{Rendered, SourceSpan};

use super::Compiled;

/// Is an ephemeral model ready to be injected.
#[derive(Clone, Debug)]
pub(super) struct Cte {
    pub(super) unique_id: String,
    pub(super) name: String,
    pub(super) sql: String,
    pub(super) source_map: Vec<SourceSpan>,
}

/// Answers the statement with `ctes` in it.
pub(super) fn inject(rendered: Rendered, ctes: &[Cte]) -> Compiled {
    let ids = ctes.iter().map(|cte| cte.unique_id.clone()).collect();
    if ctes.is_empty() {
        return Compiled { sql: rendered.sql, source_map: rendered.source_map, ctes: ids, macros: rendered.macros };
    }
    let at = Place::of(&rendered.sql);
    let mut made = Writer::default();
    made.copy(&rendered, 0, at.insert);
    made.sql.push_str(if at.own_with { "" } else { "with" });
    for (index, cte) in ctes.iter().enumerate() {
        made.sql.push_str(if index > 0 { ", " } else { "" });
        made.cte(cte);
    }
    made.sql.push_str(if at.own_with { ", " } else { " " });
    made.copy(&rendered, at.insert, at.end);
    Compiled { sql: made.sql, source_map: made.source_map, ctes: ids, macros: rendered.macros }
}

#[derive(Default)]
struct Writer {
    sql: String,
    source_map: Vec<SourceSpan>,
}

impl Writer {
    fn cte(&mut self, cte: &Cte) {
        self.sql.push_str(&format!(" {} as (\n", cte.name));
        let shift = self.sql.len();
        self.sql.push_str(&cte.sql);
        self.source_map.extend(
            cte.source_map
                .iter()
                .map(|span| SourceSpan { output: span.output.start + shift..span.output.end + shift, ..span.clone() }),
        );
        self.sql.push_str("\n)");
    }

    fn copy(&mut self, from: &Rendered, start: usize, end: usize) {
        let shift = self.sql.len();
        self.sql.push_str(&from.sql[start..end]);
        for span in &from.source_map {
            let (low, high) = (span.output.start.max(start), span.output.end.min(end));
            if low >= high {
                continue;
            }
            // A piece that is copied as it is can be cut; what an expression made keeps the whole expression.
            let verbatim = span.output.len() == span.source.len();
            let source = if verbatim {
                span.source.start + (low - span.output.start)..span.source.end - (span.output.end - high)
            } else {
                span.source.clone()
            };
            let output = low - start + shift..high - start + shift;
            self.source_map.push(SourceSpan { output, path: span.path.clone(), source });
        }
    }
}

/// Says where the CTEs go.
struct Place {
    insert: usize,
    /// The statement begins its own CTEs with `with`.
    own_with: bool,
    /// The end of the first statement: dbt keeps nothing after it.
    end: usize,
}

impl Place {
    fn of(sql: &str) -> Self {
        let bytes = sql.as_bytes();
        let first = bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(bytes.len());
        let (mut at, mut depth, mut end) = (first, 0usize, bytes.len());
        let mut with = None;
        while at < bytes.len() {
            let from = at;
            at = skip_token(sql, at);
            match bytes[from] {
                b'(' => depth += 1,
                b')' => depth = depth.saturating_sub(1),
                b';' if depth == 0 => {
                    end = at + bytes[at..].iter().take_while(|b| **b == b' ' || **b == b'\t').count();
                    break;
                }
                _ if depth == 0 && with.is_none() && sql[from..at].eq_ignore_ascii_case("with") => with = Some(at),
                _ => {}
            }
        }
        let Some(after) = with else { return Self { insert: first, own_with: false, end } };
        let next = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let mut insert = next(after);
        let word = skip_token(sql, insert.min(bytes.len()));
        if sql.get(insert..word).is_some_and(|word| word.eq_ignore_ascii_case("recursive")) {
            insert = next(word);
        }
        Self { insert: insert.min(end), own_with: true, end }
    }
}

/// Answers where the token at `at` ends: a comment, a quoted text, a word, or one character.
fn skip_token(sql: &str, at: usize) -> usize {
    let bytes = sql.as_bytes();
    let rest = &sql[at..];
    let until = |mark: &str, from: usize| sql[from..].find(mark).map_or(bytes.len(), |i| from + i + mark.len());
    match bytes.get(at) {
        None => at,
        Some(b'-') if rest.starts_with("--") => until("\n", at),
        Some(b'#') => until("\n", at),
        Some(b'/') if rest.starts_with("/*") => until("*/", at + 2),
        Some(quote @ (b'\'' | b'"' | b'`')) => {
            let mut end = at + 1;
            while end < bytes.len() {
                match bytes[end] {
                    b'\\' if *quote == b'\'' => end += 2,
                    b if b == *quote && bytes.get(end + 1) == Some(quote) => end += 2,
                    b if b == *quote => return end + 1,
                    _ => end += 1,
                }
            }
            bytes.len()
        }
        Some(b'$') => {
            let tag = rest[1..].find('$').map(|i| &rest[..i + 2]);
            let named = tag.filter(|tag| tag[1..tag.len() - 1].chars().all(|c| c.is_alphanumeric() || c == '_'));
            named.map_or(at + 1, |tag| until(tag, at + tag.len()))
        }
        Some(_) => {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            at + word.max(rest.chars().next().map_or(1, char::len_utf8))
        }
    }
}
