//! Columns as dbt's Postgres adapter describes them.

use std::any::Any;

use crate::jinja::value::{Object, Value};
use crate::jinja::vm::{Args, Outcome, Vm};
use crate::jinja::{Error, ExistingColumn};

/// Is dbt's `Column`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) dtype: String,
    pub(crate) char_size: Option<i64>,
    pub(crate) numeric_precision: Option<i64>,
    pub(crate) numeric_scale: Option<i64>,
}

impl From<ExistingColumn> for Column {
    fn from(column: ExistingColumn) -> Self {
        Self {
            name: column.name,
            dtype: column.data_type,
            char_size: column.char_size,
            numeric_precision: column.numeric_precision,
            numeric_scale: column.numeric_scale,
        }
    }
}

impl Column {
    fn is_string(&self) -> bool {
        matches!(self.dtype.to_lowercase().as_str(), "text" | "character varying" | "character" | "varchar")
    }

    fn is_numeric(&self) -> bool {
        matches!(self.dtype.to_lowercase().as_str(), "numeric" | "decimal")
    }

    fn is_integer(&self) -> bool {
        let types = [
            "smallint",
            "integer",
            "bigint",
            "smallserial",
            "serial",
            "bigserial",
            "int2",
            "int4",
            "int8",
            "serial2",
            "serial4",
            "serial8",
        ];
        types.contains(&self.dtype.to_lowercase().as_str())
    }

    fn is_float(&self) -> bool {
        matches!(
            self.dtype.to_lowercase().as_str(),
            "real" | "float4" | "float" | "double precision" | "float8" | "double"
        )
    }

    fn string_size(&self) -> i64 {
        if self.dtype == "text" || self.char_size.is_none() { 256 } else { self.char_size.unwrap_or(256) }
    }

    fn data_type(&self) -> String {
        // Postgres names a text column's type `text` whatever its size.
        if self.dtype.to_lowercase() == "text" {
            return self.dtype.clone();
        }
        if self.is_string() {
            format!("character varying({})", self.string_size())
        } else if self.is_numeric() {
            numeric_type(&self.dtype, self.numeric_precision, self.numeric_scale)
        } else {
            self.dtype.clone()
        }
    }
}

fn numeric_type(dtype: &str, precision: Option<i64>, scale: Option<i64>) -> String {
    match (precision, scale) {
        (Some(precision), Some(scale)) => format!("{dtype}({precision},{scale})"),
        _ => dtype.to_owned(),
    }
}

impl Object for Column {
    fn type_name(&self) -> &'static str {
        "PostgresColumn"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(Some(match name {
            "name" | "column" => Value::from(&*self.name),
            "quoted" => Value::from(format!("\"{}\"", self.name)),
            "dtype" => Value::from(&*self.dtype),
            "data_type" => Value::from(self.data_type()),
            "char_size" => Value::from(self.char_size),
            "numeric_precision" => Value::from(self.numeric_precision),
            "numeric_scale" => Value::from(self.numeric_scale),
            _ => return Ok(None),
        }))
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        Ok(Some(match name {
            "is_string" => Value::Bool(self.is_string()),
            "is_number" => Value::Bool(self.is_numeric() || self.is_integer() || self.is_float()),
            "is_numeric" => Value::Bool(self.is_numeric()),
            "is_integer" => Value::Bool(self.is_integer()),
            "is_float" => Value::Bool(self.is_float()),
            "string_size" => Value::Int(self.string_size()),
            "can_expand_to" => {
                let other = args.need(0, "other_column")?;
                let other = other.downcast::<Self>().cloned();
                Value::Bool(other.is_some_and(|other| {
                    self.is_string() && other.is_string() && other.string_size() > self.string_size()
                }))
            }
            _ => return ColumnType.method(vm, name, args),
        }))
    }

    fn print(&self) -> String {
        format!("<Column {} ({})>", self.name, self.data_type())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }
}

/// Is the class itself: `api.Column`.
pub(super) struct ColumnType;

impl Object for ColumnType {
    fn type_name(&self) -> &'static str {
        "type"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
        let int = |index, name| args.get(index, name).and_then(|value| value.as_int());
        Ok(Value::object(Column {
            name: args.text(0, "column")?.to_string(),
            dtype: args.text(1, "dtype")?.to_string(),
            char_size: int(2, "char_size"),
            numeric_precision: int(3, "numeric_precision"),
            numeric_scale: int(4, "numeric_scale"),
        }))
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        Ok(Some(match name {
            "create" => {
                let (name, label) = (args.need(0, "name")?, args.text(1, "label_or_dtype")?);
                let dtype = translate(&label);
                return self.call(vm, Args::of(vec![name, Value::from(dtype)])).map(Some);
            }
            "translate_type" => Value::from(translate(&args.text(0, "dtype")?)),
            "string_type" => Value::from(format!("character varying({})", args.int(0, "size", 0))),
            "numeric_type" => {
                let int = |index, name| args.get(index, name).and_then(|value| value.as_int());
                Value::from(numeric_type(&args.text(0, "dtype")?, int(1, "precision"), int(2, "size")))
            }
            _ => return Err(Error::unsupported(format!("api.Column.{name}")).into()),
        }))
    }
}

/// Answers Postgres' name for one of dbt's types.
fn translate(dtype: &str) -> String {
    if dtype.eq_ignore_ascii_case("string") { "TEXT".to_owned() } else { dtype.to_owned() }
}
