//! Table `parked_stream`: streams that a consumer cannot apply any further until someone retries.

use chrono::{DateTime, Utc};

use crate::{Connection, Error, checkpoint};

/// Says where and why a stream stands still for a consumer.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Parked {
    pub consumer: String,
    pub stream_id: uuid::Uuid,
    pub topic: String,
    pub partition: i16,
    /// Of the first event that could not be applied: a retry resumes here.
    pub position: i64,
    pub error: String,
    pub parked_at: DateTime<Utc>,
    /// None: nobody asked for another try since the last one.
    pub retry_requested_at: Option<DateTime<Utc>>,
}

/// Names the stream to park.
#[derive(Clone, Debug)]
pub struct Park<'a> {
    pub key: &'a checkpoint::Key,
    pub stream_id: uuid::Uuid,
    pub position: i64,
    pub error: &'a str,
}

/// Parks a stream; one that is parked already stays where it is.
///
/// # Errors
/// When the database does.
pub async fn park(c: &mut Connection, park: &Park<'_>) -> Result<(), Error> {
    sqlx::query(
        "insert into parked_stream (consumer, stream_id, topic, partition, position, error)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (consumer, stream_id) do nothing",
    )
    .bind(&park.key.consumer)
    .bind(park.stream_id)
    .bind(&park.key.topic)
    .bind(park.key.partition)
    .bind(park.position)
    .bind(park.error)
    .execute(c)
    .await?;
    Ok(())
}

/// Lists all parked streams, oldest first (at most 1,000).
///
/// # Errors
/// When the database does.
pub async fn list_all(c: &mut Connection) -> Result<Vec<Parked>, Error> {
    const LIST: &str = "select * from parked_stream order by parked_at, consumer, stream_id limit 1000";
    Ok(sqlx::query_as(LIST).fetch_all(c).await?)
}

/// Lists the parked streams of a consumer, oldest first (at most 1,000).
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, consumer: &str) -> Result<Vec<Parked>, Error> {
    const LIST: &str = "select *
        from parked_stream
        where consumer = $1
        order by parked_at, stream_id
        limit 1000";
    Ok(sqlx::query_as(LIST).bind(consumer).fetch_all(c).await?)
}

/// Lists the parked streams of one checkpoint.
///
/// # Errors
/// When the database does.
pub async fn list_partition(c: &mut Connection, key: &checkpoint::Key) -> Result<Vec<Parked>, Error> {
    Ok(sqlx::query_as(
        "select *
        from parked_stream
        where consumer = $1 and topic = $2 and partition = $3
        order by stream_id",
    )
    .bind(&key.consumer)
    .bind(&key.topic)
    .bind(key.partition)
    .fetch_all(c)
    .await?)
}

/// Lists the parked streams of a consumer that someone asked to try again.
///
/// # Errors
/// When the database does.
pub async fn list_requested(c: &mut Connection, consumer: &str) -> Result<Vec<Parked>, Error> {
    const LIST: &str = "select *
        from parked_stream
        where consumer = $1 and retry_requested_at is not null
        order by retry_requested_at, stream_id";
    Ok(sqlx::query_as(LIST).bind(consumer).fetch_all(c).await?)
}

/// Asks every consumer for which a stream is parked to try it again; answers how many there are.
///
/// # Errors
/// When the database does.
pub async fn request_retry(c: &mut Connection, stream_id: uuid::Uuid) -> Result<u64, Error> {
    const REQUEST: &str = "update parked_stream set retry_requested_at = now() where stream_id = $1";
    Ok(sqlx::query(REQUEST).bind(stream_id).execute(c).await?.rows_affected())
}

/// Notes that another try failed, and why.
///
/// # Errors
/// When the database does.
pub async fn note_failure(c: &mut Connection, parked: &Parked, error: &str) -> Result<(), Error> {
    const NOTE: &str = "update parked_stream
        set error = $3, retry_requested_at = null
        where consumer = $1 and stream_id = $2";
    sqlx::query(NOTE).bind(&parked.consumer).bind(parked.stream_id).bind(error).execute(c).await?;
    Ok(())
}

/// Forgets that a stream is parked; false where it was not.
///
/// # Errors
/// When the database does.
pub async fn remove(c: &mut Connection, consumer: &str, stream_id: uuid::Uuid) -> Result<bool, Error> {
    let done = sqlx::query("delete from parked_stream where consumer = $1 and stream_id = $2")
        .bind(consumer)
        .bind(stream_id)
        .execute(c)
        .await?;
    Ok(done.rows_affected() == 1)
}
