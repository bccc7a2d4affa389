//! Edits the `config()` call of a template, in the style it is written in.

use std::ops::Range;

use serde_json::Value as Json;

use super::refs;
use crate::yaml::usual_ending;

/// Is one `config()` call.
pub(super) struct ConfigCall {
    /// The whole tag.
    tag: Range<usize>,
    /// What stands between the parentheses, or the braces of the mapping in them.
    inside: Range<usize>,
    is_mapping: bool,
    arguments: Vec<Argument>,
}

/// Is one argument whose name is written out.
struct Argument {
    name: String,
    span: Range<usize>,
    /// Between its name and its value.
    sign: Range<usize>,
}

/// Is a replacement of bytes.
pub(super) type Change = (Range<usize>, String);

/// Lists the calls in a range of a text.
pub(super) fn calls(text: &str, within: &Range<usize>) -> Vec<ConfigCall> {
    let ranges = refs::code(text).into_iter().filter(|range| within.start <= range.start && range.end <= within.end);
    ranges.filter_map(|range| ConfigCall::of(text, range)).collect()
}

/// Answers a call that sets one key, to be put where there is none.
pub(super) fn new(key: &str, value: &Json) -> String {
    format!("{{{{ config({}={}) }}}}", key.replace('-', "_"), literal(value, ('\'', false)))
}

impl ConfigCall {
    fn of(text: &str, range: Range<usize>) -> Option<Self> {
        let tag = range.start - 2..(range.end + 2).min(text.len());
        let code = text[range.clone()].trim_start_matches(['-', '+']).trim_start();
        let code = code.strip_prefix("do ").unwrap_or(code).trim_start();
        let open = code.strip_prefix("config")?.trim_start();
        let start = open.strip_prefix('(')?.as_ptr() as usize - text.as_ptr() as usize;
        let end = closing(text, start)?;
        let trimmed = trimmed(text, start..end);
        let is_mapping = text[trimmed.clone()].starts_with('{') && text[trimmed.clone()].ends_with('}');
        let inside = if is_mapping { trimmed.start + 1..trimmed.end - 1 } else { start..end };
        let arguments = split(text, &inside).into_iter().filter_map(|part| argument(text, part, is_mapping)).collect();
        Some(Self { tag, inside, is_mapping, arguments })
    }

    fn find(&self, key: &str) -> Option<usize> {
        let plain = |name: &str| name.replace('-', "_");
        self.arguments.iter().rposition(|argument| plain(&argument.name) == plain(key))
    }

