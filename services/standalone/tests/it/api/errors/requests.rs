//! The rows of any write and any read.

use dvt_gateway::archive;

use super::*;

/// B1 to B11, B47, B48, B52.
pub(super) fn any(project: &str) -> Vec<Row> {
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
        row("B7 address", get("/api/v1/projects/%ff/tree"), (400, "TEXT_INVALID", None)),
        row("B7 address NUL", get(&format!("{project}/nodes/%00/history")), (400, "TEXT_INVALID", Some("unique_id"))),
        row("B7 parameter", get(&format!("{project}/selection?select=%00")), (400, "TEXT_INVALID", Some("select"))),
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

/// B11 at every address that writes.
pub(super) fn writes(project: &str) -> Vec<Row> {
    let run = format!("runs/{}/cancel", Uuid::now_v7());
    let paths = ["environments", "exports", "compilations", "publish", "runs", &run];
    let address = |path: &str| format!("{project}/{path}");
    let required = (400, "IDEMPOTENCY_KEY_REQUIRED", Some("Idempotency-Key"));
    paths.iter().map(|path| row("B11", without_key(&address(path), "{}"), required)).collect()
}

/// B12: a key that was used for another request.
pub(super) fn repeated(setting: &Setting) -> Vec<Row> {
    let Setting { shop, used_key, .. } = setting;
    let mut define = post(&format!("{shop}/environments"), &setting::environment("later", "local").to_string());
    define.headers_mut().insert("idempotency-key", used_key.to_string().parse().unwrap());
    let command = json!({"type": "add_file", "path": "a.md", "text": "a"});
    let item = json!({"idempotency_key": used_key, "base_version": 1, "command": command});
    let commands = post(&format!("{shop}/commands"), &json!({"commands": [item]}).to_string());
    let reused = |pointer| (422, "IDEMPOTENCY_KEY_REUSED", Some(pointer));
    vec![
        row("B12", define, reused("Idempotency-Key")),
        row("B12 command", commands, reused("/commands/0/idempotency_key")),
    ]
}
