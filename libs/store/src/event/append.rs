//! The call of `append_events`: turns commands into its arrays and its rows into outcomes.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Command, Outcome, partition_of};
use crate::{Connection, Error};

const APPEND: &str = "select command, kind, position, stream_id, expected, actual, same_request, wait_ms
    from append_events(
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
        $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25
    )
    order by command";

/// Appends commands in order, each by itself, in one round trip and (outside a transaction) one commit. `process`
/// names the caller in reservations.
///
/// No two commands of one call may carry the same idempotency key of the same actor: such a call fails.
///
/// # Errors
/// When the database does. If it is unreachable, the call may have been applied: repeat it with the same event ids.
pub async fn append<C: Borrow<Command>>(
    c: &mut Connection,
    process: Uuid,
    commands: &[C],
) -> Result<Vec<Outcome>, Error> {
    let commands: Vec<&Command> = commands.iter().map(Borrow::borrow).collect();
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    if commands.iter().any(|command| command.events.is_empty()) {
        return Err(Error::EmptyCommand);
    }
    let arrays = Arrays::of(&commands);
    let rows: Vec<Row> = sqlx::query_as(APPEND)
        .bind(process)
        .bind(arrays.first)
        .bind(arrays.count)
        .bind(arrays.reserve)
        .bind(arrays.streams)
        .bind(arrays.categories)
        .bind(arrays.topics)
        .bind(arrays.partitions)
        .bind(arrays.stream)
        .bind(arrays.pair)
        .bind(arrays.event_id)
        .bind(arrays.version)
        .bind(arrays.tenant_id)
        .bind(arrays.project_id)
        .bind(arrays.event_type)
        .bind(arrays.schema_fingerprint)
        .bind(arrays.payload)
        .bind(arrays.actor)
        .bind(arrays.command_id)
        .bind(arrays.correlation_id)
        .bind(arrays.causation_id)
        .bind(arrays.idempotency_key)
        .bind(arrays.request_sha256)
        .bind(arrays.traceparent)
        .bind(arrays.occurred_at)
        .fetch_all(c)
        .await?;
    if rows.len() != commands.len() {
        return Err(Error::Answer(format!("{} outcomes for {} commands", rows.len(), commands.len())));
    }
    rows.into_iter().zip(commands).map(|(row, command)| row.outcome(command.events.len())).collect()
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    command: i32,
    kind: String,
    position: Option<i64>,
    stream_id: Option<Uuid>,
    expected: Option<i64>,
    actual: Option<i64>,
    same_request: Option<bool>,
    wait_ms: Option<i32>,
}

impl Row {
    fn outcome(self, events: usize) -> Result<Outcome, Error> {
        let outcome = match (self.kind.as_str(), self.position, self.stream_id) {
            ("appended" | "repeated", Some(first), _) => {
                Some(Outcome::Appended { first, last: first + events as i64 - 1 })
            }
            ("duplicate", Some(first), _) => {
                self.same_request.map(|same_request| Outcome::Duplicate { first, same_request })
            }
            ("conflict", _, Some(stream_id)) => self
                .expected
                .zip(self.actual)
                .map(|(expected, actual)| Outcome::Conflict { stream_id, expected, actual }),
            ("reserved", _, Some(stream_id)) => self
                .wait_ms
                .and_then(|wait| u64::try_from(wait).ok())
                .map(|wait| Outcome::Reserved { stream_id, wait: Duration::from_millis(wait) }),
            _ => None,
        };
        outcome.ok_or_else(|| Error::Answer(format!("outcome {} of kind {}", self.command, self.kind)))
    }
}

/// The arguments of `append_events`, in its order. Indices count from 1, as Postgres does.
#[derive(Default)]
struct Arrays<'a> {
    first: Vec<i32>,
    count: Vec<i32>,
    reserve: Vec<bool>,
    streams: Vec<Uuid>,
    categories: Vec<&'a str>,
    topics: Vec<&'a str>,
    partitions: Vec<i16>,
    stream: Vec<i32>,
    pair: Vec<i32>,
    event_id: Vec<Uuid>,
    version: Vec<i64>,
    tenant_id: Vec<Uuid>,
    project_id: Vec<Option<Uuid>>,
    event_type: Vec<&'a str>,
    schema_fingerprint: Vec<&'a [u8]>,
    payload: Vec<&'a [u8]>,
    actor: Vec<&'a str>,
    command_id: Vec<Uuid>,
    correlation_id: Vec<Uuid>,
    causation_id: Vec<Option<Uuid>>,
    idempotency_key: Vec<Option<Uuid>>,
    request_sha256: Vec<Option<&'a [u8]>>,
    traceparent: Vec<Option<&'a str>>,
    occurred_at: Vec<DateTime<Utc>>,
}

impl<'a> Arrays<'a> {
    fn of(commands: &[&'a Command]) -> Self {
        let mut arrays = Self::default();
        let mut streams = HashMap::new();
        let mut pairs = HashMap::new();
        for command in commands {
            arrays.first.push(index(arrays.event_id.len()));
            arrays.count.push(command.events.len() as i32);
            arrays.reserve.push(command.reserve);
            for (ordinal, event) in command.events.iter().enumerate() {
                let stream = *streams.entry(event.stream_id).or_insert_with(|| {
                    arrays.streams.push(event.stream_id);
                    arrays.categories.push(&event.category);
                    index(arrays.streams.len() - 1)
                });
                let partition = partition_of(event.project_id.unwrap_or(event.stream_id));
                let pair = *pairs.entry((&event.topic, partition)).or_insert_with(|| {
                    arrays.topics.push(&event.topic);
                    arrays.partitions.push(partition);
                    index(arrays.topics.len() - 1)
                });
                arrays.stream.push(stream);
                arrays.pair.push(pair);
                arrays.event_id.push(event.event_id);
                arrays.version.push(event.version);
                arrays.tenant_id.push(event.tenant_id);
                arrays.project_id.push(event.project_id);
                arrays.event_type.push(&event.event_type);
                arrays.schema_fingerprint.push(&event.schema_fingerprint);
                arrays.payload.push(&event.payload);
                arrays.actor.push(&event.actor);
                arrays.command_id.push(event.command_id);
                arrays.correlation_id.push(event.correlation_id);
                arrays.causation_id.push(event.causation_id);
                let idempotency = command.idempotency.as_ref().filter(|_| ordinal == 0);
                arrays.idempotency_key.push(idempotency.map(|first| first.key));
                arrays.request_sha256.push(idempotency.map(|first| &first.request_sha256[..]));
                arrays.traceparent.push(event.traceparent.as_deref());
                arrays.occurred_at.push(event.occurred_at);
            }
        }
        arrays
    }
}

/// Answers the 1-based index of what is at `offset`. A call holds far fewer than 2^31 events.
fn index(offset: usize) -> i32 {
    offset as i32 + 1
}
