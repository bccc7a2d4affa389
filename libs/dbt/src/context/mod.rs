//! What dbt puts into a template's context: macros by name, `ref`, `config`, `target`, `adapter` and the rest.
//!
//! Responsible for the meaning of names. Templates themselves are `jinja`'s.

mod adapter;
mod agate;
mod column;
mod config;
pub(crate) mod datetime;
pub(crate) mod dispatch;
mod exceptions;
mod functions;
mod modules;
mod names;
mod overrides;
mod relation;
mod results;
mod runtime;
mod simple;

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

use crate::jinja::Error;
use crate::jinja::call::{DbtMacro, Function};
use crate::jinja::json::{dict, from_json};
use crate::jinja::value::{Object, Value};
use crate::jinja::vm::{Outcome, Phase, Vm};

/// Finds what a name stands for: a macro, a package's namespace, a member of dbt's context, one of Jinja's globals.
pub(crate) fn find(vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
    if let Some(value) = vm.members.get(name) {
        return Ok(Some(value.clone()));
    }
    match vm.phase {
        Phase::Parse | Phase::Run => {
            if let Some(value) = overrides::global(vm, name)? {
                return Ok(Some(value));
            }
            if let Some(value) = macro_named(vm, name) {
                return Ok(Some(value));
            }
            if let Some(value) = member(vm, name)? {
                return Ok(Some(value));
            }
        }
        Phase::Yaml
            if matches!(
                name,
                "target"
                    | "flags"
                    | "modules"
                    | "project_name"
                    | "dbt_version"
                    | "return"
                    | "tojson"
                    | "fromjson"
                    | "set"
                    | "zip"
                    | "log"
                    | "run_started_at"
            ) =>
        {
            return member(vm, name);
        }
        Phase::Yaml | Phase::Profile if matches!(name, "var" | "env_var") => return member(vm, name),
        Phase::Yaml | Phase::Profile => {}
    }
    if let Some(value) = functions::global(name) {
        return Ok(Some(value));
    }
    match vm.phase {
        Phase::Parse | Phase::Run if names::is_dbt_macro(name) => {
            Err(Error::unsupported(format!("dbt's macro {name}")).into())
        }
        _ => Ok(None),
    }
}

fn macro_named(vm: &Vm<'_>, name: &str) -> Option<Value> {
    let registry = &vm.engine.registry;
    if let Some(index) = registry.visible(&vm.node.package, &vm.engine.settings.root_package, name) {
        return Some(Value::object(DbtMacro { index }));
    }
    registry.is_package(name).then(|| Value::object(PackageNamespace { package: name.to_owned() }))
}

/// Finds an attribute of a function: packages read the project's definition as `builtins.ref.config`.
pub(crate) fn of_function(vm: &Vm<'_>, function: &str, name: &str) -> Option<Value> {
    let package = vm.engine.settings.root_package.clone();
    (name == "config" && matches!(function, "ref" | "source"))
        .then(|| Value::object(runtime::RuntimeConfig { package }))
}

/// The members whose value, or what a call of them answers, is another one in pass 2.
const UNKNOWN_IN_PASS_1: [&str; 6] = ["execute", "graph", "load_result", "metric", "model", "selected_resources"];

/// Finds a member of the context by its name, whatever macros are called.
pub(crate) fn member(vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
    if vm.phase == Phase::Parse && UNKNOWN_IN_PASS_1.contains(&name) {
        vm.record.is_guess = true;
    }
    if let Some(body) = functions::named(name) {
        let name = body.0;
        return Ok(Some(Value::object(Function { name, body: body.1 })));
    }
    let value = match name {
        "execute" => Value::Bool(vm.phase == Phase::Run),
        "config" => Value::object(config::Config),
        "adapter" => Value::object(adapter::Adapter),
        "api" => Value::object(simple::Api),
        "exceptions" => Value::object(exceptions::Exceptions),
        "builtins" => Value::object(simple::Builtins),
        "modules" => Value::object(modules::Modules),
        "flags" => Value::object(simple::Flags),
        "var" => Value::object(simple::Var),
        "column" => Value::object(column::ColumnType),
        "validation" => Value::object(simple::Validation),
        "context" => Value::object(simple::Context),
        "target" | "env" => cached(vm, name, simple::target)?,
        "model" => cached(vm, name, |vm| Ok(dict(&vm.node.model)))?,
        "graph" => cached(vm, name, graph)?,
        "this" => match vm.node.unit_test.clone() {
            Some(overrides) => overrides::this(vm, &overrides),
            None => relation::this(vm),
        },
        "database" => Value::from(&*vm.node.database),
        "schema" => Value::from(&*vm.node.schema),
        "project_name" => Value::from(&*vm.engine.settings.root_package),
        "dbt_version" => Value::from(simple::DBT_VERSION),
        "selected_resources" => simple::selected_resources(vm)?,
        "dbt_metadata_envs" => Value::dict(Default::default()),
        "invocation_args_dict" => Value::object(runtime::Arguments { is_dict: true }),
        "run_started_at" => simple::run_started_at(vm)?,
        "invocation_id" => Value::from(simple::run_value(vm, name, |run| run.invocation_id)?),
        "thread_id" => Value::from(simple::run_value(vm, name, |run| run.thread_id)?),
        "pre_hooks" | "post_hooks" => Value::list(Vec::new()),
        "sql" | "compiled_code" | "compiled_sql" | "defer_relation" => Value::None,
        "source_node" | "submit_python_job" | "load_agate_table" | "_sql_results" | "adapter_macro" | "sql_now" => {
            return Err(Error::unsupported(name).into());
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn cached(vm: &mut Vm<'_>, name: &str, make: impl FnOnce(&mut Vm<'_>) -> Outcome<Value>) -> Outcome<Value> {
    let value = make(vm)?;
    vm.members.insert(name.to_owned(), value.clone());
    Ok(value)
}

thread_local! {
    /// The last graph that a template of this thread read, as it was given and as a value: it is large, and all nodes of
    /// one compilation read the same.
    static GRAPH: RefCell<Option<(Arc<serde_json::Value>, Value)>> = const { RefCell::new(None) };
}

fn graph(vm: &mut Vm<'_>) -> Outcome<Value> {
    let Some(graph) = vm.graph else { return Ok(Value::dict(Default::default())) };
    let given = graph.shared_graph();
    Ok(GRAPH.with_borrow_mut(|kept| match kept {
        Some((known, value)) if Arc::ptr_eq(known, &given) => value.clone(),
        _ => {
            let value = from_json(&given);
            *kept = Some((given, value.clone()));
            value
        }
    }))
}

/// Lets go of the graph that is kept for the next node.
pub(crate) fn forget_graph() {
    GRAPH.set(None);
}

/// Is `dbt_utils` in `dbt_utils.star()`: the macros of one package.
struct PackageNamespace {
    package: String,
}

impl Object for PackageNamespace {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        if let Some(value) = overrides::in_package(vm, &self.package, name) {
            return Ok(Some(value));
        }
        let found = vm.engine.registry.in_package(&self.package, name);
        match found {
            Some(index) => Ok(Some(Value::object(DbtMacro { index }))),
            None if self.package == "dbt" && names::is_dbt_macro(name) => {
                Err(Error::unsupported(format!("dbt's macro {name}")).into())
            }
            None => Ok(None),
        }
    }
}
