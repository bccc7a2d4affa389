//! 10,000 clients that follow one project through one gateway.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::figure::{Figure, percentile};
use crate::project;
use crate::replica::Replica;
use crate::sse::{Arrival, Stream};
use crate::stack::Stack;

const CLIENTS: usize = 10_000;
/// How many open their streams at once.
const OPENING: usize = 100;
const EDITS: usize = 10;
const PAUSE: Duration = Duration::from_secs(1);
/// How long the last events may take; what has not come by then is missed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn measure(stack: &Stack) -> Result<Vec<Figure>> {
    let gateway = Replica::start(stack, "gateway").await?;
    let project = stack.http().import(project::views(1)?).await?;
    let (arrivals, mut arrived) = mpsc::unbounded_channel();
    let mut streams = JoinSet::new();
    for first in (0..CLIENTS).step_by(OPENING) {
        let opening = (first..first + OPENING).map(|client| Stream::open(gateway.address, &project, client));
        for stream in futures::future::try_join_all(opening).await? {
            streams.spawn(stream.follow(arrivals.clone()));
        }
    }
    let mut sent = HashMap::new();
    for edit in 0..EDITS {
        let command = json!({"type": "place_node", "node_key": project::view_id(0), "x": edit, "y": 0});
        let began = Instant::now();
        let result = stack.http().command(&project, 1, command).await?;
        sent.insert(result["position"].as_i64(), began);
        tokio::time::sleep(PAUSE).await;
    }
    let (mut took, mut seen) = (Vec::new(), HashSet::new());
    let patience = tokio::time::Instant::now() + PATIENCE;
    while took.len() < CLIENTS * EDITS {
        let Ok(Some(Arrival { client, position, at })) = tokio::time::timeout_at(patience, arrived.recv()).await else {
            break;
        };
        if let Some(began) = sent.get(&Some(position))
            && seen.insert((client, position))
        {
            took.push(at.duration_since(*began));
        }
    }
    ensure!(!took.is_empty(), "no event came to anybody");
    let missed = (CLIENTS * EDITS - took.len()) as f64;
    let figures = vec![
        Figure::new("sse_10000_missed", missed, "events"),
        Figure::milliseconds("sse_10000_p99", percentile(&mut took, 99)),
        Figure::new("sse_10000_rss", gateway.memory("VmHWM")?, "MiB"),
    ];
    streams.shutdown().await;
    gateway.end().await?;
    Ok(figures)
}
