//! Table `step_log`: what a step of a run wrote, line by line. Truth beside the log.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Connection, Error};

/// Names a step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    pub run_id: Uuid,
    /// The step's unique_id.
    pub node: &'a str,
}

/// A line of a step's log.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Line {
    /// From 1, without gap, over all attempts of the step.
    pub seq: i64,
    pub attempt: i32,
    pub at: DateTime<Utc>,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    pub line: String,
}

/// Appends lines; the writer counts `seq` (a new attempt goes on after [`last_seq`]). The same lines again change
/// nothing.
///
/// # Errors
/// When the database does.
pub async fn append(c: &mut Connection, step: Step<'_>, lines: &[Line]) -> Result<(), Error> {
    sqlx::query(
        "insert into step_log (run_id, node, seq, attempt, at, level, line)
        select $1, $2, n.seq, n.attempt, n.at, n.level, n.line
        from unnest($3::bigint[], $4::integer[], $5::timestamptz[], $6::text[], $7::text[])
            as n (seq, attempt, at, level, line)
        on conflict (run_id, node, seq) do nothing",
    )
    .bind(step.run_id)
    .bind(step.node)
    .bind(lines.iter().map(|line| line.seq).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.attempt).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.at).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.level.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.line.as_str()).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Lists up to `limit` lines after `seq`, in order.
///
/// # Errors
/// When the database does.
pub async fn list_after(c: &mut Connection, step: Step<'_>, seq: i64, limit: i64) -> Result<Vec<Line>, Error> {
    Ok(sqlx::query_as(
        "select seq, attempt, at, level, line
        from step_log
        where run_id = $1 and node = $2 and seq > $3
        order by seq
        limit $4",
    )
    .bind(step.run_id)
    .bind(step.node)
    .bind(seq)
    .bind(limit)
    .fetch_all(c)
    .await?)
}

/// Answers the last line's number; 0 where there is none.
///
/// # Errors
/// When the database does.
pub async fn last_seq(c: &mut Connection, step: Step<'_>) -> Result<i64, Error> {
    Ok(sqlx::query_scalar("select coalesce(max(seq), 0) from step_log where run_id = $1 and node = $2")
        .bind(step.run_id)
        .bind(step.node)
        .fetch_one(c)
        .await?)
}
