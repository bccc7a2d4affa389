//! Sets values that are there, in the quotes and the kind of block that they have.

use serde_json::Value as Json;

use super::Change;
use super::insert::{line_end, line_start};
use super::shape::{Entries, Entry, Form};
use super::style::Style;

/// Is a value as it is to be written: what stands behind the key, and the lines below.
struct Written {
    head: String,
    body: String,
}

/// Replaces the value of an entry of `above`.
pub(super) fn value((text, style): (&str, &Style), (above, entry): (&Entries, &Entry), value: &Json) -> Vec<Change> {
    if entry.key.is_empty() && !above.is_flow {
        let item = style.item(value, above.column);
        let written = item.trim_start_matches('-').trim_start().to_owned();
        return match entry.value.form {
            Form::Empty => vec![(entry.value_at..entry.value_at, format!(" {written}"))],
            _ => vec![(entry.value.span.clone(), written)],
        };
    }
    let written = written((text, style), (above, entry), value);
    match &entry.value.form {
        Form::Empty => behind(text, entry.value_at, written),
        Form::Block => block(text, entry, written),
        Form::Map(old) | Form::Seq(old) if !old.is_flow => collection(text, entry, written),
        Form::Plain | Form::SingleQuoted | Form::DoubleQuoted | Form::Alias | Form::Map(_) | Form::Seq(_) => {
            let span = entry.value.span.clone();
            let end = line_end(text, span.end);
            let start = if written.head.is_empty() { entry.value_at } else { span.start };
            match end == span.end {
                true => vec![(start..end, written.head + &written.body)],
                false => vec![(start..span.end, written.head), (end..end, written.body)],
            }
        }
    }
}

fn written((text, style): (&str, &Style), (above, entry): (&Entries, &Entry), value: &Json) -> Written {
    let head = |head: String| Written { head, body: String::new() };
    let is_flow = matches!(&entry.value.form, Form::Map(old) | Form::Seq(old) if old.is_flow && !old.list.is_empty());
    if above.is_flow || is_flow {
        return head(scalar(style, (entry, true), value));
    }
    let (map_indent, seq_indent) = (above.column + style.map_step.max(1), above.column + style.seq_step);
    match value {
        Json::Object(map) if !map.is_empty() => {
            let pairs = map.iter().map(|(key, value)| style.pair(key, value, map_indent));
            Written { head: String::new(), body: style.lines(pairs, map_indent) }
        }
        Json::Array(list) if !list.is_empty() && !style.is_flow_list(&entry.key, list) => {
            let items = list.iter().map(|item| style.item(item, seq_indent));
            Written { head: String::new(), body: style.lines(items, seq_indent) }
        }
        Json::String(new) => {
            let old = &text[entry.value.span.clone()];
            let block = match entry.value.form {
                Form::Block => {
                    let indent = body_indent(old).unwrap_or(map_indent);
                    let mark = if old.starts_with('>') { '>' } else { '|' };
                    style.any_block(new, indent, (mark, old.lines().count() > 2))
                }
                _ => style.block(new, map_indent, '|'),
            };
            let line = || head(scalar(style, (entry, false), value));
            block.map_or_else(line, |(head, body)| Written { head, body })
        }
        _ => head(scalar(style, (entry, false), value)),
    }
}

/// Writes a value on one line, a string in the quotes that the old one has.
fn scalar(style: &Style, (entry, in_flow): (&Entry, bool), value: &Json) -> String {
    let had = match entry.value.form {
        Form::SingleQuoted => Some('\''),
        Form::DoubleQuoted => Some('"'),
        _ => None,
    };
    match value {
        Json::String(text) => style.string(text, in_flow, had),
        _ => style.line(value, in_flow),
    }
}

/// Answers the column in which the lines of a block scalar begin.
fn body_indent(written: &str) -> Option<usize> {
    let first = written.lines().skip(1).find(|line| !line.trim().is_empty())?;
    Some(first.len() - first.trim_start_matches(' ').len())
}

/// Writes behind a key that has no value.
fn behind(text: &str, at: usize, written: Written) -> Vec<Change> {
    let end = line_end(text, at);
    let head = if written.head.is_empty() { String::new() } else { format!(" {}", written.head) };
    match end == at {
        true => vec![(at..at, head + &written.body)],
        false => vec![(at..at, head), (end..end, written.body)],
    }
}

/// Replaces a block scalar: its header, a comment behind that left, and its lines.
fn block(text: &str, entry: &Entry, written: Written) -> Vec<Change> {
    let span = entry.value.span.clone();
    let header = text[span.start..].find(|c: char| c.is_whitespace()).map_or(span.end, |found| span.start + found);
    let start = if written.head.is_empty() { entry.value_at } else { span.start };
    let body = line_end(text, span.start).min(span.end);
    match body <= header {
        true => vec![(start..span.end, written.head + &written.body)],
        false => vec![(start..header, written.head), (body..span.end, written.body)],
    }
}

/// Replaces the lines of a mapping or a sequence below its key.
fn collection(text: &str, entry: &Entry, written: Written) -> Vec<Change> {
    let span = entry.value.span.clone();
    let above = line_start(text, span.start).saturating_sub(1);
    let above = if text[..above].ends_with('\r') { above - 1 } else { above };
    let head = if written.head.is_empty() { String::new() } else { format!(" {}", written.head) };
    match above <= entry.value_at {
        true => vec![(entry.value_at..span.end, head + &written.body)],
        false => vec![(entry.value_at..entry.value_at, head), (above..span.end, written.body)],
    }
}
