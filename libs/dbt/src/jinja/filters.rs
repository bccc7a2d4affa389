//! Jinja2's filters and the four that dbt adds.
//!
//! Responsible for finding a filter by its name; those that walk over sequences are in `sequences`.

mod sequences;

use std::rc::Rc;

use super::error::Error;
use super::methods::strip_chars;
use super::methods::text::{capitalize, replaced, title};
use super::print::{print, repr};
use super::value::{Number, Value};
use super::vm::{Args, MAX_OUTPUT, Outcome, Vm, budget};

pub(crate) use sequences::sorted;

/// Answers `value | name(args)`.
pub(crate) fn filter(vm: &mut Vm<'_>, name: &str, value: Value, args: Args) -> Outcome<Value> {
    if let Some(value) = sequences::filter(vm, name, &value, &args)? {
        return Ok(value);
    }
    if let Some(value) = text(vm, name, &value, &args)? {
        return Ok(value);
    }
    Ok(match name {
        "default" | "d" => {
            let otherwise = || args.get(0, "default_value").unwrap_or_else(|| Value::from(""));
            if value.is_undefined() || (args.flag(1, "boolean", false) && !value.truth()) { otherwise() } else { value }
        }
        "int" => int(&value, &args),
        "float" => match &value {
            Value::Str(text) => {
                parse_float(text).map_or_else(|| args.get(0, "default").unwrap_or(Value::Float(0.0)), Value::Float)
            }
            other => other
                .number()
                .map_or_else(|| args.get(0, "default").unwrap_or(Value::Float(0.0)), |n| Value::Float(n.float())),
        },
        "abs" => match value.number() {
            Some(Number::Int(i)) => Value::Int(i.abs()),
            Some(Number::Float(f)) => Value::Float(f.abs()),
            None => return Err(Error::runtime(format!("bad operand type for abs(): '{}'", value.type_name())).into()),
        },
        "round" => round(&value, &args)?,
        "attr" => {
            let name = args.text(0, "name")?;
            vm.attribute(&value, &name)?
        }
        "length" | "count" => match value.length() {
            Some(length) => Value::from(length),
            None => return Err(Error::runtime(format!("object of type '{}' has no len()", value.type_name())).into()),
        },
        "tojson" => Value::from(super::json::html_safe(&super::json::dumps(
            &value,
            args.get(0, "indent").and_then(|v| v.as_int()),
            true,
        )?)),
        "pprint" => Value::from(repr(&value)),
        "as_text" | "as_bool" | "as_number" | "as_native" => {
            if vm.phase == super::vm::Phase::Yaml || vm.phase == super::vm::Phase::Profile {
                return super::native::marked(name, &value).map_err(Into::into);
            }
            value
        }
        "safe" => value,
        "is_list" => Value::Bool(matches!(value, Value::List(_))),
        "xmlattr" | "urlize" | "filesizeformat" | "random" => {
            return Err(Error::unsupported(format!("the filter {name}")).into());
        }
        _ => return Err(Error::runtime(format!("No filter named '{name}'.")).into()),
    })
}

fn int(value: &Value, args: &Args) -> Value {
    let default = || args.get(0, "default").unwrap_or(Value::Int(0));
    match value {
        Value::Str(text) => {
            let base = args.int(1, "base", 10);
            let text = text.trim().replace('_', "");
            let parsed = i64::from_str_radix(text.trim_start_matches("0x"), u32::try_from(base).unwrap_or(10)).ok();
            parsed
                .or_else(|| parse_float(&text).filter(|f| f.is_finite()).map(|f| f as i64))
                .map_or_else(default, Value::Int)
        }
        other => match other.number() {
            Some(Number::Int(i)) => Value::Int(i),
            Some(Number::Float(f)) if f.is_finite() => Value::Int(f as i64),
            _ => default(),
        },
    }
}

pub(crate) fn parse_float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

fn round(value: &Value, args: &Args) -> Result<Value, Error> {
    let number = value
        .number()
        .ok_or_else(|| Error::runtime(format!("type {} doesn't define __round__ method", value.type_name())))?;
    let precision = args.int(0, "precision", 0);
    let method = args.maybe_text(1, "method").unwrap_or_else(|| Rc::from("common"));
    let scale = 10f64.powi(i32::try_from(precision).unwrap_or(0));
    let f = number.float();
    if let (Number::Int(i), "common", true) = (number, &*method, precision >= 0) {
        return Ok(Value::Int(i));
    }
    Ok(Value::Float(match &*method {
        "ceil" => (f * scale).ceil() / scale,
        "floor" => (f * scale).floor() / scale,
        // Python rounds the decimal digits half to even, which is how Rust formats.
        _ if precision >= 0 => format!("{f:.*}", usize::try_from(precision).unwrap_or(0)).parse().unwrap_or(f),
        _ => (f * scale).round() / scale,
    }))
}

