//! The functions of dbt's context and of Jinja itself.

use crate::jinja::call::Function;
use crate::jinja::eval::hashed;
use crate::jinja::json::{dumps, from_json};
use crate::jinja::looping::{Cycler, Joiner, Namespace, Range};
use crate::jinja::methods::containers::entries;
use crate::jinja::native::render_text;
use crate::jinja::print::print;
use crate::jinja::value::Value;
use crate::jinja::vm::{Args, Outcome, Phase, Stop, Vm};
use crate::jinja::{Code, Error, RefCall, Resolved};

use super::relation::{Relation, this};
use super::results;

type Body = fn(&mut Vm<'_>, Args) -> Outcome<Value>;

/// Every function by its name.
const FUNCTIONS: &[(&str, Body)] = &[
    ("debug", |_, _| Ok(Value::from(""))),
    ("diff_of_two_dicts", |_, _| Err(Error::unsupported("diff_of_two_dicts").into())),
    ("doc", |_, _| Err(Error::unsupported("doc() outside of a description").into())),
    ("env_var", env_var),
    ("fromjson", from_json_text),
    ("fromyaml", |_, _| Err(Error::unsupported("fromyaml").into())),
    ("function", |_, _| Err(Error::unsupported("function").into())),
    ("load_result", results::load),
    ("local_md5", local_md5),
    ("log", |_, _| Ok(Value::from(""))),
    ("metric", metric),
    ("print", |_, _| Ok(Value::from(""))),
    ("ref", reference),
    ("render", |vm, args| Ok(render_text(vm, &args.text(0, "string")?)?)),
    ("return", |_, args| Err(Stop::Return(args.get(0, "data").unwrap_or(Value::None)))),
    ("set", |_, args| set(&args, false)),
    ("set_strict", |_, args| set(&args, true)),
    ("source", source),
    ("store_raw_result", results::store_raw),
    ("store_result", results::store),
    ("tojson", to_json_text),
    ("toyaml", |_, _| Err(Error::unsupported("toyaml").into())),
    ("try_or_compiler_error", try_or_compiler_error),
    ("write", |_, _| Ok(Value::from(""))),
    ("zip", |_, args| zip(&args, false)),
    ("zip_strict", |_, args| zip(&args, true)),
    ("__is_incremental", results::is_incremental),
    ("__execute", results::execute),
];

/// Finds a function of dbt's context.
pub(super) fn named(name: &str) -> Option<&'static (&'static str, Body)> {
    FUNCTIONS.iter().find(|(known, _)| *known == name)
}

/// Finds one of Jinja's own globals.
pub(super) fn global(name: &str) -> Option<Value> {
    let (name, body): (&'static str, Body) = match name {
        "range" => ("range", |_, args| Ok(Value::object(Range::new(&args)?))),
        "dict" => ("dict", |_, args| Ok(Value::dict(entries(&args)?))),
        "namespace" => ("namespace", |_, args| Ok(Value::object(Namespace::new(&args)?))),
        "joiner" => ("joiner", |_, args| {
            let separator = args.get(0, "sep").unwrap_or_else(|| Value::from(", "));
            Ok(Value::object(Joiner { separator, used: false.into() }))
        }),
        "cycler" => ("cycler", |_, args| {
            if args.positional.is_empty() {
                return Err(Error::runtime("at least one item has to be provided").into());
            }
            Ok(Value::object(Cycler { items: args.positional, position: 0.into() }))
        }),
        "lipsum" => ("lipsum", |_, _| Err(Error::unsupported("lipsum").into())),
        _ => return None,
    };
    Some(Value::object(Function { name, body }))
}

fn ref_call(args: &Args) -> Result<RefCall, Error> {
    let text = |value: &Value| match value {
        Value::Str(text) => Ok(text.to_string()),
        other => {
            let got = other.type_name();
            Err(Error::new(
                Code::CompilerError,
                format!("The name argument to ref() must be a string, got <class '{got}'>"),
            ))
        }
    };
    let (package, name) = match args.positional.as_slice() {
        [name] => (None, text(name)?),
        [package, name] => (Some(text(package)?), text(name)?),
        given => {
            let message = format!("ref() takes at most two arguments ({} given)", given.len());
            return Err(Error::new(Code::CompilerError, message));
        }
    };
    let version = args.named("version").filter(Value::truth).or_else(|| args.named("v"));
    let version = version.filter(|version| !matches!(version, Value::None | Value::Undefined(_)));
    Ok(RefCall { package, name, version: version.map(|version| crate::jinja::json::to_json(&version)) })
}

fn reference(vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let call = ref_call(&args)?;
    let Some(graph) = vm.graph else {
        vm.record.refs.push(call);
        return Ok(this(vm));
    };
    let found = graph.resolve_ref(vm.node, &call)?;
    if let Some(allowed) = &vm.node.depends_on
        && !allowed.contains(&found.unique_id)
    {
        let version = call.version.as_ref().map_or_else(String::new, |version| format!(", v={version}"));
        let written = match &call.package {
            Some(package) => format!("{{{{ ref('{package}', '{}'{version}) }}}}", call.name),
            None => format!("{{{{ ref('{}'{version}) }}}}", call.name),
        };
        let message = format!(
            "dbt was unable to infer all dependencies for the model \"{}\". This typically happens when ref() is placed within a \
             conditional block. To fix this, add the following hint to the top of the model \"{}\": -- depends_on: {written}",
            vm.node.name, vm.node.name
        );
        return Err(Error::new(Code::RefUndeclared, message).into());
    }
    let relation = Relation::resolved(&found);
    if found.ephemeral && relation.too_long() {
        let message = format!("Relation name '{}' is longer than 63 characters", relation.render());
        return Err(Error::new(Code::CompilerError, message).into());
    }
    note_cte(vm, &found);
    Ok(Value::object(relation))
}

