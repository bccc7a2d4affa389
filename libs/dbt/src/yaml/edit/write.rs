//! Writes values as YAML 1.1 that reads back as the same values, in the style of a file.

use std::fmt::Write;

use serde_json::Value as Json;

use super::style::Style;
use crate::yaml::{Kind, scalar};

/// The width at which folded text is broken where the old text was broken too.
const FOLD_WIDTH: usize = 80;

impl Style {
    /// Answers `key: value`, the lines after the first indented for a mapping in column `indent`.
    pub(super) fn pair(&self, key: &str, value: &Json, indent: usize) -> String {
        let written = self.string(key, false, None);
        match value {
            Json::Object(map) if !map.is_empty() => {
                let inner = indent + self.map_step.max(1);
                let pairs = map.iter().map(|(key, value)| self.pair(key, value, inner));
                format!("{written}:{}", self.lines(pairs, inner))
            }
            Json::Array(list) if !list.is_empty() && !self.is_flow_list(key, list) => {
                let inner = indent + self.seq_step;
                format!("{written}:{}", self.lines(list.iter().map(|item| self.item(item, inner)), inner))
            }
            Json::String(text) => match self.block(text, indent + self.map_step.max(1), '|') {
                Some((header, body)) => format!("{written}: {header}{body}"),
                None => format!("{written}: {}", self.line(value, false)),
            },
            _ => format!("{written}: {}", self.line(value, false)),
        }
    }

    /// Answers `- value`, the lines after the first indented for a sequence in column `indent`.
    pub(super) fn item(&self, value: &Json, indent: usize) -> String {
        let dash = format!("-{}", " ".repeat(self.dash_step.saturating_sub(1).max(1)));
        match value {
            Json::Object(map) if !map.is_empty() => {
                let inner = indent + dash.len();
                let pairs: Vec<String> = map.iter().map(|(key, value)| self.pair(key, value, inner)).collect();
                let next = format!("{}{}", self.line_end, " ".repeat(inner));
                format!("{dash}{}", pairs.join(&next))
            }
            _ => format!("- {}", self.line(value, false)),
        }
    }

    /// Says whether a list stands in brackets below a key.
    pub(super) fn is_flow_list(&self, key: &str, list: &[Json]) -> bool {
        self.is_flow_key(key) && list.iter().all(is_scalar)
    }

    /// Puts each part on a line of its own, the first one too.
    pub(super) fn lines(&self, parts: impl Iterator<Item = String>, indent: usize) -> String {
        let start = format!("{}{}", self.line_end, " ".repeat(indent));
        parts.map(|part| format!("{start}{part}")).collect()
    }

    /// Answers a value on one line.
    pub(super) fn line(&self, value: &Json, in_flow: bool) -> String {
        match value {
            Json::Null => "null".to_owned(),
            Json::Bool(is) => is.to_string(),
            Json::Number(number) => number_text(number),
            Json::String(text) => self.string(text, in_flow, None),
            Json::Array(list) => {
                let items: Vec<String> = list.iter().map(|item| self.line(item, true)).collect();
                format!("[{}]", items.join(", "))
            }
            Json::Object(map) => {
                let pairs: Vec<String> = map.iter().map(|(key, value)| self.flow_pair(key, value)).collect();
                format!("{{{}}}", pairs.join(", "))
            }
        }
    }

    /// Answers `key: value` on one line, as it stands in braces.
    pub(super) fn flow_pair(&self, key: &str, value: &Json) -> String {
        format!("{}: {}", self.string(key, true, None), self.line(value, true))
    }

    /// Answers a string on one line: in the quotes it had, plain where that reads as the same string, else in the file's
    /// quotes.
    pub(super) fn string(&self, text: &str, in_flow: bool, had: Option<char>) -> String {
        if had.is_none() && is_plain(text, in_flow) {
            return text.to_owned();
        }
        let escapes = text.chars().any(|c| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}'));
        let prefers = had.unwrap_or(match (text.contains('\''), text.contains(['"', '\\'])) {
            (true, false) => '"',
            (false, true) => '\'',
            (true, true) | (false, false) => self.quote,
        });
        if prefers == '\'' && !escapes { format!("'{}'", text.replace('\'', "''")) } else { double_quoted(text) }
    }

