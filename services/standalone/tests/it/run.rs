//! Runs, from the request to the rows on the target: gateway, projector, artifact and executor in one process.

use std::time::Duration;

use dvt_embedded::postgres::Cluster;
use dvt_runtime::CancellationToken;
use serde_json::{Value, json};

use dvt_dbt::tree::{File, Mode, Tree};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::api::server::{Server, import, json as read, zip};

/// How long a run of these tests may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Is a project of a few files on a target of its own.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) project: String,
    target: &'static str,
    stop: CancellationToken,
    executor: dvt_executor::Config,
}

impl World {
    /// `target` names the target's database; the log's is named after it.
    pub(crate) async fn new(target: &'static str, files: &[(&str, &str)]) -> Self {
        let world = Self::without_executor(target, files).await;
        drop(world.execute());
        world
    }

    /// Starts an executor; aborted, it is as one whose process has ended.
    pub(crate) fn execute(&self) -> JoinHandle<anyhow::Result<()>> {
        tokio::spawn(dvt_executor::run(self.executor.clone(), self.stop.clone()))
    }

    pub(crate) async fn without_executor(target: &'static str, files: &[(&str, &str)]) -> Self {
        let log = format!("{target}_log");
        let server = Server::start(&log).await;
        let cluster = Cluster::temporary().await;
        let store = dvt_store::Config::of(cluster.url(&log));
        let runtime = dvt_runtime::Config { admin_addr: None, shutdown_grace: Duration::from_secs(1) };
        let stop = CancellationToken::new();
        let git_dir = tempfile::tempdir().unwrap().keep();
        let bus = dvt_bus::Config::default();
        let artifact = dvt_artifact::Config { store: store.clone(), bus, runtime: runtime.clone(), git_dir };
        tokio::spawn(dvt_artifact::run(artifact, stop.clone()));
        let url = cluster.create_owned_database(target).await.unwrap();
        let targets = vec![("local".to_owned(), url.into())];
        let executor = dvt_executor::Config { targets, ..dvt_executor::Config::of(store, runtime) };
        let tree = Tree::from_iter(files.iter().map(|(path, text)| (*path, File::new(Mode::Regular, text.as_bytes()))));
        let (status, report) = server.send(import(Uuid::now_v7(), zip(&tree))).await;
        assert!(status.is_success(), "{}", String::from_utf8_lossy(&report));
        let project = format!("/api/v1/projects/{}", read(&report)["project_id"].as_str().unwrap());
        let environment = json!({"name": "dev", "target": "local", "database": target, "schema": "dev"});
        server.post(&format!("{project}/environments"), environment).await;
        Self { server, project, target, stop, executor }
    }

    pub(crate) async fn request(&self, body: Value) -> String {
        let run = self.server.post(&format!("{}/runs", self.project), body).await;
        format!("{}/runs/{}", self.project, run["run_id"].as_str().unwrap())
    }

