//! Runs that follow another: what did not succeed in it, and what has changed since.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::server::{json as read, post};
use crate::run::{PROJECT, World};

/// Answers name and state of each step.
fn steps(run: &Value) -> Vec<String> {
    let steps = run["steps"].as_array().unwrap().iter();
    steps.map(|step| format!("{} {}", step["name"].as_str().unwrap(), step["state"].as_str().unwrap())).collect()
}

impl World {
    async fn refused(&self, body: Value) -> (u16, Value) {
        let request = post(&format!("{}/runs", self.project), &body.to_string());
        let (status, problem) = self.server.send(request).await;
        (status.as_u16(), read(&problem)["code"].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_takes_what_did_not_succeed() {
    let files = [
        PROJECT,
        ("models/good.sql", "select 1 as x"),
        (
            "models/bad.sql",
            "{{ config(materialized='table') }} select x / (select count(*) from raw.flag) as x from {{ ref('good') }}",
        ),
        ("models/after.sql", "select * from {{ ref('bad') }}"),
        ("models/other.sql", "select * from {{ ref('good') }}"),
        ("models/m.yml", "models:\n  - name: bad\n    columns: [{name: x, data_tests: [unique]}]\n"),
    ];
    let world = World::new("rerun_retry", &files).await;
    for sql in [
        "create schema raw",
        "create table raw.flag (x int)",
        "grant usage on schema raw to public",
        "grant select on raw.flag to public",
    ] {
        world.rows(sql).await;
    }
    let first = world.request(json!({"command": "build", "exclude": "other", "full_refresh": true})).await;
    let first = world.until(&first, |run| run["state"] == "finished").await;
    assert_eq!(steps(&first), ["good succeeded", "bad failed", "unique_bad_x skipped", "after skipped"]);
    world.rows("insert into raw.flag values (1)").await;
    let retry = json!({"retry": first["run_id"], "threads": 1});
    let second = world.run(retry).await;
    assert_eq!(steps(&second), ["bad succeeded", "unique_bad_x succeeded", "after succeeded"]);
    assert_eq!(
        (&second["command"], &second["full_refresh"], &second["threads"]),
        (&json!("build"), &json!(true), &json!(1))
    );
    assert_eq!(second["exclude"], "other");
    assert_eq!(second["steps"][0]["reason"], "did not succeed in the run before");

    assert_eq!(world.refused(json!({"retry": second["run_id"]})).await, (422, json!("RETRY_EMPTY")));
    assert_eq!(world.refused(json!({"retry": first["run_id"], "select": "x"})).await, (422, json!("FIELD_CONFLICT")));
    assert_eq!(world.refused(json!({"retry": Uuid::now_v7()})).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_what_has_changed_since_the_last() {
    let files = [
        PROJECT,
        ("models/a.sql", "select 1 as x"),
        ("models/b.sql", "select * from {{ ref('a') }}"),
        ("models/c.sql", "select 2 as x"),
    ];
    let world = World::new("rerun_changed", &files).await;
    let changed = json!({"command": "run", "select": "state:modified+"});
    assert_eq!(world.refused(changed.clone()).await, (422, json!("STATE_UNKNOWN")));
    world.run(json!({"command": "run"})).await;
    assert_eq!(world.refused(changed.clone()).await, (422, json!("SELECTION_EMPTY")));
    let edit = json!({"type": "set_sql", "unique_id": "model.shop.a", "sql": "select 3 as x"});
    let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": 1, "command": edit});
    let answer = world.server.post(&format!("{}/commands", world.project), json!({"commands": [item]})).await;
    assert_eq!(answer["results"][0]["version"], 2, "{answer}");
    let selection = format!("{}/selection?select=state:modified%2B", world.project);
    assert_eq!(world.server.get(&selection).await["unique_ids"], json!(["model.shop.a", "model.shop.b"]));
    let run = world.run(changed.clone()).await;
    assert_eq!(steps(&run), ["a succeeded", "b succeeded"]);
    assert_eq!(run["steps"][0]["reason"], "selected by `state:modified+`");
    assert_eq!(world.rows("select x from dev.b").await, [[Some("3".to_owned())]]);
    assert_eq!(world.refused(changed).await, (422, json!("SELECTION_EMPTY")));
}
