//! `builtins.ref.config`: dbt's own object for a package's dbt_project.yml, which packages reach through `ref`.

use std::any::Any;

use crate::jinja::Error;
use crate::jinja::json::from_json;
use crate::jinja::value::{Dict, Key, Object, Value};
use crate::jinja::vm::{Outcome, Vm};

use super::simple;

/// The packages that every project depends on.
const INTERNAL: [&str; 2] = ["dbt", "dbt_postgres"];

/// Is the definition of one package, with the environment around it.
pub(super) struct RuntimeConfig {
    pub(super) package: String,
}

impl Object for RuntimeConfig {
    fn type_name(&self) -> &'static str {
        "RuntimeConfig"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        let settings = &vm.engine.settings;
        let environment = &settings.environment;
        Ok(Some(match name {
            "project_name" => Value::from(&*self.package),
            "version" => settings.versions.get(&self.package).map_or(Value::None, from_json),
            "dependencies" => Value::dict(dependencies(vm)),
            "profile_name" => Value::from(&*environment.profile),
            "target_name" => Value::from(&*environment.name),
            "threads" => Value::Int(i64::from(environment.threads)),
            "cli_vars" => {
                let vars = environment.vars.iter().map(|(key, value)| (Key::from(&**key), from_json(value)));
                Value::dict(vars.collect())
            }
            "args" => Value::object(Arguments),
            _ => return Err(Error::unsupported(format!("ref.config.{name}")).into()),
        }))
    }
}

fn dependencies(vm: &Vm<'_>) -> Dict {
    let settings = &vm.engine.settings;
    let own = settings.packages.iter().map(String::as_str);
    let names = [settings.root_package.as_str()].into_iter().chain(INTERNAL).chain(own);
    names.map(|name| (Key::from(name), Value::object(RuntimeConfig { package: name.to_owned() }))).collect()
}

/// Is what the command line and the project's `flags:` say.
struct Arguments;

impl Object for Arguments {
    fn type_name(&self) -> &'static str {
        "Namespace"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        let lower = name.to_lowercase();
        if let Some(flag) = vm.engine.settings.flags.get(&lower) {
            return Ok(Some(from_json(flag)));
        }
        match lower.as_str() {
            "select" | "exclude" => Ok(Some(Value::tuple(Vec::new()))),
            "selector" => Ok(Some(Value::None)),
            "selector_name" => Ok(None),
            "which" | "vars" => {
                let Value::Dict(known) = simple::invocation_args(vm)? else { return Ok(None) };
                Ok(known.borrow().get(&Key::from(&*lower)).cloned())
            }
            _ => Err(Error::unsupported(format!("ref.config.args.{name}")).into()),
        }
    }
}