fn text(vm: &mut Vm<'_>, name: &str, value: &Value, args: &Args) -> Outcome<Option<Value>> {
    let shown = || print(value);
    Ok(Some(match name {
        "upper" => Value::from(shown().to_uppercase()),
        "lower" => Value::from(shown().to_lowercase()),
        "capitalize" => Value::from(capitalize(&shown())),
        "title" => Value::from(title(&shown())),
        "string" => match value {
            Value::Str(_) => value.clone(),
            other => Value::from(print(other)),
        },
        "trim" => Value::from(strip_chars(&shown(), args.maybe_text(0, "chars").as_deref(), true, true)),
        "replace" => {
            let (old, new, text) = (args.text(0, "old")?, args.text(1, "new")?, shown());
            let count = args.get(2, "count").and_then(|count| count.as_int());
            let count = count.and_then(|count| usize::try_from(count).ok());
            Value::from(replaced(&text, (&old, &new), count)?)
        }
        "indent" => Value::from(indent(&shown(), args)?),
        "format" => {
            let text = shown();
            let given = if args.named.is_empty() {
                Value::tuple(args.positional.clone())
            } else {
                Value::dict(super::methods::containers::entries(&Args {
                    positional: Vec::new(),
                    named: args.named.clone(),
                })?)
            };
            Value::from(super::format::percent(&text, &given)?)
        }
        "truncate" => Value::from(truncate(&shown(), args)),
        "wordcount" => Value::from(shown().split_whitespace().count()),
        "center" => {
            let text: Rc<str> = Rc::from(shown());
            let mut width = Args::of(vec![Value::Int(args.int(0, "width", 80))]);
            return super::methods::call(vm, &Value::Str(text), "center", &mut width);
        }
        "escape" | "e" | "forceescape" => {
            let text = shown().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            Value::from(text.replace('"', "&#34;").replace('\'', "&#39;"))
        }
        "striptags" => {
            let mut out = String::new();
            let mut inside = false;
            for c in shown().chars() {
                match c {
                    '<' => inside = true,
                    '>' => inside = false,
                    c if !inside => out.push(c),
                    _ => {}
                }
            }
            Value::from(out.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        "urlencode" => Value::from(urlencode(&shown())),
        "wordwrap" => return Err(Error::unsupported("the filter wordwrap").into()),
        _ => return Ok(None),
    }))
}

fn urlencode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"_.-~/".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

fn indent(text: &str, args: &Args) -> Result<String, Error> {
    let width = match args.get(0, "width") {
        Some(Value::Str(text)) => text.to_string(),
        Some(other) => " ".repeat(other.as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(4).min(MAX_OUTPUT)),
        None => " ".repeat(4),
    };
    let (first, blank) = (args.flag(1, "first", false), args.flag(2, "blank", false));
    let mut out = String::new();
    // Jinja2 adds a line feed before it splits, so that a final one is kept.
    let text = format!("{text}\n");
    let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(&text).split('\n').collect();
    if text.len() + width.len().saturating_mul(lines.len()) > MAX_OUTPUT {
        return Err(budget());
    }
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if (i > 0 || first) && (blank || !line.is_empty()) {
            out.push_str(&width);
        }
        out.push_str(line);
    }
    Ok(out)
}

fn truncate(text: &str, args: &Args) -> String {
    let length = usize::try_from(args.int(0, "length", 255)).unwrap_or(255);
    let (kill, end) = (args.flag(1, "killwords", false), args.maybe_text(2, "end").unwrap_or_else(|| Rc::from("...")));
    let leeway = usize::try_from(args.int(3, "leeway", 5)).unwrap_or(5);
    if text.chars().count() <= length + leeway {
        return text.to_owned();
    }
    let cut: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    if kill { format!("{cut}{end}") } else { format!("{}{end}", cut.rsplit_once(' ').map_or(&*cut, |(head, _)| head)) }
}
