//! The live stream: each event once, in order, resumed where it broke.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::server::Server;

/// Reads messages of one open stream.
struct Messages {
    body: BodyDataStream,
    text: String,
}

impl Messages {
    async fn open(server: &Server, project: &str, after: Option<&str>) -> Self {
        let mut request = Request::get(format!("{project}/stream"));
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = server.open(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// Answers the id and the data of the next message.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let (id, data) = (field("id: "), field("data: "));
                self.text = rest.to_owned();
                if let Some((id, data)) = id.zip(data) {
                    return (id, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(20), self.body.next()).await.expect("a message comes");
            self.text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        }
    }
}

async fn add_file(server: &Server, project: &str, path: &str) {
    let command = json!({"type": "add_file", "path": path, "text": "select 1"});
    let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": 1, "command": command});
    server.post(&format!("{project}/commands"), json!({"commands": [item]})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_each_event_once_and_goes_on_after_the_last_that_was_seen() {
    let server = Server::start("gateway_stream").await;
    let project = server.sample().await;
    let mut live = Messages::open(&server, &project, None).await;
    add_file(&server, &project, "models/a.sql").await;
    let (first, event) = live.next().await;
    assert_eq!((&event["type"], &event["stream_version"]), (&json!("FileAdded"), &json!(2)));
    add_file(&server, &project, "models/b.sql").await;
    assert_eq!(live.next().await.1["summary"], "added models/b.sql");

    let mut resumed = Messages::open(&server, &project, Some(&first)).await;
    assert_eq!(resumed.next().await.1["summary"], "added models/b.sql");
    let mut from_start = Messages::open(&server, &project, Some("0")).await;
    assert_eq!(from_start.next().await.1["type"], "ProjectCreated");
}

/// Places nodes with one request, and answers the versions of the layout that it leaves, in the order of the commands.
async fn place(server: &Server, project: &str, nodes: std::ops::Range<usize>) -> Vec<i64> {
    let place = |node| json!({"type": "place_node", "node_key": format!("model.m_{node}"), "x": node, "y": 0});
    let item = |node| json!({"idempotency_key": Uuid::now_v7(), "command": place(node)});
    let answer =
        server.post(&format!("{project}/commands"), json!({"commands": nodes.map(item).collect::<Vec<_>>()})).await;
    answer["results"].as_array().unwrap().iter().map(|done| done["version"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_late_and_who_reads_along_get_the_same() {
    let server = Server::start("gateway_stream_late").await;
    let project = server.sample().await;
    let mut late = Messages::open(&server, &project, None).await;
    let mut along = Messages::open(&server, &project, None).await;
    // More than are kept of a project, so that the late one has to read the log.
    assert_eq!(place(&server, &project, 0..256).await, (1..=256).collect::<Vec<_>>());
    assert_eq!(along.next().await.1["stream_version"], 1);
    assert_eq!(place(&server, &project, 256..500).await, (257..=500).collect::<Vec<_>>());
    for node in 0..500 {
        let event = late.next().await.1;
        let expected = (json!(node + 1), json!(format!("model.m_{node}")));
        assert_eq!((&event["stream_version"], &event["subjects"][0]["node"]), (&expected.0, &expected.1));
        if node > 0 {
            assert_eq!(along.next().await.1, event);
        }
    }
    // Both have read all there was: what comes now is told as it comes.
    place(&server, &project, 500..501).await;
    assert_eq!(late.next().await, along.next().await);
}
