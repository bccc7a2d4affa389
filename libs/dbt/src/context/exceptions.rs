//! `exceptions`: how a project itself refuses to compile.

use std::any::Any;

use crate::jinja::print::print;
use crate::jinja::value::{Object, Value};
use crate::jinja::vm::{Args, Outcome, Vm};
use crate::jinja::{Code, Error};

pub(super) struct Exceptions;

impl Object for Exceptions {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(name.starts_with("raise_").then(|| Value::from(name)))
    }

    fn method(&self, _vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        let message = args.get(0, "msg").map_or_else(String::new, |message| print(&message));
        match name {
            "warn" => Ok(Some(Value::from(""))),
            "raise_compiler_error"
            | "raise_parsing_error"
            | "raise_not_implemented"
            | "raise_database_error"
            | "raise_invalid_property_yml_version"
            | "raise_duplicate_resource_name"
            | "raise_dependency_error"
            | "raise_dataclass_not_dict"
            | "raise_fail_fast_error" => Err(Error::new(Code::CompilerError, message).into()),
            "missing_config" => {
                let name = args.get(1, "name").map_or_else(String::new, |name| print(&name));
                let message = format!("Model does not define a required config parameter '{name}'.");
                Err(Error::new(Code::CompilerError, message).into())
            }
            "missing_materialization"
            | "missing_relation"
            | "relation_wrong_type"
            | "column_type_missing"
            | "raise_ambiguous_alias"
            | "raise_ambiguous_catalog_match"
            | "raise_cache_inconsistent"
            | "raise_contract_error"
            | "ref_invalid_args"
            | "raise_git_cloning_problem" => Err(Error::new(Code::CompilerError, format!("{name}: {message}")).into()),
            _ => Ok(None),
        }
    }
}