    /// Waits until what an address answers is as wanted.
    pub(crate) async fn until(&self, address: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let look = async {
            loop {
                let found = self.server.get(address).await;
                if wanted(&found) {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.expect("it comes in time")
    }

    pub(crate) async fn run(&self, body: Value) -> Value {
        let run = self.request(body).await;
        self.until(&run, |run| run["state"] == "finished").await
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        Cluster::temporary().await.query(self.target, sql).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) fn step<'a>(run: &'a Value, name: &str) -> &'a Value {
    run["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap()
}

pub(crate) const PROJECT: (&str, &str) = ("dbt_project.yml", "name: shop\nversion: '1'\nprofile: shop\n");

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_says_where_and_what_depends_on_it_is_skipped() {
    let files = [
        PROJECT,
        ("models/good.sql", "select 1 as x"),
        ("models/bad.sql", "select\r\n  {{ 'nothing' }}\r\nfrom {{ ref('good') }}"),
        ("models/after.sql", "select * from {{ ref('bad') }}"),
        ("models/broken.sql", "select * from {{ ref('missing') }}"),
        ("models/reader.sql", "select * from {{ source('raw', 'orders') }}"),
        ("models/sources.yml", "sources:\n  - name: raw\n    tables: [{name: orders}]\n"),
    ];
    let world = World::new("run_failed", &files).await;
    let run = world.run(json!({"command": "build"})).await;
    assert_eq!(run["outcome"], "failed");
    assert_eq!(step(&run, "good")["state"], "succeeded");
    let bad = &step(&run, "bad")["error"];
    assert_eq!((&bad["code"], &bad["sqlstate"]), (&json!("DATABASE_ERROR"), &json!("42703")));
    assert_eq!((&bad["place"]["path"], &bad["place"]["line"]), (&json!("models/bad.sql"), &json!(2)));
    let reason = |name: &str| step(&run, name)["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(reason("after"), "needs model.shop.bad, which failed");
    assert!(reason("broken").starts_with("is broken: REF_NOT_FOUND at models/broken.sql:1"), "{}", reason("broken"));
    assert_eq!(reason("reader"), "the target has no relation for its sources: raw.orders");
    assert_eq!(run["message"], "the target has no relation for these sources: raw.orders");
    assert_eq!(world.rows("select x from dev.good").await, [[Some("1".to_owned())]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_model_is_rendered_by_the_run() {
    let model = "{{ config(materialized='incremental') }}\nselect {% if is_incremental() %}2{% else %}1{% endif %} as x, '{{ invocation_id }}' as run";
    let world = World::new("run_incremental", &[PROJECT, ("models/grows.sql", model)]).await;
    let sql = "select x from dev.grows order by x";
    for expected in [&["1"][..], &["1", "2"], &["1"]] {
        let run = world.run(json!({"command": "run", "full_refresh": expected.len() == 1})).await;
        assert_eq!(run["outcome"], "succeeded", "{run}");
        let rows: Vec<String> = world.rows(sql).await.into_iter().flatten().flatten().collect();
        assert_eq!(rows, expected);
    }
    let runs = world.rows("select count(*) from _dvt.ledger").await;
    assert_eq!(runs, [[Some("3".to_owned())]], "one row a step of a run");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_unique_key_leads_to_where_it_is_set() {
    let files = [
        PROJECT,
        ("models/keyed.sql", "{{ config(materialized='incremental',\n    unique_key='nobody') }}\nselect 1 as x"),
        ("models/merged.sql", "{{ config(materialized='incremental', incremental_strategy='merge') }}\nselect 1 as x"),
        ("models/all.yml", "models:\n  - name: merged\n    config:\n      unique_key: none\n"),
    ];
    let world = World::new("run_unique_key", &files).await;
    assert_eq!(world.run(json!({"command": "run"})).await["outcome"], "succeeded");
    let run = world.run(json!({"command": "run"})).await;
    let place = |name: &str| {
        let step = run["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap();
        format!("{}:{}", step["error"]["place"]["path"].as_str().unwrap_or("none"), step["error"]["place"]["line"])
    };
    assert_eq!([place("keyed"), place("merged")], ["models/keyed.sql:2", "models/all.yml:4"], "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_sees_the_command_and_the_flags_of_its_run() {
    let model = "select '{{ flags.WHICH }} {{ flags.FULL_REFRESH }} {{ invocation_args_dict.which }}' as x";
    let world = World::new("run_flags", &[PROJECT, ("models/m.sql", model)]).await;
    for (asked, expected) in [
        (json!({"command": "run", "full_refresh": true}), "run True run"),
        (json!({"command": "build"}), "build False build"),
    ] {
        assert_eq!(world.run(asked).await["outcome"], "succeeded");
        assert_eq!(world.rows("select x from dev.m").await, [[Some(expected.to_owned())]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_reaches_the_database_and_what_waits_does_not_start() {
    let files = [
        PROJECT,
        ("models/slow.sql", "{{ config(materialized='table') }} select pg_sleep(120)::text as x"),
        ("models/after.sql", "select * from {{ ref('slow') }}"),
    ];
    let world = World::new("run_cancel", &files).await;
    let run = world.request(json!({"command": "run"})).await;
    world
        .until(&run, |run| run["steps"].as_array().is_some_and(|steps| steps.iter().any(|s| s["state"] == "running")))
        .await;
    world.server.post(&format!("{run}/cancel"), json!({})).await;
    let run = world.until(&run, |run| run["state"] == "finished").await;
    assert_eq!(run["outcome"], "cancelled");
    assert_eq!(
        (&step(&run, "slow")["state"], &step(&run, "after")["state"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    let left = "select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep(120)%' and pid <> pg_backend_pid()";
    assert!(world.rows(left).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ends_every_executor_is_given_up() {
    let files = [
        PROJECT,
        ("models/first.sql", "select 1 as x"),
        ("models/poison.sql", "select pg_sleep(100)::text as x, (select x from {{ ref('first') }}) as y"),
        ("models/poisoned.sql", "{{ config(materialized='table') }} select * from {{ ref('poison') }}"),
    ];
    let mut world = World::without_executor("run_poison", &files).await;
    world.executor.lease = Duration::from_millis(300);
    let run = world.request(json!({"command": "run"})).await;
    let is_running = |step: &Value| step["name"] == "poisoned" && step["state"] == "running";
    // The first step that ends is progress; the five executors stop at the one after it.
    for life in 1..=5 {
        let executor = world.execute();
        let attempt = |step: &Value| is_running(step) && step["attempt"] == life;
        world.until(&run, |run| run["steps"].as_array().unwrap().iter().any(attempt)).await;
        executor.abort();
    }
    drop(world.execute());
    let run = world.until(&run, |run| run["state"] == "finished").await;
    assert_eq!((&run["outcome"], &run["code"]), (&json!("failed"), &json!("RUN_ABANDONED")), "{run}");
    assert_eq!(step(&run, "poison")["state"], "succeeded");
    assert_eq!((&step(&run, "poisoned")["state"], &step(&run, "poisoned")["attempt"]), (&json!("skipped"), &json!(5)));
    assert!(run["message"].as_str().unwrap().starts_with("5 executors in a row stopped"), "{run}");
    let left = "select 1 from pg_stat_activity where datname = current_database() and query like '%poisoned%' and pid <> pg_backend_pid()";
    assert!(world.rows(left).await.is_empty(), "the last attempt's session was ended");
    let next = world.run(json!({"command": "run", "select": "first"})).await;
    assert_eq!(next["outcome"], "succeeded", "the environment is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_words_name_relations_in_quotes() {
    let files = [
        PROJECT,
        ("models/select.sql", "{{ config(materialized='table') }} select 1 as x"),
        (
            "models/order.sql",
            "{{ config(materialized='incremental', unique_key='x') }} select * from {{ ref('select') }}",
        ),
        ("models/user.sql", "select * from {{ ref('order') }} union all select * from {{ ref('group') }}"),
        ("models/group.sql", "{{ config(materialized='ephemeral') }} select x + 1 as x from {{ ref('table') }}"),
        ("seeds/table.csv", "x\n4\n"),
        ("models/all.yml", "models:\n  - name: order\n    columns: [{name: x, data_tests: [unique, not_null]}]\n"),
    ];
    let world = World::new("run_reserved", &files).await;
    for _ in 0..2 {
        let run = world.run(json!({"command": "build"})).await;
        assert_eq!(run["outcome"], "succeeded", "{run}");
    }
    let rows = world.rows(r#"select x from dev."user" order by x"#).await;
    assert_eq!(rows, [[Some("1".to_owned())], [Some("5".to_owned())]]);
    let warned = world.server.get(&format!("{}/diagnostics", world.project)).await;
    let warned = warned["diagnostics"].as_array().unwrap().iter().filter(|found| found["code"] == "IDENTIFIER_QUOTED");
    assert_eq!(warned.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_disjoint_selections_go_on_beside_each_other() {
    let files = [
        PROJECT,
        ("models/slow.sql", "{{ config(materialized='table') }} select pg_sleep(600)::text as x"),
        ("models/quick.sql", "select 1 as x"),
    ];
    let world = World::new("run_disjoint", &files).await;
    let slow = world.request(json!({"command": "run", "select": "slow"})).await;
    world.until(&slow, |run| run["steps"][0]["state"] == "running").await;
    let quick = world.run(json!({"command": "run", "select": "quick"})).await;
    assert_eq!(quick["outcome"], "succeeded", "{quick}");
    world.server.post(&format!("{slow}/cancel"), json!({})).await;
    world.until(&slow, |run| run["state"] == "finished").await;
    let again = world.request(json!({"command": "run", "select": "slow"})).await;
    world.server.post(&format!("{again}/cancel"), json!({})).await;
    world.until(&again, |run| run["state"] == "finished").await;
}
