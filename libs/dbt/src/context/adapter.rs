//! `adapter`: dispatch and quoting at any time, questions to the target where there is one.

use std::any::Any;
use std::rc::Rc;

use crate::jinja::call::DbtMacro;
use crate::jinja::value::{Object, Value};
use crate::jinja::vm::{Args, Outcome, Phase, Vm};
use crate::jinja::{Code, Error, ExistingRelation};

use super::column::Column;
use super::relation::Relation;
use super::simple::deferred;

pub(super) struct Adapter;

impl Object for Adapter {
    fn type_name(&self) -> &'static str {
        "DatabaseWrapper"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn attribute(&self, _vm: &mut Vm<'_>, name: &str) -> Outcome<Option<Value>> {
        Ok(match name {
            "Relation" => Some(Value::object(super::relation::RelationType)),
            "Column" => Some(Value::object(super::column::ColumnType)),
            _ => None,
        })
    }

    fn method(&self, vm: &mut Vm<'_>, name: &str, args: &mut Args) -> Outcome<Option<Value>> {
        Ok(Some(match name {
            "dispatch" => dispatch(vm, args)?,
            "type" => Value::from(vm.engine.settings.environment.adapter.as_str()),
            "quote" | "quote_identifier" => Value::from(format!("\"{}\"", args.text(0, "identifier")?)),
            "quote_as_configured" => {
                let (name, key) = (args.text(0, "identifier")?, args.text(1, "quote_key")?);
                let quoting = vm.engine.settings.quoting;
                let quoted = match &*key {
                    "database" => quoting.database,
                    "schema" => quoting.schema,
                    _ => quoting.identifier,
                };
                if quoted { Value::from(format!("\"{name}\"")) } else { Value::Str(name) }
            }
            "quote_seed_column" => {
                let name = args.text(0, "column")?;
                let quoted = !matches!(args.get(1, "quote_config"), Some(Value::Bool(false)));
                if quoted { Value::from(format!("\"{name}\"")) } else { Value::Str(name) }
            }
            "convert_type"
            | "commit"
            | "cache_added"
            | "cache_dropped"
            | "cache_renamed"
            | "verify_database"
            | "standardize_grants_dict"
            | "valid_incremental_strategies"
            | "get_incremental_strategy_macro"
            | "render_raw_columns_constraints"
            | "render_raw_model_constraints"
            | "expand_target_column_types"
            | "valid_snapshot_target"
            | "get_hard_deletes_behavior"
            | "build_catalog_relation"
            | "external_root"
            | "generate_python_submission_response"
            | "parse_index" => {
                return Err(Error::unsupported(format!("adapter.{name}")).into());
            }
            _ if vm.phase == Phase::Parse => {
                vm.record.is_guess = true;
                unknown(name)
            }
            _ => return question(vm, name, args).map(Some),
        }))
    }
}

/// Is what pass 1 hears where only the database knows the answer.
fn unknown(name: &str) -> Value {
    match name {
        "check_schema_exists" => Value::Bool(false),
        "get_columns_in_relation"
        | "get_missing_columns"
        | "get_column_schema_from_query"
        | "list_relations"
        | "list_relations_without_caching"
        | "list_schemas" => Value::list(Vec::new()),
        _ => Value::None,
    }
}

fn dispatch(vm: &mut Vm<'_>, args: &Args) -> Outcome<Value> {
    let name = args.text(0, "macro_name")?;
    if args.named("packages").is_some() {
        let message = format!(
            "The \"packages\" argument of adapter.dispatch() has been deprecated. Use the \"macro_namespace\" argument instead. Raised during dispatch for: {name}"
        );
        return Err(Error::new(Code::CompilerError, message).into());
    }
    let namespace = match args.get(1, "macro_namespace") {
        None | Some(Value::None) => None,
        Some(Value::Str(namespace)) => Some(namespace),
        Some(other) => {
            let got = other.type_name();
            let message = format!(
                "In adapter.dispatch, got a <class '{got}'> macro_namespace argument, but macro_namespace should be None or a string."
            );
            return Err(Error::new(Code::CompilerError, message).into());
        }
    };
    let index = super::dispatch::resolve(vm.engine, &vm.node.package, &name, namespace.as_deref())?;
    Ok(Value::object(DbtMacro { index }))
}

/// Asks the target; without one, the node waits for its run.
fn question(vm: &mut Vm<'_>, name: &str, args: &Args) -> Outcome<Value> {
    let database = vm.database.ok_or_else(|| deferred(&format!("it asks the database: adapter.{name}")))?;
    Ok(match name {
        "get_relation" | "load_relation" => {
            let (base, schema, table) = named_relation(args, name == "load_relation")?;
            database.get_relation(&base, &schema, &table)?.map_or(Value::None, |found| existing(vm, &found))
        }
        "get_columns_in_relation" => {
            let (base, schema, table) = named_relation(args, true)?;
            let columns = database.columns(&base, &schema, &table)?;
            Value::list(columns.into_iter().map(|column| Value::object(Column::from(column))).collect())
        }
        "get_missing_columns" => missing_columns(vm, args)?,
        "list_relations" | "list_relations_without_caching" => {
            let (base, schema) = match args.need(0, "database")?.downcast::<Relation>() {
                Some(relation) => (part(&relation.database), part(&relation.schema)),
                None => (args.text(0, "database")?, args.text(1, "schema")?),
            };
            let found = database.list_relations(&base, &schema)?;
            Value::list(found.iter().map(|found| existing(vm, found)).collect())
        }
        "check_schema_exists" => {
            let schema = args.text(1, "schema")?.replace('\'', "''");
            let sql = format!("select 1 from pg_catalog.pg_namespace where nspname = '{schema}'");
            Value::Bool(!database.query(&sql)?.rows.is_empty())
        }
        _ => return Err(Error::unsupported(format!("adapter.{name}")).into()),
    })
}

fn part(text: &Option<Rc<str>>) -> Rc<str> {
    text.clone().unwrap_or_else(|| Rc::from(""))
}

/// Is a relation's database, schema and identifier.
type Parts = (Rc<str>, Rc<str>, Rc<str>);

fn named_relation(args: &Args, one: bool) -> Result<Parts, Error> {
    let first = args.need(0, if one { "relation" } else { "database" })?;
    match first.downcast::<Relation>() {
        Some(relation) => Ok((part(&relation.database), part(&relation.schema), part(&relation.identifier))),
        None => Ok((args.text(0, "database")?, args.text(1, "schema")?, args.text(2, "identifier")?)),
    }
}

fn existing(vm: &Vm<'_>, found: &ExistingRelation) -> Value {
    let mut relation = Relation::new(Some(&found.database), Some(&found.schema), Some(&found.identifier));
    relation.quote = vm.engine.settings.quoting;
    relation.kind = Some(Rc::from(&*found.kind));
    Value::object(relation)
}

fn missing_columns(vm: &mut Vm<'_>, args: &Args) -> Outcome<Value> {
    let (from, to) = (args.need(0, "from_relation")?, args.need(1, "to_relation")?);
    let from = question(vm, "get_columns_in_relation", &Args::of(vec![from]))?;
    let to = question(vm, "get_columns_in_relation", &Args::of(vec![to]))?;
    let name = |column: &Value| column.downcast::<Column>().map(|column| column.name.clone());
    let known: Vec<_> = to.items().unwrap_or_default().iter().filter_map(name).collect();
    let missing = from
        .items()
        .unwrap_or_default()
        .into_iter()
        .filter(|column| name(column).is_some_and(|name| !known.contains(&name)));
    Ok(Value::list(missing.collect()))
}
