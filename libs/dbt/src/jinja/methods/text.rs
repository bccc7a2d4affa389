//! Methods of `str`.

use std::rc::Rc;

use crate::jinja::error::Error;
use crate::jinja::format;
use crate::jinja::print::print;
use crate::jinja::value::Value;
use crate::jinja::vm::{Args, MAX_OUTPUT, Outcome, Vm, budget};

pub(super) const METHODS: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
    "encode",
];

pub(super) fn call(vm: &mut Vm<'_>, text: &Rc<str>, name: &str, args: &Args) -> Outcome<Value> {
    Ok(match name {
        "upper" => Value::from(text.to_uppercase()),
        "lower" | "casefold" => Value::from(text.to_lowercase()),
        "capitalize" => Value::from(capitalize(text)),
        "title" => Value::from(title(text)),
        "swapcase" => Value::from(swapcase(text)),
        "strip" => Value::from(strip_chars(text, args.maybe_text(0, "chars").as_deref(), true, true)),
        "lstrip" => Value::from(strip_chars(text, args.maybe_text(0, "chars").as_deref(), true, false)),
        "rstrip" => Value::from(strip_chars(text, args.maybe_text(0, "chars").as_deref(), false, true)),
        "removeprefix" => Value::from(text.strip_prefix(&*args.text(0, "prefix")?).unwrap_or(text)),
        "removesuffix" => Value::from(text.strip_suffix(&*args.text(0, "suffix")?).unwrap_or(text)),
        "startswith" | "endswith" => affix(text, name, args)?,
        "replace" => {
            let (old, new) = (string(args, 0, "old")?, string(args, 1, "new")?);
            Value::from(replaced(text, (&old, &new), usize::try_from(args.int(2, "count", -1)).ok())?)
        }
        "split" => split(text, args, false),
        "rsplit" => split(text, args, true),
        "splitlines" => Value::list(text.lines().map(Value::from).collect()),
        "partition" | "rpartition" => partition(text, &args.text(0, "sep")?, name == "rpartition"),
        "join" => join(text, &args.need(0, "iterable")?)?,
        "format" => Value::from(format::braces(vm, text, args)?),
        "format_map" => {
            let mapping = args.need(0, "mapping")?;
            let mut named = Args::default();
            if let Value::Dict(entries) = &mapping {
                for (key, value) in entries.borrow().iter() {
                    named.named.push((print(&key.0).into(), value.clone()));
                }
            }
            Value::from(format::braces(vm, text, &named)?)
        }
        "count" => Value::from(text.matches(&*args.text(0, "sub")?).count()),
        "find" | "rfind" | "index" | "rindex" => find(text, name, args)?,
        "zfill" => {
            let width = usize::try_from(args.int(0, "width", 0)).unwrap_or(0).min(1 << 20);
            let (sign, digits) = match text.chars().next() {
                Some(c @ ('-' | '+')) => (c.to_string(), &text[1..]),
                _ => (String::new(), &**text),
            };
            let missing = width.saturating_sub(text.chars().count());
            Value::from(format!("{sign}{}{digits}", "0".repeat(missing)))
        }
        "ljust" | "rjust" | "center" => pad(text, name, args),
        "encode" => return Err(Error::unsupported("str.encode").into()),
        "expandtabs" => Value::from(text.replace('\t', "        ")),
        _ => Value::Bool(predicate(text, name)),
    })
}

fn string(args: &Args, index: usize, name: &str) -> Result<Rc<str>, Error> {
    match args.need(index, name)? {
        Value::Str(text) => Ok(text),
        other => {
            Err(Error::runtime(format!("replace() argument {} must be str, not {}", index + 1, other.type_name())))
        }
    }
}

fn predicate(text: &str, name: &str) -> bool {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    match name {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => text.is_ascii(),
        "isdecimal" | "isdigit" | "isnumeric" => all(char::is_numeric),
        "isspace" => all(char::is_whitespace),
        "islower" => text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase),
        "isupper" => text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase),
        "istitle" => !text.is_empty() && title(text) == text,
        "isidentifier" => {
            text.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !text.starts_with(|c: char| c.is_numeric())
                && !text.is_empty()
        }
        _ => false,
    }
}

pub(crate) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect())
}

pub(crate) fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .flat_map(|c| {
            let cased: Vec<char> = if start { c.to_uppercase().collect() } else { c.to_lowercase().collect() };
            start = !c.is_alphabetic();
            cased
        })
        .collect()
}

fn swapcase(text: &str) -> String {
    let swap =
        |c: char| if c.is_uppercase() { c.to_lowercase().collect::<String>() } else { c.to_uppercase().collect() };
    text.chars().map(swap).collect()
}

