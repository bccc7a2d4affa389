//! `modules`: `re`, `datetime`, `pytz` and `itertools`.

use std::any::Any;
use std::rc::Rc;

use chrono::{FixedOffset, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;
use regex::Regex;

use crate::jinja::Error;
use crate::jinja::value::{Object, Value};
use crate::jinja::vm::{Args, Outcome, Vm};

use super::datetime::{Module, Moment};

pub(super) struct Modules;

impl Object for Modules {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(Some(match name {
            "re" => Value::object(Re),
            "datetime" => Value::object(Module("module")),
            "pytz" => Value::object(Pytz),
            "itertools" => Value::object(Itertools),
            _ => return Ok(None),
        }))
    }
}

struct Pytz;

impl Object for Pytz {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(matches!(name, "utc" | "UTC").then(|| Value::object(Zone::Named(Tz::UTC))))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        if name != "timezone" {
            return Err(Error::unsupported(format!("modules.pytz.{name}")).into());
        }
        let zone = args.text(0, "zone")?;
        let found: Tz = zone.parse().map_err(|_| Error::runtime(format!("unknown time zone '{zone}'")))?;
        Ok(Some(Value::object(Zone::Named(found))))
    }
}

/// Is a time zone.
pub(super) enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    pub(super) fn fixed(offset: FixedOffset) -> Self {
        Self::Fixed(offset)
    }

    /// Answers the zone's offset at a local time.
    pub(super) fn offset_at(&self, local: NaiveDateTime) -> FixedOffset {
        match self {
            Self::Fixed(offset) => *offset,
            Self::Named(zone) => {
                let found = zone.offset_from_local_datetime(&local).earliest();
                found.map_or_else(|| self.offset_of_utc(local), |offset| offset.fix())
            }
        }
    }

    /// Answers the zone's offset at a time of UTC.
    pub(super) fn offset_of_utc(&self, utc: NaiveDateTime) -> FixedOffset {
        match self {
            Self::Fixed(offset) => *offset,
            Self::Named(zone) => zone.offset_from_utc_datetime(&utc).fix(),
        }
    }
}

impl Object for Zone {
    fn type_name(&self) -> &'static str {
        "tzinfo"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok((name == "zone").then(|| Value::from(self.print())))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        let moment = args.need(0, "dt")?;
        let moment = moment.downcast::<Moment>().ok_or_else(|| Error::runtime("expected a datetime"))?;
        match name {
            "localize" => Ok(Some(Value::object(Moment(moment.0, Some(self.offset_at(moment.0)), false)))),
            _ => Err(Error::unsupported(format!("tzinfo.{name}")).into()),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Named(zone) => zone.name().to_owned(),
            Self::Fixed(offset) if offset.local_minus_utc() == 0 => "UTC".to_owned(),
            Self::Fixed(offset) => format!("UTC{offset}"),
        }
    }
}

struct Re;

fn compiled(pattern: &str, flags: i64) -> Result<Regex, Error> {
    let mut prefix = String::new();
    for (bit, letter) in [(2, 'i'), (8, 'm'), (16, 's'), (64, 'x')] {
        if flags & bit != 0 {
            prefix.push(letter);
        }
    }
    // Python's `\Z` is Rust's `\z`; look-around and back references have no counterpart.
    let pattern = pattern.replace("\\Z", "\\z");
    let pattern = if prefix.is_empty() { pattern } else { format!("(?{prefix}){pattern}") };
    Regex::new(&pattern).map_err(|_| Error::unsupported(format!("the regular expression {pattern}")))
}

/// Turns Python's replacement (`\1`, `\g<name>`) into the crate's.
fn replacement(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' => out.push_str("$$"),
            '\\' => match chars.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    out.push_str("${");
                    out.push(digit);
                    out.push('}');
                }
                Some('g') if chars.peek() == Some(&'<') => {
                    chars.next();
                    out.push_str("${");
                    out.extend(chars.by_ref().take_while(|c| *c != '>'));
                    out.push('}');
                }
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

impl Object for Re {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(match name {
            "IGNORECASE" | "I" => Some(Value::Int(2)),
            "MULTILINE" | "M" => Some(Value::Int(8)),
            "DOTALL" | "S" => Some(Value::Int(16)),
            "VERBOSE" | "X" => Some(Value::Int(64)),
            _ => None,
        })
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        if name == "escape" {
            return Ok(Some(Value::from(regex::escape(&args.text(0, "pattern")?))));
        }
        let first = args.need(0, "pattern")?;
        let (pattern, flags) = match first.downcast::<Pattern>() {
            Some(known) => (Rc::from(known.0.as_str()), 0),
            None => (
                args.text(0, "pattern")?,
                args.int(
                    if name == "sub" {
                        4
                    } else if name == "split" {
                        3
                    } else if name == "compile" {
                        1
                    } else {
                        2
                    },
                    "flags",
                    0,
                ),
            ),
        };
        let pattern = Pattern(compiled(&pattern, flags)?);
        if name == "compile" {
            return Ok(Some(Value::object(pattern)));
        }
        args.positional.drain(..args.positional.len().min(1));
        pattern.method(vm, name, args)
    }
}

