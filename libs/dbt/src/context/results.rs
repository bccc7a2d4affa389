//! Statements that run while a node compiles, and what they answered.

use crate::jinja::print::print;
use crate::jinja::value::{Dict, Key, Value};
use crate::jinja::vm::{Args, Outcome, Phase, Vm};

use super::agate::Table;
use super::simple::deferred;

/// Runs SQL for the `statement` macro; answers its result, or None at parse time.
pub(super) fn execute(vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let sql = args.text(0, "sql")?;
    if vm.phase != Phase::Run {
        return Ok(Value::None);
    }
    let database = vm.database.ok_or_else(|| deferred("it asks the database: a statement at compile time"))?;
    let result = database.query(&sql)?;
    let table = Table::new(result.columns, &result.rows);
    Ok(stored(Value::from(result.message), Some(table)))
}

fn stored(response: Value, table: Option<Table>) -> Value {
    let table = table.map_or(Value::None, Value::object);
    let data = match table.items() {
        Some(rows) => Value::list(rows),
        None => Value::list(Vec::new()),
    };
    let entries = [("response", response), ("data", data), ("table", table)];
    Value::dict(entries.into_iter().map(|(name, value)| (Key::from(name), value)).collect::<Dict>())
}

/// Is `store_result(name, response, agate_table)`.
pub(super) fn store(vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let name = args.text(0, "name")?;
    let table = args.get(2, "agate_table").unwrap_or(Value::None);
    let data = Value::list(table.items().unwrap_or_default());
    let entries = [("response", args.get(1, "response").unwrap_or(Value::None)), ("data", data), ("table", table)];
    let result = Value::dict(entries.into_iter().map(|(name, value)| (Key::from(name), value)).collect::<Dict>());
    vm.results.insert(name.to_string(), result);
    Ok(Value::from(""))
}

/// Is `store_raw_result(name, message, code, rows_affected, agate_table)`.
pub(super) fn store_raw(vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let response = Value::from(print(&args.get(1, "message").unwrap_or(Value::None)));
    let table = args.get(4, "agate_table").unwrap_or(Value::None);
    store(vm, Args::of(vec![args.need(0, "name")?, response, table]))
}

/// Is `load_result(name)`.
pub(super) fn load(vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let name = args.text(0, "name")?;
    Ok(vm.results.get(&*name).cloned().unwrap_or(Value::None))
}

/// Answers `is_incremental()`: whether the model is incremental, exists as a table, and is not built anew.
pub(super) fn is_incremental(vm: &mut Vm<'_>, _args: Args) -> Outcome<Value> {
    let config = &vm.node.config;
    if vm.phase != Phase::Run || config.get("materialized").and_then(|m| m.as_str()) != Some("incremental") {
        return Ok(Value::Bool(false));
    }
    if let Some(answer) = vm.incremental {
        return Ok(Value::Bool(answer));
    }
    let Some(database) = vm.database else { return Ok(Value::Bool(false)) };
    let full = config
        .get("full_refresh")
        .and_then(serde_json::Value::as_bool)
        .unwrap_or_else(|| super::simple::full_refresh(vm));
    let existing = database.get_relation(&vm.node.database, &vm.node.schema, &vm.node.alias)?;
    Ok(Value::Bool(!full && existing.is_some_and(|relation| relation.kind == "table")))
}
