//! Renders small templates as dbt would, end to end.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::*;
use crate::environment::{Adapter, Environment};

struct Nothing;

impl Graph for Nothing {
    fn resolve_ref(&self, _from: &NodeContext, call: &RefCall) -> Result<Resolved, Error> {
        let ephemeral = call.name.starts_with("eph");
        Ok(Resolved {
            unique_id: format!("model.p.{}", call.name),
            database: Some("db".into()),
            schema: "s".into(),
            identifier: call.name.clone(),
            quoting: Quoting::default(),
            ephemeral,
            resource_type: "model".into(),
        })
    }

    fn resolve_source(&self, _from: &NodeContext, source: &str, table: &str) -> Result<Resolved, Error> {
        self.resolve_ref(_from, &RefCall { package: None, name: format!("{source}_{table}"), version: None })
    }

    fn flat_graph(&self) -> Json {
        json!({"nodes": {"model.p.a": {"name": "a", "config": {"tags": ["x"]}}}})
    }

    fn node(&self, _unique_id: &str) -> Option<Json> {
        None
    }
}

fn settings() -> Settings {
    let environment = Environment {
        name: "dev".into(),
        adapter: Adapter::Postgres,
        database: "db".into(),
        schema: "s".into(),
        threads: 4,
        profile: "p".into(),
        user: "u".into(),
        vars: Map::new(),
        env: [("HOME".to_owned(), "/x".to_owned())].into_iter().collect(),
    };
    Settings {
        environment,
        root_package: "p".into(),
        packages: vec!["pkg".into()],
        versions: Map::new(),
        flags: Map::new(),
        dispatch: Vec::new(),
        vars: json!({"p": {"start": "2020-01-01", "deep": "{{ ref('a') }}"}}).as_object().cloned().expect("a map"),
        quoting: Quoting::default(),
        which: "compile".into(),
        full_refresh: false,
    }
}

fn engine(macros: &str) -> Engine {
    let source = |package: &str, text: &str| MacroSource {
        package: package.into(),
        path: "macros/m.sql".into(),
        source: Arc::from(text),
    };
    let (engine, diagnostics) = Engine::new(
        &[
            source("p", macros),
            source(
                "pkg",
                "{% macro default__hi(x) %}hi {{ x }}{% endmacro %}{% macro hi(x) %}{{ return(adapter.dispatch('hi', 'pkg')(x)) }}{% endmacro %}",
            ),
        ],
        settings(),
    );
    assert_eq!(diagnostics, Vec::new());
    engine
}

fn node(text: &str) -> NodeContext {
    NodeContext {
        unique_id: "model.p.m".into(),
        name: "m".into(),
        package: "p".into(),
        resource_type: "model".into(),
        path: "models/m.sql".into(),
        raw_code: Arc::from(text),
        database: "db".into(),
        schema: "s".into(),
        alias: "m".into(),
        ..NodeContext::default()
    }
}

fn compiled(macros: &str, text: &str) -> String {
    engine(macros).compile(&node(text), &Nothing, None).unwrap_or_else(|error| panic!("{text}: {error}")).sql
}

fn failed(text: &str) -> Error {
    engine("").compile(&node(text), &Nothing, None).expect_err("an error")
}

#[test]
fn mutable_lists_and_dicts_print_as_python_s() {
    assert_eq!(compiled("", "{% set x = [] %}{% do x.append('a') %}{% do x.append(1.0) %}{{ x }}"), "['a', 1.0]");
    assert_eq!(
        compiled("", "{% set d = {'a': none} %}{% do d.update({'b': true}) %}{{ d }} {{ d.items() | list }}"),
        "{'a': None, 'b': True} [('a', None), ('b', True)]"
    );
    assert_eq!(
        compiled("", "{{ range(3) }} {{ 'x' * 3 }} {{ '%s-%02d' % ('a', 7) }} {{ '{:,}'.format(12345) }}"),
        "range(0, 3) xxx a-07 12,345"
    );
}

