//! Import: every byte back, every refusal named.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use dvt_dbt::tree::{File, Mode, Tree};
use dvt_domain::import::{Options, take};
use dvt_gateway::archive;
use serde_json::Value;
use uuid::Uuid;

use super::server::{Server, get, import, json, zip};

fn project() -> Tree {
    Tree::from_iter([
        ("dbt_project.yml", File::new(Mode::Regular, *b"\xef\xbb\xbfname: shop # caf\xc3\xa9\r\nodd:   1\r\n")),
        ("models/a.sql", File::new(Mode::Regular, *b"select 1")),
        ("bin/run.sh", File::new(Mode::Executable, *b"#!/bin/sh\n")),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_back_every_byte_and_mode_of_an_import() {
    let server = Server::start("gateway_identity").await;
    let (status, body) = server.send(import(Uuid::now_v7(), zip(&project()))).await;
    assert_eq!(status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&body));
    let report = json(&body);
    assert_eq!((report["name"].as_str(), report["taken"].as_u64()), (Some("shop"), Some(3)));
    assert_eq!(report["node_counts"], serde_json::json!({ "model": 1 }));
    assert_eq!(report["diagnostic_count"], 0, "{report}");
    let base = format!("/api/v1/projects/{}", report["project_id"].as_str().unwrap());
    let (_, download) = server.send(get(&format!("{base}/download"))).await;
    let taken = take(archive::read(&download).unwrap(), Options::default()).unwrap();
    assert_eq!(taken.tree, project());
    let history = server.get(&format!("{base}/history")).await;
    assert_eq!(history["events"][0]["summary"], "imported shop.zip");
    assert_eq!(history["events"][0]["actor"], "local:ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_a_repeated_import_as_the_first_and_refuses_the_key_for_another() {
    let server = Server::start("gateway_idempotency").await;
    let (key, packed) = (Uuid::now_v7(), zip(&project()));
    let first = server.send(import(key, packed.clone())).await;
    assert_eq!(server.send(import(key, packed)).await, first);
    let mut other = project();
    other.insert("b", File::new(Mode::Regular, *b""));
    let (status, body) = server.send(import(key, zip(&other))).await;
    assert_eq!(
        (status, json(&body)["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("IDEMPOTENCY_KEY_REUSED"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_is_wrong_with_a_request() {
    let server = Server::start("gateway_errors").await;
    let without_key =
        Request::post("/api/v1/projects/import").header("content-type", "application/zip").body(Body::empty()).unwrap();
    let text = Request::post("/api/v1/projects/import")
        .header("content-type", "text/plain")
        .header("idempotency-key", Uuid::now_v7().to_string())
        .body(Body::empty())
        .unwrap();
    let empty = zip(&Tree::default());
    let no_project = zip(&Tree::from_iter([("a", File::new(Mode::Regular, *b""))]));
    let escaping = zip(&Tree::from_iter([("../a", File::new(Mode::Regular, *b""))]));
    let unknown = format!("/api/v1/projects/{}/tree", Uuid::now_v7());
    for (request, status, code) in [
        (get("/api/v1/nothing"), 404, "NOT_FOUND"),
        (get("/api/v1/projects/not-a-uuid/tree"), 400, "ID_INVALID"),
        (get(&unknown), 404, "NOT_FOUND"),
        (get("/api/v1/projects/import"), 405, "METHOD_NOT_ALLOWED"),
        (without_key, 400, "IDEMPOTENCY_KEY_REQUIRED"),
        (text, 415, "CONTENT_TYPE"),
        (import(Uuid::now_v7(), empty), 422, "IMPORT_EMPTY"),
        (import(Uuid::now_v7(), b"hello".to_vec()), 422, "IMPORT_FORMAT"),
        (import(Uuid::now_v7(), no_project), 422, "IMPORT_NO_PROJECT"),
        (import(Uuid::now_v7(), escaping), 422, "IMPORT_PATH"),
    ] {
        let address = format!("{} {}", request.method(), request.uri());
        let (got, body) = server.send(request).await;
        let problem = json(&body);
        assert_eq!((got.as_u16(), problem["code"].as_str()), (status, Some(code)), "{address}: {problem}");
    }
    assert_eq!(server.get("/api/v1/projects").await["projects"], Value::Array(Vec::new()));
}
