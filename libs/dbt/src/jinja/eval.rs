//! Evaluates expressions with Python's meaning.

use std::rc::Rc;

use super::error::Error;
use super::ir::{Arg, Comparison, Const, Expr, Kind, Name};
use super::methods;
use super::operators::{bad_operand, binary, compare};
use super::print::print;
use super::value::{Dict, Key, StrKey, Value};
use super::vm::{Args, Outcome, Scope, Vm};

impl Vm<'_> {
    pub(crate) fn eval(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Outcome<Value> {
        self.step()?;
        let value = self.value_of(expr, scope)?;
        let is_made = !matches!(expr.kind, Kind::Const(_) | Kind::Var(_) | Kind::Attribute(..) | Kind::Item(..));
        match &value {
            Value::Str(text) if is_made => self.made(text.len())?,
            _ => {}
        }
        Ok(value)
    }

    fn value_of(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Outcome<Value> {
        match &expr.kind {
            Kind::Const(value) => Ok(constant(value)),
            Kind::Var(name) => {
                let found = self.lookup(name, scope);
                self.located(found, &expr.span)
            }
            Kind::Call(callee, args) => self.call_expr(expr, callee, args, scope),
            Kind::Attribute(of, name) => {
                let value = self.eval(of, scope)?;
                let found = self.attribute(&value, name);
                self.located(found, &expr.span)
            }
            Kind::Item(of, key) => {
                let value = self.eval(of, scope)?;
                let key = self.eval(key, scope)?;
                let found = self.item(&value, &key);
                self.located(found, &expr.span)
            }
            Kind::Filter { name, of: Some(of), args } => {
                let value = self.eval(of, scope)?;
                let args = self.args(args, scope)?;
                let value = super::filters::filter(self, name, value, args);
                self.located(value, &expr.span)
            }
            Kind::Filter { name, of: None, .. } => {
                Err(Error::runtime(format!("the filter {name} has no value")).into())
            }
            Kind::Test { name, of, args } => {
                let value = self.eval_tested(of, scope)?;
                let args = self.args(args, scope)?;
                let truth = super::tests::test(name, &value, &args);
                self.located(truth, &expr.span).map(Value::Bool)
            }
            _ => {
                let value = self.operator(expr, scope);
                self.located(value, &expr.span)
            }
        }
    }

    fn operator(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Outcome<Value> {
        match &expr.kind {
            Kind::Not(of) => Ok(Value::Bool(!self.eval(of, scope)?.truth())),
            Kind::And(left, right) => {
                let left = self.eval(left, scope)?;
                if left.truth() { self.eval(right, scope) } else { Ok(left) }
            }
            Kind::Or(left, right) => {
                let left = self.eval(left, scope)?;
                if left.truth() { Ok(left) } else { self.eval(right, scope) }
            }
            Kind::If { test, then, otherwise } => {
                if self.eval(test, scope)?.truth() {
                    self.eval(then, scope)
                } else {
                    match otherwise {
                        Some(otherwise) => self.eval(otherwise, scope),
                        None => Ok(Value::Undefined(None)),
                    }
                }
            }
            Kind::Compare(first, rest) => self.comparisons(first, rest, scope),
            Kind::Binary(op, left, right) => {
                let (left, right) = (self.eval(left, scope)?, self.eval(right, scope)?);
                binary(*op, &left, &right)
            }
            Kind::Negate(of) => match self.eval(of, scope)? {
                Value::Float(f) => Ok(Value::Float(-f)),
                other => match other.as_int() {
                    Some(int) => Ok(Value::Int(-int)),
                    None => Err(bad_operand("unary -", &other).into()),
                },
            },
            Kind::Slice { of, start, stop, step } => {
                let value = self.eval(of, scope)?;
                let mut bound = |expr: &Option<Box<Expr>>| -> Outcome<Option<i64>> {
                    Ok(match expr {
                        Some(expr) => self.eval(expr, scope)?.as_int(),
                        None => None,
                    })
                };
                let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?);
                methods::slice(&value, start, stop, step.unwrap_or(1)).map_err(Into::into)
            }
            Kind::List(items) => Ok(Value::list(self.all(items, scope)?)),
            Kind::Tuple(items) => Ok(Value::tuple(self.all(items, scope)?)),
            Kind::Dict(entries) => {
                let mut dict = Dict::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = self.eval(key, scope)?;
                    let value = self.eval(value, scope)?;
                    dict.insert(hashed(key)?, value);
                }
                Ok(Value::dict(dict))
            }
            Kind::Const(_)
            | Kind::Var(_)
            | Kind::Call(..)
            | Kind::Attribute(..)
            | Kind::Item(..)
            | Kind::Filter { .. }
            | Kind::Test { .. } => Err(Error::runtime("invariant: evaluated elsewhere").into()),
        }
    }

    fn all(&mut self, items: &[Expr], scope: &Rc<Scope>) -> Outcome<Vec<Value>> {
        items.iter().map(|item| self.eval(item, scope)).collect()
    }

    /// A name that is tested for being defined may be one that DVT+ does not know.
    fn eval_tested(&mut self, of: &Expr, scope: &Rc<Scope>) -> Outcome<Value> {
        match &of.kind {
            Kind::Var(name) => match scope.find(name) {
                Some(value) => Ok(value),
                None => self.lookup(name, scope),
            },
            _ => self.eval(of, scope),
        }
    }

    pub(crate) fn args(&mut self, args: &[Arg], scope: &Rc<Scope>) -> Outcome<Args> {
        let mut made = Args::default();
        for arg in args {
            match arg {
                Arg::Positional(expr) => made.positional.push(self.eval(expr, scope)?),
                Arg::Named(name, expr) => {
                    let value = self.eval(expr, scope)?;
                    made.named.push((name.clone(), value));
                }
                Arg::Splat(expr) => {
                    let value = self.eval(expr, scope)?;
                    made.positional.extend(value.items().ok_or_else(|| {
                        Error::runtime(format!("argument after * must be an iterable, not {}", value.type_name()))
                    })?);
                }
                Arg::NamedSplat(expr) => match self.eval(expr, scope)? {
                    Value::Dict(entries) => {
                        for (key, value) in entries.borrow().iter() {
                            made.named.push((Name::from(print(&key.0)), value.clone()));
                        }
                    }
                    Value::Undefined(_) => {}
                    other => {
                        let message = format!("argument after ** must be a mapping, not {}", other.type_name());
                        return Err(Error::runtime(message).into());
                    }
                },
            }
        }
        Ok(made)
    }

    fn comparisons(&mut self, first: &Expr, rest: &[(Comparison, Expr)], scope: &Rc<Scope>) -> Outcome<Value> {
        let mut left = self.eval(first, scope)?;
        for (op, right) in rest {
            let right = self.eval(right, scope)?;
            if !compare(*op, &left, &right)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    /// Answers `value.name` as Jinja2 does: an attribute, else an item.
    pub(crate) fn attribute(&mut self, value: &Value, name: &str) -> Outcome<Value> {
        let found = match value {
            Value::Undefined(hint) => return self.undefined_member(hint.as_deref(), name),
            Value::Object(object) => object.attribute(self, name)?,
            Value::Dict(entries) if !methods::has(value, name) => entries.borrow().get(&StrKey(name)).cloned(),
            _ if methods::has(value, name) => Some(Value::object(methods::Bound::new(value.clone(), name))),
            _ => None,
        };
        Ok(found.unwrap_or_else(|| missing_attribute(value, name)))
    }

    fn undefined_member(&mut self, hint: Option<&str>, name: &str) -> Outcome<Value> {
        if self.lenient {
            self.record.is_guess = true;
            return Ok(Value::undefined(&format!("'{name}' is undefined")));
        }
        Err(Error::runtime(hint.unwrap_or("value is undefined")).into())
    }

    /// Answers `value[key]` as Jinja2 does: an item, else an attribute.
    pub(crate) fn item(&mut self, value: &Value, key: &Value) -> Outcome<Value> {
        let found = match value {
            Value::Undefined(hint) => return self.undefined_member(hint.as_deref(), &print(key)),
            Value::Object(object) => object.item(self, key)?,
            Value::Dict(entries) if key.hashable() => entries.borrow().get(&Key(key.clone())).cloned(),
            Value::List(items) => key.as_int().and_then(|index| methods::nth(&items.borrow(), index)),
            Value::Tuple(items) => key.as_int().and_then(|index| methods::nth(items, index)),
            Value::Str(text) => key.as_int().and_then(|index| {
                let chars: Vec<Value> = text.chars().map(|c| Value::from(c.to_string())).collect();
                methods::nth(&chars, index)
            }),
            _ => None,
        };
        match (found, key) {
            (Some(found), _) => Ok(found),
            (None, Value::Str(name)) if methods::has(value, name) => self.attribute(value, name),
            (None, key) => Ok(missing_attribute(value, &print(key))),
        }
    }
}

fn missing_attribute(value: &Value, name: &str) -> Value {
    Value::undefined(&format!("'{} object' has no attribute '{name}'", value.type_name()))
}

fn constant(value: &Const) -> Value {
    match value {
        Const::None => Value::None,
        Const::Bool(b) => Value::Bool(*b),
        Const::Int(i) => Value::Int(*i),
        Const::Float(f) => Value::Float(*f),
        Const::Str(text) => Value::from(&**text),
    }
}

pub(crate) fn hashed(key: Value) -> Result<Key, Error> {
    if key.hashable() { Ok(Key(key)) } else { Err(Error::runtime(format!("unhashable type: '{}'", key.type_name()))) }
}