pub(crate) fn strip_chars<'a>(text: &'a str, chars: Option<&str>, left: bool, right: bool) -> &'a str {
    let strip = |c: char| chars.map_or_else(|| c.is_whitespace(), |chars| chars.contains(c));
    let text = if left { text.trim_start_matches(strip) } else { text };
    if right { text.trim_end_matches(strip) } else { text }
}

fn affix(text: &str, name: &str, args: &Args) -> Result<Value, Error> {
    let test = |part: &Value| match part {
        Value::Str(part) if name == "startswith" => Ok(text.starts_with(&**part)),
        Value::Str(part) => Ok(text.ends_with(&**part)),
        other => {
            let got = other.type_name();
            Err(Error::runtime(format!("{name} first arg must be str or a tuple of str, not {got}")))
        }
    };
    let part = args.need(0, "prefix")?;
    Ok(Value::Bool(match &part {
        Value::Tuple(parts) => parts.iter().map(test).collect::<Result<Vec<_>, _>>()?.contains(&true),
        part => test(part)?,
    }))
}

fn split(text: &str, args: &Args, from_right: bool) -> Value {
    let limit = usize::try_from(args.int(1, "maxsplit", -1)).ok();
    let parts: Vec<String> = match (args.maybe_text(0, "sep"), limit) {
        (None, None) => text.split_whitespace().map(ToOwned::to_owned).collect(),
        (None, Some(limit)) => split_whitespace(text, limit),
        (Some(separator), None) => text.split(&*separator).map(ToOwned::to_owned).collect(),
        (Some(separator), Some(limit)) if from_right => {
            let mut parts: Vec<String> = text.rsplitn(limit + 1, &*separator).map(ToOwned::to_owned).collect();
            parts.reverse();
            parts
        }
        (Some(separator), Some(limit)) => text.splitn(limit + 1, &*separator).map(ToOwned::to_owned).collect(),
    };
    Value::list(parts.into_iter().map(Value::from).collect())
}

fn split_whitespace(text: &str, limit: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && parts.len() < limit {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        parts.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest.trim_end().to_owned());
    }
    parts
}

fn partition(text: &str, separator: &str, from_right: bool) -> Value {
    let found = if from_right { text.rsplit_once(separator) } else { text.split_once(separator) };
    Value::tuple(match found {
        Some((before, after)) => vec![Value::from(before), Value::from(separator), Value::from(after)],
        None if from_right => vec![Value::from(""), Value::from(""), Value::from(text)],
        None => vec![Value::from(text), Value::from(""), Value::from("")],
    })
}

/// Replaces `old` by `new`, at most `count` times.
///
/// # Errors
/// TEMPLATE_BUDGET where the text would be too large.
pub(crate) fn replaced(text: &str, (old, new): (&str, &str), count: Option<usize>) -> Result<String, Error> {
    let count = count.unwrap_or(usize::MAX);
    let found = text.matches(old).take(count).count();
    if text.len() + found.saturating_mul(new.len()) > MAX_OUTPUT {
        return Err(budget());
    }
    Ok(text.replacen(old, new, count))
}

/// Joins texts.
///
/// # Errors
/// TEMPLATE_BUDGET where the text would be too large.
pub(crate) fn joined<T: AsRef<str>>(parts: &[T], separator: &str) -> Result<String, Error> {
    let bytes: usize = parts.iter().map(|part| part.as_ref().len() + separator.len()).sum();
    if bytes > MAX_OUTPUT + separator.len() {
        return Err(budget());
    }
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    Ok(parts.join(separator))
}

fn join(separator: &str, items: &Value) -> Result<Value, Error> {
    let items = items.items().ok_or_else(|| Error::runtime("can only join an iterable"))?;
    let mut parts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item {
            Value::Str(text) => parts.push(text.clone()),
            other => {
                let got = other.type_name();
                return Err(Error::runtime(format!("sequence item {index}: expected str instance, {got} found")));
            }
        }
    }
    joined(&parts, separator).map(Value::from)
}

fn find(text: &str, name: &str, args: &Args) -> Result<Value, Error> {
    let part = args.text(0, "sub")?;
    let at = if name.starts_with('r') { text.rfind(&*part) } else { text.find(&*part) };
    match at {
        Some(at) => Ok(Value::from(text[..at].chars().count())),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => Err(Error::runtime("substring not found")),
    }
}

fn pad(text: &str, name: &str, args: &Args) -> Value {
    let width = usize::try_from(args.int(0, "width", 0)).unwrap_or(0).min(1 << 20);
    let fill = args.maybe_text(1, "fillchar").unwrap_or_else(|| Rc::from(" "));
    let missing = width.saturating_sub(text.chars().count());
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        _ => missing / 2 + (missing & width & 1),
    };
    Value::from(format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left)))
}
