//! Views `run` and `step`.

mod step;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use step::{
    NewStep, Step, StepEnd, StepStart, end_steps, list_steps, plan, reset_step, start_steps, usual_durations,
};

use super::Moment;
use crate::{Connection, Error};

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Run {
    pub run_id: Uuid,
    pub project_id: Uuid,
    /// From 1 in its project.
    pub number: i64,
    pub branch_id: Uuid,
    pub branch_version: i64,
    pub project_version: i64,
    pub environment: String,
    pub compilation_id: Uuid,
    /// dbt's command.
    pub kind: String,
    pub select: String,
    pub exclude: String,
    pub full_refresh: bool,
    pub threads: i32,
    /// `requested`, `planned`, `running` or `finished`.
    pub state: String,
    /// `succeeded`, `failed` or `cancelled`.
    pub outcome: Option<String>,
    pub message: Option<String>,
    /// Of a run that ended as a whole.
    pub code: Option<String>,
    pub cancel_requested_at: Option<DateTime<Utc>>,
    pub requested_by: String,
    pub requested_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub position: i64,
}

/// Counts the steps of a run by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    pub succeeded: i64,
    pub failed: i64,
    pub skipped: i64,
    pub cancelled: i64,
    pub running: i64,
    pub pending: i64,
    /// Of those that succeeded.
    pub warned: i64,
}

/// Names what is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub branch_id: Uuid,
    pub branch_version: i64,
    pub project_version: i64,
    pub environment: String,
    pub compilation_id: Uuid,
    pub kind: String,
    pub select: String,
    pub exclude: String,
    pub full_refresh: bool,
    pub threads: i32,
}

/// Adds a run that was asked for, with the project's next number.
///
/// # Errors
/// When the database does.
pub async fn request(c: &mut Connection, moment: &Moment, request: &Request) -> Result<(), Error> {
    sqlx::query(
        "insert into run (
            run_id, project_id, number, branch_id, branch_version, project_version, environment, compilation_id,
            kind, \"select\", exclude, full_refresh, threads, state, requested_by, requested_at, version, position
        )
        select
            $1, $2, (select count(*) + 1 from run r where r.project_id = $2), $3, $4, $5, $6, $7,
            $8, $9, $10, $11, $12, 'requested', $13, $14, $15, $16",
    )
    .bind(moment.stream_id)
    .bind(moment.project_id)
    .bind(request.branch_id)
    .bind(request.branch_version)
    .bind(request.project_version)
    .bind(&request.environment)
    .bind(request.compilation_id)
    .bind(&request.kind)
    .bind(&request.select)
    .bind(&request.exclude)
    .bind(request.full_refresh)
    .bind(request.threads)
    .bind(&moment.actor)
    .bind(moment.at)
    .bind(moment.version)
    .bind(moment.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Notes the last event of each of these runs' streams.
///
/// # Errors
/// When the database does.
pub async fn advance(c: &mut Connection, last: &[Moment]) -> Result<(), Error> {
    sqlx::query(
        "update run as r
        set version = n.version, position = n.position
        from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as n (run_id, version, position)
        where r.run_id = n.run_id",
    )
    .bind(last.iter().map(|moment| moment.stream_id).collect::<Vec<_>>())
    .bind(last.iter().map(|moment| moment.version).collect::<Vec<_>>())
    .bind(last.iter().map(|moment| moment.position).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Notes that someone asked to cancel a run.
///
/// # Errors
/// When the database does.
pub async fn request_cancel(c: &mut Connection, moment: &Moment) -> Result<(), Error> {
    sqlx::query("update run set cancel_requested_at = coalesce(cancel_requested_at, $2) where run_id = $1")
        .bind(moment.stream_id)
        .bind(moment.at)
        .execute(c)
        .await?;
    Ok(())
}

/// Notes that an executor drives a run; a later one changes nothing.
///
/// # Errors
/// When the database does.
pub async fn start(c: &mut Connection, moment: &Moment) -> Result<(), Error> {
    sqlx::query("update run set state = 'running', started_at = coalesce(started_at, $2) where run_id = $1")
        .bind(moment.stream_id)
        .bind(moment.at)
        .execute(c)
        .await?;
    Ok(())
}

/// Notes how a run ended.
///
/// # Errors
/// When the database does.
pub async fn finish(
    c: &mut Connection,
    moment: &Moment,
    outcome: &str,
    (code, message): (Option<&str>, Option<&str>),
) -> Result<(), Error> {
    sqlx::query(
        "update run
        set state = 'finished', outcome = $2, message = $3, finished_at = $4, code = $5
        where run_id = $1",
    )
    .bind(moment.stream_id)
    .bind(outcome)
    .bind(message)
    .bind(moment.at)
    .bind(code)
    .execute(c)
    .await?;
    Ok(())
}

/// Finds a run.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, run_id: Uuid) -> Result<Option<Run>, Error> {
    Ok(sqlx::query_as("select * from run where run_id = $1").bind(run_id).fetch_optional(c).await?)
}

/// Lists up to `limit` runs of a project with a lower number, the newest first.
///
/// # Errors
/// When the database does.
pub async fn list_before(
    c: &mut Connection,
    project_id: Uuid,
    before_number: i64,
    limit: i64,
) -> Result<Vec<Run>, Error> {
    Ok(sqlx::query_as(
        "select *
        from run
        where project_id = $1 and number < $2
        order by number desc
        limit $3",
    )
    .bind(project_id)
    .bind(before_number)
    .bind(limit)
    .fetch_all(c)
    .await?)
}

/// Finds the newest run of an environment that has finished.
///
/// # Errors
/// When the database does.
pub async fn find_finished(c: &mut Connection, project_id: Uuid, environment: &str) -> Result<Option<Run>, Error> {
    Ok(sqlx::query_as(
        "select *
        from run
        where project_id = $1 and environment = $2 and state = 'finished'
        order by number desc
        limit 1",
    )
    .bind(project_id)
    .bind(environment)
    .fetch_optional(c)
    .await?)
}

/// Counts the steps of a run.
///
/// # Errors
/// When the database does.
pub async fn count_steps(c: &mut Connection, run_id: Uuid) -> Result<Counts, Error> {
    Ok(sqlx::query_as(
        "select
            count(*) filter (where state = 'succeeded') as succeeded,
            count(*) filter (where state = 'failed') as failed,
            count(*) filter (where state = 'skipped') as skipped,
            count(*) filter (where state = 'cancelled') as cancelled,
            count(*) filter (where state in ('running', 'unknown')) as running,
            count(*) filter (where state = 'pending') as pending,
            count(*) filter (where state = 'succeeded' and warned) as warned
        from step
        where run_id = $1",
    )
    .bind(run_id)
    .fetch_one(c)
    .await?)
}
