//! Methods of Python's own types: which there are, and their calls. Strings' are in `text`, containers' in `containers`.

pub(crate) mod containers;
pub(crate) mod text;

use std::any::Any;

use super::error::Error;
use super::value::{Object, Value};
use super::vm::{Args, Outcome, Vm};

pub(crate) use text::strip_chars;

/// Is a method taken from its value without being called.
pub(crate) struct Bound {
    receiver: Value,
    name: String,
}

impl Bound {
    pub(crate) fn new(receiver: Value, name: &str) -> Self {
        Self { receiver, name: name.to_owned() }
    }
}

impl Object for Bound {
    fn type_name(&self) -> &'static str {
        "builtin_function_or_method"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, vm: &mut Vm<'_>, mut args: Args) -> Outcome<Value> {
        let value = call(vm, &self.receiver, &self.name, &mut args)?;
        Ok(value.unwrap_or(Value::None))
    }

    fn print(&self) -> String {
        format!("<built-in method {} of {} object>", self.name, self.receiver.type_name())
    }
}

/// Says whether Python's type of `value` has the method.
pub(crate) fn has(value: &Value, name: &str) -> bool {
    match value {
        Value::Str(_) => text::METHODS.contains(&name),
        Value::List(_) => containers::LIST.contains(&name),
        Value::Tuple(_) => matches!(name, "index" | "count"),
        Value::Dict(_) => containers::DICT.contains(&name),
        Value::Set(_) => containers::SET.contains(&name),
        Value::Int(_) | Value::Float(_) => matches!(name, "is_integer" | "bit_length"),
        Value::Undefined(_) | Value::None | Value::Bool(_) | Value::Object(_) => false,
    }
}

/// Calls a method of a Python type; None where the type has none of that name.
pub(crate) fn call(vm: &mut Vm<'_>, receiver: &Value, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
    if !has(receiver, name) {
        return Ok(None);
    }
    let value = match receiver {
        Value::Str(text) => text::call(vm, text, name, args)?,
        Value::List(items) => containers::list(items, name, args)?,
        Value::Tuple(items) => containers::tuple(items, name, args)?,
        Value::Dict(entries) => containers::dict(entries, name, args)?,
        Value::Set(items) => containers::set(items, name, args)?,
        Value::Float(f) if name == "is_integer" => Value::Bool(f.fract() == 0.0),
        Value::Int(_) if name == "is_integer" => Value::Bool(true),
        Value::Int(i) => Value::Int(i64::from(64 - i.unsigned_abs().leading_zeros())),
        Value::Undefined(_) | Value::None | Value::Bool(_) | Value::Float(_) | Value::Object(_) => return Ok(None),
    };
    Ok(Some(value))
}

/// Answers the item at a Python index, negative ones from the end.
pub(crate) fn nth(items: &[Value], index: i64) -> Option<Value> {
    let index = if index < 0 { index + items.len() as i64 } else { index };
    usize::try_from(index).ok().and_then(|index| items.get(index)).cloned()
}

/// Answers Python's `value[start:stop:step]`.
pub(crate) fn slice(value: &Value, start: Option<i64>, stop: Option<i64>, step: i64) -> Result<Value, Error> {
    let items = match value {
        Value::Undefined(_) => return Ok(value.clone()),
        Value::Dict(_) | Value::Set(_) => None,
        other => other.items(),
    };
    let items = items.ok_or_else(|| Error::runtime(format!("'{}' object is not subscriptable", value.type_name())))?;
    if step == 0 {
        return Err(Error::runtime("slice step cannot be zero"));
    }
    let picked: Vec<Value> =
        indices(items.len() as i64, start, stop, step).map(|i| items[i as usize].clone()).collect();
    Ok(match value {
        Value::Str(_) => Value::from(picked.iter().filter_map(Value::as_str).collect::<String>()),
        Value::Tuple(_) => Value::tuple(picked),
        _ => Value::list(picked),
    })
}

fn indices(length: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> impl Iterator<Item = i64> {
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clamp = |at: i64| (if at < 0 { at + length } else { at }).clamp(low, high);
    let start = start.map_or(if step > 0 { low } else { high }, clamp);
    let stop = stop.map_or(if step > 0 { high } else { low }, clamp);
    let mut at = start;
    std::iter::from_fn(move || {
        let going = if step > 0 { at < stop } else { at > stop };
        let now = at;
        at += step;
        going.then_some(now)
    })
}
