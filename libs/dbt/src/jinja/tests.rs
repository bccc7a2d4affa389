//! Jinja2's tests: what stands after `is`.

use super::error::Error;
use super::ir::Comparison;
use super::operators::{compare, contains};
use super::value::Value;
use super::vm::{Args, Outcome};

/// Answers `value is name(args)`.
pub(crate) fn test(name: &str, value: &Value, args: &Args) -> Outcome<bool> {
    let other = || args.need(0, "other");
    let int = |value: &Value| {
        value.as_int().ok_or_else(|| Error::runtime(format!("'{}' is not an integer", value.type_name())))
    };
    Ok(match name {
        "defined" => !value.is_undefined(),
        "undefined" => value.is_undefined(),
        "none" => matches!(value, Value::None),
        "boolean" => matches!(value, Value::Bool(_)),
        "true" => matches!(value, Value::Bool(true)),
        "false" => matches!(value, Value::Bool(false)),
        "integer" => matches!(value, Value::Int(_)),
        "float" => matches!(value, Value::Float(_)),
        "number" => matches!(value, Value::Int(_) | Value::Float(_) | Value::Bool(_)),
        "string" => matches!(value, Value::Str(_)),
        "mapping" => match value {
            Value::Dict(_) => true,
            Value::Object(object) => object.mapping(),
            _ => false,
        },
        "sequence" => value.length().is_some(),
        "iterable" => value.items().is_some(),
        "callable" => match value {
            Value::Object(object) => object.callable(),
            _ => false,
        },
        "odd" => int(value)? % 2 != 0,
        "even" => int(value)? % 2 == 0,
        "divisibleby" => int(value)? % int(&other()?)? == 0,
        "upper" => value
            .as_str()
            .is_some_and(|text| text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)),
        "lower" => value
            .as_str()
            .is_some_and(|text| text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase)),
        "eq" | "equalto" | "==" => *value == other()?,
        "ne" | "!=" => *value != other()?,
        "lt" | "lessthan" | "<" => compare(Comparison::Lt, value, &other()?)?,
        "le" | "<=" => compare(Comparison::Lte, value, &other()?)?,
        "gt" | "greaterthan" | ">" => compare(Comparison::Gt, value, &other()?)?,
        "ge" | ">=" => compare(Comparison::Gte, value, &other()?)?,
        "in" => contains(&other()?, value)?,
        "sameas" => same(value, &other()?),
        "escaped" => false,
        _ => return Err(Error::runtime(format!("No test named '{name}'.")).into()),
    })
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => std::rc::Rc::ptr_eq(a, b),
        (Value::Dict(a), Value::Dict(b)) => std::rc::Rc::ptr_eq(a, b),
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Bool(_), _) | (_, Value::Bool(_)) => false,
        (a, b) => a == b,
    }
}