#[test]
fn macros_return_values_take_varargs_and_call_back() {
    let macros = "{% macro f(a, b=2) %}{{ return([a, b]) }}{% endmacro %}\n{% macro g() %}{{ varargs | join('-') }}{{ kwargs }}{% endmacro %}\n{% macro w(n) %}<{{ caller(n) }}>{% endmacro %}";
    assert_eq!(
        compiled(macros, "{{ f(1)[1] + 1 }} {{ g(1, 2, z=3) }} {% call(x) w(5) %}{{ x + 1 }}{% endcall %}"),
        "3 1-2{'z': 3} <6>"
    );
}

#[test]
fn dispatch_finds_the_package_s_and_the_project_s_own() {
    assert_eq!(compiled("", "{{ pkg.hi('you') }}"), "hi you");
    assert_eq!(compiled("{% macro postgres__hi(x) %}mine {{ x }}{% endmacro %}", "{{ pkg.hi('you') }}"), "mine you");
}

#[test]
fn refs_sources_and_ephemerals_resolve() {
    let rendered = engine("")
        .compile(
            &node("{{ ref('a') }} {{ ref('eph') }} {{ source('raw', 't') }} {{ this }} {{ this.schema }}"),
            &Nothing,
            None,
        )
        .expect("rendered");
    assert_eq!(rendered.sql, "\"db\".\"s\".\"a\" __dbt__cte__eph \"db\".\"s\".\"raw_t\" \"db\".\"s\".\"m\" s");
    assert_eq!(rendered.ctes, ["model.p.eph"]);
}

#[test]
fn parsing_records_what_a_model_says() {
    let text = "{{ config(materialized='table', tags=['a'], pre_hook=\"select '{{ this }}'\") }}{% if execute %}{{ ref('hidden') }}{% endif %}select * from {{ ref('a', v=2) }} {{ source('raw', 't') }} {{ dbt.type_string() }} {{ unknown.x() }}";
    let parsed = engine("").parse(&node(text)).expect("parsed");
    assert_eq!(parsed.refs, [RefCall { package: None, name: "a".into(), version: Some(json!(2)) }]);
    assert_eq!(parsed.sources, [["raw".to_owned(), "t".to_owned()]]);
    assert_eq!(parsed.config_calls[0].get("pre-hook"), Some(&json!("select '{{ this }}'")));
    assert_eq!(parsed.macros, ["macro.dbt.type_string"]);
}

#[test]
fn generic_tests_render_their_arguments() {
    let mut test = node("{{ test_accepted_values(**_dbt_generic_test_kwargs) }}");
    test.test_kwargs = json!({"column_name": "c", "model": "{{ get_where_subquery(ref('a')) }}", "values": ["x", "y"]})
        .as_object()
        .cloned();
    let engine = engine("");
    let parsed = engine.parse(&test).expect("parsed");
    assert_eq!(parsed.macros, ["macro.dbt.test_accepted_values", "macro.dbt.get_where_subquery"]);
    assert_eq!(parsed.refs.len(), 1);
    let rendered = engine.compile(&test, &Nothing, None).expect("rendered");
    let expected = "\n    \n    \n\nwith all_values as (\n\n    select\n        c as value_field,\n        count(*) as n_records\n\n    from \"db\".\"s\".\"a\"\n    group by c\n\n)\n\nselect *\nfrom all_values\nwhere value_field not in (\n    'x','y'\n)\n\n\n\n";
    assert_eq!(rendered.sql.trim(), expected.trim());
}

#[test]
fn errors_name_their_code_and_place() {
    assert_eq!(failed("{{ env_var('NOPE') }}").code, Code::EnvVarNotDefined);
    assert!(failed("{{ env_var('NOPE') }}").message.contains("HOME"));
    assert_eq!(failed("{{ var('nope') }}").code, Code::VarNotDefined);
    assert_eq!(failed("{% for i in range(10**9) %}{% endfor %}").code, Code::TemplateBudget);
    assert_eq!(failed("{{ nope() }}").code, Code::MacroNotFound);
    assert_eq!(failed("{{ exceptions.raise_compiler_error('no') }}").code, Code::CompilerError);
    let syntax = failed("a\n{% if x %}");
    assert_eq!((syntax.code, syntax.place.map(|place| place.line)), (Code::TemplateSyntax, Some(2)));
}

