//! Compiles small graphs.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, json};

use super::*;
use crate::environment::{Adapter, Environment};
use crate::jinja::{DispatchConfig, MacroSource, Quoting, RefCall, Resolved, Settings};

struct Project(HashMap<String, NodeContext>);

impl Project {
    /// Makes models of (name, materialization, SQL).
    fn of(models: &[(&str, &str, &str)]) -> Self {
        let node = |(name, materialized, sql): &(&str, &str, &str)| {
            let config = json!({"materialized": materialized}).as_object().cloned().unwrap_or_default();
            let node = NodeContext {
                unique_id: format!("model.p.{name}"),
                name: (*name).into(),
                package: "p".into(),
                resource_type: "model".into(),
                path: Arc::from(format!("models/{name}.sql")),
                raw_code: Arc::from(*sql),
                database: "db".into(),
                schema: "s".into(),
                alias: (*name).into(),
                config,
                ..NodeContext::default()
            };
            (node.unique_id.clone(), node)
        };
        Self(models.iter().map(node).collect())
    }
}

impl Graph for Project {
    fn resolve_ref(&self, _from: &NodeContext, call: &RefCall) -> Result<Resolved, Error> {
        let unique_id = format!("model.p.{}", call.name);
        let node = self.0.get(&unique_id).ok_or_else(|| Error::new(Code::RefNotFound, call.name.clone()))?;
        Ok(Resolved {
            unique_id,
            database: Some("db".into()),
            schema: "s".into(),
            identifier: node.alias.clone(),
            quoting: Quoting::default(),
            ephemeral: materialized(node) == "ephemeral",
            resource_type: "model".into(),
        })
    }

    fn resolve_source(&self, _from: &NodeContext, _source: &str, table: &str) -> Result<Resolved, Error> {
        Err(Error::new(Code::SourceNotFound, table))
    }

    fn flat_graph(&self) -> Json {
        json!({})
    }

    fn node(&self, _unique_id: &str) -> Option<Json> {
        None
    }
}

impl Nodes for Project {
    fn context(&self, unique_id: &str) -> Option<NodeContext> {
        self.0.get(unique_id).cloned()
    }
}

fn engine(macros: &str) -> Engine {
    let environment = Environment {
        name: "dev".into(),
        adapter: Adapter::Postgres,
        database: "db".into(),
        schema: "s".into(),
        threads: 1,
        profile: "p".into(),
        user: String::new(),
        vars: Map::new(),
        env: IndexMap::new(),
    };
    let settings = Settings {
        environment,
        root_package: "p".into(),
        packages: Vec::new(),
        versions: Map::new(),
        flags: Map::new(),
        dispatch: Vec::<DispatchConfig>::new(),
        vars: Map::new(),
        quoting: Quoting::default(),
        which: "compile".into(),
        full_refresh: false,
    };
    let source = MacroSource { package: "p".into(), path: "macros/m.sql".into(), source: Arc::from(macros) };
    Engine::new(&[source], settings).0
}

fn compiled(macros: &str, models: &[(&str, &str, &str)], name: &str) -> Compilation {
    let unique_id = format!("model.p.{name}");
    let mut all = compile(&engine(macros), &Project::of(models), std::slice::from_ref(&unique_id), None);
    all.swap_remove(&unique_id).expect("the node")
}

fn sql(models: &[(&str, &str, &str)], name: &str) -> Compiled {
    match compiled("", models, name) {
        Compilation::Compiled(compiled) => compiled,
        other => panic!("{other:?}"),
    }
}

#[test]
fn injects_ephemeral_models_before_a_statement_without_with() {
    let models = [("e", "ephemeral", "select 1"), ("m", "table", "\n-- c\nselect * from {{ ref('e') }}")];
    assert_eq!(sql(&models, "m").sql, "\nwith __dbt__cte__e as (\nselect 1\n) -- c\nselect * from __dbt__cte__e");
}

#[test]
fn injects_nested_ephemeral_models_once_and_in_order_after_with() {
    let models = [
        ("a", "ephemeral", "select 1"),
        ("b", "ephemeral", "with x as (select * from {{ ref('a') }}) select * from x"),
        ("m", "table", "-- with\nWITH\n\n y as (select ')' from {{ ref('b') }} join {{ ref('a') }}) select * from y"),
    ];
    let made = sql(&models, "m");
    assert_eq!(
        made.sql,
        "-- with\nWITH\n\n  __dbt__cte__a as (\nselect 1\n),  __dbt__cte__b as (\nwith x as (select * from __dbt__cte__a) select * from x\n), y as (select ')' \
         from __dbt__cte__b join __dbt__cte__a) select * from y"
    );
    assert_eq!(made.ctes, ["model.p.a", "model.p.b"]);
}

