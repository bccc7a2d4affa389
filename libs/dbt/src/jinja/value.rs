//! Values of templates, with Python's identity: lists, dicts and sets are shared and can be changed in place.
//!
//! Responsible for what a value is, its truth, equality and order. Printing is `print`'s, methods are `methods`'.

use std::any::Any;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use indexmap::{Equivalent, IndexMap, IndexSet};

use super::vm::{Args, Outcome, Vm};

/// Is a value that a template works with.
#[derive(Clone)]
pub(crate) enum Value {
    /// Carries the name that was looked up.
    Undefined(Option<Rc<str>>),
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    Tuple(Rc<Vec<Value>>),
    List(Rc<RefCell<Vec<Value>>>),
    Dict(Rc<RefCell<Dict>>),
    Set(Rc<RefCell<IndexSet<Key>>>),
    Object(Rc<dyn Object>),
}

/// Keeps a dict's entries in the order of their insertion.
pub(crate) type Dict = IndexMap<Key, Value>;

/// Is something dbt or Jinja puts into a template that is not plain data.
pub(crate) trait Object {
    fn type_name(&self) -> &'static str;

    fn as_any(&self) -> &dyn Any;

    /// Finds an attribute, or an item by a string.
    fn attribute(&self, _vm: &mut Vm<'_>, _name: &str) -> Outcome<Option<Value>> {
        Ok(None)
    }

    /// Finds an item.
    fn item(&self, vm: &mut Vm<'_>, key: &Value) -> Outcome<Option<Value>> {
        match key {
            Value::Str(name) => self.attribute(vm, name),
            _ => Ok(None),
        }
    }

    /// Calls the method `name`; None when there is no such method.
    fn method(&self, _vm: &mut Vm<'_>, _name: &str, _args: &mut Args) -> Outcome<Option<Value>> {
        Ok(None)
    }

    fn callable(&self) -> bool {
        false
    }

    fn call(&self, _vm: &mut Vm<'_>, _args: Args) -> Outcome<Value> {
        Err(super::Error::runtime(format!("'{}' object is not callable", self.type_name())).into())
    }

    fn print(&self) -> String {
        format!("<{}>", self.type_name())
    }

    fn truth(&self) -> bool {
        true
    }

    /// Says whether Python would call it a mapping.
    fn mapping(&self) -> bool {
        self.type_name() == "dict"
    }

    /// Lists the items, where the object can be walked over.
    fn iterate(&self) -> Option<Vec<Value>> {
        None
    }

    fn length(&self) -> Option<usize> {
        self.iterate().map(|items| items.len())
    }

    fn equals(&self, _other: &dyn Object) -> bool {
        false
    }
}

/// Is a value that can be a key: hashed and compared as Python does.
#[derive(Clone)]
pub(crate) struct Key(pub(crate) Value);

/// Looks up a string key without making a value of it.
pub(crate) struct StrKey<'a>(pub(crate) &'a str);

impl Hash for StrKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        4u8.hash(state);
        self.0.hash(state);
    }
}

impl Equivalent<Key> for StrKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        matches!(&key.0, Value::Str(text) if **text == *self.0)
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Value::Undefined(_) | Value::None => 0u8.hash(state),
            Value::Bool(b) => (1u8, i64::from(*b)).hash(state),
            Value::Int(i) => (1u8, *i).hash(state),
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => (1u8, *f as i64).hash(state),
            Value::Float(f) => (2u8, f.to_bits()).hash(state),
            Value::Str(text) => StrKey(text).hash(state),
            Value::Tuple(items) => {
                5u8.hash(state);
                items.iter().for_each(|item| Key(item.clone()).hash(state));
            }
            Value::List(_) | Value::Dict(_) | Value::Set(_) => 6u8.hash(state),
            Value::Object(object) => object.print().hash(state),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Key {}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(Value::from(text))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined(_), Self::Undefined(_)) | (Self::None, Self::None) => true,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::List(a), Self::List(b)) => Rc::ptr_eq(a, b) || *a.borrow() == *b.borrow(),
            (Self::Dict(a), Self::Dict(b)) => Rc::ptr_eq(a, b) || *a.borrow() == *b.borrow(),
            (Self::Set(a), Self::Set(b)) => Rc::ptr_eq(a, b) || *a.borrow() == *b.borrow(),
            (Self::Object(a), Self::Object(b)) => Rc::ptr_eq(a, b) || a.equals(b.as_ref()),
            (a, b) => match (a.number(), b.number()) {
                (Some(Number::Int(a)), Some(Number::Int(b))) => a == b,
                (Some(a), Some(b)) => a.float() == b.float(),
                (None, _) | (_, None) => false,
            },
        }
    }
}

