//! Methods of `list`, `tuple`, `dict` and `set`.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexSet;

use crate::jinja::error::Error;
use crate::jinja::eval::hashed;
use crate::jinja::print::repr;
use crate::jinja::value::{Dict, Key, Object, Value};
use crate::jinja::vm::Args;

pub(super) const LIST: &[&str] =
    &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];
pub(super) const DICT: &[&str] =
    &["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];
pub(super) const SET: &[&str] = &[
    "add",
    "clear",
    "copy",
    "difference",
    "difference_update",
    "discard",
    "intersection",
    "isdisjoint",
    "issubset",
    "issuperset",
    "pop",
    "remove",
    "symmetric_difference",
    "union",
    "update",
];

pub(super) fn list(items: &Rc<RefCell<Vec<Value>>>, name: &str, args: &Args) -> Result<Value, Error> {
    let mut done = Value::None;
    match name {
        "append" => {
            let item = args.need(0, "object")?;
            items.borrow_mut().push(item);
        }
        "extend" => {
            let more = iterable(&args.need(0, "iterable")?)?;
            items.borrow_mut().extend(more);
        }
        "insert" => {
            let (at, item) = (args.int(0, "index", 0), args.need(1, "object")?);
            let length = items.borrow().len();
            items.borrow_mut().insert(clamp(at, length), item);
        }
        "pop" => {
            let length = items.borrow().len();
            let at = args.int(0, "index", -1);
            let at = if at < 0 { at + length as i64 } else { at };
            let at = usize::try_from(at).ok().filter(|at| *at < length);
            let at = at.ok_or_else(|| {
                Error::runtime(if length == 0 { "pop from empty list" } else { "pop index out of range" })
            })?;
            done = items.borrow_mut().remove(at);
        }
        "remove" => {
            let item = args.need(0, "value")?;
            let at = items.borrow().iter().position(|other| *other == item);
            let at = at.ok_or_else(|| Error::runtime("list.remove(x): x not in list"))?;
            items.borrow_mut().remove(at);
        }
        "clear" => items.borrow_mut().clear(),
        "reverse" => items.borrow_mut().reverse(),
        "sort" => {
            let sorted = crate::jinja::filters::sorted(items.borrow().clone(), args.flag(9, "reverse", false), true)?;
            *items.borrow_mut() = sorted;
        }
        "copy" => done = Value::list(items.borrow().clone()),
        _ => done = tuple(&items.borrow(), name, args)?,
    }
    Ok(done)
}

pub(super) fn tuple(items: &[Value], name: &str, args: &Args) -> Result<Value, Error> {
    let item = args.need(0, "value")?;
    match name {
        "index" => match items.iter().position(|other| *other == item) {
            Some(at) => Ok(Value::from(at)),
            None => Err(Error::runtime(format!("{} is not in list", repr(&item)))),
        },
        _ => Ok(Value::from(items.iter().filter(|other| **other == item).count())),
    }
}

fn iterable(value: &Value) -> Result<Vec<Value>, Error> {
    value.items().ok_or_else(|| Error::runtime(format!("'{}' object is not iterable", value.type_name())))
}

fn clamp(at: i64, length: usize) -> usize {
    let at = if at < 0 { at + length as i64 } else { at };
    usize::try_from(at).unwrap_or(0).min(length)
}

/// Reads what `dict(...)` and `dict.update(...)` take: a mapping or pairs, and keywords.
pub(crate) fn entries(args: &Args) -> Result<Dict, Error> {
    let mut dict = Dict::new();
    match args.positional.first() {
        Some(Value::Dict(other)) => dict.extend(other.borrow().clone()),
        Some(other) => {
            for pair in iterable(other)? {
                match iterable(&pair)?.as_slice() {
                    [key, value] => dict.insert(hashed(key.clone())?, value.clone()),
                    _ => return Err(Error::runtime("dictionary update sequence elements must be pairs")),
                };
            }
        }
        None => {}
    }
    for (name, value) in &args.named {
        dict.insert(Key::from(&**name), value.clone());
    }
    Ok(dict)
}

/// Is what `keys()`, `values()` and `items()` of a dict answer.
struct View {
    name: &'static str,
    items: Vec<Value>,
}

impl View {
    fn of(name: &'static str, items: Vec<Value>) -> Value {
        Value::object(Self { name, items })
    }
}

impl Object for View {
    fn type_name(&self) -> &'static str {
        self.name
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(self.items.clone())
    }

    fn print(&self) -> String {
        format!("{}({})", self.name, repr(&Value::list(self.items.clone())))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| other.items == self.items)
    }
}

