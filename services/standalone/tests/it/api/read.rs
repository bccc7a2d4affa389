//! Reads of a project: the graph, its nodes, its history.

use dvt_dbt::tree::{File, Mode, Tree};
use dvt_domain::import::{Options, take};
use serde_json::json;
use uuid::Uuid;

use super::server::Server;

fn node<'a>(graph: &'a serde_json::Value, unique_id: &str) -> &'a serde_json::Value {
    let mut nodes = graph["nodes"].as_array().unwrap().iter();
    nodes.find(|node| node["unique_id"] == unique_id).unwrap_or_else(|| panic!("no {unique_id} in {graph}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn shows_the_sample_as_a_graph() {
    let server = Server::start("gateway_graph").await;
    let project = server.sample().await;
    let graph = server.get(&format!("{project}/graph")).await;
    assert_eq!((&graph["version"], &graph["environment"]), (&json!(1), &json!("dev")));
    let legs = node(&graph, "model.night_trains.stg_rail__lines");
    assert_eq!((&legs["materialized"], &legs["folder"]), (&json!("view"), &json!("staging/rail")));
    assert!(!graph["edges"].as_array().unwrap().is_empty());

    let detail = server.get(&format!("{project}/nodes/model.night_trains.stg_rail__lines")).await;
    assert_eq!(detail["file"]["path"], legs["path"]);
    let compiled = server.get(&format!("{project}/nodes/model.night_trains.stg_rail__lines/compiled")).await;
    assert_eq!(compiled["status"], "compiled", "{compiled}");

    let listed = server.get("/api/v1/projects").await;
    assert_eq!(listed["projects"][0]["name"], "trains");
    let project = server.get(&project).await;
    assert_eq!(project["environments"][0]["name"], "dev");
}

#[tokio::test(flavor = "multi_thread")]
async fn defines_an_environment_and_reads_the_graph_in_it() {
    let server = Server::start("gateway_environments").await;
    let project = server.sample().await;
    let prod = json!({"name": "prod", "target": "local", "database": "local", "schema": "prod"});
    let environments = server.post(&format!("{project}/environments"), prod).await;
    assert_eq!(environments["environments"][1]["threads"], 4);
    let graph = server.get(&format!("{project}/graph?environment=prod")).await;
    let schema = node(&graph, "model.night_trains.stg_rail__lines")["schema"].as_str().unwrap();
    assert!(schema.starts_with("prod"), "{schema}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_a_run_once_and_cancels_it() {
    let server = Server::start("gateway_runs").await;
    let project = server.sample().await;
    let run = server.post(&format!("{project}/runs"), json!({"command": "build", "select": "stg_rail__lines+"})).await;
    assert_eq!(run["number"], 1);
    let address = format!("{project}/runs/{}", run["run_id"].as_str().unwrap());
    assert_eq!(server.get(&address).await["state"], "requested");
    server.post(&format!("{address}/cancel"), json!(null)).await;
    let cancelled = server.get(&format!("{address}?min_version=2")).await;
    assert!(cancelled["cancel_requested_at"].is_string(), "{cancelled}");
    let history = server.get(&format!("{project}/history")).await;
    assert_eq!(history["events"][0]["type"], "RunCancelRequested");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_the_methods_that_an_address_has() {
    let server = Server::start("gateway_methods").await;
    let response = server.open(super::server::get("/api/v1/projects/import")).await;
    assert_eq!((response.status().as_u16(), response.headers()["allow"].to_str().unwrap()), (405, "POST"));
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_a_working_copy_into_the_project() {
    let server = Server::start("gateway_into").await;
    let project = server.sample().await;
    let id = project.rsplit('/').next().unwrap();
    let (_, download) = server.send(super::server::get(&format!("{project}/download"))).await;
    let taken = take(dvt_gateway::archive::read(&download).unwrap(), Options::default()).unwrap();
    server.post(&format!("{project}/exports"), json!({"version": 1})).await;
    let edit = json!({"type": "add_file", "path": "models/here.sql", "text": "select 1"});
    let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": 1, "command": edit});
    server.post(&format!("{project}/commands"), json!({"commands": [item]})).await;

    let mut copy = taken.tree;
    copy.insert("models/there.sql", File::new(Mode::Regular, *b"select 2"));
    let into = |copy: &Tree| {
        let mut request = super::server::import(Uuid::now_v7(), super::server::zip(copy));
        *request.uri_mut() = format!("/api/v1/projects/import?source=copy.zip&into={id}").parse().unwrap();
        request
    };
    // The second brings nothing new: its base is what the first gave.
    for _ in 0..2 {
        let (status, report) = server.send(into(&copy)).await;
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&report));
        let tree = server.get(&format!("{project}/tree")).await;
        let paths: Vec<_> =
            tree["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
        assert!(paths.contains(&"models/here.sql") && paths.contains(&"models/there.sql"), "{paths:?}");
        assert_eq!(tree["version"], 4);
    }
    copy.insert("models/here.sql", File::new(Mode::Regular, *b"select 3"));
    let (status, problem) = server.send(into(&copy)).await;
    let problem = super::server::json(&problem);
    assert_eq!((status.as_u16(), &problem["files"]), (409, &json!(["models/here.sql"])), "{problem}");
}
