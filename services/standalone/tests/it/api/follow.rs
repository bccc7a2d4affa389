//! What a request leaves behind: its place in a trace, and numbers.

use axum::body::Body;
use axum::http::Request;
use dvt_embedded::postgres::Cluster;
use dvt_runtime::metrics;
use dvt_store::{Config, Role, Store, event};
use serde_json::json;
use uuid::Uuid;

use super::server::{self, Server};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_known_by_the_trace_it_came_with() {
    let database = "gateway_follow";
    let server = Server::start(database).await;
    let project = server.sample().await;

    let nowhere = Request::get(format!("/api/v1/projects/{}", Uuid::now_v7())).header("traceparent", CALLER);
    let (_, problem) = server.send(nowhere.body(Body::empty()).unwrap()).await;
    assert_eq!(server::json(&problem)["trace_id"], TRACE);
    let routed = "dvt_http_requests_total{method=\"GET\",route=\"/api/v1/projects/{project}\",status=\"404\"}";
    assert!(metrics::render().contains(routed), "{}", metrics::render());

    let add = json!({"type": "add_file", "path": "models/here.sql", "text": "select 1"});
    let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": 1, "command": add});
    let mut edit = server::post(&format!("{project}/commands"), &json!({"commands": [item]}).to_string());
    edit.headers_mut().insert("traceparent", CALLER.parse().unwrap());
    let (_, done) = server.send(edit).await;
    let position = server::json(&done)["results"][0]["position"].as_i64().unwrap();
    let store = Store::connect(&Config::of(Cluster::temporary().await.url(database)), Role::Gateway).await.unwrap();
    let recorded = event::list_at(&mut store.acquire().await.unwrap(), &[position]).await.unwrap();
    assert_eq!(recorded[0].traceparent.as_deref(), Some(CALLER), "whatever follows hangs below the request");
}
