//! What has to be there for some rows: projects, targets, a run that goes on and one that has finished.

use dvt_runtime::CancellationToken;

use super::*;
use crate::world::{imported, start_workers};

/// Stands in the addresses of targets and in no answer.
pub(super) const PASSWORD: &str = "correct-horse";
const WAREHOUSE: &str = "bad_input_warehouse";

const SHOP: [(&str, &str); 6] = [
    ("dbt_project.yml", "name: shop"),
    ("models/slow.sql", "{{ config(materialized='table') }} select pg_sleep(600)::text as x"),
    ("models/quick.sql", "select 1 as x"),
    ("models/shared.sql", "select 1 as x"),
    (
        "models/all.yml",
        "models:\n  - &shared\n    name: shared\n    description: a\n  - <<: *shared\n    name: quick\n",
    ),
    ("seeds/colours.csv", "name\nred\n"),
];
const BROKEN: [(&str, &str); 2] =
    [("dbt_project.yml", "name: broken"), ("models/a.sql", "select * from {{ ref('b') }}")];

pub(super) struct Setting {
    pub(super) sample: String,
    pub(super) shop: String,
    /// Builds the same relations as `shop`.
    pub(super) rival: String,
    /// Does not compile.
    pub(super) broken: String,
    /// The address of a run of `shop` that goes on.
    pub(super) busy: String,
    /// The address of a run of `shop` that has finished.
    pub(super) finished: String,
    pub(super) used_key: Uuid,
    stop: CancellationToken,
}

impl Drop for Setting {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(super) fn environment(name: &str, target: &str) -> Value {
    json!({"name": name, "target": target, "database": WAREHOUSE, "schema": "dev"})
}

impl Setting {
    pub(super) async fn make(server: &Server, log: &str) -> Self {
        let targets = targets().await;
        let names: Vec<String> = targets.iter().map(|(name, _)| name.clone()).collect();
        let stop = start_workers(log, targets).await;
        let (sample, shop, rival) =
            (server.sample().await, imported(server, &SHOP).await, imported(server, &SHOP).await);
        let broken = imported(server, &BROKEN).await;
        for project in [&shop, &rival] {
            server.post(&format!("{project}/environments"), environment("dev", "local")).await;
        }
        for name in names.iter().map(String::as_str).chain(["unknown"]) {
            server.post(&format!("{shop}/environments"), environment(name, name)).await;
        }
        let compilation = server.post(&format!("{broken}/compilations"), json!({})).await;
        let compilation = format!("{broken}/compilations/{}", compilation["compilation_id"].as_str().unwrap());
        server.until(&compilation, |compilation| compilation["state"] == "failed").await;
        let used_key = edited(server, &shop).await;
        let finished = start(server, &shop, "quick").await;
        server.until(&finished, |run| run["state"] == "finished").await;
        let busy = start(server, &shop, "slow").await;
        server.until(&busy, |run| run["steps"][0]["state"] == "running").await;
        Self { sample, shop, rival, broken, busy, finished, used_key, stop }
    }
}

/// Makes the warehouse, and lists targets that lead to it and elsewhere.
async fn targets() -> Vec<(String, String)> {
    let cluster = Cluster::temporary().await;
    let local = cluster.create_owned_database(WAREHOUSE).await.unwrap();
    cluster.execute(WAREHOUSE, "create role weak login").await.unwrap();
    cluster.execute(WAREHOUSE, &format!("grant connect on database {WAREHOUSE} to weak")).await.unwrap();
    let here = |role: &str| format!("postgres://{role}@127.0.0.1:{}/{WAREHOUSE}", cluster.port());
    let secret = |rest: &str| format!("postgres://u:{PASSWORD}@{rest}");
    let targets = [
        ("local", local),
        ("metadata", secret("169.254.169.254/db")),
        ("plain", secret("db.example/shop?sslmode=disable")),
        ("socket", secret("127.0.0.1/shop?host=/var/run")),
        ("odd", secret("127.0.0.1/shop?nonsense=1")),
        ("stranger", here("stranger")),
        ("nowhere", cluster.url("no_such_warehouse")),
        ("weak", here("weak")),
    ];
    targets.map(|(name, address)| (name.to_owned(), address)).into()
}

/// Changes a model, and answers the key of the command.
async fn edited(server: &Server, project: &str) -> Uuid {
    let key = Uuid::now_v7();
    let command = json!({"type": "set_sql", "unique_id": "model.shop.quick", "sql": "select 2 as x"});
    let item = json!({"idempotency_key": key, "base_version": 1, "command": command});
    let answer = server.post(&format!("{project}/commands"), json!({"commands": [item]})).await;
    assert_eq!(answer["results"][0]["version"], 2, "{answer}");
    key
}

async fn start(server: &Server, project: &str, select: &str) -> String {
    let run = server.post(&format!("{project}/runs"), json!({"command": "run", "select": select})).await;
    format!("{project}/runs/{}", run["run_id"].as_str().unwrap())
}