pub(super) fn dict(dict: &Rc<RefCell<Dict>>, name: &str, args: &Args) -> Result<Value, Error> {
    let key = || hashed(args.need(0, "key")?);
    Ok(match name {
        "get" => match dict.borrow().get(&key()?) {
            Some(value) => value.clone(),
            None => args.get(1, "default").unwrap_or(Value::None),
        },
        "keys" => View::of("dict_keys", dict.borrow().keys().map(|key| key.0.clone()).collect()),
        "values" => View::of("dict_values", dict.borrow().values().cloned().collect()),
        "items" => {
            let pair = |(key, value): (&Key, &Value)| Value::tuple(vec![key.0.clone(), value.clone()]);
            View::of("dict_items", dict.borrow().iter().map(pair).collect())
        }
        "update" => {
            let more = entries(args)?;
            dict.borrow_mut().extend(more);
            Value::None
        }
        "setdefault" => {
            let default = args.get(1, "default").unwrap_or(Value::None);
            dict.borrow_mut().entry(key()?).or_insert(default).clone()
        }
        "pop" => {
            let key = key()?;
            match (dict.borrow_mut().shift_remove(&key), args.get(1, "default")) {
                (Some(value), _) | (None, Some(value)) => value,
                (None, None) => return Err(Error::runtime(repr(&key.0))),
            }
        }
        "popitem" => match dict.borrow_mut().pop() {
            Some((key, value)) => Value::tuple(vec![key.0, value]),
            None => return Err(Error::runtime("'popitem(): dictionary is empty'")),
        },
        "clear" => {
            dict.borrow_mut().clear();
            Value::None
        }
        "copy" => Value::dict(dict.borrow().clone()),
        _ => return Err(Error::unsupported(format!("dict.{name}"))),
    })
}

pub(super) fn set(set: &Rc<RefCell<IndexSet<Key>>>, name: &str, args: &Args) -> Result<Value, Error> {
    let other =
        || -> Result<IndexSet<Key>, Error> { iterable(&args.need(0, "iterable")?)?.into_iter().map(hashed).collect() };
    let made = |items: IndexSet<Key>| Value::Set(Rc::new(RefCell::new(items)));
    Ok(match name {
        "add" => {
            let item = hashed(args.need(0, "elem")?)?;
            set.borrow_mut().insert(item);
            Value::None
        }
        "update" => {
            let more = other()?;
            set.borrow_mut().extend(more);
            Value::None
        }
        "discard" | "remove" => {
            let item = hashed(args.need(0, "elem")?)?;
            if !set.borrow_mut().shift_remove(&item) && name == "remove" {
                return Err(Error::runtime(repr(&item.0)));
            }
            Value::None
        }
        "pop" => set
            .borrow_mut()
            .shift_remove_index(0)
            .map(|key| key.0)
            .ok_or_else(|| Error::runtime("pop from an empty set"))?,
        "clear" => {
            set.borrow_mut().clear();
            Value::None
        }
        "copy" => made(set.borrow().clone()),
        "union" => made(set.borrow().union(&other()?).cloned().collect()),
        "intersection" => made(set.borrow().intersection(&other()?).cloned().collect()),
        "difference" => made(set.borrow().difference(&other()?).cloned().collect()),
        "symmetric_difference" => made(set.borrow().symmetric_difference(&other()?).cloned().collect()),
        "issubset" => Value::Bool(set.borrow().is_subset(&other()?)),
        "issuperset" => Value::Bool(set.borrow().is_superset(&other()?)),
        "isdisjoint" => Value::Bool(set.borrow().is_disjoint(&other()?)),
        _ => return Err(Error::unsupported(format!("set.{name}"))),
    })
}