    /// Says whether the call sets a key.
    pub(super) fn sets(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Sets a key.
    pub(super) fn set(&self, text: &str, key: &str, value: &Json) -> Change {
        let inside = &text[self.inside.clone()];
        let quote = if inside.matches('"').count() > inside.matches('\'').count() { '"' } else { '\'' };
        let is_python = inside.contains("True") || inside.contains("False");
        let written = literal(value, (quote, is_python));
        if let Some(argument) = self.find(key).map(|at| &self.arguments[at]) {
            return (argument.sign.end..argument.span.end, written);
        }
        let name = if self.is_mapping { format!("{quote}{key}{quote}") } else { key.replace('-', "_") };
        let Some(last) = self.arguments.last() else {
            let sign = if self.is_mapping { ": " } else { "=" };
            return (self.inside.start..self.inside.start, format!("{name}{sign}{written}"));
        };
        let start = text[..last.span.start].rfind('\n').map_or(0, |found| found + 1);
        let indent = &text[start..last.span.start];
        let is_alone = start > self.inside.start && indent.trim().is_empty();
        let gap = if is_alone { format!("{}{indent}", usual_ending(text)) } else { " ".to_owned() };
        let sign = &text[last.sign.clone()];
        (last.span.end..last.span.end, format!(",{gap}{name}{sign}{written}"))
    }

    /// Removes a key; the whole call with its line where it sets nothing else.
    pub(super) fn remove(&self, text: &str, key: &str) -> Option<Change> {
        let at = self.find(key)?;
        let span = &self.arguments[at].span;
        if let Some(next) = self.arguments.get(at + 1) {
            return Some((span.start..next.span.start, String::new()));
        }
        if let Some(before) = at.checked_sub(1) {
            return Some((self.arguments[before].span.end..span.end, String::new()));
        }
        let start = text[..self.tag.start].rfind('\n').map_or(0, |found| found + 1);
        let rest = &text[self.tag.end..];
        let end = self.tag.end + rest.find('\n').map_or(rest.len(), |found| found + 1);
        let is_alone = text[start..self.tag.start].trim_start_matches('\u{feff}').trim().is_empty()
            && text[self.tag.end..end].trim().is_empty();
        if !is_alone {
            return Some((self.tag.clone(), String::new()));
        }
        let gap = text[end..].len() - text[end..].trim_start_matches(['\r', '\n']).len();
        let at_top = text[..start].trim_start_matches('\u{feff}').trim().is_empty();
        let start =
            if text[..self.tag.start].starts_with('\u{feff}') { start.max('\u{feff}'.len_utf8()) } else { start };
        Some((start..if at_top { end + gap } else { end }, String::new()))
    }
}

/// Finds the parenthesis that closes what begins at `from`.
fn closing(text: &str, from: usize) -> Option<usize> {
    marks(text, from..text.len())
        .into_iter()
        .find(|(at, depth)| *depth < 0 && text[*at..].starts_with(')'))
        .map(|(at, _)| at)
}

/// Lists where code outside of strings has a mark, with how deep in brackets it stands after it.
fn marks(text: &str, range: Range<usize>) -> Vec<(usize, i32)> {
    let (mut marks, mut quote, mut depth) = (Vec::new(), None, 0);
    let mut chars = text[range.clone()].char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => {
                depth -= 1;
                marks.push((range.start + at, depth));
            }
            (None, ',' | '=' | ':') => marks.push((range.start + at, depth)),
            (None, _) => {}
        }
    }
    marks
}

/// Splits arguments at their commas.
fn split(text: &str, inside: &Range<usize>) -> Vec<Range<usize>> {
    let marks = marks(text, inside.clone());
    let commas = marks.into_iter().filter(|(at, depth)| *depth == 0 && text[*at..].starts_with(',')).map(|(at, _)| at);
    let mut start = inside.start;
    let mut parts = Vec::new();
    for end in commas.chain([inside.end]) {
        parts.push(trimmed(text, start..end));
        start = end + 1;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn argument(text: &str, span: Range<usize>, is_mapping: bool) -> Option<Argument> {
    let sign = if is_mapping { ':' } else { '=' };
    let at = marks(text, span.clone()).into_iter().find(|(at, depth)| *depth == 0 && text[*at..].starts_with(sign));
    let (at, _) = at?;
    let name = trimmed(text, span.start..at);
    let value = trimmed(text, at + 1..span.end);
    Some(Argument { name: text[name.clone()].trim_matches(['\'', '"']).to_owned(), span, sign: name.end..value.start })
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let written = &text[range.clone()];
    let start = range.start + written.len() - written.trim_start().len();
    start..start + written.trim().len()
}

/// Writes a value as Jinja reads it.
fn literal(value: &Json, style: (char, bool)) -> String {
    let (quote, is_python) = style;
    match value {
        Json::Null => if is_python { "None" } else { "none" }.to_owned(),
        Json::Bool(is) => match (is, is_python) {
            (true, true) => "True".to_owned(),
            (false, true) => "False".to_owned(),
            (is, false) => is.to_string(),
        },
        Json::Number(number) => number.to_string(),
        Json::String(text) => {
            let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
            format!("{quote}{}{quote}", escaped.replace(quote, &format!("\\{quote}")))
        }
        Json::Array(list) => {
            let items: Vec<String> = list.iter().map(|item| literal(item, style)).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => {
            let pair = |(key, value): (&String, &Json)| {
                format!("{}: {}", literal(&Json::String(key.clone()), style), literal(value, style))
            };
            format!("{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}
