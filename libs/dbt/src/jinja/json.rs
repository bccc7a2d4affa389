//! JSON to values and back: `tojson`, `fromjson`, and what goes in and out of the engine.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::error::Error;
use super::print::{float, print};
use super::value::{Dict, Key, Value};
use super::vm::{MAX_OUTPUT, budget};

/// Makes a value of JSON.
pub(crate) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(&**text),
        Json::Array(items) => Value::list(items.iter().map(from_json).collect()),
        Json::Object(map) => dict(map),
    }
}

/// Makes a dict of a JSON object.
pub(crate) fn dict(map: &serde_json::Map<String, Json>) -> Value {
    Value::dict(map.iter().map(|(key, value)| (Key::from(&**key), from_json(value))).collect::<Dict>())
}

/// The deepest a value may nest; beyond, it is most likely inside itself.
const DEPTH_MAX: usize = 100;
/// The most values that one may hold, as often as it holds them.
const VALUES_MAX: usize = 1_000_000;

/// Makes JSON of a value; an object becomes the text it prints as, and what is too deep or too much becomes null.
pub(crate) fn to_json(value: &Value) -> Json {
    let mut left = VALUES_MAX;
    bounded(value, 0, &mut left)
}

fn bounded(value: &Value, depth: usize, left: &mut usize) -> Json {
    if depth > DEPTH_MAX || *left == 0 {
        return Json::Null;
    }
    *left -= 1;
    let mut all = |items: &[Value]| Json::Array(items.iter().map(|item| bounded(item, depth + 1, left)).collect());
    match value {
        Value::Undefined(_) | Value::None => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) => Json::from(*i),
        Value::Float(f) => serde_json::Number::from_f64(*f).map_or(Json::Null, Json::Number),
        Value::Str(text) => Json::String(text.to_string()),
        Value::Dict(entries) => {
            let entries = entries.borrow();
            let entries = entries.iter().map(|(key, value)| (print(&key.0), bounded(value, depth + 1, left)));
            Json::Object(entries.collect())
        }
        Value::Object(object) => match object.iterate() {
            Some(items) => all(&items),
            None => Json::String(object.print()),
        },
        Value::Tuple(_) | Value::List(_) | Value::Set(_) => all(&value.items().unwrap_or_default()),
    }
}

/// Answers Python's `json.dumps(value)`.
///
/// # Errors
/// When JSON has no form for a value.
pub(crate) fn dumps(value: &Value, indent: Option<i64>, sort_keys: bool) -> Result<String, Error> {
    let mut out = String::new();
    let indent = indent.map(|indent| usize::try_from(indent).unwrap_or(0).min(INDENT_MAX));
    write(&mut out, value, &Style { indent, sort_keys }, 0)?;
    Ok(out)
}

/// Escapes what Jinja2's own filter `tojson` escapes.
pub(crate) fn html_safe(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027")
}

/// The most spaces of a level.
const INDENT_MAX: usize = 64;

struct Style {
    indent: Option<usize>,
    sort_keys: bool,
}

impl Style {
    fn line(&self, out: &mut String, depth: usize) {
        if let Some(indent) = self.indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent * depth));
        }
    }

    fn comma(&self, out: &mut String) {
        out.push_str(if self.indent.is_some() { "," } else { ", " });
    }
}

fn write(out: &mut String, value: &Value, style: &Style, depth: usize) -> Result<(), Error> {
    if depth > DEPTH_MAX || out.len() > MAX_OUTPUT {
        return Err(budget());
    }
    match value {
        Value::None => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Float(f) => out.push_str(&float(*f)),
        Value::Str(text) => string(out, text),
        Value::Tuple(_) | Value::List(_) => array(out, &value.items().unwrap_or_default(), style, depth)?,
        Value::Dict(entries) => object(out, &entries.borrow(), style, depth)?,
        Value::Undefined(_) | Value::Set(_) | Value::Object(_) => {
            return Err(Error::runtime(format!("Object of type {} is not JSON serializable", value.type_name())));
        }
    }
    Ok(())
}

fn array(out: &mut String, items: &[Value], style: &Style, depth: usize) -> Result<(), Error> {
    if items.is_empty() {
        out.push_str("[]");
        return Ok(());
    }
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            style.comma(out);
        }
        style.line(out, depth + 1);
        write(out, item, style, depth + 1)?;
    }
    style.line(out, depth);
    out.push(']');
    Ok(())
}

fn object(out: &mut String, entries: &Dict, style: &Style, depth: usize) -> Result<(), Error> {
    if entries.is_empty() {
        out.push_str("{}");
        return Ok(());
    }
    let mut sorted: Vec<(String, &Value)> = entries.iter().map(|(key, value)| (key_text(&key.0), value)).collect();
    if style.sort_keys {
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    out.push('{');
    for (i, (key, value)) in sorted.into_iter().enumerate() {
        if i > 0 {
            style.comma(out);
        }
        style.line(out, depth + 1);
        string(out, &key);
        out.push_str(": ");
        write(out, value, style, depth + 1)?;
    }
    style.line(out, depth);
    out.push('}');
    Ok(())
}

fn key_text(key: &Value) -> String {
    match key {
        Value::None => "null".into(),
        Value::Bool(b) => b.to_string(),
        other => print(other),
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_ascii() && !c.is_ascii_control() => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}
