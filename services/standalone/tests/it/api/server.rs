//! A gateway on a database of its own, with the views behind it.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use dvt_bus::view::Wakes;
use dvt_embedded::postgres::Cluster;
use dvt_gateway::app::{App, Outside, Target, Waits};
use dvt_gateway::http::guard::Guard;
use dvt_gateway::{api, archive, live::Live};
use dvt_log::Log;
use dvt_runtime::{CancellationToken, Health};
use dvt_store::appender::Appender;
use dvt_store::{Config, Role, Store};
use serde_json::Value;
use std::num::NonZeroU32;
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;

/// How long what is waited for may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends requests to one gateway.
pub(crate) struct Server(Router);

impl Server {
    pub(crate) async fn start(database: &str) -> Self {
        let cluster = Cluster::temporary().await;
        let url = cluster.create_database(database).await.unwrap();
        dvt_store::migrate(&url).await.unwrap();
        let runtime = dvt_runtime::Config { admin_addr: None, shutdown_grace: Duration::from_secs(1) };
        let projector = dvt_projector::Config { store: Config::of(url), bus: dvt_bus::Config::default(), runtime };
        tokio::spawn(dvt_projector::run(projector, CancellationToken::new()));
        Self::beside(database).await
    }

    /// Starts one more gateway on a database that has one.
    pub(crate) async fn beside(database: &str) -> Self {
        Self::limited(database, NonZeroU32::MAX).await
    }

    /// Starts one more gateway that takes so many requests of an actor in a second.
    pub(crate) async fn limited(database: &str, limit: NonZeroU32) -> Self {
        let url = Cluster::temporary().await.url(database);
        let store = Store::connect(&Config::of(url), Role::Gateway).await.unwrap();
        let (appender, worker) = Appender::new(&store);
        tokio::spawn(worker.run());
        let (live, follow) = Live::new(store.clone(), Health::default().signal("log"), CancellationToken::new());
        tokio::spawn(follow);
        let log = Log::default();
        log.publish_schemas(&mut store.acquire().await.unwrap()).await.unwrap();
        let (wakes, _) = Wakes::new(&dvt_bus::Config::default(), CancellationToken::new());
        let target = Target { name: "local".to_owned(), database: "warehouse".to_owned() };
        let outside = Outside { target, clone_url: None };
        let app = App::new(store, log, appender, Waits { live, wakes }, outside);
        Self(api::router(app, Guard::new(limit, Vec::new())))
    }

    /// Sends a request and answers the response with its headers, its body unread.
    pub(crate) async fn open(&self, request: Request<Body>) -> Response<Body> {
        self.0.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, Vec<u8>) {
        let response = self.open(request).await;
        let status = response.status();
        (status, to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    /// Reads what is there.
    pub(crate) async fn get(&self, address: &str) -> Value {
        let (status, body) = self.send(get(address)).await;
        assert_eq!(status, StatusCode::OK, "{address}: {}", String::from_utf8_lossy(&body));
        json(&body)
    }

    /// Waits until what an address answers is as wanted.
    pub(crate) async fn until(&self, address: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let look = async {
            loop {
                let found = self.get(address).await;
                if wanted(&found) {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("{address} does not come to it"))
    }

    /// Writes what is accepted.
    pub(crate) async fn post(&self, address: &str, body: Value) -> Value {
        let (status, answer) = self.send(post(address, &body.to_string())).await;
        assert!(status.is_success(), "{address}: {status} {}", String::from_utf8_lossy(&answer));
        json(&answer)
    }

    /// Imports the sample and answers the address of its project, once all views show it.
    pub(crate) async fn sample(&self) -> String {
        let report = self.post("/api/v1/projects", serde_json::json!({"name": "trains", "template": "sample"})).await;
        while self.get("/api/v1/projects").await["projects"][0]["counts"].is_null() {
            tokio::task::yield_now().await;
        }
        format!("/api/v1/projects/{}", report["project_id"].as_str().unwrap())
    }
}

pub(crate) fn get(address: &str) -> Request<Body> {
    Request::get(address).body(Body::empty()).unwrap()
}

pub(crate) fn post(address: &str, body: &str) -> Request<Body> {
    Request::post(address)
        .header("content-type", "application/json")
        .header("idempotency-key", Uuid::now_v7().to_string())
        .header("dvt-actor", "ada")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

pub(crate) fn import(key: Uuid, zip: Vec<u8>) -> Request<Body> {
    Request::post("/api/v1/projects/import?source=shop.zip")
        .header("content-type", "application/zip")
        .header("idempotency-key", key.to_string())
        .header("dvt-actor", "ada")
        .body(Body::from(zip))
        .unwrap()
}

pub(crate) fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(body)))
}

/// Packs files as an archive.
pub(crate) fn zip(tree: &dvt_dbt::tree::Tree) -> Vec<u8> {
    archive::write_zip(tree).unwrap()
}
