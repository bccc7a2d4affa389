//! What tests put beside a gateway: projects of a few files, and what compiles and runs them.

use std::time::Duration;

use dvt_dbt::tree::{File, Mode, Tree};
use dvt_embedded::postgres::Cluster;
use dvt_runtime::CancellationToken;
use uuid::Uuid;

use crate::api::server::{Server, import, json as read, zip};

/// Starts what compiles, publishes and runs on a log; it ends with the token.
pub(crate) async fn start_workers(log: &str, targets: Vec<(String, String)>) -> CancellationToken {
    let store = dvt_store::Config::of(Cluster::temporary().await.url(log));
    let runtime = dvt_runtime::Config { admin_addr: None, shutdown_grace: Duration::from_secs(1) };
    let stop = CancellationToken::new();
    let git_dir = tempfile::tempdir().unwrap().keep();
    let bus = dvt_bus::Config::default();
    let artifact = dvt_artifact::Config { store: store.clone(), bus, runtime: runtime.clone(), git_dir };
    tokio::spawn(dvt_artifact::run(artifact, stop.clone()));
    let targets = targets.into_iter().map(|(name, url)| (name, url.into())).collect();
    let executor = dvt_executor::Config { targets, ..dvt_executor::Config::of(store, runtime) };
    tokio::spawn(dvt_executor::run(executor, stop.clone()));
    stop
}

/// Packs files of text.
pub(crate) fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let file = |(path, text): &(&str, &str)| ((*path).to_owned(), File::new(Mode::Regular, text.as_bytes()));
    zip(&Tree::from_iter(files.iter().map(file)))
}

/// Imports files and answers the address of their project.
pub(crate) async fn imported(server: &Server, files: &[(&str, &str)]) -> String {
    let (status, report) = server.send(import(Uuid::now_v7(), packed(files))).await;
    assert!(status.is_success(), "{}", String::from_utf8_lossy(&report));
    format!("/api/v1/projects/{}", read(&report)["project_id"].as_str().unwrap())
}
