//! Table `event`: the log. Appends batches of commands, and reads by position, partition, stream and project.

mod append;
mod turn;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256 as Hasher};
use uuid::Uuid;

pub use append::append;
pub use turn::{is_reserved, release_turn};

use crate::{Connection, Error, Sha256};

/// How many partitions each topic has, in every profile, for ever.
pub const PARTITIONS: i16 = 16;

/// An event to append. `occurred_at` is kept to the microsecond.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    pub event_id: Uuid,
    pub category: String,
    pub stream_id: Uuid,
    /// 1-based; the version that the stream has after this event.
    pub version: i64,
    pub tenant_id: Uuid,
    pub project_id: Option<Uuid>,
    /// Without prefix, e.g. `dvt.project`.
    pub topic: String,
    pub event_type: String,
    /// Names the schema that `payload` is written with.
    pub schema_fingerprint: Sha256,
    /// Avro, without any prefix.
    pub payload: Vec<u8>,
    pub actor: String,
    pub command_id: Uuid,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub traceparent: Option<String>,
    pub occurred_at: DateTime<Utc>,
}

/// Names a request, so that its repetition is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub key: Uuid,
    pub request_sha256: Sha256,
}

/// Holds the events of one command: all are appended, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub idempotency: Option<Idempotency>,
    /// At least one; they may be of several streams.
    pub events: Vec<NewEvent>,
    /// Asks for the stream's next turn if the command loses once more.
    pub reserve: bool,
}

impl Command {
    /// Makes a command of events that nobody repeats by a key.
    pub fn new(events: Vec<NewEvent>) -> Self {
        Self { idempotency: None, events, reserve: false }
    }
}

/// Says what became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In the log, at these consecutive positions.
    Appended { first: i64, last: i64 },
    /// A stream was at another version than the command was decided on, or a command before it lost there.
    Conflict { stream_id: Uuid, expected: i64, actual: i64 },
    /// The actor used this idempotency key before; `first` is the position of that command's first event.
    Duplicate { first: i64, same_request: bool },
    /// Another process has the stream's turn.
    Reserved { stream_id: Uuid, wait: std::time::Duration },
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Recorded {
    /// The order of the log; without gap, from 1.
    pub position: i64,
    pub event_id: Uuid,
    pub category: String,
    pub stream_id: Uuid,
    pub version: i64,
    pub tenant_id: Uuid,
    pub project_id: Option<Uuid>,
    pub topic: String,
    pub partition: i16,
    /// The position of the event before in this topic and partition; 0 for the first.
    pub partition_prev: i64,
    pub event_type: String,
    pub schema_fingerprint: Sha256,
    /// None: erased by law.
    pub payload: Option<Vec<u8>>,
    pub payload_sha256: Sha256,
    pub actor: String,
    pub command_id: Uuid,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    /// With its first event only a command's key and request hash are kept.
    pub idempotency_key: Option<Uuid>,
    pub request_sha256: Option<Sha256>,
    pub traceparent: Option<String>,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub hash: Sha256,
}

/// Names a stretch of one topic and partition: after `after`, up to and with `through`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range<'a> {
    pub topic: &'a str,
    pub partition: i16,
    pub after: i64,
    pub through: i64,
}

/// Says where a topic and partition ends.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PartitionHead {
    pub topic: String,
    pub partition: i16,
    pub position: i64,
    pub recorded_at: DateTime<Utc>,
}

/// Answers the partition of a project's events; of a stream's, where an event has no project.
pub fn partition_of(id: Uuid) -> i16 {
    i16::from(Hasher::digest(id.as_bytes())[7]) & (PARTITIONS - 1)
}

/// Answers the position of the last event; 0 for an empty log.
///
/// # Errors
/// When the database does.
pub async fn head(c: &mut Connection) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("select coalesce(max(position), 0) from event").fetch_one(c).await?)
}

/// Lists where each topic and partition ends.
///
/// # Errors
/// When the database does.
pub async fn list_partition_heads(c: &mut Connection) -> Result<Vec<PartitionHead>, Error> {
    Ok(sqlx::query_as(
        "select topic, partition, position, recorded_at
        from partition_head
        order by topic, partition",
    )
    .fetch_all(c)
    .await?)
}

/// Answers a stream's last version; 0 where there is no such stream.
///
/// # Errors
/// When the database does.
pub async fn stream_version(c: &mut Connection, stream_id: Uuid) -> Result<i64, Error> {
    let version = sqlx::query_scalar("select version from stream_head where stream_id = $1")
        .bind(stream_id)
        .fetch_optional(c)
        .await?;
    Ok(version.unwrap_or(0))
}

/// Lists up to `limit` events after a position, in order.
///
/// # Errors
/// When the database does.
pub async fn list_after(c: &mut Connection, position: i64, limit: i64) -> Result<Vec<Recorded>, Error> {
    Ok(sqlx::query_as("select * from event where position > $1 order by position limit $2")
        .bind(position)
        .bind(limit)
        .fetch_all(c)
        .await?)
}

