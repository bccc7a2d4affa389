//! What bad input gets: status, code and pointer, and nothing has changed. Rows are named as the contract names them.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use dvt_dbt::tree::{File, Mode, Tree};
use dvt_gateway::archive;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::{Server, get, import, json, post, zip};

/// Is one row: a name, a request, and what it gets.
struct Row {
    name: &'static str,
    request: Request<Body>,
    expected: (u16, &'static str, Option<&'static str>),
}

/// Reads what `stg_rail__lines` makes.
const DOWNSTREAM: &str = "model.night_trains.dim_lines";

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
        row("B3 import", too_large_import(), (413, "BODY_TOO_LARGE", None)),
        row("B9 run", get(&format!("{project}/runs/7")), (400, "ID_INVALID", Some("run_id"))),
        row("B9 event", get(&format!("{project}/history/7")), (400, "ID_INVALID", Some("event_id"))),
        row("B9 compilation", get(&format!("{project}/compilations/7")), (400, "ID_INVALID", Some("compilation_id"))),
        row("B47 cursor", get(&format!("{project}/history?cursor=x")), (400, "CURSOR_INVALID", Some("cursor"))),
        row("B47 runs", get(&format!("{project}/runs?cursor=0")), (400, "CURSOR_INVALID", Some("cursor"))),
        row("B47 parameter", get(&format!("{project}/runs?limit=x")), (400, "PARAM_INVALID", Some("limit"))),
        row("B48 text", last_event_id("abc"), (400, "CURSOR_INVALID", Some("Last-Event-ID"))),
        row("B48 ahead", last_event_id("99999999"), (409, "CURSOR_AHEAD", Some("Last-Event-ID"))),
        row("B52 method", get("/api/v1/projects/import"), (405, "METHOD_NOT_ALLOWED", None)),
        row("B52 patch", patch(new), (405, "METHOD_NOT_ALLOWED", None)),
        row("B52 dots", get("/api/v1/%2e%2e/projects"), (404, "NOT_FOUND", None)),
        row("B52 slashes", get("/api//v1/projects"), (404, "NOT_FOUND", None)),
    ]
}

/// Sends 1 byte more than an import may have, without holding it.
fn too_large_import() -> Request<Body> {
    const CHUNK: usize = 1024 * 1024;
    let chunk = axum::body::Bytes::from(vec![b'P'; CHUNK]);
    let chunks = std::iter::repeat_n(chunk, archive::ARCHIVE_MAX_BYTES / CHUNK).chain([b"K"[..].into()]);
    let mut request = import(Uuid::now_v7(), Vec::new());
    *request.body_mut() = Body::from_stream(futures::stream::iter(chunks.map(Ok::<_, std::io::Error>)));
    request
}

fn patch(address: &str) -> Request<Body> {
    Request::patch(address).body(Body::empty()).unwrap()
}

/// The rows of every address that writes: B11, B2.
fn writes(project: &str) -> Vec<Row> {
    let run = format!("runs/{}/cancel", Uuid::now_v7());
    let paths = ["environments", "exports", "compilations", "publish", "runs", &run];
    let address = |path: &str| format!("{project}/{path}");
    let required = (400, "IDEMPOTENCY_KEY_REQUIRED", Some("Idempotency-Key"));
    paths.iter().map(|path| row("B11", without_key(&address(path), "{}"), required)).collect()
}

/// The rows of the graph: B16 to B22.
fn graph(project: &str) -> Vec<Row> {
    let lines = "model.night_trains.stg_rail__lines";
    let stations = "model.night_trains.stg_rail__stations";
    let source = "source.night_trains.rail.lines";
    let connect = |from: &str, to: &str| edit(project, json!({"type": "connect", "from": from, "to": to}));
    let rename = |to: &str| edit(project, json!({"type": "rename_node", "unique_id": lines, "to": to}));
    let at = |field: &'static str| Some(field);
    let alias = json!({"type": "configure", "unique_id": lines, "key": "alias", "value": "stg_rail__stations"});
    let add = |sql: &str| edit(project, json!({"type": "add_node", "name": "extra", "sql": sql}));
    vec![
        row("B16 to", connect(lines, "model.x.y"), (422, "NODE_NOT_FOUND", at("/commands/0/command/to"))),
        row("B16 from", connect("model.x.y", lines), (422, "NODE_NOT_FOUND", at("/commands/0/command/from"))),
        row("B17", connect(DOWNSTREAM, lines), (422, "GRAPH_CYCLE", at("/commands/0/command/to"))),
        row("B18 self", connect(lines, lines), (422, "EDGE_SELF", at("/commands/0/command/to"))),
        row("B18 duplicate", connect(source, lines), (422, "EDGE_DUPLICATE", at("/commands/0/command/to"))),
        row("B20", edit(project, alias), (422, "RELATION_CLASH", at("/commands/0"))),
        row("B21", rename("\"; drop table x; --"), (422, "IDENTIFIER_INVALID", at("/commands/0/command/to"))),
        row("B22", rename(&"é".repeat(32)), (422, "IDENTIFIER_TOO_LONG", at("/commands/0/command/to"))),
        row(
            "a name that is taken",
            rename("stg_rail__stations"),
            (422, "MODEL_DUPLICATE", at("/commands/0/command/to")),
        ),
        row("B30", add("select * from {{ ref('missing') }}"), (422, "REF_NOT_FOUND", at("/commands/0"))),
        row("B31", add("select 1 {% if x %}"), (422, "TEMPLATE_SYNTAX", at("/commands/0"))),
        row(
            "B16 target",
            connect(stations, "exposure.night_trains.none"),
            (422, "NODE_NOT_FOUND", at("/commands/0/command/to")),
        ),
    ]
}