#[test]
fn the_source_map_leads_into_macros_and_injected_models() {
    let macros = "{% macro col() %}abc{% endmacro %}";
    let models = [("e", "ephemeral", "select 42"), ("m", "table", "select {{ col() }} from {{ ref('e') }}")];
    let Compilation::Compiled(made) = compiled(macros, &models, "m") else { panic!("not compiled") };
    let origin = |text: &str| {
        let at = made.sql.find(text).expect("the text");
        made.source_map.iter().find(|span| span.output.contains(&at)).expect("a span").clone()
    };
    assert_eq!(&*origin("abc").path, "macros/m.sql");
    assert_eq!(&macros[origin("abc").source], "abc");
    assert_eq!(&*origin("select 42").path, "models/e.sql");
    assert_eq!(origin("from __dbt").source, 18..24);
}

#[test]
fn a_broken_node_breaks_no_other() {
    let models = [("x", "view", "{{ nope() }}"), ("m", "view", "select 1")];
    let ids = ["model.p.x".to_owned(), "model.p.m".to_owned()];
    let all = compile(&engine(""), &Project::of(&models), &ids, None);
    assert!(matches!(&all[0], Compilation::Broken(diagnostic) if diagnostic.code == "MACRO_NOT_FOUND"));
    assert!(matches!(&all[1], Compilation::Compiled(_)));
}

#[test]
fn many_nodes_are_what_each_is_alone_in_their_order() {
    let text = |at: usize| match at % 5 {
        0 => "{{ nope() }}".to_owned(),
        1 => "select * from {{ ref('e') }}".to_owned(),
        _ => format!("select {at}"),
    };
    let (names, texts): (Vec<_>, Vec<_>) = (0..3 * SHARE + 1).map(|at| (format!("m{at:03}"), text(at))).unzip();
    let of_models = names.iter().zip(&texts).map(|(name, text)| (name.as_str(), "view", text.as_str()));
    let project = Project::of(&of_models.chain([("e", "ephemeral", "select 1")]).collect::<Vec<_>>());
    let ids: Vec<String> = names.iter().rev().map(|name| format!("model.p.{name}")).collect();
    let engine = engine("");
    let all = compile(&engine, &project, &ids, None);
    let alone = ids.iter().flat_map(|id| compile(&engine, &project, std::slice::from_ref(id), None));
    assert!(all.into_iter().eq(alone));
}

#[test]
fn an_incremental_model_is_deferred_with_both_renderings() {
    let text = "select 1{% if is_incremental() %} where x{% endif %}";
    let Compilation::Deferred(deferred) = compiled("", &[("m", "incremental", text)], "m") else {
        panic!("not deferred")
    };
    assert_eq!(deferred.full.expect("full").sql, "select 1");
    assert_eq!(deferred.incremental.expect("incremental").sql, "select 1 where x");
}

#[test]
fn refuses_materializations_that_the_project_brings() {
    let own = "{% materialization table, default %}{% endmaterialization %}";
    let outcome = compiled(own, &[("m", "table", "select 1")], "m");
    assert!(matches!(outcome, Compilation::Broken(diagnostic) if diagnostic.code == "MATERIALIZATION_CUSTOM"));
    let below = "{% macro postgres__create_table_as(temporary, relation, sql) %}{% endmacro %}";
    let outcome = compiled(below, &[("m", "table", "select 1")], "m");
    assert!(matches!(outcome, Compilation::Broken(diagnostic) if diagnostic.code == "MATERIALIZATION_CUSTOM"));
}

#[test]
fn ephemeral_models_that_refer_to_each_other_are_a_cycle() {
    let models =
        [("a", "ephemeral", "{{ ref('b') }}"), ("b", "ephemeral", "{{ ref('a') }}"), ("m", "view", "{{ ref('a') }}")];
    assert!(
        matches!(compiled("", &models, "m"), Compilation::Broken(diagnostic) if diagnostic.code == "TEMPLATE_CYCLE")
    );
}

#[test]
fn wrong_sql_breaks_its_node_and_no_other() {
    let project = Project::of(&[
        ("a", "view", "select {% if execute %}1; select 2{% endif %}"),
        ("b", "ephemeral", "select (1"),
        ("c", "view", "select , from t"),
    ]);
    let ids: Vec<String> = ["a", "b", "c"].map(|name| format!("model.p.{name}")).into();
    let outcomes = compile(&engine(""), &project, &ids, None);
    let code = |name: &str| match &outcomes[&format!("model.p.{name}")] {
        Compilation::Broken(found) => Some((found.code.clone(), found.place.as_ref().map(|place| place.column))),
        Compilation::Compiled(_) | Compilation::Deferred(_) => None,
    };
    assert_eq!(code("a"), Some(("SQL_MULTIPLE_STATEMENTS".to_owned(), Some(27))));
    assert_eq!(code("b"), Some(("SQL_SYNTAX".to_owned(), Some(8))));
    assert_eq!(code("c"), None);
}