/// Lists up to `limit` events of a topic and partition, in order.
///
/// # Errors
/// When the database does.
pub async fn list_partition(c: &mut Connection, range: Range<'_>, limit: i64) -> Result<Vec<Recorded>, Error> {
    Ok(sqlx::query_as(
        "select *
        from event
        where topic = $1 and partition = $2 and position > $3 and position <= $4
        order by position
        limit $5",
    )
    .bind(range.topic)
    .bind(range.partition)
    .bind(range.after)
    .bind(range.through)
    .bind(limit)
    .fetch_all(c)
    .await?)
}

/// Lists up to `limit` events of a stream after a version, in order.
///
/// # Errors
/// When the database does.
pub async fn list_stream(
    c: &mut Connection,
    stream_id: Uuid,
    after_version: i64,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    Ok(sqlx::query_as("select * from event where stream_id = $1 and version > $2 order by version limit $3")
        .bind(stream_id)
        .bind(after_version)
        .bind(limit)
        .fetch_all(c)
        .await?)
}

/// Says which events of a project are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// All unless given.
    pub category: Option<&'a str>,
    /// The types that are left out.
    pub without: &'a [&'a str],
}

/// Lists up to `limit` events of a project before a position, newest first: its history.
///
/// # Errors
/// When the database does.
pub async fn list_project_before(
    c: &mut Connection,
    (project_id, of): (Uuid, Of<'_>),
    before: i64,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    Ok(sqlx::query_as(
        "select *
        from event
        where project_id = $1
            and position < $2
            and ($3::text is null or category = $3)
            and event_type <> all ($4)
        order by position desc
        limit $5",
    )
    .bind(project_id)
    .bind(before)
    .bind(of.category)
    .bind(of.without)
    .bind(limit)
    .fetch_all(c)
    .await?)
}

/// Lists up to `limit` events of several projects after a position, up to and with another, oldest first.
///
/// # Errors
/// When the database does.
pub async fn list_projects(
    c: &mut Connection,
    project_ids: &[Uuid],
    (after, through): (i64, i64),
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    Ok(sqlx::query_as(
        "select *
        from event
        where project_id = any ($1) and position > $2 and position <= $3
        order by position
        limit $4",
    )
    .bind(project_ids)
    .bind(after)
    .bind(through)
    .bind(limit)
    .fetch_all(c)
    .await?)
}

/// Lists up to `limit` events of a project after a position, oldest first.
///
/// # Errors
/// When the database does.
pub async fn list_project_after(
    c: &mut Connection,
    project_id: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<Recorded>, Error> {
    Ok(sqlx::query_as("select * from event where project_id = $1 and position > $2 order by position limit $3")
        .bind(project_id)
        .bind(after)
        .bind(limit)
        .fetch_all(c)
        .await?)
}

/// Lists the events at these positions, in the log's order; positions beyond the head are left out.
///
/// # Errors
/// When the database does.
pub async fn list_at(c: &mut Connection, positions: &[i64]) -> Result<Vec<Recorded>, Error> {
    Ok(sqlx::query_as("select * from event where position = any ($1) order by position")
        .bind(positions)
        .fetch_all(c)
        .await?)
}

/// Finds an event by its id.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, event_id: Uuid) -> Result<Option<Recorded>, Error> {
    Ok(sqlx::query_as("select * from event where event_id = $1").bind(event_id).fetch_optional(c).await?)
}

/// Finds the last event of a stream that has one of the given types.
///
/// # Errors
/// When the database does.
pub async fn find_last(c: &mut Connection, stream_id: Uuid, types: &[&str]) -> Result<Option<Recorded>, Error> {
    const FIND: &str = "select *
        from event
        where stream_id = $1 and event_type = any ($2)
        order by version desc
        limit 1";
    Ok(sqlx::query_as(FIND).bind(stream_id).bind(types).fetch_optional(c).await?)
}

/// Lists the events of the command whose first event is at `first`.
///
/// # Errors
/// When the database does.
pub async fn list_command(c: &mut Connection, first: i64) -> Result<Vec<Recorded>, Error> {
    // A command's events are consecutive, so the walk along the primary key ends at the first other one.
    Ok(sqlx::query_as(
        "with recursive command as (
            select e.* from event e where e.position = $1
            union all
            select e.*
            from command c
            join event e on e.position = c.position + 1 and e.command_id = c.command_id and e.idempotency_key is null
        )
        select * from command order by position",
    )
    .bind(first)
    .fetch_all(c)
    .await?)
}

/// Lists the events of the command that an actor sent under an idempotency key; empty where there is none. The first
/// event carries the hash of the request.
///
/// # Errors
/// When the database does.
pub async fn list_by_idempotency_key(c: &mut Connection, actor: &str, key: Uuid) -> Result<Vec<Recorded>, Error> {
    let first: Option<i64> = sqlx::query_scalar("select position from event where actor = $1 and idempotency_key = $2")
        .bind(actor)
        .bind(key)
        .fetch_optional(&mut *c)
        .await?;
    match first {
        Some(first) => list_command(c, first).await,
        None => Ok(Vec::new()),
    }
}

/// Nulls the payload of an event whose stream holds a `PayloadErased` caused by it. Only the owner may.
///
/// # Errors
/// `event_erasure_recorded` where the stream does not say so; when the database does.
pub async fn erase_payload(c: &mut Connection, event_id: Uuid) -> Result<(), Error> {
    sqlx::query("select erase_payload($1)").bind(event_id).execute(c).await?;
    Ok(())
}
