//! What a call brings and what a block sees: arguments and variables.

use std::cell::RefCell;
use std::rc::Rc;

use super::error::Error;
use super::ir::Name;
use super::print::print;
use super::value::Value;

/// Holds a call's arguments.
#[derive(Default, Clone)]
pub(crate) struct Args {
    pub(crate) positional: Vec<Value>,
    pub(crate) named: Vec<(Name, Value)>,
}

impl Args {
    pub(crate) fn of(positional: Vec<Value>) -> Self {
        Self { positional, named: Vec::new() }
    }

    /// Answers the argument at `index`, or the one named `name`.
    pub(crate) fn get(&self, index: usize, name: &str) -> Option<Value> {
        self.positional.get(index).cloned().or_else(|| self.named(name))
    }

    pub(crate) fn named(&self, name: &str) -> Option<Value> {
        self.named.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.clone())
    }

    /// Answers an argument that must be there.
    pub(crate) fn need(&self, index: usize, name: &str) -> Result<Value, Error> {
        self.get(index, name).ok_or_else(|| Error::runtime(format!("missing a required argument: '{name}'")))
    }

    /// Answers an argument as text; anything but a string is printed.
    pub(crate) fn text(&self, index: usize, name: &str) -> Result<Rc<str>, Error> {
        Ok(match self.need(index, name)? {
            Value::Str(text) => text,
            other => Rc::from(print(&other)),
        })
    }

    pub(crate) fn maybe_text(&self, index: usize, name: &str) -> Option<Rc<str>> {
        match self.get(index, name)? {
            Value::Str(text) => Some(text),
            Value::None | Value::Undefined(_) => None,
            other => Some(Rc::from(print(&other))),
        }
    }

    pub(crate) fn int(&self, index: usize, name: &str, default: i64) -> i64 {
        self.get(index, name).and_then(|value| value.as_int()).unwrap_or(default)
    }

    pub(crate) fn flag(&self, index: usize, name: &str, default: bool) -> bool {
        self.get(index, name).map_or(default, |value| value.truth())
    }
}

/// Holds the variables of one block, and what is around it.
pub(crate) struct Scope {
    vars: RefCell<Vec<(Name, Value)>>,
    parent: Option<Rc<Scope>>,
}

impl Scope {
    pub(crate) fn root() -> Rc<Self> {
        Rc::new(Self { vars: RefCell::default(), parent: None })
    }

    pub(crate) fn inside(parent: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { vars: RefCell::default(), parent: Some(parent.clone()) })
    }

    pub(crate) fn set(&self, name: &Name, value: Value) {
        let mut vars = self.vars.borrow_mut();
        match vars.iter_mut().find(|(key, _)| key == name) {
            Some((_, slot)) => *slot = value,
            None => vars.push((name.clone(), value)),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Value> {
        let mut scope = self;
        loop {
            if let Some((_, value)) = scope.vars.borrow().iter().find(|(key, _)| **key == *name) {
                return Some(value.clone());
            }
            scope = scope.parent.as_deref()?;
        }
    }
}
