//! The API on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use dvt_dbt::tree::{File, Mode, Tree};
use dvt_domain::import::{Options, take};
use dvt_embedded::postgres::Cluster;
use dvt_gateway::app::App;
use dvt_gateway::{api, archive, live::Live};
use dvt_log::Log;
use dvt_runtime::CancellationToken;
use dvt_store::appender::Appender;
use dvt_store::{Config, Role, Store};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

async fn gateway(database: &str) -> Router {
    let cluster = Cluster::temporary().await;
    let url = cluster.create_database(database).await.unwrap();
    dvt_store::migrate(&url).await.unwrap();
    let store = Store::connect(&Config::of(url), Role::Gateway).await.unwrap();
    let (appender, worker) = Appender::new(&store);
    tokio::spawn(worker.run());
    let (live, follow) = Live::new(store.clone(), CancellationToken::new());
    tokio::spawn(follow);
    let log = Log::default();
    log.publish_schemas(&mut store.acquire().await.unwrap()).await.unwrap();
    api::router(App::new(store, log, appender, live, "local".to_owned()))
}

fn project() -> Tree {
    Tree::from_iter([
        ("dbt_project.yml", File::new(Mode::Regular, *b"\xef\xbb\xbfname: shop # caf\xc3\xa9\r\nodd:   1\r\n")),
        ("models/a.sql", File::new(Mode::Regular, *b"select 1")),
        ("bin/run.sh", File::new(Mode::Executable, *b"#!/bin/sh\n")),
    ])
}

fn import(key: Uuid, zip: Vec<u8>) -> Request<Body> {
    Request::post("/api/v1/projects/import?source=shop.zip")
        .header("content-type", "application/zip")
        .header("idempotency-key", key.to_string())
        .header("dvt-actor", "ada")
        .body(Body::from(zip))
        .unwrap()
}

async fn send(gateway: &Router, request: Request<Body>) -> (StatusCode, Vec<u8>) {
    let response = gateway.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
}

async fn get(gateway: &Router, address: &str) -> Vec<u8> {
    let (status, body) = send(gateway, Request::get(address).body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{address}");
    body
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_back_every_byte_and_mode_of_an_import() {
    let gateway = gateway("gateway_identity").await;
    let zip = archive::write_zip(&project()).unwrap();
    let (status, body) = send(&gateway, import(Uuid::now_v7(), zip)).await;
    assert_eq!(status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&body));
    let report = json(&body);
    assert_eq!((report["name"].as_str(), report["taken"].as_u64()), (Some("shop"), Some(3)));
    assert_eq!(report["node_counts"], serde_json::json!({ "model": 1 }));
    assert_eq!(report["diagnostic_count"], 0, "{report}");
    let base = format!("/api/v1/projects/{}", report["project_id"].as_str().unwrap());
    let download = get(&gateway, &format!("{base}/download")).await;
    let taken = take(archive::read(&download).unwrap(), Options::default()).unwrap();
    assert_eq!(taken.tree, project());
    let history = json(&get(&gateway, &format!("{base}/history")).await);
    assert_eq!(history["events"][0]["summary"], "imported shop.zip");
    assert_eq!(history["events"][0]["actor"], "local:ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_a_repeated_import_as_the_first_and_refuses_the_key_for_another() {
    let gateway = gateway("gateway_idempotency").await;
    let zip = archive::write_zip(&project()).unwrap();
    let key = Uuid::now_v7();
    let first = send(&gateway, import(key, zip.clone())).await;
    assert_eq!(send(&gateway, import(key, zip.clone())).await, first);
    let mut other = project();
    other.insert("b", File::new(Mode::Regular, *b""));
    let (status, body) = send(&gateway, import(key, archive::write_zip(&other).unwrap())).await;
    assert_eq!(
        (status, json(&body)["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("IDEMPOTENCY_KEY_REUSED"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn says_what_is_wrong_with_a_request() {
    let gateway = gateway("gateway_errors").await;
    let get = |address: &str| Request::get(address).body(Body::empty()).unwrap();
    let without_key =
        Request::post("/api/v1/projects/import").header("content-type", "application/zip").body(Body::empty()).unwrap();
    let text = Request::post("/api/v1/projects/import")
        .header("content-type", "text/plain")
        .header("idempotency-key", Uuid::now_v7().to_string())
        .body(Body::empty())
        .unwrap();
    let empty = archive::write_zip(&Tree::default()).unwrap();
    let no_project = archive::write_zip(&Tree::from_iter([("a", File::new(Mode::Regular, *b""))])).unwrap();
    let escaping = archive::write_zip(&Tree::from_iter([("../a", File::new(Mode::Regular, *b""))])).unwrap();
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
        let (got, body) = send(&gateway, request).await;
        let problem = json(&body);
        assert_eq!((got.as_u16(), problem["code"].as_str()), (status, Some(code)), "{address}: {problem}");
    }
    let (_, projects) = send(&gateway, get("/api/v1/projects")).await;
    assert_eq!(json(&projects)["projects"], Value::Array(Vec::new()));
}
