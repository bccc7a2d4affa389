//! Gives scalars their text and their type, as PyYAML does.

use std::sync::LazyLock;

use regex::Regex;

use super::Kind;

static INT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*|0[0-7_]+)$"));
static FLOAT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?)$"));
static SEXAGESIMAL: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$"));
static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^\d{4}-(\d\d-\d\d|\d\d?-\d\d?([Tt]|[ \t]+)\d\d?:\d\d:\d\d(\.\d*)?([ \t]*(Z|[-+]\d\d?(:\d\d)?))?)$")
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("invariant: the pattern is written here")
}

/// Gives a plain scalar its type.
pub(super) fn plain(text: &str) -> Kind {
    let text = folded(text, false);
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Kind::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Kind::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Kind::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" => return Kind::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Kind::Float(f64::NEG_INFINITY),
        _ => {}
    }
    number(&text).unwrap_or_else(|| if TIMESTAMP.is_match(&text) { Kind::Timestamp(text) } else { Kind::Str(text) })
}

fn number(text: &str) -> Option<Kind> {
    let clean = text.replace('_', "");
    let (sign, digits): (i32, &str) = match clean.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, clean.strip_prefix('+').unwrap_or(&clean)),
    };
    if INT.is_match(text) {
        let (radix, digits) = match digits.as_bytes() {
            [b'0', b'b', ..] => (2, &digits[2..]),
            [b'0', b'x', ..] => (16, &digits[2..]),
            [b'0', _, ..] => (8, &digits[1..]),
            _ => (10, digits),
        };
        return i64::from_str_radix(digits, radix).ok().map(|value| Kind::Int(i64::from(sign) * value));
    }
    if FLOAT.is_match(text) {
        return clean.parse().ok().map(Kind::Float);
    }
    if !SEXAGESIMAL.is_match(text) {
        return None;
    }
    let total = digits.split(':').try_fold(0.0, |sum, part| part.parse::<f64>().ok().map(|part| sum * 60.0 + part))?;
    let total = total * f64::from(sign);
    Some(if text.contains('.') { Kind::Float(total) } else { Kind::Int(total as i64) })
}

/// Joins the lines of a flow scalar: one break is a space, each further one a line feed. Where `escapes`, a backslash
/// before a break takes the break away.
fn folded(text: &str, escapes: bool) -> String {
    if !text.contains('\n') {
        return text.to_owned();
    }
    let mut out = String::new();
    let (mut breaks, mut is_joined) = (0, false);
    let lines: Vec<&str> = text.split('\n').collect();
    for (at, line) in lines.iter().enumerate() {
        let (is_first, is_last) = (at == 0, at + 1 == lines.len());
        let line = if is_first { line } else { line.trim_start_matches([' ', '\t']) };
        let line = if is_last { line } else { line.trim_end_matches([' ', '\t', '\r']) };
        if !is_first && !is_last && line.is_empty() {
            breaks += 1;
            continue;
        }
        if breaks > 0 {
            out.push_str(&"\n".repeat(breaks));
        } else if !is_first && !is_joined {
            out.push(' ');
        }
        breaks = 0;
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        is_joined = escapes && !is_last && backslashes % 2 == 1;
        out.push_str(if is_joined { &line[..line.len() - 1] } else { line });
    }
    out
}

/// Answers the text of a single quoted scalar, quotes included in `text`.
pub(super) fn single_quoted(text: &str) -> String {
    folded(inside(text), false).replace("''", "'")
}

fn inside(text: &str) -> &str {
    text.get(1..text.len().saturating_sub(1)).unwrap_or_default()
}

/// Answers the text of a double quoted scalar, quotes included in `text`.
pub(super) fn double_quoted(text: &str) -> String {
    let text = folded(inside(text), true);
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next != '\\' {
            out.push(next);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t' | '\t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('0') => out.push('\0'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('e') => out.push('\u{1b}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('N') => out.push('\u{85}'),
            Some('_') => out.push('\u{a0}'),
            Some('x') => out.extend(escaped(&mut rest, 2)),
            Some('u') => out.extend(escaped(&mut rest, 4)),
            Some('U') => out.extend(escaped(&mut rest, 8)),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn escaped(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text: String = rest.take(digits).collect();
    u32::from_str_radix(&text, 16).ok().and_then(char::from_u32)
}

/// Answers the text of a block scalar, its header included in `text`.
pub(super) fn block(text: &str) -> String {
    let (header, body) = text.split_once('\n').unwrap_or((text, ""));
    let header = header.split('#').next().unwrap_or_default().trim();
    let lines: Vec<&str> = body.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let depth = lines.iter().find(|line| !line.trim().is_empty()).map_or(0, |line| indent(line));
    let lines: Vec<&str> = lines.iter().map(|line| line.get(depth.min(indent(line))..).unwrap_or_default()).collect();
    let body = if header.starts_with('>') { fold_block(&lines) } else { lines.join("\n") };
    let content = body.trim_end_matches('\n');
    match (header.contains('-'), header.contains('+')) {
        (true, _) => content.to_owned(),
        (_, true) => body,
        _ if content.is_empty() => String::new(),
        _ => format!("{content}\n"),
    }
}

fn fold_block(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut previous: Option<&str> = None;
    let mut blanks = 0;
    for line in lines {
        if line.is_empty() {
            blanks += 1;
            continue;
        }
        if let Some(previous) = previous {
            let kept = previous.starts_with([' ', '\t']) || line.starts_with([' ', '\t']);
            match (kept, blanks) {
                (true, _) => out.push_str(&"\n".repeat(blanks + 1)),
                (false, 0) => out.push(' '),
                (false, _) => out.push_str(&"\n".repeat(blanks)),
            }
        } else {
            out.push_str(&"\n".repeat(blanks));
        }
        blanks = 0;
        out.push_str(line);
        previous = Some(line);
    }
    out.push_str(&"\n".repeat(blanks));
    out
}
