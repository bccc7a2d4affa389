//! Python's operators on values: arithmetic, comparison, membership.

use super::error::Error;
use super::ir::{Binary, Comparison};
use super::print::print;
use super::value::{Key, Number, Value};
use super::vm::{MAX_OUTPUT, Outcome, budget};

pub(super) fn bad_operand(op: &str, value: &Value) -> Error {
    match value {
        Value::Undefined(Some(hint)) => Error::runtime(&**hint),
        _ => Error::runtime(format!("bad operand type for {op}: '{}'", value.type_name())),
    }
}

pub(crate) fn compare(op: Comparison, left: &Value, right: &Value) -> Outcome<bool> {
    use std::cmp::Ordering;
    let order = |symbol: &str| -> Outcome<Ordering> {
        left.compare(right).ok_or_else(|| {
            if let (Value::Undefined(Some(hint)), _) | (_, Value::Undefined(Some(hint))) = (left, right) {
                return Error::runtime(&**hint).into();
            }
            let (a, b) = (left.type_name(), right.type_name());
            Error::runtime(format!("'{symbol}' not supported between instances of '{a}' and '{b}'")).into()
        })
    };
    Ok(match op {
        Comparison::Eq => left == right,
        Comparison::Ne => left != right,
        Comparison::Lt => order("<")? == Ordering::Less,
        Comparison::Lte => order("<=")? != Ordering::Greater,
        Comparison::Gt => order(">")? == Ordering::Greater,
        Comparison::Gte => order(">=")? != Ordering::Less,
        Comparison::In => contains(right, left)?,
        Comparison::NotIn => !contains(right, left)?,
    })
}

/// Answers Python's `needle in hay`.
pub(crate) fn contains(hay: &Value, needle: &Value) -> Outcome<bool> {
    Ok(match hay {
        Value::Undefined(_) => false,
        Value::Str(text) => match needle {
            Value::Str(part) => text.contains(&**part),
            other => {
                let message = format!("'in <string>' requires string as left operand, not {}", other.type_name());
                return Err(Error::runtime(message).into());
            }
        },
        Value::Dict(entries) => needle.hashable() && entries.borrow().contains_key(&Key(needle.clone())),
        Value::Set(items) => needle.hashable() && items.borrow().contains(&Key(needle.clone())),
        Value::List(items) => items.borrow().contains(needle),
        Value::Tuple(items) => items.contains(needle),
        other => match other.items() {
            Some(items) => items.contains(needle),
            None => {
                let message = format!("argument of type '{}' is not iterable", other.type_name());
                return Err(Error::runtime(message).into());
            }
        },
    })
}

pub(crate) fn binary(op: Binary, left: &Value, right: &Value) -> Outcome<Value> {
    match (op, left, right) {
        (Binary::Concat, _, _) => {
            let text = format!("{}{}", print(left), print(right));
            if text.len() > MAX_OUTPUT { Err(budget().into()) } else { Ok(Value::from(text)) }
        }
        (_, Value::Undefined(Some(hint)), _) | (_, _, Value::Undefined(Some(hint))) => {
            Err(Error::runtime(&**hint).into())
        }
        (Binary::Add, Value::Str(a), Value::Str(b)) => {
            if a.len() + b.len() > MAX_OUTPUT {
                return Err(budget().into());
            }
            Ok(Value::from(format!("{a}{b}")))
        }
        (Binary::Add, Value::List(a), Value::List(b)) => {
            let joined = a.borrow().iter().chain(b.borrow().iter()).cloned().collect();
            Ok(Value::list(joined))
        }
        (Binary::Add, Value::Tuple(a), Value::Tuple(b)) => {
            Ok(Value::tuple(a.iter().chain(b.iter()).cloned().collect()))
        }
        (Binary::Mul, Value::Str(_) | Value::List(_) | Value::Tuple(_), other) if other.as_int().is_some() => {
            repeat(left, other.as_int().unwrap_or(0))
        }
        (Binary::Mul, other, Value::Str(_) | Value::List(_)) if other.as_int().is_some() => {
            repeat(right, other.as_int().unwrap_or(0))
        }
        (Binary::Rem, Value::Str(text), _) => super::format::percent(text, right).map(Value::from).map_err(Into::into),
        (Binary::Sub, Value::Set(a), Value::Set(b)) => {
            let b = b.borrow();
            Ok(Value::set(
                a.borrow().iter().filter(|key| !b.contains(*key)).map(|key| key.0.clone()).collect::<Vec<_>>(),
            ))
        }
        _ => {
            if let Some(value) = crate::context::datetime::arithmetic(op, left, right) {
                return Ok(value?);
            }
            match (left.number(), right.number()) {
                (Some(a), Some(b)) => numbers(op, a, b).map_err(Into::into),
                _ => Err(unsupported_operands(op, left, right).into()),
            }
        }
    }
}

