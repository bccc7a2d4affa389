//! `config`: records a model's settings at parse time, answers from them after.

use std::any::Any;

use serde_json::Map;

use crate::jinja::json::{from_json, to_json};
use crate::jinja::print::print;
use crate::jinja::value::{Object, Value};
use crate::jinja::vm::{Args, Outcome, Phase, Vm};
use crate::jinja::{Code, Error};

pub(super) struct Config;

impl Object for Config {
    fn type_name(&self) -> &'static str {
        "Config"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn callable(&self) -> bool {
        true
    }

    fn call(&self, vm: &mut Vm<'_>, args: Args) -> Outcome<Value> {
        if vm.phase == Phase::Parse {
            let mut call = Map::new();
            match (args.positional.as_slice(), args.named.is_empty()) {
                ([Value::Dict(entries)], true) => {
                    for (key, value) in entries.borrow().iter() {
                        call.insert(renamed(&print(&key.0)), to_json(value));
                    }
                }
                ([], _) => {
                    for (name, value) in &args.named {
                        call.insert(renamed(name), to_json(value));
                    }
                }
                _ => return Err(Error::new(Code::CompilerError, "invalid inline model config").into()),
            }
            vm.record.config_calls.push(call);
        }
        Ok(Value::from(""))
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        // dbt's config has no items; a model that reads one gets an undefined value.
        let _ = name;
        Ok(None)
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        if vm.phase != Phase::Run {
            vm.record.is_guess |= name != "set";
            return Ok(match name {
                "get" | "require" | "meta_get" | "meta_require" => Some(Value::from("")),
                "persist_relation_docs" | "persist_column_docs" => Some(Value::Bool(false)),
                "set" => {
                    let pair = vec![(args.text(0, "name")?.as_ref().into(), args.need(1, "value")?)];
                    Some(self.call(vm, Args { positional: Vec::new(), named: pair })?)
                }
                _ => None,
            });
        }
        let config = &vm.node.config;
        let meta = config.get("meta").and_then(|meta| meta.as_object());
        let key = args.text(0, "name");
        Ok(Some(match name {
            "get" => match config.get(&*key?) {
                Some(value) => from_json(value),
                None => args.get(1, "default").unwrap_or(Value::None),
            },
            "meta_get" => match meta.and_then(|meta| meta.get(&*key.clone().unwrap_or_else(|_| "".into()))) {
                Some(value) => from_json(value),
                None => args.get(1, "default").unwrap_or(Value::None),
            },
            "require" | "meta_require" => {
                let key = key?;
                let found = if name == "require" { config.get(&*key) } else { meta.and_then(|meta| meta.get(&*key)) };
                found.map(from_json).ok_or_else(|| {
                    let message =
                        format!("Model '{}' does not define a required config parameter '{key}'.", vm.node.unique_id);
                    Error::new(Code::CompilerError, message)
                })?
            }
            "set" => Value::from(""),
            "persist_relation_docs" | "persist_column_docs" => {
                let part = if name == "persist_relation_docs" { "relation" } else { "columns" };
                let docs = config.get("persist_docs").and_then(|docs| docs.get(part));
                Value::Bool(docs.and_then(serde_json::Value::as_bool).unwrap_or(false))
            }
            _ => return Ok(None),
        }))
    }
}

fn renamed(key: &str) -> String {
    match key {
        "pre_hook" => "pre-hook".to_owned(),
        "post_hook" => "post-hook".to_owned(),
        other => other.to_owned(),
    }
}
