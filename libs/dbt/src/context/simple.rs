//! The small members: `target`, `flags`, `var`, `api`, `builtins`, `context`, and what only a run knows.

use std::any::Any;

use crate::jinja::call::Function;
use crate::jinja::json::from_json;
use crate::jinja::native::render_text;
use crate::jinja::value::{Dict, Key, Object, Value};
use crate::jinja::vm::{Args, Outcome, Phase, Vm};
use crate::jinja::{Code, Error, RunValues};

/// The version of dbt-core that we speak.
pub(super) const DBT_VERSION: &str = "1.11.16";

macro_rules! object {
    ($name:ident, $type_name:literal { $($body:item)* }) => {
        pub(super) struct $name;

        impl Object for $name {
            fn type_name(&self) -> &'static str {
                $type_name
            }

            fn as_any(&self) -> &dyn Any {
                self
            }

            $($body)*
        }
    };
}

object!(Api, "dict" {
    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(match name {
            "Relation" => Some(Value::object(super::relation::RelationType)),
            "Column" => Some(Value::object(super::column::ColumnType)),
            _ => None,
        })
    }
});

object!(Builtins, "dict" {
    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        super::member(vm, name)
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        if name == "get" {
            let name = args.text(0, "key")?;
            return super::member(vm, &name);
        }
        Ok(None)
    }
});

object!(Context, "dict" {
    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        super::find(vm, name)
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        if name == "get" {
            let name = args.text(0, "key")?;
            return Ok(Some(super::find(vm, &name)?.or_else(|| args.get(1, "default")).unwrap_or(Value::None)));
        }
        Ok(None)
    }
});

object!(Validation, "dict" {
    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok((name == "any").then(|| Value::object(Function { name: "any", body: |_, _| Ok(Value::None) })))
    }
});

object!(Flags, "Flags" {
    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(Some(match name {
            "FULL_REFRESH" | "WHICH" if vm.phase == Phase::Run && vm.database.is_none() && vm.incremental.is_none() => {
                return Err(deferred(&format!("it reads flags.{name}")).into());
            }
            "FULL_REFRESH" => Value::Bool(full_refresh(vm)),
            "WHICH" => Value::from(which(vm)),
            "STORE_FAILURES" | "EMPTY" | "FAIL_FAST" | "DEBUG" | "QUIET" | "WARN_ERROR" | "NO_PRINT" | "DEFER" | "FAVOR_STATE" => {
                Value::Bool(false)
            }
            "PRINT" | "USE_COLORS" | "PARTIAL_PARSE" | "VERSION_CHECK" | "INTROSPECT" | "POPULATE_CACHE" | "USE_CACHE" | "CACHE_SELECTED_ONLY" => Value::Bool(true),
            "INDIRECT_SELECTION" => Value::from("eager"),
            "WARN_ERROR_OPTIONS" => Value::dict(Dict::new()),
            _ => return Ok(None),
        }))
    }
});

object!(Var, "Var" {
    fn callable(&self) -> bool {
        true
    }

    fn call(&self, vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
        let name = args.text(0, "var_name")?;
        if !vm.record.reads.vars.iter().any(|read| **read == *name) {
            vm.record.reads.vars.push(name.to_string());
        }
        if let Some(found) = configured(vm, &name) {
            return match found {
                serde_json::Value::String(text) => Ok(render_text(vm, &text)?),
                other => Ok(from_json(&other)),
            };
        }
        match args.get(1, "default") {
            Some(default) => Ok(default),
            None if vm.phase == Phase::Parse => {
                vm.record.is_guess = true;
                Ok(Value::None)
            }
            None => {
                let message = format!("Required var '{name}' not found in config:\nVars supplied to {} = {{}}", vm.node.name);
                Err(Error::new(Code::VarNotDefined, message).into())
            }
        }
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        match name {
            "has_var" => {
                let name = args.text(0, "var_name")?;
                Ok(Some(Value::Bool(configured(vm, &name).is_some())))
            }
            _ => Ok(None),
        }
    }
});

fn configured(vm: &Vm<'_>, name: &str) -> Option<serde_json::Value> {
    let settings = &vm.engine.settings;
    if let Some(value) = vm.node.unit_test.as_ref().and_then(|overrides| overrides.vars.get(name)) {
        return Some(value.clone());
    }
    if let Some(value) = settings.environment.vars.get(name) {
        return Some(value.clone());
    }
    if vm.phase == Phase::Profile || vm.node.package.is_empty() {
        // dbt_project.yml and profiles.yml only see the command line's variables.
        return None;
    }
    let of = |package: &str| settings.vars.get(package).and_then(|vars| vars.get(name)).cloned();
    of(&vm.node.package).or_else(|| of(&settings.root_package))
}

/// Makes `target`.
pub(super) fn target(vm: &mut Vm<'_>) -> Outcome<Value> {
    let environment = &vm.engine.settings.environment;
    let mut entries = Dict::new();
    let mut put = |name: &str, value: Value| entries.insert(Key::from(name), value);
    put("database", Value::from(&*environment.database));
    put("schema", Value::from(&*environment.schema));
    put("type", Value::from(environment.adapter.as_str()));
    put("threads", Value::Int(i64::from(environment.threads)));
    put("name", Value::from(&*environment.name));
    put("target_name", Value::from(&*environment.name));
    put("profile_name", Value::from(&*environment.profile));
    put("user", Value::from(&*environment.user));
    put("dbname", Value::from(&*environment.database));
    vm.record.reads.target = vec!["target".to_owned()];
    Ok(Value::dict(entries))
}

/// Makes the error that defers a node, with its reason.
pub(super) fn deferred(reason: &str) -> Error {
    Error::new(Code::Deferred, reason)
}

/// Answers one of the run's own values; without a run the node is deferred.
pub(super) fn run_value(vm: &Vm<'_>, name: &str, pick: fn(RunValues) -> String) -> Result<String, Error> {
    match (vm.database, vm.phase) {
        (Some(database), _) => Ok(pick(database.run())),
        (None, Phase::Run) => Err(deferred(&format!("it reads {name}"))),
        (None, _) => Ok(String::new()),
    }
}

/// Says whether the run builds anew what it would add to; without a run, what the engine was built with.
pub(super) fn full_refresh(vm: &Vm<'_>) -> bool {
    vm.database.map_or(vm.engine.settings.full_refresh, |database| database.run().full_refresh)
}

/// Names the run's command; without a run, what the engine was built with.
pub(super) fn which(vm: &Vm<'_>) -> String {
    vm.database.map_or_else(|| vm.engine.settings.which.clone(), |database| database.run().which)
}

/// Makes `run_started_at`.
pub(super) fn run_started_at(vm: &Vm<'_>) -> Result<Value, Error> {
    let text = run_value(vm, "run_started_at", |run| run.started_at)?;
    Ok(Value::object(super::datetime::Moment::parse_utc(&text)))
}

/// Makes `selected_resources`.
pub(super) fn selected_resources(vm: &Vm<'_>) -> Result<Value, Error> {
    match (vm.database, vm.phase) {
        (Some(database), _) => Ok(Value::list(database.run().selected.iter().map(|id| Value::from(&**id)).collect())),
        (None, Phase::Run) => Err(deferred("it reads selected_resources")),
        (None, _) => Ok(Value::list(Vec::new())),
    }
}
