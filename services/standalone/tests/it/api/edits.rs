//! Edits: applied once, in order, each answered by itself; stale ones are merged or refused.

use serde_json::{Value, json};
use uuid::Uuid;

use super::server::Server;

const LINES: &str = "model.night_trains.stg_rail__lines";

fn command(base_version: i64, command: Value) -> Value {
    json!({"idempotency_key": Uuid::now_v7(), "base_version": base_version, "command": command})
}

async fn apply(server: &Server, project: &str, commands: &[&Value]) -> Vec<Value> {
    let answer = server.post(&format!("{project}/commands"), json!({"commands": commands})).await;
    answer["results"].as_array().unwrap().clone()
}

async fn sql(server: &Server, project: &str) -> String {
    let node = server.get(&format!("{project}/nodes/{LINES}")).await;
    node["file"]["text"].as_str().unwrap().to_owned()
}

fn set_sql(base_version: i64, sql: &str) -> Value {
    command(base_version, json!({"type": "set_sql", "unique_id": LINES, "sql": sql}))
}

#[tokio::test(flavor = "multi_thread")]
async fn applies_an_edit_once_and_shows_it_in_the_history() {
    let server = Server::start("gateway_edit").await;
    let project = server.sample().await;
    let edited = format!("-- looked at\n{}", sql(&server, &project).await);
    let edit = set_sql(1, &edited);
    let first = apply(&server, &project, &[&edit]).await;
    assert_eq!((&first[0]["version"], &first[0]["files"][0]["added"]), (&json!(2), &json!(1)), "{first:?}");
    assert_eq!(apply(&server, &project, &[&edit]).await, first);
    assert_eq!(sql(&server, &project).await, edited);

    let history = server.get(&format!("{project}/history")).await;
    let event = &history["events"][0];
    assert_eq!((&event["type"], &event["actor"]), (&json!("NodeSqlChanged"), &json!("local:ada")));
    let detail = server.get(&format!("{project}/history/{}", event["event_id"].as_str().unwrap())).await;
    assert!(detail["diff"][0]["unified"].as_str().unwrap().contains("+-- looked at"), "{detail}");
    let of_node = server.get(&format!("{project}/nodes/{LINES}/history?min_position={}", event["position"])).await;
    assert_eq!(of_node["events"][0]["event_id"], event["event_id"]);
    let earlier = server.get(&format!("{project}/nodes/{LINES}?at_version=1")).await;
    assert!(!earlier["file"]["text"].as_str().unwrap().contains("looked at"));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_each_command_by_itself_in_order() {
    let server = Server::start("gateway_batch").await;
    let project = server.sample().await;
    let add = |path: &str| command(1, json!({"type": "add_file", "path": path, "text": "select 1"}));
    let (good, bad) = (add("models/a.sql"), add("../a.sql"));
    let place = json!({"idempotency_key": Uuid::now_v7(), "command": {"type": "place_node", "node_key": LINES, "x": 3.5, "y": -1}});
    let results = apply(&server, &project, &[&good, &bad, &good, &place]).await;
    assert_eq!(results[0]["version"], 2, "{results:?}");
    assert_eq!(
        (&results[1]["code"], &results[1]["pointer"]),
        (&json!("PATH_INVALID"), &json!("/commands/1/command/path"))
    );
    assert_eq!(results[2], results[0]);
    assert_eq!(results[3]["version"], 1, "{results:?}");
    let graph = server.get(&format!("{project}/graph")).await;
    let pinned = graph["nodes"].as_array().unwrap().iter().find(|node| node["unique_id"] == LINES).unwrap();
    assert_eq!((&pinned["x"], &pinned["y"]), (&json!(3.5), &json!(-1.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_a_stale_edit_of_other_lines_and_refuses_one_of_the_same() {
    let server = Server::start("gateway_stale").await;
    let project = server.sample().await;
    let before = sql(&server, &project).await;
    let top = set_sql(1, &format!("-- top\n{before}"));
    let bottom = set_sql(1, &format!("{before}-- bottom\n"));
    let other_top = set_sql(1, &format!("-- other\n{before}"));
    let results = apply(&server, &project, &[&top, &bottom, &other_top]).await;
    assert_eq!((&results[0]["version"], &results[1]["version"]), (&json!(2), &json!(3)), "{results:?}");
    assert_eq!(sql(&server, &project).await, format!("-- top\n{before}-- bottom\n"));
    let conflict = &results[2];
    assert_eq!((&conflict["status"], &conflict["code"]), (&json!(409), &json!("EDIT_CONFLICT")), "{conflict}");
    assert_eq!((&conflict["actor"], &conflict["mine"]), (&json!("local:ada"), &json!("-- other\n")), "{conflict}");
}
