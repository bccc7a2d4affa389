//! Table `checkpoint`: how far a consumer has applied each topic and partition.
//!
//! Whoever holds a checkpoint's row lock may apply; that alone makes two owners, zombies and replays harmless.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::event::PARTITIONS;
use crate::{Connection, Error};

/// Names a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, sqlx::FromRow)]
pub struct Key {
    pub consumer: String,
    pub topic: String,
    pub partition: i16,
}

/// Says how far a consumer has come: everything up to `position` is applied.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    #[sqlx(flatten)]
    pub key: Key,
    pub position: i64,
    pub moved_at: DateTime<Utc>,
}

/// Says that the log is ahead of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Behind {
    pub topic: String,
    pub partition: i16,
    pub position: i64,
    /// The position of the partition's last event.
    pub head: i64,
}

/// Says how many events of a partition a consumer has not applied.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Lag {
    pub topic: String,
    pub partition: i16,
    /// Counted up to [`LAG_MAX`].
    pub events: i64,
}

/// The largest lag that is counted: beyond it, how large it is matters less than what counting costs.
pub const LAG_MAX: i64 = 10_000;

/// Lets a consumer of `topics` count from its first moment: with a checkpoint of every partition, at 0 where it has none.
///
/// # Errors
/// When the database does.
pub async fn begin(c: &mut Connection, consumer: &str, topics: &[String]) -> Result<(), Error> {
    sqlx::query(
        "insert into checkpoint (consumer, topic, partition, position)
        select $1, topic, partition, 0
        from unnest($2::text[]) topic, generate_series(0, $3 - 1) partition
        on conflict (consumer, topic, partition) do nothing",
    )
    .bind(consumer)
    .bind(topics)
    .bind(i32::from(PARTITIONS))
    .execute(c)
    .await?;
    Ok(())
}

/// Locks a checkpoint to the end of the transaction and answers its position; a new one starts at 0. None: another
/// transaction holds it.
///
/// # Errors
/// When the database does.
pub async fn lock(c: &mut Connection, key: &Key) -> Result<Option<i64>, Error> {
    const LOCK: &str = "select position
        from checkpoint
        where consumer = $1 and topic = $2 and partition = $3
        for update skip locked";
    let lock = || sqlx::query_scalar(LOCK).bind(&key.consumer).bind(&key.topic).bind(key.partition);
    if let Some(position) = lock().fetch_optional(&mut *c).await? {
        return Ok(Some(position));
    }
    sqlx::query(
        "insert into checkpoint (consumer, topic, partition, position)
        values ($1, $2, $3, 0)
        on conflict (consumer, topic, partition) do nothing",
    )
    .bind(&key.consumer)
    .bind(&key.topic)
    .bind(key.partition)
    .execute(&mut *c)
    .await?;
    Ok(lock().fetch_optional(&mut *c).await?)
}

/// Moves a locked checkpoint forward.
///
/// # Errors
/// When the database does.
pub async fn advance(c: &mut Connection, key: &Key, position: i64) -> Result<(), Error> {
    sqlx::query(
        "update checkpoint
        set position = $4, moved_at = now()
        where consumer = $1 and topic = $2 and partition = $3 and position < $4",
    )
    .bind(&key.consumer)
    .bind(&key.topic)
    .bind(key.partition)
    .bind(position)
    .execute(c)
    .await?;
    Ok(())
}

/// Sets a checkpoint, backwards too: an operator's tool, and a rebuild's last step.
///
/// # Errors
/// When the database does.
pub async fn reset(c: &mut Connection, key: &Key, position: i64) -> Result<(), Error> {
    sqlx::query(
        "insert into checkpoint (consumer, topic, partition, position)
        values ($1, $2, $3, $4)
        on conflict (consumer, topic, partition) do update
            set position = excluded.position, moved_at = now()",
    )
    .bind(&key.consumer)
    .bind(&key.topic)
    .bind(key.partition)
    .bind(position)
    .execute(c)
    .await?;
    Ok(())
}

/// Lists a consumer's checkpoints (at most 16 a topic).
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, consumer: &str) -> Result<Vec<Checkpoint>, Error> {
    Ok(sqlx::query_as(
        "select consumer, topic, partition, position, moved_at
        from checkpoint
        where consumer = $1
        order by topic, partition",
    )
    .bind(consumer)
    .fetch_all(c)
    .await?)
}

/// Answers how far a consumer has come in a partition; 0 where it has not begun.
///
/// # Errors
/// When the database does.
pub async fn position(c: &mut Connection, key: &Key) -> Result<i64, Error> {
    const FIND: &str = "select position from checkpoint where consumer = $1 and topic = $2 and partition = $3";
    let find = sqlx::query_scalar(FIND).bind(&key.consumer).bind(&key.topic).bind(key.partition);
    Ok(find.fetch_optional(c).await?.unwrap_or(0))
}

/// Lists, for each topic and partition, the position that every consumer of it has reached.
///
/// # Errors
/// When the database does.
pub async fn list_lowest(c: &mut Connection) -> Result<Vec<(String, i16, i64)>, Error> {
    Ok(sqlx::query_as(
        "select topic, partition, min(position)
        from checkpoint
        group by topic, partition
        order by topic, partition",
    )
    .fetch_all(c)
    .await?)
}

/// Lists the partitions of `topics` that hold an event older than `for_longer_than` which `consumer` has not applied.
///
/// # Errors
/// When the database does.
pub async fn list_behind(
    c: &mut Connection,
    consumer: &str,
    topics: &[String],
    for_longer_than: Duration,
) -> Result<Vec<Behind>, Error> {
    // The first event after the checkpoint has waited longest; the index answers it with one probe a partition.
    Ok(sqlx::query_as(
        "select head.topic, head.partition, coalesce(done.position, 0) as position, head.position as head
        from partition_head head
        left join checkpoint done
            on done.consumer = $1 and done.topic = head.topic and done.partition = head.partition
        cross join lateral (
            select e.recorded_at
            from event e
            where e.topic = head.topic
                and e.partition = head.partition
                and e.position > coalesce(done.position, 0)
            order by e.position
            limit 1
        ) as next
        where head.topic = any ($2)
            and head.position > coalesce(done.position, 0)
            and next.recorded_at <= clock_timestamp() - make_interval(secs => $3)
        order by head.topic, head.partition",
    )
    .bind(consumer)
    .bind(topics)
    .bind(for_longer_than.as_secs_f64())
    .fetch_all(c)
    .await?)
}

/// Answers how far `consumer` is behind in each partition of `topics` that has events.
///
/// # Errors
/// When the database does.
pub async fn list_lag(c: &mut Connection, consumer: &str, topics: &[String]) -> Result<Vec<Lag>, Error> {
    Ok(sqlx::query_as(
        "select head.topic, head.partition, waiting.events
        from partition_head head
        left join checkpoint done
            on done.consumer = $1 and done.topic = head.topic and done.partition = head.partition
        cross join lateral (
            select count(*) as events
            from (
                select
                from event e
                where e.topic = head.topic
                    and e.partition = head.partition
                    and e.position > coalesce(done.position, 0)
                limit $3
            ) as counted
        ) as waiting
        where head.topic = any ($2)
        order by head.topic, head.partition",
    )
    .bind(consumer)
    .bind(topics)
    .bind(LAG_MAX)
    .fetch_all(c)
    .await?)
}
