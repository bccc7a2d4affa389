//! Removes keys and items.

use super::Change;
use super::insert::{line_end, line_start};
use super::shape::Entries;

/// Removes an entry with the comment on its line; comments on lines of their own stay.
pub(super) fn entry(text: &str, entries: &Entries, at: usize) -> Vec<Change> {
    match entries.is_flow {
        true => of_flow(text, entries, at),
        false => of_lines(text, entries, at),
    }
}

fn of_lines(text: &str, entries: &Entries, at: usize) -> Vec<Change> {
    let span = entries.list[at].span.clone();
    let (start, end) = (line_start(text, span.start), line_end(text, span.end));
    let next = text[end..].find('\n').map_or(text.len(), |found| end + found + 1);
    if !text[start..span.start].trim().is_empty() {
        // It stands behind a dash: what follows is pulled up to it.
        let follows = text[next..].len() - text[next..].trim_start().len();
        let to = if at + 1 < entries.list.len() { next + follows } else { end };
        return vec![(span.start..to, String::new())];
    }
    let floor = if at > 0 { line_end(text, entries.list[at - 1].span.end) } else { 0 };
    if next == text.len() && !text.ends_with('\n') {
        // The last line of a file without a final newline: the line above becomes the last.
        let above = text[..start].trim_end_matches(['\n', '\r', ' ']).len();
        return vec![(above.max(floor)..text.len(), String::new())];
    }
    vec![(without_gap(text, (start, next), floor)..next, String::new())]
}

/// Answers from where on lines are removed, so that of two gaps around them one is left.
fn without_gap(text: &str, (start, next): (usize, usize), floor: usize) -> usize {
    let is_blank = |line: &str| line.trim().is_empty();
    let follows_gap = next == text.len() || text[next..].lines().next().is_some_and(is_blank);
    let mut from = start;
    while follows_gap && text[..from].ends_with('\n') {
        let above = line_start(text, from - 1);
        if above < floor || !is_blank(&text[above..from]) || above == from {
            break;
        }
        from = above;
    }
    from
}

fn of_flow(text: &str, entries: &Entries, at: usize) -> Vec<Change> {
    let span = entries.list[at].span.clone();
    let comma = comma_after(text, span.end);
    if let Some(comma) = comma {
        let above = at.checked_sub(1).filter(|_| at + 1 == entries.list.len());
        let above = above.map(|above| entries.list[above].span.end).filter(|end| text[*end..span.start].trim() == ",");
        let start = above.and_then(|end| comma_after(text, end)).map_or(span.start, |comma| comma + 1);
        let removed = if above.is_some() { start..comma + 1 } else { alone(text, span.start..comma + 1) };
        return vec![(removed, String::new())];
    }
    let Some(before) = at.checked_sub(1).map(|before| entries.list[before].span.end) else {
        return vec![(span, String::new())];
    };
    let between = &text[before..span.start];
    match between.trim() {
        "," => vec![(before..span.end, String::new())],
        _ => {
            let comma = comma_after(text, before).unwrap_or(before);
            vec![(comma..comma + 1, String::new()), (alone(text, span), String::new())]
        }
    }
}

/// Extends a range to its whole line if nothing else stands there, else to the spaces after it.
fn alone(text: &str, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let (start, end) = (line_start(text, span.start), line_end(text, span.end));
    let is_alone = text[start..span.start].trim().is_empty() && text[span.end..end].trim().is_empty();
    let next = text[end..].find('\n').map(|found| end + found + 1);
    match next.filter(|_| is_alone && start > 0) {
        Some(next) => start..next,
        None => {
            let spaces = text[span.end..].len() - text[span.end..].trim_start_matches(' ').len();
            span.start..span.end + spaces
        }
    }
}

/// Finds the comma behind an entry, over spaces, line ends and comments.
fn comma_after(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        match text.as_bytes().get(at)? {
            b',' => return Some(at),
            b'#' => at = text[at..].find('\n').map(|found| at + found)?,
            _ => return None,
        }
    }
}