/// The rows of commands: B14 and B15.
fn commands(project: &str) -> Vec<Row> {
    let lines = "model.night_trains.stg_rail__lines";
    let rename = |to: &str| json!({"type": "rename_node", "unique_id": lines, "to": to});
    let without_base = json!({"idempotency_key": Uuid::now_v7(), "command": rename("x")});
    let without_base = post(&format!("{project}/commands"), &json!({"commands": [without_base]}).to_string());
    let empty = post(&format!("{project}/commands"), r#"{"commands": []}"#);
    vec![
        row("no base", without_base, (400, "BASE_VERSION_REQUIRED", Some("/commands/0/base_version"))),
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
        row("B19", packed([project(), text("models/a.yml", many_tables())]), (422, "GRAPH_TOO_LARGE", None)),
        row("B35", packed([project(), text("../../etc/passwd", "")]), (422, "IMPORT_PATH", None)),
        row("B35 absolute", packed([project(), text("/etc/passwd", "")]), (422, "IMPORT_PATH", None)),
        row("B35 link", tar_with_a_link(), (422, "IMPORT_PATH", None)),
        row("B36 encrypted", encrypted(), (422, "IMPORT_ENCRYPTED", None)),
        row("B36 entries", packed(many), (422, "IMPORT_TOO_LARGE", None)),
        row("B36 bomb", packed(bomb), (422, "IMPORT_TOO_LARGE", None)),
        row("B37 empty", packed([]), (422, "IMPORT_EMPTY", None)),
        row("B37 format", import(Uuid::now_v7(), b"hello".to_vec()), (422, "IMPORT_FORMAT", None)),
        row("B37 project", packed([text("a.sql", "select 1")]), (422, "IMPORT_NO_PROJECT", None)),
        row("roots", packed(two), (422, "IMPORT_ROOT", Some("root"))),
    ]
}

fn many_tables() -> String {
    let tables: String = (0..20_001).map(|at| format!("      - name: t{at}\n")).collect();
    format!("sources:\n  - name: raw\n    tables:\n{tables}")
}

fn tar_with_a_link() -> Request<Body> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut file = tar::Header::new_gnu();
    file.set_size(0);
    file.set_mode(0o644);
    tar.append_data(&mut file, "dbt_project.yml", std::io::empty()).unwrap();
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    tar.append_link(&mut link, "models/a.sql", "/etc/passwd").unwrap();
    let mut request = import(Uuid::now_v7(), tar.into_inner().unwrap().finish().unwrap());
    request.headers_mut().insert("content-type", "application/gzip".parse().unwrap());
    request
}

/// An archive whose first entry says that it is encrypted.
fn encrypted() -> Request<Body> {
    const LOCAL_FLAGS: usize = 6;
    const CENTRAL_FLAGS: usize = 8;
    let mut bytes = zip(&Tree::from_iter([text("dbt_project.yml", "name: shop")]));
    let central = bytes.windows(4).position(|found| found == b"PK\x01\x02").unwrap();
    for flags in [LOCAL_FLAGS, central + CENTRAL_FLAGS] {
        bytes[flags] |= 1;
    }
    import(Uuid::now_v7(), bytes)
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
    let rows = [requests(&project), writes(&project), commands(&project), graph(&project), imports(), runs(&project)];
    let mut wrong = Vec::new();
    for Row { name, request, expected } in rows.into_iter().flatten() {
        let (status, body) = server.send(request).await;
        let (status, got) = problem(status, &body);
        let text = |key: &str| got[key].as_str();
        if (status, text("code"), text("pointer")) != (expected.0, Some(expected.1), expected.2) {
            wrong.push(format!("{name}: expected {expected:?}, got {status} {got}"));
        }
        if ["type", "title", "detail", "trace_id", "docs"].iter().any(|member| text(member).is_none_or(str::is_empty)) {
            wrong.push(format!("{name}: a member is missing in {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((server.get(&history).await, server.get("/api/v1/projects").await), before);
}