fn repeat(value: &Value, count: i64) -> Outcome<Value> {
    let count = usize::try_from(count).unwrap_or(0);
    if value.length().unwrap_or(0).saturating_mul(count) > MAX_OUTPUT {
        return Err(budget().into());
    }
    Ok(match value {
        Value::Str(text) => Value::from(text.repeat(count)),
        Value::Tuple(items) => Value::tuple(repeated(items, count)),
        other => Value::list(repeated(&other.items().unwrap_or_default(), count)),
    })
}

fn repeated(items: &[Value], count: usize) -> Vec<Value> {
    std::iter::repeat_n(items, count).flatten().cloned().collect()
}

fn symbol(op: Binary) -> &'static str {
    match op {
        Binary::Add => "+",
        Binary::Sub => "-",
        Binary::Mul => "*",
        Binary::Div => "/",
        Binary::FloorDiv => "//",
        Binary::Rem => "%",
        Binary::Pow => "** or pow()",
        Binary::Concat => "~",
    }
}

fn unsupported_operands(op: Binary, left: &Value, right: &Value) -> Error {
    let (a, b) = (left.type_name(), right.type_name());
    match (op, left) {
        (Binary::Add, Value::Str(_) | Value::List(_)) => {
            Error::runtime(format!("can only concatenate {a} (not \"{b}\") to {a}"))
        }
        _ => Error::runtime(format!("unsupported operand type(s) for {}: '{a}' and '{b}'", symbol(op))),
    }
}

fn numbers(op: Binary, a: Number, b: Number) -> Result<Value, Error> {
    let zero = || Error::runtime(if op == Binary::Rem { "modulo by zero" } else { "division by zero" });
    if let (Number::Int(a), Number::Int(b)) = (a, b) {
        let large = || Error::unsupported("an integer of more than 64 bits");
        return Ok(Value::Int(match op {
            Binary::Add => a.checked_add(b).ok_or_else(large)?,
            Binary::Sub => a.checked_sub(b).ok_or_else(large)?,
            Binary::Mul => a.checked_mul(b).ok_or_else(large)?,
            Binary::Div if b == 0 => return Err(zero()),
            Binary::Div => return Ok(Value::Float(a as f64 / b as f64)),
            Binary::FloorDiv | Binary::Rem if b == 0 => return Err(zero()),
            Binary::FloorDiv => a.div_euclid(b) - i64::from(b < 0 && a.rem_euclid(b) != 0),
            Binary::Rem => ((a % b) + b) % b,
            Binary::Pow if b >= 0 => {
                let power = u32::try_from(b).map_err(|_| large())?;
                a.checked_pow(power).ok_or_else(large)?
            }
            Binary::Pow => return Ok(Value::Float((a as f64).powi(i32::try_from(b).unwrap_or(i32::MIN)))),
            Binary::Concat => return Err(Error::runtime("invariant: concatenation is of text")),
        }));
    }
    let (a, b) = (a.float(), b.float());
    Ok(Value::Float(match op {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div | Binary::FloorDiv | Binary::Rem if b == 0.0 => return Err(zero()),
        Binary::Div => a / b,
        Binary::FloorDiv => (a / b).floor(),
        Binary::Rem => a - b * (a / b).floor(),
        Binary::Pow => a.powf(b),
        Binary::Concat => return Err(Error::runtime("invariant: concatenation is of text")),
    }))
}