#[test]
fn what_only_a_run_knows_defers_the_node() {
    let rendered = |text: &str| engine("").compile(&node(text), &Nothing, None).expect("rendered").deferred;
    assert!(rendered("{{ run_started_at }}").is_some());
    assert!(rendered("{{ adapter.get_columns_in_relation(this) }}").is_some());
    assert!(rendered("{{ invocation_id }}").is_some());
    assert!(rendered("{% if is_incremental() %}x{% endif %}").is_none());
}

#[test]
fn variables_hold_templates_and_yaml_keeps_types() {
    assert_eq!(
        compiled("", "{{ var('deep') }} {{ var('start') }} {{ var('no', 3) + 1 }}"),
        "\"db\".\"s\".\"a\" 2020-01-01 4"
    );
    let engine = engine("");
    let scope = YamlScope::Project { package: "p".into() };
    assert_eq!(engine.render_value("{{ target.name == 'dev' }}", &scope).expect("a value"), json!(true));
    assert_eq!(engine.render_value("{{ env_var('HOME') }}/y", &scope).expect("a value"), json!("/x/y"));
    assert_eq!(engine.render_value("{{ '4' | as_number }}", &YamlScope::Profile).expect("a value"), json!(4));
}

#[test]
fn names_of_schemas_follow_the_project_s_macro() {
    let call = |macros: &str| {
        engine(macros).call_macro("generate_schema_name", &[json!("x"), Json::Null], &node("")).expect("a name")
    };
    assert_eq!(call("").as_str().map(str::trim), Some("s_x"));
    assert_eq!(
        call("{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name }}{% endmacro %}"),
        json!("x")
    );
}

#[test]
fn line_ends_and_whitespace_control_are_jinja_s() {
    assert_eq!(compiled("", "a\r\n{%- if true %}\r\nb{% endif -%}\r\n  c\r\n"), "a\nbc");
    assert_eq!(compiled("", "{# x #}{% raw %}{{ y }}{% endraw %}"), "{{ y }}");
}

#[test]
fn no_template_takes_more_memory_than_its_budget() {
    for text in [
        "{{ ('x' * 4000000).replace('x', 'y' * 4000000) }}",
        "{{ ('x' * 4000000) | replace('', 'y' * 4000000) }}",
        "{{ (['x' * 4000000] * 1000) | join }}",
        "{{ 'x'.join(['y' * 4000000] * 1000) }}",
        "{{ ('\n' * 1000000) | indent(1000000) }}",
        "{% set ns = namespace(l=['x']) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set l = [] %}{% for i in range(100000) %}{% do l.append('x' * 4000000) %}{% endfor %}",
    ] {
        let error = engine("").parse(&node(text)).expect_err("the budget ends");
        assert_eq!(error.code, Code::TemplateBudget, "{text}");
    }
    let nested = "{% set l = [] %}{% do l.append(l) %}{{ config(meta={'l': l}) }}{{ tojson(l) }}{{ '%.999999999999f' % 1.5 }}{{ '1'.zfill(10 ** 15) }}";
    assert!(engine("").parse(&node(nested)).is_ok());
}

#[test]
fn a_macro_of_a_template_that_calls_itself_without_end_is_a_cycle() {
    for text in [
        "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
        "{% macro a() %}{% call a() %}{{ a() }}{% endcall %}{% endmacro %}{{ a() }}",
    ] {
        let error = engine("").parse(&node(text)).expect_err("a cycle");
        assert_eq!(error.code, Code::TemplateCycle, "{text}");
    }
}

#[test]
fn macros_that_call_each_other_without_end_are_a_cycle() {
    let macros = "{% macro a(n) %}{% if true %}{{ b(n)[0] ~ (1 + (2 * n)) }}{% endif %}{% endmacro %}{% macro b(n) %}{% for i in [1] %}{{ return([a(n + 1)]) }}{% endfor %}{% endmacro %}";
    let error = engine(macros).compile(&node("{{ a(1) }}"), &Nothing, None).expect_err("a cycle");
    assert_eq!(error.code, Code::TemplateCycle);
}
