//! Questions to a target outside of any run, over HTTP: rows, one CTE, unsaved SQL, columns.

use serde_json::{Value, json};

use crate::run::{PROJECT, World};

impl World {
    /// Asks for rows and waits for them.
    async fn preview(&self, body: Value) -> Value {
        let asked = self.server.post(&format!("{}/preview/data", self.project), body).await;
        self.answer(&asked).await
    }

    async fn answer(&self, asked: &Value) -> Value {
        let address = format!("{}/previews/{}", self.project, asked["preview_id"].as_str().unwrap());
        self.until(&address, |preview| preview["state"] != "pending").await
    }
}

/// Answers code, path and line of a preview that failed.
fn failed(preview: &Value) -> Value {
    assert_eq!(preview["state"], "failed", "{preview}");
    json!([preview["code"], preview["place"]["path"], preview["place"]["line"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_saved_and_unsaved_rows_and_one_cte() {
    let sql = "with a as (select 1 as x), b as (select x + 1 as y from a) select y from b";
    let world = World::new("preview_rows", &[PROJECT, ("models/m.sql", sql)]).await;
    let rows = async |body: Value| world.preview(body).await["rows"].clone();
    let node = "model.shop.m";
    assert_eq!(rows(json!({"unique_id": node})).await, json!([["2"]]));
    assert_eq!(rows(json!({"unique_id": node, "cte": "a"})).await, json!([["1"]]));
    assert_eq!(rows(json!({"unique_id": node, "sql": "select '{{ this.name }}' as n"})).await, json!([["m"]]));
    let unsaved = "with c as (select '{{ this.name }}' as n) select 1 from c";
    assert_eq!(rows(json!({"unique_id": node, "sql": unsaved, "cte": "c"})).await, json!([["m"]]));
    assert_eq!(rows(json!({"sql": "select {{ 40 + 2 }} as n"})).await, json!([["42"]]));
    let tested = world.server.post(&format!("{}/environments/dev/test", world.project), json!({})).await;
    assert_eq!(tested["status"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn says_where_in_the_text_an_error_is() {
    let files = [
        PROJECT,
        ("models/m.sql", "with a as (\n  select 1 as x\n), b as (\n  select\n    y\n  from a\n)\nselect * from b"),
        ("macros/wrong.sql", "{% macro wrong() %}\n  nothing\n{% endmacro %}"),
    ];
    let world = World::new("preview_errors", &files).await;
    let node = "model.shop.m";
    let ask = async |body: Value| world.preview(body).await;
    let found = ask(json!({"unique_id": node})).await;
    assert_eq!(failed(&found), json!(["DATABASE_ERROR", "models/m.sql", 5]));
    assert_eq!(ask(json!({"unique_id": node, "cte": "a"})).await["state"], "done");
    assert_eq!(
        failed(&ask(json!({"unique_id": node, "cte": "b"})).await),
        json!(["DATABASE_ERROR", "models/m.sql", 5])
    );
    assert_eq!(failed(&ask(json!({"unique_id": node, "cte": "z"})).await)[0], "CTE_NOT_FOUND");
    // Longer than the file, so that no line of the file can be meant.
    let unsaved = format!("{}select\n  {{{{ 'nothing' }}}}", "-- a line\n".repeat(20));
    let found = ask(json!({"unique_id": node, "sql": unsaved})).await;
    assert_eq!(failed(&found), json!(["DATABASE_ERROR", "models/m.sql", 22]));
    assert_eq!(failed(&ask(json!({"sql": unsaved})).await), json!(["DATABASE_ERROR", "", 22]));
    let found = ask(json!({"unique_id": node, "sql": "select\n  {{ wrong() }}"})).await;
    assert_eq!(failed(&found), json!(["DATABASE_ERROR", "macros/wrong.sql", 2]));
    let found = ask(json!({"unique_id": node, "sql": "select 1\n\nfrom {{ ref('missing') }}"})).await;
    assert_eq!(failed(&found), json!(["REF_NOT_FOUND", "models/m.sql", 3]));
    assert_eq!(failed(&ask(json!({"sql": "select 1\n{{ nonsense( }}"})).await)[1], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_nothing_whatever_a_template_asks() {
    let world = World::new("preview_writes", &[PROJECT, ("models/m.sql", "select 1 as x")]).await;
    assert_eq!(world.run(json!({"command": "run"})).await["outcome"], "succeeded");
    let drop = "drop schema dev cascade";
    let query = |sql: &str| format!("{{% set found = run_query(\"{sql}\") %}}select 1 as x");
    let attempts = [
        format!("select 1 as x; {drop}"),
        query(&format!("select 1; {drop}")),
        query(&format!("commit; {drop}")),
        query(&format!("rollback; begin; {drop}; commit")),
        query(&format!("set transaction read write; {drop}; commit")),
        query(&format!("set session characteristics as transaction read write; {drop}")),
        query("commit"),
        query("set session characteristics as transaction read write"),
        query("set default_transaction_read_only = off"),
        format!("{{% do run_query('commit') %}}{{% do run_query('{drop}') %}}select 1 as x"),
        format!("{{% call statement('s', auto_begin=False) %}}{drop}{{% endcall %}}select 1 as x"),
    ];
    for sql in attempts {
        let preview = world.preview(json!({"sql": sql})).await;
        assert_eq!(preview["state"], "failed", "{sql}: {preview}");
        assert_eq!(world.rows("select x from dev.m").await, [[Some("1".to_owned())]], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_the_columns_that_the_target_has() {
    let files = [
        PROJECT,
        ("models/m.sql", "{{ config(materialized='table') }} select 1::bigint as id, 1.5::numeric(6,2) as \"Price\""),
        ("models/later.sql", "select * from {{ ref('m') }}"),
        ("models/inside.sql", "{{ config(materialized='ephemeral') }} select 1 as x"),
        ("models/sources.yml", "sources:\n  - name: raw\n    tables: [{name: orders, identifier: Orders_1}]\n"),
    ];
    let world = World::new("preview_columns", &files).await;
    world.run(json!({"command": "run", "select": "m"})).await;
    world.rows("alter table dev.m alter id set not null").await;
    world.rows("create schema raw").await;
    world.rows("grant usage on schema raw to public").await;
    world.rows("create table raw.\"Orders_1\" (at timestamptz, tags text[])").await;
    let columns = async |id: &str| world.server.get(&format!("{}/nodes/{id}/columns", world.project)).await;
    let found = columns("model.shop.m").await;
    assert_eq!((&found["state"], &found["schema"], &found["kind"]), (&json!("found"), &json!("dev"), &json!("table")));
    let expected = json!([
        {"name": "id", "type": "bigint", "nullable": false, "ordinal": 1},
        {"name": "Price", "type": "numeric(6,2)", "nullable": true, "ordinal": 2},
    ]);
    assert_eq!(found["columns"], expected);
    let source = columns("source.shop.raw.orders").await;
    assert_eq!(source["columns"][1]["type"], "text[]", "{source}");
    let missing = columns("model.shop.later").await;
    assert_eq!((&missing["state"], &missing["name"]), (&json!("missing"), &json!("later")));

    let refused = async |address: &str| {
        let request = crate::api::server::get(&format!("{}/nodes/{address}", world.project));
        let (status, problem) = world.server.send(request).await;
        (status.as_u16(), crate::api::server::json(&problem)["code"].clone())
    };
    assert_eq!(refused("model.shop.inside/columns").await, (422, json!("NODE_WITHOUT_RELATION")));
    assert_eq!(refused("model.shop.none/columns").await, (404, json!("NODE_NOT_FOUND")));
    assert_eq!(refused("model.shop.m/columns?environment=none").await, (422, json!("ENVIRONMENT_NOT_FOUND")));

    let rename = json!({"type": "rename_node", "unique_id": "model.shop.m", "to": "renamed"});
    let item = json!({"idempotency_key": uuid::Uuid::now_v7(), "base_version": 1, "command": rename});
    world.server.post(&format!("{}/commands", world.project), json!({"commands": [item]})).await;
    let is_renamed = |node: &Value| node["name"] == "renamed" && node["node_key"] == "model.shop.m";
    let graph = format!("{}/graph", world.project);
    world.until(&graph, |graph| graph["nodes"].as_array().unwrap().iter().any(is_renamed)).await;
    let by_key = columns("model.shop.m").await;
    assert_eq!((&by_key["state"], &by_key["name"]), (&json!("missing"), &json!("renamed")), "{by_key}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_the_rows_that_fail_a_test() {
    let files = [
        PROJECT,
        ("models/m.sql", "select n % 3 as n from generate_series(1, 9) as n"),
        ("models/m.yml", "models:\n  - name: m\n    columns: [{name: n, data_tests: [unique, not_null]}]\n"),
    ];
    let world = World::new("preview_failures", &files).await;
    let address = world.request(json!({"command": "build"})).await;
    let run = world.until(&address, |run| run["state"] == "finished").await;
    let id = |name: &str| crate::run::step(&run, name)["unique_id"].as_str().unwrap().to_owned();
    let ask = async |id: &str, limit: i64| {
        let step = format!("{address}/steps/{id}/failures?limit={limit}");
        let asked = world.server.post(&step, json!(null)).await;
        world.answer(&asked).await
    };
    let found = ask(&id("unique_m_n"), 500).await;
    assert_eq!(found["rows"].as_array().map(Vec::len), Some(3), "{found}");
    assert_eq!(found["columns"][0], json!({"name": "unique_field", "type": "int4"}));
    let cut = ask(&id("unique_m_n"), 1).await;
    assert_eq!((cut["rows"].as_array().map(Vec::len), &cut["truncated"]), (Some(1), &json!(true)));
    assert_eq!(ask(&id("not_null_m_n"), 10).await["rows"], json!([]));

    let refused = async |query: &str| {
        let (status, problem) =
            world.server.send(crate::api::server::post(&format!("{address}/steps/{query}"), "null")).await;
        (status.as_u16(), crate::api::server::json(&problem)["code"].clone())
    };
    assert_eq!(refused("model.shop.m/failures").await, (422, json!("STEP_WITHOUT_FAILURES")));
    let range = format!("{}/failures?limit=501", id("unique_m_n"));
    assert_eq!(refused(&range).await, (400, json!("PARAM_RANGE")));
}
