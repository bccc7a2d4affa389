//! `str.format` and `%`, as Python has them.

use super::error::Error;
use super::print::{print, repr};
use super::value::{Number, Value};
use super::vm::{Args, Outcome, Vm};

/// Answers `text.format(*args, **kwargs)`.
pub(crate) fn braces(vm: &mut Vm<'_>, text: &str, args: &Args) -> Outcome<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut next = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if after.starts_with(&rest[at..=at]) {
            out.push_str(&rest[at..=at]);
            rest = &after[1..];
            continue;
        }
        if rest[at..].starts_with('}') {
            return Err(Error::runtime("Single '}' encountered in format string").into());
        }
        let end = field_end(after).ok_or_else(|| Error::runtime("expected '}' before end of string"))?;
        let (field, spec) = split_field(&after[..end]);
        let (name, conversion) = field.split_once('!').map_or((field, None), |(name, c)| (name, Some(c)));
        let value = field_value(vm, name, args, &mut next)?;
        let spec = if spec.contains('{') { braces(vm, spec, args)? } else { spec.to_owned() };
        let value = match conversion {
            Some("r") => Value::from(repr(&value)),
            Some("s") => Value::from(print(&value)),
            _ => value,
        };
        out.push_str(&spec_format(&value, &spec)?);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn field_end(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn split_field(field: &str) -> (&str, &str) {
    field.split_once(':').unwrap_or((field, ""))
}

fn field_value(vm: &mut Vm<'_>, name: &str, args: &Args, next: &mut usize) -> Outcome<Value> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (head, mut path) = name.split_at(end);
    let mut value = if head.is_empty() {
        *next += 1;
        positional(args, *next - 1)?
    } else if let Ok(index) = head.parse() {
        positional(args, index)?
    } else {
        args.named(head).ok_or_else(|| Error::runtime(format!("'{head}'")))?
    };
    while !path.is_empty() {
        if let Some(rest) = path.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            value = vm.attribute(&value, &rest[..end])?;
            path = &rest[end..];
        } else {
            let end = path.find(']').unwrap_or(path.len());
            let key = path.get(1..end).unwrap_or_default();
            let key = key.parse().map_or_else(|_| Value::from(key), Value::Int);
            value = vm.item(&value, &key)?;
            path = path.get(end + 1..).unwrap_or_default();
        }
    }
    Ok(value)
}

fn positional(args: &Args, index: usize) -> Result<Value, Error> {
    let missing = || Error::runtime(format!("Replacement index {index} out of range for positional args tuple"));
    args.positional.get(index).cloned().ok_or_else(missing)
}

/// Is Python's format specification, taken apart.
struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    zero: bool,
    width: usize,
    comma: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse_spec(spec: &str) -> Spec {
    let chars: Vec<char> = spec.chars().collect();
    let mut at = 0;
    let mut parsed =
        Spec { fill: ' ', align: None, sign: '-', zero: false, width: 0, comma: None, precision: None, kind: None };
    let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '^' | '='));
    if is_align(chars.get(1)) {
        (parsed.fill, parsed.align, at) = (chars[0], Some(chars[1]), 2);
    } else if is_align(chars.first()) {
        (parsed.align, at) = (Some(chars[0]), 1);
    }
    if let Some(sign @ ('+' | '-' | ' ')) = chars.get(at) {
        parsed.sign = *sign;
        at += 1;
    }
    if chars.get(at) == Some(&'#') {
        at += 1;
    }
    if chars.get(at) == Some(&'0') {
        parsed.zero = true;
        at += 1;
    }
    let number = |at: &mut usize| {
        let start = *at;
        while chars.get(*at).is_some_and(char::is_ascii_digit) {
            *at += 1;
        }
        chars[start..*at].iter().collect::<String>().parse::<usize>().ok()
    };
    parsed.width = number(&mut at).unwrap_or(0).min(1 << 16);
    if let Some(comma @ (',' | '_')) = chars.get(at) {
        parsed.comma = Some(*comma);
        at += 1;
    }
    if chars.get(at) == Some(&'.') {
        at += 1;
        parsed.precision = number(&mut at).map(|precision| precision.min(usize::from(u16::MAX)));
    }
    parsed.kind = chars.get(at).copied();
    parsed
}

