//! Inserts keys and items.

use serde_json::Value as Json;

use super::Change;
use super::shape::{Entries, Entry, Form, Shape};
use super::style::Style;

/// Inserts a key into a mapping, or into a file that says nothing yet.
pub(super) fn key(
    (text, style): (&str, &Style),
    map: &Shape,
    (key, value, order): (&str, &Json, &[&str]),
) -> Vec<Change> {
    let Form::Map(entries) = &map.form else {
        let open = if text.is_empty() || text.ends_with('\n') { "" } else { style.line_end };
        let pair = style.pair(key, value, 0);
        return vec![(text.len()..text.len(), format!("{open}{pair}{}", style.line_end))];
    };
    let before = before(entries, key, order);
    match entries.is_flow {
        true => in_flow(text, (style, map), (before, style.flow_pair(key, value))),
        false => on_lines(text, (style, entries), (before, style.pair(key, value, entries.column))),
    }
}

/// Puts an item behind those of a sequence.
pub(super) fn item((text, style): (&str, &Style), list: &Shape, value: &Json) -> Vec<Change> {
    let Form::Seq(entries) = &list.form else { return Vec::new() };
    let last = entries.list.last();
    match entries.is_flow {
        true => in_flow(text, (style, list), (last, style.line(value, true))),
        false => on_lines(text, (style, entries), (last, style.item(value, entries.column))),
    }
}

/// Answers the entry that a key comes behind: the last that the order puts before it, else the last of all.
fn before<'e>(entries: &'e Entries, key: &str, order: &[&str]) -> Option<&'e Entry> {
    let rank = |key: &str| order.iter().position(|known| *known == key);
    let own = rank(key).unwrap_or(usize::MAX);
    let earlier = entries.list.iter().rev().find(|entry| rank(&entry.key).is_some_and(|other| other < own));
    earlier.filter(|_| own < usize::MAX).or(entries.list.last())
}

fn on_lines(
    text: &str,
    (style, entries): (&Style, &Entries),
    (before, written): (Option<&Entry>, String),
) -> Vec<Change> {
    let Some(before) = before else { return Vec::new() };
    let at = line_end(text, before.span.end);
    let gap = if is_spaced(text, entries) { style.line_end } else { "" };
    vec![(at..at, format!("{gap}{}{}{written}", style.line_end, " ".repeat(entries.column)))]
}

/// Says whether a blank line stands between all entries.
fn is_spaced(text: &str, entries: &Entries) -> bool {
    let mut pairs = entries.list.windows(2).peekable();
    let has_blank = |pair: &[Entry]| {
        let between = &text[pair[0].span.end..pair[1].span.start];
        between.split('\n').skip(1).any(|line| line.trim_end_matches('\r').is_empty())
    };
    pairs.peek().is_some() && pairs.all(has_blank)
}

fn in_flow(text: &str, (style, holder): (&Style, &Shape), (before, written): (Option<&Entry>, String)) -> Vec<Change> {
    let Some(before) = before else {
        let at = holder.span.start + 1;
        return vec![(at..at, written)];
    };
    let start = line_start(text, before.span.start);
    let indent = &text[start..before.span.start];
    let is_alone = start > holder.span.start && indent.trim().is_empty();
    let at = before.span.end;
    match is_alone {
        true => vec![(at..at, format!(",{}{indent}{written}", style.line_end))],
        false => vec![(at..at, format!(", {written}"))],
    }
}

/// Answers where the line of byte `at` ends, its line end left out.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
    if end < text.len() && end > at && text[..end].ends_with('\r') { end - 1 } else { end }
}

/// Answers where the line of byte `at` begins, a byte order mark left out.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |found| found + 1);
    if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start }
}