struct Pattern(Regex);

impl Object for Pattern {
    fn type_name(&self) -> &'static str {
        "Pattern"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok((name == "pattern").then(|| Value::from(self.0.as_str())))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        let found = |at: Option<regex::Captures<'_>>| at.map_or(Value::None, |found| Value::object(Match::new(&found)));
        Ok(Some(match name {
            "search" => found(self.0.captures(&args.text(0, "string")?)),
            "match" | "fullmatch" => {
                let text = args.text(0, "string")?;
                let end = if name == "fullmatch" { "\\z" } else { "" };
                let anchored = compiled(&format!("\\A(?:{}){end}", self.0.as_str()), 0)?;
                found(anchored.captures(&text))
            }
            "findall" => {
                let text = args.text(0, "string")?;
                let all = self.0.captures_iter(&text).map(|found| {
                    let group = |i: usize| Value::from(found.get(i).map_or("", |group| group.as_str()));
                    match found.len() {
                        1 => group(0),
                        2 => group(1),
                        count => Value::tuple((1..count).map(group).collect()),
                    }
                });
                Value::list(all.collect())
            }
            "finditer" => {
                let text = args.text(0, "string")?;
                Value::list(self.0.captures_iter(&text).map(|found| Value::object(Match::new(&found))).collect())
            }
            "sub" => {
                let (with, text) = (replacement(&args.text(0, "repl")?), args.text(1, "string")?);
                let limit = usize::try_from(args.int(2, "count", 0)).unwrap_or(0);
                Value::from(self.0.replacen(&text, limit, with.as_str()).into_owned())
            }
            "split" => {
                let text = args.text(0, "string")?;
                let limit = usize::try_from(args.int(1, "maxsplit", 0)).unwrap_or(0);
                if self.0.captures_len() > 1 {
                    return Err(Error::unsupported("re.split with groups").into());
                }
                let parts: Vec<Value> = if limit == 0 {
                    self.0.split(&text).map(Value::from).collect()
                } else {
                    self.0.splitn(&text, limit + 1).map(Value::from).collect()
                };
                Value::list(parts)
            }
            _ => return Err(Error::unsupported(format!("modules.re.{name}")).into()),
        }))
    }
}

struct Match {
    groups: Vec<Option<(String, usize, usize)>>,
}

impl Match {
    fn new(found: &regex::Captures<'_>) -> Self {
        let group = |group: Option<regex::Match<'_>>| group.map(|g| (g.as_str().to_owned(), g.start(), g.end()));
        Self { groups: found.iter().map(group).collect() }
    }

    fn group(&self, index: usize) -> Value {
        self.groups.get(index).and_then(Option::as_ref).map_or(Value::None, |(text, ..)| Value::from(&**text))
    }
}

impl Object for Match {
    fn type_name(&self) -> &'static str {
        "Match"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn item(&self, _vm: &mut Vm<'_>, key: &Value) -> Outcome<Option<Value>> {
        Ok(key.as_int().and_then(|i| usize::try_from(i).ok()).map(|i| self.group(i)))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        let index = usize::try_from(args.int(0, "group", 0)).unwrap_or(0);
        let edge = |pick: fn(&(String, usize, usize)) -> usize| {
            self.groups.get(index).and_then(Option::as_ref).map_or(Value::Int(-1), |group| Value::from(pick(group)))
        };
        Ok(Some(match name {
            "group" => self.group(index),
            "groups" => Value::tuple((1..self.groups.len()).map(|i| self.group(i)).collect()),
            "start" => edge(|group| group.1),
            "end" => edge(|group| group.2),
            _ => return Err(Error::unsupported(format!("match.{name}")).into()),
        }))
    }
}

struct Itertools;

impl Object for Itertools {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        let mut lists = Vec::with_capacity(args.positional.len());
        for value in &args.positional {
            lists.push(value.items().unwrap_or_else(|| vec![value.clone()]));
        }
        Ok(Some(Value::list(match name {
            "chain" => lists.concat(),
            "product" => lists
                .iter()
                .fold(vec![Vec::new()], |rows, list| {
                    rows.iter()
                        .flat_map(|row: &Vec<Value>| {
                            list.iter().map(move |item| [row.as_slice(), std::slice::from_ref(item)].concat())
                        })
                        .collect()
                })
                .into_iter()
                .map(Value::tuple)
                .collect(),
            _ => return Err(Error::unsupported(format!("modules.itertools.{name}")).into()),
        })))
    }
}
