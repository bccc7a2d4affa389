//! The operators' commands, on the database of a gateway.

use std::process::{Command, Output};

use dvt_embedded::postgres::Cluster;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::server::Server;

struct Log {
    database: &'static str,
}

impl Log {
    /// Makes a log that holds the sample.
    async fn of_the_sample(database: &'static str) -> Self {
        Server::start(database).await.sample().await;
        Self { database }
    }

    async fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let cluster = Cluster::temporary().await;
        cluster.query(self.database, &format!("set search_path = dvt; {sql}")).await.unwrap()
    }

    async fn dvt(&self, args: &[&str]) -> Output {
        let url = Cluster::temporary().await.url(self.database);
        Command::new(env!("CARGO_BIN_EXE_dvt")).args(args).env("DATABASE_URL", url).output().unwrap()
    }

    /// Runs a command and answers its exit status and the JSON values that it prints.
    async fn json(&self, args: &[&str]) -> (i32, Vec<Value>) {
        let output = self.dvt(&[args, &["--json"]].concat()).await;
        let lines = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

#[tokio::test]
async fn verify_names_the_event_that_was_changed() {
    let log = Log::of_the_sample("operate_verify").await;
    let (status, said) = log.json(&["verify"]).await;
    let events = log.query("select max(position), count(*) from event").await[0][0].clone().unwrap();
    assert_eq!((status, said[0]["events"].to_string()), (0, events));

    let tamper = "update event set actor = 'local:eve' where position = 2";
    log.query(&format!("alter table event disable trigger user; {tamper}")).await;
    let event_id = log.query("select event_id from event where position = 2").await[0][0].clone().unwrap();
    let (status, said) = log.json(&["verify"]).await;
    let broken = json!({"position": 2, "event_id": event_id, "fault": "it, or its hash, was changed"});
    assert_eq!((status, &said[0]["broken"]), (1, &broken));
}

#[tokio::test]
async fn parked_streams_are_listed_shown_and_retried() {
    let log = Log::of_the_sample("operate_parked").await;
    let found = log.query("select stream_id, topic, partition, position from event where version = 1 limit 1").await;
    let [stream, topic, partition, position] = &found[0][..] else { panic!("four columns") };
    let stream = stream.clone().unwrap();
    let parked = format!(
        "insert into parked_stream values ('graph', '{stream}', '{}', {}, {}, 'no such field')",
        topic.as_ref().unwrap(),
        partition.as_ref().unwrap(),
        position.as_ref().unwrap()
    );
    log.query(&parked).await;

    let (status, listed) = log.json(&["parked", "list"]).await;
    assert_eq!((status, listed.len(), &listed[0]["stream_id"]), (0, 1, &json!(stream)));
    let (status, shown) = log.json(&["parked", "show", &stream]).await;
    assert_eq!((status, &shown[0]["error"], &shown[0]["version"]), (0, &json!("no such field"), &json!(1)));
    assert_eq!(log.dvt(&["parked", "retry", &stream]).await.status.code(), Some(0));
    assert_eq!(log.query("select 1 from parked_stream where retry_requested_at is not null").await.len(), 1);
    let missing = log.dvt(&["parked", "retry", &Uuid::nil().to_string()]).await;
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("is not parked"));
}

#[tokio::test]
async fn projector_rebuild_gives_the_same_views() {
    let log = Log::of_the_sample("operate_rebuild").await;
    let caught_up = "select 1 from partition_head h left join checkpoint c
        on c.consumer = 'projector' and c.topic = h.topic and c.partition = h.partition
        where h.topic <> 'dvt.layout' and coalesce(c.position, 0) < h.position
        union all select 1 from views.branch b where not exists (
            select from views.graph g where g.branch_id = b.branch_id and g.version = b.version)";
    while !log.query(caught_up).await.is_empty() {
        tokio::task::yield_now().await;
    }
    let hashes = "select * from views.hashes('views') order by 1";
    let before = log.query(hashes).await;
    let (status, said) = log.json(&["projector", "rebuild"]).await;
    assert_eq!((status, &said[0]["broken_streams"]), (0, &json!(0)));
    assert_eq!(log.query(hashes).await, before);
}

#[tokio::test]
async fn an_operator_is_told_where_no_data_is() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dvt"));
    let output = command.args(["verify", "--data"]).arg(empty.path()).env_remove("DATABASE_URL").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("name its folder with --data"));
}
