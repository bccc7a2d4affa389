//! What bad input gets: status, code and pointer, and nothing has changed.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use dvt_dbt::tree::{File, Mode, Tree};
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Server, get, import, json, post, zip};

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

fn archive(files: impl IntoIterator<Item = (String, File)>) -> Request<Body> {
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

/// The rows of any write and any read: B1 to B11, B47, B48, B52.
fn requests(project: &str) -> Vec<Row> {
    let new = "/api/v1/projects";
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(4 * 1024 * 1024));
    let plain = Request::post(new)
        .header("content-type", "text/plain")
        .header("idempotency-key", Uuid::now_v7().to_string())
        .body(Body::from("{}"))
        .unwrap();
    let last_event_id =
        |id: &str| Request::get(format!("{project}/stream")).header("last-event-id", id).body(Body::empty()).unwrap();
    let not_utf8 = Request::post(new)
        .header("content-type", "application/json")
        .header("idempotency-key", Uuid::now_v7().to_string())
        .body(Body::from(&b"{\"name\": \"\xff\"}"[..]))
        .unwrap();
    let random = format!("{new}/{}", Uuid::now_v7());
    vec![
        row("B1", post(new, r#"{"name": "x""#), (400, "JSON_INVALID", None)),
        row("B2", plain, (415, "CONTENT_TYPE", Some("Content-Type"))),
        row("B3", post(new, &large), (413, "BODY_TOO_LARGE", None)),
        row("B4", post(new, r#"{"nmae": "x"}"#), (422, "FIELD_UNKNOWN", Some("/nmae"))),
        row("B4 missing", post(new, "{}"), (422, "FIELD_MISSING", Some("/name"))),
        row("B5", post(new, r#"{"name": "x", "name": "y"}"#), (400, "JSON_DUPLICATE_KEY", Some("/name"))),
        row("B6", post(new, &nested), (400, "JSON_TOO_DEEP", None)),
        row("B7 UTF-8", not_utf8, (400, "TEXT_INVALID", Some(""))),
        row("B7 surrogate", post(new, r#"{"name": "\ud800"}"#), (400, "TEXT_INVALID", Some("/name"))),
        row("B7 NUL", post(new, r#"{"name": "\u0000"}"#), (400, "TEXT_INVALID", Some("/name"))),
        row("B8 float", post(new, r#"{"name": 1e400}"#), (422, "NUMBER_RANGE", Some("/name"))),
        row("B8 int", post(new, r#"{"name": 9223372036854775808}"#), (422, "NUMBER_RANGE", Some("/name"))),
        row("B9", get("/api/v1/projects/not-a-uuid/tree"), (400, "ID_INVALID", Some("project"))),
        row("B10", get(&random), (404, "NOT_FOUND", None)),
        row("B10 tree", get(&format!("{random}/tree")), (404, "NOT_FOUND", None)),
        row("B11", without_key(new, r#"{"name": "x"}"#), (400, "IDEMPOTENCY_KEY_REQUIRED", Some("Idempotency-Key"))),
        row("B47 low", get(&format!("{project}/history?limit=0")), (400, "PARAM_RANGE", Some("limit"))),
        row("B47 high", get(&format!("{project}/history?limit=100000")), (400, "PARAM_RANGE", Some("limit"))),
        row("B47 cursor", get(&format!("{project}/history?cursor=x")), (400, "PARAM_INVALID", None)),
        row("B48 text", last_event_id("abc"), (400, "CURSOR_INVALID", Some("Last-Event-ID"))),
        row("B48 ahead", last_event_id("99999999"), (409, "CURSOR_AHEAD", Some("Last-Event-ID"))),
        row("B52 method", get("/api/v1/projects/import"), (405, "METHOD_NOT_ALLOWED", None)),
        row("B52 dots", get("/api/v1/%2e%2e/projects"), (404, "NOT_FOUND", None)),
        row("B52 slashes", get("/api//v1/projects"), (404, "NOT_FOUND", None)),
    ]
}

/// The rows of commands: B14 to B22.
fn commands(project: &str) -> Vec<Row> {
    let lines = "model.night_trains.stg_rail__lines";
    let rename = |to: &str| json!({"type": "rename_node", "unique_id": lines, "to": to});
    let empty = post(&format!("{project}/commands"), r#"{"commands": []}"#);
    vec![
        row("no commands", empty, (400, "PARAM_RANGE", Some("/commands"))),
        row("B14 ahead", edit_on(project, 99, rename("x")), (409, "VERSION_AHEAD", Some("/commands/0/base_version"))),
        row("B15", edit(project, json!({"type": "paint"})), (422, "COMMAND_UNKNOWN", Some("/commands/0/command"))),
        row(
            "no node",
            edit(project, json!({"type": "set_sql", "unique_id": "model.x.y", "sql": "select 1"})),
            (422, "NODE_NOT_FOUND", Some("/commands/0/command/unique_id")),
        ),
        row(
            "place",
            edit(project, json!({"type": "place_node", "node_key": lines, "x": 1e9, "y": 0})),
            (422, "NUMBER_RANGE", Some("/commands/0/command/x")),
        ),
    ]
}

/// The rows of imports: B35 to B37.
fn imports() -> Vec<Row> {
    let project = || text("dbt_project.yml", "name: shop");
    let many = (0..10_001).map(|at| text(&format!("models/{at}.sql"), "select 1")).chain([project()]);
    let two = [text("a/dbt_project.yml", "name: a"), text("b/dbt_project.yml", "name: b")];
    let bomb = [project(), text("seeds/zeros.csv", vec![b'0'; 300 * 1024 * 1024])];
    vec![
        row("B35", archive([project(), text("../../etc/passwd", "")]), (422, "IMPORT_PATH", None)),
        row("B36 entries", archive(many), (422, "IMPORT_TOO_LARGE", None)),
        row("B36 bomb", archive(bomb), (422, "IMPORT_TOO_LARGE", None)),
        row("B37 empty", archive([]), (422, "IMPORT_EMPTY", None)),
        row("B37 format", import(Uuid::now_v7(), b"hello".to_vec()), (422, "IMPORT_FORMAT", None)),
        row("B37 project", archive([text("a.sql", "select 1")]), (422, "IMPORT_NO_PROJECT", None)),
        row("roots", archive(two), (422, "IMPORT_ROOT", Some("root"))),
    ]
}

/// The rows of runs: B44, B46 and their kind.
fn runs(project: &str) -> Vec<Row> {
    let new = format!("{project}/runs");
    let unknown = format!("{new}/{}", Uuid::now_v7());
    vec![
        row("B44", get(&unknown), (404, "NOT_FOUND", None)),
        row("cancel", post(&format!("{unknown}/cancel"), "null"), (404, "NOT_FOUND", None)),
        row("threads", post(&new, r#"{"threads": 0}"#), (422, "NUMBER_RANGE", Some("/threads"))),
        row(
            "environment",
            post(&new, r#"{"environment": "moon"}"#),
            (422, "ENVIRONMENT_NOT_FOUND", Some("environment")),
        ),
        row("selection", post(&new, r#"{"select": "nothing"}"#), (422, "SELECTION_EMPTY", Some("/select"))),
        row("command", post(&new, r#"{"command": "docs"}"#), (422, "COMMAND_UNKNOWN", Some("/command"))),
    ]
}

/// Answers the problem of a response: its body, or the first result of commands.
fn problem(status: StatusCode, body: &[u8]) -> (u16, Value) {
    let answer = json(body);
    match answer.pointer("/results/0") {
        Some(result) => (result["status"].as_u64().unwrap_or(200) as u16, result.clone()),
        None => (status.as_u16(), answer),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_clear_error_and_changes_nothing() {
    let server = Server::start("gateway_bad_input").await;
    let project = server.sample().await;
    let history = format!("{project}/history");
    let before = (server.get(&history).await, server.get("/api/v1/projects").await);
    let rows = [requests(&project), commands(&project), imports(), runs(&project)];
    let mut wrong = Vec::new();
    for Row { name, request, expected } in rows.into_iter().flatten() {
        let (status, body) = server.send(request).await;
        let (status, got) = problem(status, &body);
        let text = |key: &str| got[key].as_str();
        if (status, text("code"), text("pointer")) != (expected.0, Some(expected.1), expected.2) {
            wrong.push(format!("{name}: expected {expected:?}, got {status} {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((server.get(&history).await, server.get("/api/v1/projects").await), before);
}