/// Is what arithmetic sees of a value; a bool counts as 0 or 1.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(i) => i as f64,
            Self::Float(f) => f,
        }
    }
}

impl Value {
    pub(crate) fn list(items: Vec<Value>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    pub(crate) fn tuple(items: Vec<Value>) -> Self {
        Self::Tuple(Rc::new(items))
    }

    pub(crate) fn dict(entries: Dict) -> Self {
        Self::Dict(Rc::new(RefCell::new(entries)))
    }

    pub(crate) fn set(items: impl IntoIterator<Item = Value>) -> Self {
        Self::Set(Rc::new(RefCell::new(items.into_iter().map(Key).collect())))
    }

    pub(crate) fn object(object: impl Object + 'static) -> Self {
        Self::Object(Rc::new(object))
    }

    pub(crate) fn undefined(name: &str) -> Self {
        Self::Undefined(Some(Rc::from(name)))
    }

    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Self::Bool(b) => Some(Number::Int(i64::from(*b))),
            Self::Int(i) => Some(Number::Int(*i)),
            Self::Float(f) => Some(Number::Float(*f)),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_int(&self) -> Option<i64> {
        match self.number()? {
            Number::Int(i) => Some(i),
            Number::Float(_) => None,
        }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// Finds the object of type `T`, where this is one.
    pub(crate) fn downcast<T: 'static>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    pub(crate) fn truth(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Tuple(items) => !items.is_empty(),
            Self::List(items) => !items.borrow().is_empty(),
            Self::Dict(entries) => !entries.borrow().is_empty(),
            Self::Set(items) => !items.borrow().is_empty(),
            Self::Object(object) => object.truth(),
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Tuple(_) => "tuple",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
            Self::Set(_) => "set",
            Self::Object(object) => object.type_name(),
        }
    }

    /// Lists what a `for` over the value sees; None where Python could not iterate it.
    pub(crate) fn items(&self) -> Option<Vec<Value>> {
        Some(match self {
            Self::Undefined(_) => Vec::new(),
            Self::Str(text) => text.chars().map(|c| Self::from(c.to_string())).collect(),
            Self::Tuple(items) => items.to_vec(),
            Self::List(items) => items.borrow().clone(),
            Self::Dict(entries) => entries.borrow().keys().map(|key| key.0.clone()).collect(),
            Self::Set(items) => items.borrow().iter().map(|key| key.0.clone()).collect(),
            Self::Object(object) => object.iterate()?,
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) => return None,
        })
    }

    pub(crate) fn length(&self) -> Option<usize> {
        Some(match self {
            Self::Undefined(_) => 0,
            Self::Str(text) => text.chars().count(),
            Self::Tuple(items) => items.len(),
            Self::List(items) => items.borrow().len(),
            Self::Dict(entries) => entries.borrow().len(),
            Self::Set(items) => items.borrow().len(),
            Self::Object(object) => object.length()?,
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) => return None,
        })
    }

    pub(crate) fn hashable(&self) -> bool {
        match self {
            Self::List(_) | Self::Dict(_) | Self::Set(_) => false,
            Self::Tuple(items) => items.iter().all(Self::hashable),
            _ => true,
        }
    }

    /// Orders two values as Python's `<` does; None where Python refuses.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => Some(a.cmp(b)),
            (Self::Tuple(a), Self::Tuple(b)) => compare_all(a, b),
            (Self::List(a), Self::List(b)) => compare_all(&a.borrow(), &b.borrow()),
            (Self::Object(a), Self::Object(b)) => {
                let (a, b) = (a.as_any().downcast_ref::<Moment>()?, b.as_any().downcast_ref::<Moment>()?);
                a.0.partial_cmp(&b.0)
            }
            (a, b) => match (a.number()?, b.number()?) {
                (Number::Int(a), Number::Int(b)) => Some(a.cmp(&b)),
                (a, b) => a.float().partial_cmp(&b.float()),
            },
        }
    }
}

use crate::context::datetime::Moment;

fn compare_all(a: &[Value], b: &[Value]) -> Option<Ordering> {
    for (a, b) in a.iter().zip(b) {
        if a != b {
            return a.compare(b);
        }
    }
    Some(a.len().cmp(&b.len()))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(Rc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(Rc::from(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Int(value as i64)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}
