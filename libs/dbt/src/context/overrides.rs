//! What a unit test puts in the place of macros, members of the context and `this`.

use std::any::Any;

use crate::jinja::Overrides;
use crate::jinja::json::from_json;
use crate::jinja::value::{Object, Value};
use crate::jinja::vm::{Args, Outcome, Vm};

use super::functions::note_cte;
use super::relation::Relation;

/// Is a macro that answers what a unit test says, whatever it is called with.
struct Overridden(Value);

impl Object for Overridden {
    fn type_name(&self) -> &'static str {
        "UnitTestMacroGenerator"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, _vm: &mut Vm<'_>, _args: Args) -> Outcome<Value> {
        Ok(self.0.clone())
    }
}

/// Finds what a unit test says that a name stands for: only names that stand for something can be overridden.
pub(super) fn global(vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
    let Some(overrides) = vm.node.unit_test.clone() else { return Ok(None) };
    if let Some(value) = overrides.macros.get(name) {
        let (value, index) = (from_json(value), visible(vm, name));
        return Ok(match index.is_some() {
            true => Some(Value::object(Overridden(value))),
            false => super::member(vm, name)?.map(|_| value),
        });
    }
    // An override of dbt's own macro by its full name is one of the short name too.
    match (overrides.macros.get(&format!("dbt.{name}")), vm.engine.registry.in_package("dbt", name)) {
        (Some(value), Some(_)) => Ok(Some(Value::object(Overridden(from_json(value))))),
        _ => Ok(None),
    }
}

/// Finds what a unit test says that a macro of a package answers.
pub(super) fn in_package(vm: &Vm<'_>, package: &str, name: &str) -> Option<Value> {
    let macros = &vm.node.unit_test.as_ref()?.macros;
    vm.engine.registry.in_package(package, name)?;
    // An override of a name without a package is one of dbt's own macro of this name too.
    let short = macros.get(name).filter(|_| package == "dbt");
    let value = short.or_else(|| macros.get(&format!("{package}.{name}")))?;
    Some(Value::object(Overridden(from_json(value))))
}

/// Makes `this`: the rows that the test gives for the model itself.
pub(super) fn this(vm: &mut Vm<'_>, overrides: &Overrides) -> Value {
    let Some(found) = &overrides.this else { return Value::None };
    note_cte(vm, found);
    Value::object(Relation::resolved(found))
}

fn visible(vm: &Vm<'_>, name: &str) -> Option<usize> {
    vm.engine.registry.visible(&vm.node.package, &vm.engine.settings.root_package, name)
}
