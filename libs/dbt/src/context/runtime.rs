//! `builtins.ref.config`: dbt's own object for a package's dbt_project.yml, which packages reach through `ref`.

use std::any::Any;

use crate::environment::Environment;
use crate::jinja::Error;
use crate::jinja::json::from_json;
use crate::jinja::value::{Dict, Key, Object, Value};
use crate::jinja::vm::{Args, Outcome, Phase, Vm};

use super::simple;

/// The packages that every project depends on.
pub(super) const INTERNAL: [&str; 2] = ["dbt", "dbt_postgres"];

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
            "cli_vars" => Value::dict(variables(environment)),
            "args" => Value::object(Arguments { is_dict: false }),
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

/// What dbt's command line says where nobody says otherwise.
const SWITCHES: [(&str, bool); 12] = [
    ("introspect", true),
    ("populate_cache", true),
    ("partial_parse", true),
    ("version_check", true),
    ("print", true),
    ("use_colors", true),
    ("defer", false),
    ("favor_state", false),
    ("empty", false),
    ("quiet", false),
    ("cache_selected_only", false),
    ("send_anonymous_usage_stats", false),
];

/// The keys that say how and where dbt was started, which a compilation does not know.
const OF_THE_RUN: [&str; 8] =
    ["select", "exclude", "selector", "invocation_command", "profiles_dir", "project_dir", "log_path", "full_refresh"];

/// The other keys of dbt's own.
const OTHERS: [&str; 9] = [
    "warn_error_options",
    "log_level",
    "log_format",
    "log_level_file",
    "log_format_file",
    "printer_width",
    "static_parser",
    "write_json",
    "output",
];

/// Is what the command line and the project's `flags:` say: `invocation_args_dict`, and `ref.config.args`.
pub(super) struct Arguments {
    /// Whether it is a dict and not an object with attributes.
    pub(super) is_dict: bool,
}

impl Object for Arguments {
    fn type_name(&self) -> &'static str {
        if self.is_dict { "dict" } else { "Namespace" }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        let name = if self.is_dict { name.to_owned() } else { name.to_lowercase() };
        let settings = &vm.engine.settings;
        if let Some(flag) = settings.flags.get(&name) {
            return Ok(Some(from_json(flag)));
        }
        if let Some((_, value)) = SWITCHES.iter().find(|(known, _)| *known == name) {
            return Ok(Some(Value::Bool(*value)));
        }
        Ok(match name.as_str() {
            "which" => Some(Value::from(simple::which(vm))),
            "full_refresh" if vm.phase != Phase::Parse && vm.database.is_some() => {
                Some(Value::Bool(simple::full_refresh(vm)))
            }
            "indirect_selection" => Some(Value::from("eager")),
            "vars" => Some(Value::dict(variables(&settings.environment))),
            "select" | "exclude" if vm.phase == Phase::Parse => Some(Value::tuple(Vec::new())),
            _ if OF_THE_RUN.contains(&&*name) && vm.phase == Phase::Parse => None,
            _ if OF_THE_RUN.contains(&&*name) && vm.database.is_none() => {
                return Err(simple::deferred(&format!("it reads invocation_args_dict.{name}")).into());
            }
            _ if OF_THE_RUN.contains(&&*name) || OTHERS.contains(&&*name) => {
                return Err(Error::unsupported(format!("invocation_args_dict.{name}")).into());
            }
            _ => None,
        })
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        match name {
            "get" if self.is_dict => {
                let key = args.text(0, "key")?;
                Ok(Some(self.attribute(vm, &key)?.or_else(|| args.get(1, "default")).unwrap_or(Value::None)))
            }
            _ => Err(Error::unsupported(format!("invocation_args_dict.{name}")).into()),
        }
    }
}

fn variables(environment: &Environment) -> Dict {
    environment.vars.iter().map(|(key, value)| (Key::from(&**key), from_json(value))).collect()
}
