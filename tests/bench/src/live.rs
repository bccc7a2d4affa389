//! How soon others see an edit, and how soon who made it reads it again, with Kafka between log and views.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::figure::{Figure, percentile};
use crate::http::Http;
use crate::project;
use crate::sse::Stream;
use crate::stack::Stack;

/// How many projects are edited at once, and their models.
const PROJECTS: usize = 20;
const MODELS: usize = 20;
/// 200 edits a second.
const PACE: Duration = Duration::from_millis(5);
/// How many edits count, after those that do not.
const EDITS: usize = 2_000;
const WARM_UP: usize = 200;
/// How many writes are read again, after some that do not count.
const READS: usize = 200;
const FIRST_READS: usize = 20;
/// How long the last events may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn describe(edit: usize) -> Value {
    json!({"type": "describe_node", "unique_id": project::view_id(edit % MODELS), "text": format!("As edit {edit} says.")})
}

pub(crate) async fn measure(stack: &Stack, figures: &mut Vec<Figure>) -> Result<()> {
    if stack.is_asked("live_update_p50") || stack.is_asked("live_update_p99") {
        let mut took = updates(stack).await?;
        figures.push(Figure::milliseconds("live_update_p50", percentile(&mut took, 50)));
        figures.push(Figure::milliseconds("live_update_p99", percentile(&mut took, 99)));
    }
    if stack.is_asked("read_your_writes_p50") || stack.is_asked("read_your_writes_p99") {
        let mut took = reads(stack).await?;
        figures.push(Figure::milliseconds("read_your_writes_p50", percentile(&mut took, 50)));
        figures.push(Figure::milliseconds("read_your_writes_p99", percentile(&mut took, 99)));
    }
    Ok(())
}

/// Moves nodes through one gateway at a steady pace, whatever the answers take, and answers how long each move took from
/// its request to a client of the other gateway.
async fn updates(stack: &Stack) -> Result<Vec<Duration>> {
    let http = stack.http();
    let (arrivals, mut arrived) = mpsc::unbounded_channel();
    let (mut projects, mut streams) = (Vec::new(), JoinSet::new());
    for client in 0..PROJECTS {
        let project = http.import(project::views(MODELS)?).await?;
        streams.spawn(Stream::open(stack.other_gateway, &project, client).await?.follow(arrivals.clone()));
        projects.push(project);
    }
    stack.quiet().await?;
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut moves = JoinSet::new();
    for edit in 0..WARM_UP + EDITS {
        pace.tick().await;
        moves.spawn(send(http.clone(), projects[edit % PROJECTS].clone(), edit));
    }
    let mut sent = HashMap::new();
    while let Some(moved) = moves.join_next().await {
        let (edit, began, position) = moved??;
        ensure!(sent.insert(position, (edit, began)).is_none(), "two edits are at position {position}");
    }
    let mut took = Vec::new();
    while took.len() < EDITS {
        let arrival = tokio::time::timeout(PATIENCE, arrived.recv()).await.context("an event does not arrive")?;
        let arrival = arrival.context("a stream has ended")?;
        if let Some((edit, began)) = sent.get(&arrival.position) {
            took.extend((*edit >= WARM_UP).then(|| arrival.at.duration_since(*began)));
        }
    }
    Ok(took)
}

/// Moves a node, and answers the edit's number, when its request was sent, and its position.
async fn send(http: Http, project: String, edit: usize) -> Result<(usize, Instant, i64)> {
    let began = Instant::now();
    let node_key = project::view_id(edit / PROJECTS % MODELS);
    let moved =
        http.command(&project, 1, json!({"type": "place_node", "node_key": node_key, "x": edit, "y": 0})).await?;
    Ok((edit, began, moved["position"].as_i64().context("an edit has a position")?))
}

/// Edits and reads the graph with the edit, again and again.
async fn reads(stack: &Stack) -> Result<Vec<Duration>> {
    let http = stack.http();
    let project = http.import(project::views(MODELS)?).await?;
    let mut version = 1;
    let mut took = Vec::new();
    for edit in 0..FIRST_READS + READS {
        let began = Instant::now();
        let result = http.command(&project, version, describe(edit)).await?;
        version = result["version"].as_i64().context("an edit has a version")?;
        let graph = http.get(&format!("projects/{project}/graph?min_version={version}")).await?;
        took.push(began.elapsed());
        ensure!(graph["version"].as_i64() >= Some(version), "a graph is behind what it was asked for");
    }
    Ok(took.split_off(FIRST_READS))
}
