//! Native rendering: strings of YAML files become Python values, as dbt's native environment makes them.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::error::Error;
use super::ir::Stmt;
use super::json::from_json;
use super::print::print;
use super::value::{Dict, Key, Value};
use super::vm::{Out, Scope, Stop, Vm};

/// Renders `text`: a single expression keeps its type, anything else is text.
pub(crate) fn render(vm: &mut Vm<'_>, text: &str) -> Result<Value, Error> {
    if !has_jinja(text) {
        return Ok(Value::from(text));
    }
    let source: Arc<str> = Arc::from(text);
    let template = vm.engine.template(vm.node, &source)?;
    if let [Stmt::Emit(expr, _)] = template.body.as_slice() {
        vm.members.remove("__native");
        let before = std::mem::replace(&mut vm.template, template.clone());
        let value = vm.eval(expr, &Scope::root());
        vm.template = before;
        let value = match value {
            Ok(value) => value,
            Err(Stop::Error(error)) => return Err(*error),
            Err(Stop::Return(value)) => value,
            Err(Stop::Continue | Stop::Break) => return Err(Error::runtime("loop control outside of a loop")),
        };
        return converted(vm, value);
    }
    let mut out = Out::default();
    vm.render(&template, &mut out)?;
    Ok(Value::from(out.text))
}

/// The filters `as_bool`, `as_number` and `as_native` read the text as a Python literal.
fn converted(vm: &mut Vm<'_>, value: Value) -> Result<Value, Error> {
    let Some(marker) = vm.members.remove("__native") else { return Ok(value) };
    let Some(text) = value.as_str() else { return Ok(value) };
    let literal = match text.trim() {
        "True" => Some(Value::Bool(true)),
        "False" => Some(Value::Bool(false)),
        "None" => Some(Value::None),
        text => text.parse().map(Value::Int).ok().or_else(|| text.parse().ok().map(Value::Float)),
    };
    let literal = literal.unwrap_or_else(|| value.clone());
    match (marker.as_str(), &literal) {
        (Some("as_text"), _) => Ok(value),
        (Some("as_bool"), Value::Bool(_)) | (Some("as_number"), Value::Int(_) | Value::Float(_)) => Ok(literal),
        (Some("as_bool"), _) => Err(Error::runtime(format!("could not convert value '{text}' into type 'bool'"))),
        (Some("as_number"), _) => Err(Error::runtime(format!("could not convert value '{text}' into type 'number'"))),
        _ => Ok(literal),
    }
}

/// Says whether dbt would render the text at all.
pub(crate) fn has_jinja(text: &str) -> bool {
    ["{{", "{%", "{#", "}}", "%}", "#}"].iter().any(|mark| text.contains(mark))
}

/// Renders the arguments of a generic test; `column_name` stays as it is.
pub(crate) fn test_arguments(vm: &mut Vm<'_>, kwargs: &Map<String, Json>) -> Result<Value, Error> {
    let mut rendered = Dict::new();
    for (name, value) in kwargs {
        let value = if name == "column_name" { from_json(value) } else { deep(vm, value)? };
        rendered.insert(Key::from(&**name), value);
    }
    Ok(Value::dict(rendered))
}

fn deep(vm: &mut Vm<'_>, value: &Json) -> Result<Value, Error> {
    Ok(match value {
        Json::String(text) if looks_like_a_call(text) => render(vm, &format!("{{{{ {text} }}}}"))?,
        Json::String(text) => render(vm, text)?,
        Json::Array(items) => Value::list(items.iter().map(|item| deep(vm, item)).collect::<Result<_, _>>()?),
        Json::Object(map) => {
            let mut dict = Dict::new();
            for (key, value) in map {
                let value = deep(vm, value)?;
                dict.insert(Key::from(&**key), value);
            }
            Value::dict(dict)
        }
        other => from_json(other),
    })
}

fn looks_like_a_call(text: &str) -> bool {
    let text = text.trim();
    let Some((name, rest)) = text.split_once('(') else { return false };
    matches!(name.trim_end(), "env_var" | "ref" | "var" | "source" | "doc") && rest.ends_with(')') && rest.len() > 1
}

/// Renders text again, in the current context: what `render()` and a variable's value need.
pub(crate) fn render_text(vm: &mut Vm<'_>, text: &str) -> Result<Value, Error> {
    if !has_jinja(text) {
        return Ok(Value::from(text));
    }
    vm.enter()?;
    let source: Arc<str> = Arc::from(text);
    let template = vm.engine.template(vm.node, &source)?;
    let mut out = Out::default();
    vm.calls.push(super::error::Frame { name: "render".to_owned(), place: None });
    let rendered = vm.render(&template, &mut out);
    vm.calls.pop();
    rendered.map(|()| Value::from(print(&Value::from(out.text))))
}
