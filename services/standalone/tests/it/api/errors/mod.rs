//! What bad input gets: status, code and pointer, and nothing has changed. Rows are named as the contract names them.

mod edits;
mod imports;
mod requests;
mod runs;
mod setting;
mod twice;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use dvt_dbt::tree::{File, Mode, Tree};
use dvt_embedded::postgres::Cluster;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use uuid::Uuid;

use super::server::{Server, get, import, json, post, zip};
use setting::Setting;

/// Is one row: a name, a request, and what it gets.
struct Row {
    name: &'static str,
    request: Request<Body>,
    expected: (u16, &'static str, Option<&'static str>),
}

fn row(name: &'static str, request: Request<Body>, expected: (u16, &'static str, Option<&'static str>)) -> Row {
    Row { name, request, expected }
}

fn text(path: &str, content: impl Into<Vec<u8>>) -> (String, File) {
    (path.to_owned(), File::new(Mode::Regular, content.into()))
}

fn without_key(address: &str, body: &str) -> Request<Body> {
    Request::post(address).header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap()
}

fn packed(files: impl IntoIterator<Item = (String, File)>) -> Request<Body> {
    import(Uuid::now_v7(), zip(&Tree::from_iter(files)))
}

/// Sends one edit made on version 1.
fn edit(project: &str, command: Value) -> Request<Body> {
    edit_on(project, 1, command)
}

fn edit_on(project: &str, base_version: i64, command: Value) -> Request<Body> {
    let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": base_version, "command": command});
    post(&format!("{project}/commands"), &json!({"commands": [item]}).to_string())
}

/// Answers the problem of a response: its body, the first result of commands, or why a connection test failed.
fn problem(status: StatusCode, body: &[u8]) -> (u16, Value) {
    let answer = json(body);
    match answer.pointer("/results/0") {
        Some(result) => (result["status"].as_u64().unwrap_or(200) as u16, result.clone()),
        None => (status.as_u16(), answer),
    }
}

/// Says how an answer differs from what the row expects.
fn difference(name: &str, (status, got): (u16, &Value), expected: (u16, &str, Option<&str>)) -> Option<String> {
    let text = |key: &str| got[key].as_str();
    if (status, text("code"), text("pointer")) != (expected.0, Some(expected.1), expected.2) {
        return Some(format!("{name}: expected {expected:?}, got {status} {got}"));
    }
    let members = ["type", "title", "detail", "trace_id", "docs"].iter().filter(|_| status >= 400);
    let missing = members.filter(|member| text(member).is_none_or(str::is_empty)).count();
    let shows_password = got.to_string().contains(setting::PASSWORD);
    (missing > 0 || shows_password).then(|| format!("{name}: a member is missing, or says too much, in {got}"))
}

/// Counts what is in the log.
async fn events(database: &str) -> Vec<Vec<Option<String>>> {
    Cluster::temporary().await.query(database, "select count(*) from dvt.event").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_clear_error_and_changes_nothing() {
    let database = "gateway_bad_input";
    let server = Server::start(database).await;
    let setting = Setting::make(&server, database).await;
    let project = &setting.sample;
    let before = (events(database).await, server.get("/api/v1/projects").await);
    let rows = [
        requests::any(project),
        requests::writes(project),
        requests::repeated(&setting),
        edits::commands(project),
        edits::graph(project),
        edits::sql(project),
        edits::other(&setting),
        imports::all(),
        runs::runs(&setting),
        runs::targets(&setting),
    ];
    let mut wrong = Vec::new();
    for Row { name, request, expected } in rows.into_iter().flatten() {
        let (status, body) = server.send(request).await;
        let (status, got) = problem(status, &body);
        wrong.extend(difference(name, (status, &got), expected));
    }
    wrong.extend(too_fast(database).await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((events(database).await, server.get("/api/v1/projects").await), before);
}

/// The row B51: sends requests to a gateway that takes one in a second, until it refuses one.
async fn too_fast(database: &str) -> Option<String> {
    let server = Server::limited(database, NonZeroU32::MIN).await;
    loop {
        let response = server.open(get("/api/v1/projects")).await;
        if response.status() == StatusCode::OK {
            continue;
        }
        assert_eq!(response.headers()["retry-after"], "1");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let (status, got) = problem(status, &body);
        assert_eq!(got["limit"], 1);
        return difference("B51", (status, &got), (429, "RATE_LIMITED", None));
    }
}
