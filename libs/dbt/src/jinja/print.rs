//! Prints values as Python's `str()` and `repr()` do.

use std::fmt::Write as _;

use super::value::Value;
use super::vm::MAX_OUTPUT;

/// Answers Python's `str(value)`; an undefined value is empty text.
pub(crate) fn print(value: &Value) -> String {
    match value {
        Value::Undefined(_) => String::new(),
        Value::Str(text) => text.to_string(),
        other => repr(other),
    }
}

/// Answers Python's `repr(value)`.
pub(crate) fn repr(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

/// Beyond this depth a value is most likely inside itself.
const MAX_DEPTH: usize = 100;

fn write(out: &mut String, value: &Value, depth: usize) {
    if depth > MAX_DEPTH {
        out.push_str("[...]");
        return;
    }
    // No text of this length is ever shown: whatever takes it has a limit.
    if out.len() > MAX_OUTPUT {
        return;
    }
    match value {
        Value::Undefined(_) => out.push_str("Undefined"),
        Value::None => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Float(f) => out.push_str(&float(*f)),
        Value::Str(text) => quoted(out, text),
        Value::Tuple(items) => {
            out.push('(');
            sequence(out, items, depth);
            out.push_str(if items.len() == 1 { ",)" } else { ")" });
        }
        Value::List(items) => {
            out.push('[');
            sequence(out, &items.borrow(), depth);
            out.push(']');
        }
        Value::Dict(entries) => {
            out.push('{');
            for (i, (key, value)) in entries.borrow().iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write(out, &key.0, depth + 1);
                out.push_str(": ");
                write(out, value, depth + 1);
            }
            out.push('}');
        }
        Value::Set(items) if items.borrow().is_empty() => out.push_str("set()"),
        Value::Set(items) => {
            out.push('{');
            let items: Vec<Value> = items.borrow().iter().map(|key| key.0.clone()).collect();
            sequence(out, &items, depth);
            out.push('}');
        }
        Value::Object(object) => out.push_str(&object.print()),
    }
}

fn sequence(out: &mut String, items: &[Value], depth: usize) {
    for (i, item) in items.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        write(out, item, depth + 1);
    }
}

/// Answers Python's `repr` of a float.
pub(crate) fn float(f: f64) -> String {
    if f.is_nan() {
        return "nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if f == 0.0 || (1e-4..1e16).contains(&f.abs()) {
        let text = format!("{f}");
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    let text = format!("{f:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn quoted(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_python_s() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e20, "1e+20"),
            (1e16, "1e+16"),
            (1.5e-7, "1.5e-07"),
            (123456789.25, "123456789.25"),
        ];
        for (f, text) in cases {
            assert_eq!(float(f), text);
        }
    }

    #[test]
    fn containers_print_as_python_s() {
        let value = Value::list(vec![
            Value::from("it's"),
            Value::from("a\n"),
            Value::None,
            Value::tuple(vec![Value::Bool(true)]),
        ]);
        assert_eq!(repr(&value), "[\"it's\", 'a\\n', None, (True,)]");
    }
}