/// Answers `format(value, spec)`.
pub(crate) fn spec_format(value: &Value, spec: &str) -> Result<String, Error> {
    if spec.is_empty() {
        return Ok(print(value));
    }
    if let Some(moment) = value.downcast::<crate::context::datetime::Moment>() {
        return Ok(moment.strftime(spec));
    }
    let spec = parse_spec(spec);
    let (sign, body, numeric) = match (value.number(), spec.kind) {
        (Some(number), kind) if !matches!(kind, Some('s')) && !matches!(value, Value::Bool(_)) => {
            let (sign, digits) = digits(number, &spec)?;
            (sign, digits, true)
        }
        _ => {
            let text = print(value);
            let text = spec.precision.map_or_else(|| text.clone(), |limit| text.chars().take(limit).collect());
            (String::new(), text, false)
        }
    };
    let missing = spec.width.saturating_sub(sign.chars().count() + body.chars().count());
    let fill = if spec.zero && spec.align.is_none() { '0' } else { spec.fill };
    let align = spec.align.unwrap_or(if spec.zero && numeric {
        '='
    } else if numeric {
        '>'
    } else {
        '<'
    });
    let pad = |count: usize| fill.to_string().repeat(count);
    Ok(match align {
        '<' => format!("{sign}{body}{}", pad(missing)),
        '^' => format!("{}{sign}{body}{}", pad(missing / 2), pad(missing - missing / 2)),
        '=' => format!("{sign}{}{body}", pad(missing)),
        _ => format!("{}{sign}{body}", pad(missing)),
    })
}

fn digits(number: Number, spec: &Spec) -> Result<(String, String), Error> {
    let negative = number.float() < 0.0;
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        (false, _) => "",
    };
    let body = match (spec.kind, number) {
        (None | Some('d' | 'n'), Number::Int(i)) => i.unsigned_abs().to_string(),
        (Some('x'), Number::Int(i)) => format!("{:x}", i.unsigned_abs()),
        (Some('X'), Number::Int(i)) => format!("{:X}", i.unsigned_abs()),
        (Some('o'), Number::Int(i)) => format!("{:o}", i.unsigned_abs()),
        (Some('b'), Number::Int(i)) => format!("{:b}", i.unsigned_abs()),
        (Some('f' | 'F'), n) => format!("{:.*}", spec.precision.unwrap_or(6), n.float().abs()),
        (Some('%'), n) => format!("{:.*}%", spec.precision.unwrap_or(6), n.float().abs() * 100.0),
        (Some('e'), n) => exponent(n.float().abs(), spec.precision.unwrap_or(6)),
        (None, Number::Float(f)) if spec.precision.is_none() => super::print::float(f.abs()),
        (kind, _) => {
            let kind = kind.map_or_else(|| "float precision".to_owned(), |kind| kind.to_string());
            return Err(Error::unsupported(format!("the format code {kind}")));
        }
    };
    let body = match spec.comma {
        Some(comma) => grouped(&body, comma),
        None => body,
    };
    Ok((sign.to_owned(), body))
}

fn exponent(f: f64, precision: usize) -> String {
    let text = format!("{f:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(("+", exponent), |digits| ("-", digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn grouped(body: &str, comma: char) -> String {
    let end = body.find('.').unwrap_or(body.len());
    let (whole, rest) = body.split_at(end);
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(comma);
        }
        out.push(c);
    }
    out + rest
}

/// Answers `text % value`.
pub(crate) fn percent(text: &str, value: &Value) -> Result<String, Error> {
    let items = match value {
        Value::Tuple(items) => items.to_vec(),
        other => vec![other.clone()],
    };
    let mut items = items.into_iter();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut key = None;
        if let Some(inner) = rest.strip_prefix('(') {
            let end = inner.find(')').ok_or_else(|| Error::runtime("incomplete format key"))?;
            key = Some(&inner[..end]);
            rest = &inner[end + 1..];
        }
        let end =
            rest.find(|c: char| c.is_alphabetic() || c == '%').ok_or_else(|| Error::runtime("incomplete format"))?;
        let (flags, kind) = (&rest[..end], &rest[end..=end]);
        rest = &rest[end + 1..];
        if kind == "%" {
            out.push('%');
            continue;
        }
        let item = match (key, value) {
            (Some(key), Value::Dict(entries)) => entries
                .borrow()
                .get(&super::value::StrKey(key))
                .cloned()
                .ok_or_else(|| Error::runtime(format!("'{key}'")))?,
            _ => items.next().ok_or_else(|| Error::runtime("not enough arguments for format string"))?,
        };
        let item = match (kind, &item) {
            ("r", item) => Value::from(repr(item)),
            ("s", item) => Value::from(print(item)),
            ("d" | "i", Value::Float(f)) => Value::Int(*f as i64),
            (_, item) => item.clone(),
        };
        let kind = match kind {
            "i" | "d" => "d",
            "s" | "r" => "s",
            other => other,
        };
        let align = if flags.starts_with('-') {
            "<"
        } else if kind == "s" && !flags.is_empty() {
            ">"
        } else {
            ""
        };
        out.push_str(&spec_format(&item, &format!("{align}{}{kind}", flags.trim_start_matches('-')))?);
    }
    out.push_str(rest);
    if !matches!(value, Value::Dict(_)) && items.next().is_some() {
        return Err(Error::runtime("not all arguments converted during string formatting"));
    }
    Ok(out)
}
