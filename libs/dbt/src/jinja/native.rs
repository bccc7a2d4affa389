//! Native rendering: strings of YAML files become Python values, as dbt's native environment makes them.

use std::any::Any;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::error::Error;
use super::ir::{Expr, Kind, Stmt};
use super::json::from_json;
use super::print::print;
use super::value::{Dict, Key, Object, Value};
use super::vm::{Call, Out, Scope, Stop, Vm};

/// Is what `as_bool`, `as_number`, `as_native` or `as_text` makes of a value: a text that asks for a type.
struct Marked {
    filter: &'static str,
    text: String,
}

impl Object for Marked {
    fn type_name(&self) -> &'static str {
        "str"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn print(&self) -> String {
        self.text.clone()
    }

    fn truth(&self) -> bool {
        !self.text.is_empty()
    }
}

/// Marks a value with the type that a filter asks for.
pub(crate) fn marked(filter: &str, value: &Value) -> Result<Value, Error> {
    let known = ["as_bool", "as_number", "as_native", "as_text"].into_iter().find(|known| *known == filter);
    let filter = known.ok_or_else(|| Error::unsupported(format!("the filter {filter}")))?;
    Ok(Value::object(Marked { filter, text: print(value) }))
}

/// Renders `text`: where it comes to a single piece that is no text, that piece keeps its type.
pub(crate) fn render(vm: &mut Vm<'_>, text: &str) -> Result<Value, Error> {
    if !has_jinja(text) {
        return Ok(Value::from(text));
    }
    let source: Arc<str> = Arc::from(text);
    let template = vm.engine.template(vm.node, &source)?;
    let mut out = Out { pieces: Some(Vec::new()), ..Out::default() };
    vm.render(&template, &mut out)?;
    let pieces = out.pieces.unwrap_or_default();
    match pieces.as_slice() {
        [] => Ok(Value::from("")),
        [piece] => converted(vm, piece),
        several => Ok(Value::from(several.iter().map(print).collect::<String>())),
    }
}

/// Answers what an expression writes: Jinja2 makes a text of what it can work out without the context.
pub(super) fn piece(expr: &Expr, value: Value) -> Value {
    if is_constant(expr) && value.downcast::<Marked>().is_none() { Value::from(print(&value)) } else { value }
}

fn is_constant(expr: &Expr) -> bool {
    let all = |exprs: &[Expr]| exprs.iter().all(is_constant);
    match &expr.kind {
        Kind::Const(_) => true,
        Kind::Not(of) | Kind::Negate(of) => is_constant(of),
        Kind::Binary(_, left, right) | Kind::And(left, right) | Kind::Or(left, right) => {
            is_constant(left) && is_constant(right)
        }
        Kind::Compare(left, others) => is_constant(left) && others.iter().all(|(_, other)| is_constant(other)),
        Kind::If { test, then, otherwise } => {
            is_constant(test) && is_constant(then) && otherwise.as_ref().is_none_or(|otherwise| is_constant(otherwise))
        }
        Kind::List(items) | Kind::Tuple(items) => all(items),
        Kind::Dict(entries) => entries.iter().all(|(key, value)| is_constant(key) && is_constant(value)),
        Kind::Filter { of: Some(of), args, .. } | Kind::Test { of, args, .. } => is_constant(of) && args.is_empty(),
        Kind::Filter { .. }
        | Kind::Var(_)
        | Kind::Slice { .. }
        | Kind::Attribute(..)
        | Kind::Item(..)
        | Kind::Call(..) => false,
    }
}

/// Reads a marked text as the Python literal that its filter asks for.
fn converted(vm: &mut Vm<'_>, piece: &Value) -> Result<Value, Error> {
    let Some(marked) = piece.downcast::<Marked>() else { return Ok(piece.clone()) };
    let text = &marked.text;
    let literal = literal(vm, text)?;
    let not = |kind: &str| Err(Error::runtime(format!("could not convert value '{text}' into type '{kind}'")));
    match (marked.filter, literal) {
        ("as_bool", Some(value @ Value::Bool(_))) => Ok(value),
        ("as_number", Some(value @ (Value::Int(_) | Value::Float(_)))) => Ok(value),
        ("as_bool", _) => not("bool"),
        ("as_number", _) => not("number"),
        ("as_native", Some(value)) => Ok(value),
        _ => Ok(Value::from(&**text)),
    }
}

/// Reads a Python literal; None if the text is none.
fn literal(vm: &mut Vm<'_>, text: &str) -> Result<Option<Value>, Error> {
    let text = text.trim_start_matches([' ', '\t']).trim_end();
    let digits = text.trim_start_matches('-');
    Ok(match text {
        "True" => Some(Value::Bool(true)),
        "False" => Some(Value::Bool(false)),
        "None" => Some(Value::None),
        _ if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit()) => None,
        _ if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
            text.parse().map(Value::Int).ok().or_else(|| text.parse().ok().map(Value::Float))
        }
        _ if text.starts_with(['[', '(', '{', '\'', '"']) => {
            let source: Arc<str> = Arc::from(format!("{{{{ {text} }}}}"));
            let Ok(template) = vm.engine.template(vm.node, &source) else { return Ok(None) };
            match template.body.as_slice() {
                [Stmt::Emit(expr, _)] if is_constant(expr) => match vm.eval(expr, &Scope::root()) {
                    Ok(value) => Some(value),
                    Err(Stop::Error(error)) => return Err(*error),
                    Err(Stop::Return(_) | Stop::Continue | Stop::Break) => None,
                },
                _ => None,
            }
        }
        _ => None,
    })
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
    vm.calls.push(Call { name: "render".to_owned(), at: None });
    let rendered = vm.render(&template, &mut out);
    vm.calls.pop();
    rendered.map(|()| Value::from(print(&Value::from(out.text))))
}
