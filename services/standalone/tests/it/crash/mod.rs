//! `kill -9` of `dvt up` at random moments, while a project is edited and runs: nothing acknowledged is lost, nothing
//! is done twice.

mod client;
mod project;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use dvt_embedded::postgres::Cluster;
use dvt_store::view::rebuild as views;
use dvt_store::{Config, Role, Store, chain, event};
use serde_json::Value;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::up::Up;
use client::{Editor, Http, POLL, Runner};

const KILLS: usize = 20;
const EDITS: usize = 500;
/// The steps of a run.
const STEPS: usize = project::MODELS + 1;
/// Within which time after its start a life ends.
const LIFE: Duration = Duration::from_millis(2_500);
/// Every so many lives one lasts until steps have ended in it: a run that outlives five executors without any is given
/// up, and another test's.
const PROGRESS_EVERY: usize = 4;
/// How many steps show that an executor has noted its progress: twice as many as run at once.
const PROGRESS: usize = 8;
/// How long the rest may take after the last kill.
const PATIENCE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_dvt_up_loses_nothing_that_was_acknowledged_and_does_nothing_twice() {
    let folder = tempfile::Builder::new().prefix("dvt-crash-").tempdir().unwrap();
    let data = folder.path();
    let mut up = Up::start(data).await;
    let mut http = Http::new(&up.url);
    let project = http.import(project::zip()).await;
    let (mut editor, mut runner) = (Editor::new(&project, EDITS), Runner::new(&project));

    for life in 1..=KILLS {
        let began = end_of_log(&http, &project).await;
        let moment = async {
            // Whatever is under way then is the moment of the crash.
            tokio::time::sleep(a_moment()).await;
            if life % PROGRESS_EVERY == 0 {
                steps_ended(&http, &project, began).await;
            }
        };
        let work = async { tokio::join!(editor.edit(&http), runner.run(&http)) };
        tokio::select! {
            _ = work => {}
            moment = tokio::time::timeout(PATIENCE, moment) => moment.expect("steps end"),
        }
        up.kill().await;
        up = Up::start(data).await;
        http = Http::new(&up.url);
    }
    let rest = async {
        editor.edit(&http).await;
        runner.run_once(&http).await;
    };
    tokio::time::timeout(PATIENCE, rest).await.expect("all is done");
    assert!(editor.is_done() && runner.is_idle());

    editor.repeat(&http).await;
    for (model, sql) in editor.expected() {
        let node = http.get(&format!("projects/{project}/nodes/{}", project::unique_id(model))).await.unwrap();
        assert_eq!(node["file"]["text"], sql);
    }
    let target = target(data);
    up.stop().await;
    check_log(data, &project, &editor).await;
    check_target(data, &target, &runner.finished).await;
}

/// Answers how long a life lasts after its address is known.
fn a_moment() -> Duration {
    let id = Uuid::now_v7();
    // Its last bytes are random.
    let (_, random) = id.as_bytes().split_at(12);
    LIFE.mul_f64(f64::from(u32::from_be_bytes(random.try_into().unwrap())) / f64::from(u32::MAX))
}

async fn end_of_log(http: &Http, project: &str) -> i64 {
    let last = http.read(&format!("projects/{project}/history?limit=1")).await;
    last["events"][0]["position"].as_i64().unwrap()
}

/// Waits until enough steps have ended since the log ended there.
async fn steps_ended(http: &Http, project: &str, began: i64) {
    let since = |event: &&Value| event["type"] == "StepSucceeded" && event["position"].as_i64() > Some(began);
    loop {
        let events = http.read(&format!("projects/{project}/history?category=run&limit=200")).await;
        if events["events"].as_array().unwrap().iter().filter(since).count() >= PROGRESS {
            return;
        }
        tokio::time::sleep(POLL).await;
    }
}

fn target(data: &Path) -> String {
    let running: Value = serde_json::from_slice(&std::fs::read(data.join("up.json")).unwrap()).unwrap();
    running["target_url"].as_str().unwrap().to_owned()
}

/// Checks that the log holds each edit once, without a gap, and that the views are what the log says.
async fn check_log(data: &Path, project: &str, editor: &Editor) {
    let cluster = Cluster::open(&data.join("postgres")).await.unwrap();
    let store = Store::connect(&Config::of(&*cluster.url("dvt")), Role::Projector).await.unwrap();
    let c = &mut store.acquire().await.unwrap();
    let project = project.parse::<Uuid>().unwrap();
    let mut events = event::list_project_after(c, project, 0, 100_000).await.unwrap();
    let count = |kind: &str| events.iter().filter(|event| event.event_type.ends_with(kind)).count();
    assert!(count("RunStarted") > count("RunFinished"), "a run was taken over");
    events.retain(|event| event.category == "branch");
    let versions: Vec<i64> = events.iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=EDITS as i64 + 1).collect::<Vec<_>>(), "the import and each edit, once");
    let recorded: BTreeMap<String, i64> =
        events.iter().map(|event| (event.event_id.to_string(), event.version)).collect();
    for edit in &editor.edits {
        let answer = edit.answer.as_ref().unwrap();
        assert_eq!(recorded.get(answer["event_id"].as_str().unwrap()), answer["version"].as_i64().as_ref());
    }
    chain::verify(c).await.unwrap().unwrap();

    let live = views::hashes(c).await.unwrap();
    let rebuilt = dvt_projector::rebuild(&store).await.unwrap();
    assert_eq!(rebuilt.broken, 0);
    assert_eq!(views::hashes(c).await.unwrap(), live);
    drop(cluster);
}

/// Checks that every step of every run had its effect once.
async fn check_target(data: &Path, url: &str, runs: &[Value]) {
    let cluster = Cluster::open(&data.join("postgres")).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&at_port(url, cluster.port()), NoTls).await.unwrap();
    tokio::spawn(connection);
    for run in runs {
        assert_eq!(run["outcome"], "succeeded", "{}: {}", run["code"], run["message"]);
    }
    let rows = client.query("select run_id::text, unique_id from _dvt.ledger", &[]).await.unwrap();
    let rows: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(rows.len(), rows.iter().collect::<BTreeSet<_>>().len(), "one row a step at most");
    assert_eq!(rows.len(), runs.len() * STEPS);
    let grown = client.query_one(&format!("select count(*) from dev.{}", project::GROWING), &[]).await.unwrap();
    assert_eq!(grown.get::<_, i64>(0), runs.len() as i64, "one row a run");
}

/// Answers the address of the same database on the port that the cluster has now.
fn at_port(url: &str, port: u16) -> String {
    let mut url = reqwest::Url::parse(url).unwrap();
    url.set_port(Some(port)).unwrap();
    url.to_string()
}
