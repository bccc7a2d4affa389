//! The objects that Jinja itself gives a template: `loop`, `namespace()`, `cycler`, `joiner`.

use std::any::Any;
use std::cell::{Cell, RefCell};

use super::error::Error;
use super::value::{Dict, Key, Object, StrKey, Value};
use super::vm::{Args, Outcome, Vm};

/// Is `loop` inside a `for`.
pub(crate) struct Loop {
    items: Vec<Value>,
    /// The 1-based index of the current item; 0 before the first.
    index: Cell<usize>,
    changed: RefCell<Option<Vec<Value>>>,
}

impl Loop {
    pub(crate) fn new(items: Vec<Value>) -> Self {
        Self { items, index: Cell::new(0), changed: RefCell::new(None) }
    }

    /// Moves to the next item.
    pub(crate) fn advance(&self) -> Option<Value> {
        let item = self.items.get(self.index.get())?.clone();
        self.index.set(self.index.get() + 1);
        Some(item)
    }
}

impl Object for Loop {
    fn type_name(&self) -> &'static str {
        "LoopContext"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        let (index, length) = (self.index.get(), self.items.len());
        let neighbour =
            |at: Option<usize>| at.and_then(|at| self.items.get(at)).cloned().unwrap_or(Value::Undefined(None));
        Ok(Some(match name {
            "index" => Value::from(index),
            "index0" => Value::from(index - 1),
            "revindex" => Value::from(length - index + 1),
            "revindex0" => Value::from(length - index),
            "first" => Value::from(index == 1),
            "last" => Value::from(index == length),
            "length" => Value::from(length),
            "depth" => Value::Int(1),
            "depth0" => Value::Int(0),
            "previtem" => neighbour(index.checked_sub(2)),
            "nextitem" => neighbour(Some(index)),
            _ => return Ok(None),
        }))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        match name {
            "cycle" if args.positional.is_empty() => Err(Error::runtime("no items for cycling given").into()),
            "cycle" => Ok(Some(args.positional[(self.index.get() - 1) % args.positional.len()].clone())),
            "changed" => {
                let same = self.changed.borrow().as_ref() == Some(&args.positional);
                *self.changed.borrow_mut() = Some(args.positional.clone());
                Ok(Some(Value::from(!same)))
            }
            _ => Ok(None),
        }
    }
}

/// Is what `namespace()` makes: the one object whose attributes can be set.
#[derive(Default)]
pub(crate) struct Namespace {
    values: RefCell<Dict>,
}

impl Namespace {
    pub(crate) fn new(args: &Args) -> Result<Self, Error> {
        let namespace = Self::default();
        for given in &args.positional {
            match given {
                Value::Dict(entries) => namespace.values.borrow_mut().extend(entries.borrow().clone()),
                other => return Err(Error::runtime(format!("'{}' object is not a mapping", other.type_name()))),
            }
        }
        for (name, value) in &args.named {
            namespace.set(name, value.clone());
        }
        Ok(namespace)
    }

    pub(crate) fn set(&self, name: &str, value: Value) {
        self.values.borrow_mut().insert(Key::from(name), value);
    }
}

impl Object for Namespace {
    fn type_name(&self) -> &'static str {
        "Namespace"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(self.values.borrow().get(&StrKey(name)).cloned())
    }

    fn print(&self) -> String {
        format!("<Namespace {}>", super::print::repr(&Value::dict(self.values.borrow().clone())))
    }
}

/// Is what `range()` makes.
pub(crate) struct Range {
    pub(crate) start: i64,
    pub(crate) stop: i64,
    pub(crate) step: i64,
}

/// The longest range that Jinja2's sandbox, and so dbt, allows.
const MAX_RANGE: u64 = 100_000;

impl Range {
    pub(crate) fn new(args: &Args) -> Result<Self, Error> {
        let int = |index: usize| match args.positional.get(index) {
            Some(value) => value.as_int().map(Some).ok_or_else(|| {
                Error::runtime(format!("'{}' object cannot be interpreted as an integer", value.type_name()))
            }),
            None => Ok(None),
        };
        let (first, second, step) = (int(0)?, int(1)?, int(2)?.unwrap_or(1));
        let first = first.ok_or_else(|| Error::runtime("range expected at least 1 argument, got 0"))?;
        if step == 0 {
            return Err(Error::runtime("range() arg 3 must not be zero"));
        }
        let (start, stop) = second.map_or((0, first), |second| (first, second));
        let range = Self { start, stop, step };
        if range.count() > MAX_RANGE {
            return Err(super::vm::budget());
        }
        Ok(range)
    }

    fn count(&self) -> u64 {
        let (low, high) = if self.step > 0 { (self.start, self.stop) } else { (self.stop, self.start) };
        if low >= high { 0 } else { (high.abs_diff(low)).div_ceil(self.step.unsigned_abs()) }
    }
}

impl Object for Range {
    fn type_name(&self) -> &'static str {
        "range"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn item(&self, _vm: &mut Vm<'_>, key: &Value) -> Outcome<Option<Value>> {
        let items = self.iterate().unwrap_or_default();
        Ok(key.as_int().and_then(|index| super::methods::nth(&items, index)))
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some((0..self.count()).map(|i| Value::Int(self.start + self.step * i as i64)).collect())
    }

    fn print(&self) -> String {
        if self.step == 1 {
            format!("range({}, {})", self.start, self.stop)
        } else {
            format!("range({}, {}, {})", self.start, self.stop, self.step)
        }
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| self.iterate() == other.iterate())
    }
}

/// Is what `joiner()` makes: nothing at its first call, its separator after.
pub(crate) struct Joiner {
    pub(crate) separator: Value,
    pub(crate) used: Cell<bool>,
}

impl Object for Joiner {
    fn type_name(&self) -> &'static str {
        "Joiner"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _vm: &mut Vm<'_>, _args: Args) -> Outcome<Value> {
        Ok(if self.used.replace(true) { self.separator.clone() } else { Value::from("") })
    }
}

/// Is what `cycler()` makes.
pub(crate) struct Cycler {
    pub(crate) items: Vec<Value>,
    pub(crate) position: Cell<usize>,
}

impl Object for Cycler {
    fn type_name(&self) -> &'static str {
        "Cycler"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok((name == "current").then(|| self.items[self.position.get()].clone()))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, _args: &mut Args) -> Outcome<Option<Value>> {
        match name {
            "next" => {
                let item = self.items[self.position.get()].clone();
                self.position.set((self.position.get() + 1) % self.items.len());
                Ok(Some(item))
            }
            "reset" => {
                self.position.set(0);
                Ok(Some(Value::None))
            }
            _ => Ok(None),
        }
    }
}