    /// Answers the header and the lines of a block scalar whose body stands in column `indent`; None for what one line
    /// holds, or a block cannot.
    pub(super) fn block(&self, text: &str, indent: usize, mark: char) -> Option<(String, String)> {
        text.contains('\n').then(|| self.any_block(text, indent, (mark, false))).flatten()
    }

    /// As [`Style::block`], also for one line; `wraps` is whether folded text is broken into lines.
    pub(super) fn any_block(&self, text: &str, indent: usize, (mark, wraps): (char, bool)) -> Option<(String, String)> {
        let body = text.strip_suffix('\n').unwrap_or(text);
        let chomp = if body.len() < text.len() { "" } else { "-" };
        let odd = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}');
        if !self.has_blocks
            || body.is_empty()
            || body.ends_with('\n')
            || body.starts_with([' ', '\n'])
            || body.chars().any(odd)
            || body.lines().any(|line| !line.is_empty() && line.trim().is_empty())
        {
            return None;
        }
        let folds = mark == '>' && !body.lines().any(|line| line.starts_with(' ') || line.is_empty());
        let mark = if folds { '>' } else { '|' };
        let lines: Vec<String> = match folds {
            true => {
                let paragraphs = body.lines().map(|line| if wraps { wrapped(line) } else { vec![line.to_owned()] });
                paragraphs.collect::<Vec<_>>().join(&String::new())
            }
            false => body.split('\n').map(str::to_owned).collect(),
        };
        let mut out = String::new();
        for line in lines {
            out.push_str(self.line_end);
            if !line.is_empty() {
                out.push_str(&" ".repeat(indent));
                out.push_str(&line);
            }
        }
        Some((format!("{mark}{chomp}"), out))
    }
}

/// Breaks a line between words.
fn wrapped(line: &str) -> Vec<String> {
    if line.contains("  ") || line.ends_with(' ') {
        return vec![line.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().expect("invariant: there is a line");
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > FOLD_WIDTH {
            lines.push(word.to_owned());
            continue;
        }
        last.push_str(if last.is_empty() { "" } else { " " });
        last.push_str(word);
    }
    lines
}

fn is_scalar(value: &Json) -> bool {
    !matches!(value, Json::Array(_) | Json::Object(_))
}

/// Answers a number as YAML 1.1 reads it as a number: with a point and a signed exponent.
fn number_text(number: &serde_json::Number) -> String {
    let text = number.to_string();
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else { return text };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{digits}{point}e{sign}{exponent}")
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Says whether a text without quotes is read as the same string, by YAML 1.1 and by 1.2.
pub(crate) fn is_plain(text: &str, in_flow: bool) -> bool {
    let starts = |c: char| c.is_alphanumeric() || matches!(c, '_' | '(' | '/' | '.' | '$' | '<' | '+');
    let inner = |c: char| !(c.is_control() || in_flow && matches!(c, ',' | '[' | ']' | '{' | '}'));
    let is_word = text.starts_with(starts) && text.chars().all(inner) && !text.ends_with([' ', ':']);
    let is_marked = text.contains(": ") || text.contains(" #") || text.starts_with("<<") || text.contains('\u{feff}');
    let is_flow_marked = in_flow && (text.contains(":\"") || text.contains(":'"));
    let is_number = text.parse::<f64>().is_ok() || text.starts_with("0o");
    let is_short_bool = matches!(text, "y" | "Y" | "n" | "N");
    let is_break = text.contains(['\u{85}', '\u{2028}', '\u{2029}']);
    is_word
        && !(is_marked || is_flow_marked || is_number || is_short_bool || is_break)
        && matches!(scalar::plain(text), Kind::Str(read) if read == text)
}
