//! `dvt parked`: the streams that a consumer could not apply.

use std::process::ExitCode;

use anyhow::ensure;
use dvt_store::parked_stream::{self, Parked};
use dvt_store::{Connection, Store, event};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::output;

/// Lists the parked streams, oldest first.
pub(super) async fn list(store: &Store, as_json: bool) -> anyhow::Result<ExitCode> {
    for parked in parked_stream::list_all(&mut *store.acquire().await?).await? {
        if as_json {
            output::print_json(&summary(&parked))?;
            continue;
        }
        let Parked { consumer, stream_id, position, error, .. } = &parked;
        let error = error.lines().next().unwrap_or_default();
        output::print_line(&format!("{stream_id}  {consumer:<12}  at {position}  {error}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows where and why a stream is parked, and how much of it waits.
pub(super) async fn show(store: &Store, stream_id: Uuid, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut connection = store.acquire().await?;
    let mut all = parked_stream::list_all(&mut connection).await?;
    all.retain(|parked| parked.stream_id == stream_id);
    ensure!(!all.is_empty(), "stream {stream_id} is not parked");
    for parked in &all {
        let shown = detail(&mut connection, parked).await?;
        match (as_json, shown.as_object()) {
            (false, Some(members)) => {
                for (name, value) in members {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    output::print_line(&format!("{name:<19} {value}"))?;
                }
            }
            (true, _) | (false, None) => output::print_json(&shown)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the consumers to try a stream again; they do so within a second, or when they start.
pub(super) async fn retry(store: &Store, stream_id: Uuid) -> anyhow::Result<ExitCode> {
    let asked = parked_stream::request_retry(&mut *store.acquire().await?, stream_id).await?;
    ensure!(asked > 0, "stream {stream_id} is not parked");
    output::print_line(&format!("{asked} consumers will try again; what comes of it: dvt parked show {stream_id}"))?;
    Ok(ExitCode::SUCCESS)
}

fn summary(parked: &Parked) -> Value {
    json!({
        "stream_id": parked.stream_id,
        "consumer": parked.consumer,
        "topic": parked.topic,
        "partition": parked.partition,
        "position": parked.position,
        "parked_at": parked.parked_at,
        "retry_requested_at": parked.retry_requested_at,
        "error": parked.error,
    })
}

async fn detail(c: &mut Connection, parked: &Parked) -> anyhow::Result<Value> {
    let mut shown = summary(parked);
    let head = event::stream_version(c, parked.stream_id).await?;
    if let Some(event) = event::list_at(c, &[parked.position]).await?.first() {
        shown["event_id"] = json!(event.event_id);
        shown["event_type"] = json!(event.event_type);
        shown["version"] = json!(event.version);
        shown["actor"] = json!(event.actor);
        shown["waiting_events"] = json!(head - event.version + 1);
    }
    Ok(shown)
}