pub(super) fn note_cte(vm: &mut Vm<'_>, found: &Resolved) {
    if found.ephemeral && !vm.ctes.contains(&found.unique_id) {
        vm.ctes.push(found.unique_id.clone());
    }
}

fn source(vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let (source, table) = match args.positional.as_slice() {
        [Value::Str(source), Value::Str(table)] => (source.clone(), table.clone()),
        given => {
            let message = format!("source() takes exactly two string arguments ({} given)", given.len());
            return Err(Error::new(Code::CompilerError, message).into());
        }
    };
    match vm.graph {
        Some(graph) => {
            let found = graph.resolve_source(vm.node, &source, &table)?;
            note_cte(vm, &found);
            Ok(Value::object(Relation::resolved(&found)))
        }
        None => {
            vm.record.sources.push([source.to_string(), table.to_string()]);
            Ok(this(vm))
        }
    }
}

fn metric(vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let names: Vec<String> = args.positional.iter().map(print).collect();
    let name = names.last().cloned().unwrap_or_default();
    vm.record.metrics.push(names);
    Ok(Value::from(name))
}

fn env_var(vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let name = args.text(0, "var")?;
    if name.starts_with("DBT_ENV_SECRET") && vm.phase != Phase::Profile {
        let message =
            format!("secret environment variables like {name} are only allowed in profiles.yml or packages.yml");
        return Err(Error::new(Code::EnvVarSecret, message).into());
    }
    if !vm.record.reads.env_vars.iter().any(|read| **read == *name) {
        vm.record.reads.env_vars.push(name.to_string());
    }
    if let Some(value) = vm.node.unit_test.as_ref().and_then(|overrides| overrides.env_vars.get(&*name)) {
        return Ok(from_json(value));
    }
    let env = &vm.engine.settings.environment.env;
    match (env.get(&*name), args.get(1, "default")) {
        (Some(value), _) => Ok(Value::from(&**value)),
        (None, Some(default)) if !matches!(default, Value::None) => Ok(default),
        (None, _) => {
            let defined: Vec<&str> = env.keys().map(String::as_str).collect();
            let defined = if defined.is_empty() { "none".to_owned() } else { defined.join(", ") };
            let message = format!("Env var required but not provided: '{name}'; the environment defines: {defined}");
            Err(Error::new(Code::EnvVarNotDefined, message).into())
        }
    }
}

fn from_json_text(_vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let default = args.get(1, "default").unwrap_or(Value::None);
    Ok(serde_json::from_str(&args.text(0, "string")?).map_or(default, |json| from_json(&json)))
}

fn to_json_text(_vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    let value = args.need(0, "value")?;
    let default = args.get(1, "default").unwrap_or(Value::None);
    Ok(dumps(&value, None, args.flag(2, "sort_keys", false)).map_or(default, Value::from))
}

fn set(args: &Args, strict: bool) -> Outcome<Value> {
    let value = args.need(0, "value")?;
    let made = value
        .items()
        .map(|items| items.into_iter().map(|item| hashed(item).map(|key| key.0)).collect::<Result<Vec<_>, _>>());
    match (made, strict) {
        (Some(Ok(items)), _) => Ok(Value::set(items)),
        (_, false) => Ok(args.get(1, "default").unwrap_or(Value::None)),
        (Some(Err(error)), true) => Err(error.into()),
        (None, true) => Err(Error::runtime(format!("'{}' object is not iterable", value.type_name())).into()),
    }
}

fn zip(args: &Args, strict: bool) -> Outcome<Value> {
    let mut columns = Vec::with_capacity(args.positional.len());
    for value in &args.positional {
        match value.items() {
            Some(items) => columns.push(items),
            None if strict => {
                return Err(Error::runtime(format!("'{}' object is not iterable", value.type_name())).into());
            }
            None => return Ok(args.named("default").unwrap_or(Value::None)),
        }
    }
    let length = columns.iter().map(Vec::len).min().unwrap_or(0);
    let row = |i: usize| Value::tuple(columns.iter().map(|column| column[i].clone()).collect());
    Ok(Value::list((0..length).map(row).collect()))
}

fn local_md5(_vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
    use md5::{Digest as _, Md5};
    Ok(Value::from(hex::encode(Md5::digest(args.text(0, "value")?.as_bytes()))))
}

fn try_or_compiler_error(vm: &mut Vm<'_>, mut args: Args) -> Outcome<Value> {
    let message = args.text(0, "message_if_exception")?;
    let callee = args.need(1, "func")?;
    args.positional.drain(..args.positional.len().min(2));
    match vm.call_value(callee, args, &(0..0)) {
        Err(Stop::Error(_)) => Err(Error::new(Code::CompilerError, &*message).into()),
        other => other,
    }
}
