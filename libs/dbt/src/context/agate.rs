//! Tables of query results, as dbt's agate shows them to templates.

use std::any::Any;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::jinja::Error;
use crate::jinja::json::from_json;
use crate::jinja::methods::nth;
use crate::jinja::value::{Dict, Key, Object, Value};
use crate::jinja::vm::{Args, Outcome, Vm};

/// Is agate's `Table`.
pub(super) struct Table {
    names: Rc<Vec<String>>,
    rows: Vec<Rc<Vec<Value>>>,
}

impl Table {
    pub(super) fn new(names: Vec<String>, rows: &[Vec<Json>]) -> Self {
        let rows = rows.iter().map(|row| Rc::new(row.iter().map(from_json).collect::<Vec<_>>())).collect();
        Self { names: Rc::new(names), rows }
    }

    fn rows(&self) -> Vec<Value> {
        self.rows.iter().map(|cells| Value::object(Row { names: self.names.clone(), cells: cells.clone() })).collect()
    }

    fn columns(&self) -> Vec<Value> {
        let cells = |i: usize| self.rows.iter().map(|row| row[i].clone()).collect();
        self.names
            .iter()
            .enumerate()
            .map(|(i, name)| Value::object(TableColumn { name: name.clone(), cells: cells(i) }))
            .collect()
    }
}

impl Object for Table {
    fn type_name(&self) -> &'static str {
        "Table"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(Some(match name {
            "columns" => Value::object(Named { names: self.names.clone(), items: self.columns() }),
            "rows" => Value::list(self.rows()),
            "column_names" => Value::tuple(self.names.iter().map(|name| Value::from(&**name)).collect()),
            _ => return Ok(None),
        }))
    }

    fn item(&self, vm: &mut Vm<'_>, key: &Value) -> Outcome<Option<Value>> {
        match key {
            Value::Str(name) => self.attribute(vm, name),
            key => Ok(key.as_int().and_then(|index| nth(&self.rows(), index))),
        }
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        match name {
            "print_table" => Ok(Some(Value::from(""))),
            "rename" => {
                let given = args.get(0, "column_names").and_then(|names| names.items()).unwrap_or_default();
                let names = given.iter().map(crate::jinja::print::print).collect::<Vec<_>>();
                if names.len() != self.names.len() {
                    return Err(Error::unsupported("table.rename with some of the columns").into());
                }
                Ok(Some(Value::object(Self { names: Rc::new(names), rows: self.rows.clone() })))
            }
            "select" | "exclude" | "where" | "order_by" | "limit" | "group_by" | "aggregate" | "join" | "to_json"
            | "to_csv" => Err(Error::unsupported(format!("table.{name}")).into()),
            _ => Ok(None),
        }
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(self.rows())
    }
}

/// Is a mapped sequence: items by position and by name.
struct Named {
    names: Rc<Vec<String>>,
    items: Vec<Value>,
}

impl Object for Named {
    fn type_name(&self) -> &'static str {
        "MappedSequence"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn item(&self, _vm: &mut Vm<'_>, key: &Value) -> Outcome<Option<Value>> {
        Ok(match key {
            Value::Str(name) => self.names.iter().position(|known| **known == **name).map(|i| self.items[i].clone()),
            key => key.as_int().and_then(|index| nth(&self.items, index)),
        })
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, _args: &mut Args) -> Outcome<Option<Value>> {
        let names = || self.names.iter().map(|name| Value::from(&**name)).collect::<Vec<_>>();
        Ok(Some(match name {
            "keys" => Value::list(names()),
            "values" => Value::list(self.items.clone()),
            "items" => Value::list(
                names().into_iter().zip(self.items.clone()).map(|(k, v)| Value::tuple(vec![k, v])).collect(),
            ),
            _ => return Ok(None),
        }))
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(self.items.clone())
    }
}

struct TableColumn {
    name: String,
    cells: Vec<Value>,
}

impl Object for TableColumn {
    fn type_name(&self) -> &'static str {
        "Column"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok((name == "name").then(|| Value::from(&*self.name)))
    }

    fn item(&self, _vm: &mut Vm<'_>, key: &Value) -> Outcome<Option<Value>> {
        Ok(key.as_int().and_then(|index| nth(&self.cells, index)))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, _args: &mut Args) -> Outcome<Option<Value>> {
        Ok(match name {
            "values" => Some(Value::tuple(self.cells.clone())),
            "values_distinct" => Some(Value::set(self.cells.clone())),
            "values_without_nulls" => {
                Some(Value::tuple(self.cells.iter().filter(|cell| !matches!(cell, Value::None)).cloned().collect()))
            }
            _ => None,
        })
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(self.cells.clone())
    }
}

/// Is agate's `Row`: cells by position and by column name.
struct Row {
    names: Rc<Vec<String>>,
    cells: Rc<Vec<Value>>,
}

impl Object for Row {
    fn type_name(&self) -> &'static str {
        "Row"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(self.names.iter().position(|known| known == name).and_then(|i| self.cells.get(i)).cloned())
    }

    fn item(&self, vm: &mut Vm<'_>, key: &Value) -> Outcome<Option<Value>> {
        match key {
            Value::Str(name) => self.attribute(vm, name),
            key => Ok(key.as_int().and_then(|index| nth(&self.cells, index))),
        }
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        let pairs = || self.names.iter().map(|name| Value::from(&**name)).zip(self.cells.iter().cloned());
        Ok(Some(match name {
            "values" => Value::tuple(self.cells.to_vec()),
            "keys" => Value::tuple(pairs().map(|(name, _)| name).collect()),
            "items" => Value::list(pairs().map(|(name, cell)| Value::tuple(vec![name, cell])).collect()),
            "dict" => Value::dict(pairs().map(|(name, cell)| (Key(name), cell)).collect::<Dict>()),
            "get" => {
                let key = args.text(0, "key")?;
                let found = self.names.iter().position(|known| **known == *key).map(|i| self.cells[i].clone());
                found.or_else(|| args.get(1, "default")).unwrap_or(Value::None)
            }
            _ => return Ok(None),
        }))
    }

    fn iterate(&self) -> Option<Vec<Value>> {
        Some(self.cells.to_vec())
    }
}
