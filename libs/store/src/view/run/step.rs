//! View `step`: the steps of a run, in the order of its plan.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::view::{Moment, Place};
use crate::{Connection, Error, Sha256};

/// How many of the last runs say how long a step usually takes.
const RUNS_REMEMBERED: i64 = 10;

/// A step of a run.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Step {
    pub run_id: Uuid,
    pub ordinal: i32,
    pub unique_id: String,
    pub name: String,
    pub resource_type: String,
    pub materialized: Option<String>,
    pub relation: Option<String>,
    pub reason: String,
    /// `pending`, `running`, `succeeded`, `failed`, `unknown`, `skipped` or `cancelled`.
    pub state: String,
    pub attempt: i32,
    pub warned: bool,
    pub rows: Option<i64>,
    pub failures: Option<i64>,
    pub message: Option<String>,
    pub code: Option<String>,
    pub sqlstate: Option<String>,
    #[sqlx(flatten)]
    pub place: Place,
    pub sql_sha256: Option<Sha256>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub duration_us: Option<i64>,
}

/// A step that is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStep {
    pub unique_id: String,
    pub name: String,
    pub resource_type: String,
    pub materialized: Option<String>,
    pub relation: Option<String>,
    pub reason: String,
}

/// Says that an attempt at a step began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepStart {
    pub run_id: Uuid,
    pub unique_id: String,
    pub attempt: i32,
    /// The SQL that it sends.
    pub sql: Option<Sha256>,
    pub at: DateTime<Utc>,
}

/// Says how a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepEnd {
    pub run_id: Uuid,
    pub unique_id: String,
    pub at: DateTime<Utc>,
    /// `succeeded`, `failed`, `unknown`, `skipped` or `cancelled`.
    pub state: &'static str,
    pub warned: bool,
    pub rows: Option<i64>,
    pub failures: Option<i64>,
    pub message: Option<String>,
    pub code: Option<String>,
    pub sqlstate: Option<String>,
    pub place: Place,
    pub duration_us: Option<i64>,
}

impl StepEnd {
    /// Makes an end of which nothing more is known.
    pub fn new(moment: &Moment, unique_id: &str, state: &'static str) -> Self {
        Self {
            run_id: moment.stream_id,
            unique_id: unique_id.to_owned(),
            at: moment.at,
            state,
            warned: false,
            rows: None,
            failures: None,
            message: None,
            code: None,
            sqlstate: None,
            place: Place::NONE,
            duration_us: None,
        }
    }
}

/// Notes what a run will do, in order.
///
/// # Errors
/// When the database does.
pub async fn plan(c: &mut Connection, moment: &Moment, steps: &[NewStep]) -> Result<(), Error> {
    sqlx::query("update run set state = 'planned' where run_id = $1 and state = 'requested'")
        .bind(moment.stream_id)
        .execute(&mut *c)
        .await?;
    sqlx::query(
        "insert into step (run_id, ordinal, unique_id, name, resource_type, materialized, relation, reason, state)
        select $1, n.ordinal, n.unique_id, n.name, n.resource_type, n.materialized, n.relation, n.reason, 'pending'
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
            with ordinality as n (unique_id, name, resource_type, materialized, relation, reason, ordinal)
        on conflict do nothing",
    )
    .bind(moment.stream_id)
    .bind(steps.iter().map(|step| step.unique_id.as_str()).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.resource_type.as_str()).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.materialized.as_deref()).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.relation.as_deref()).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.reason.as_str()).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Notes that attempts at steps began, at most one of each step.
///
/// # Errors
/// When the database does.
pub async fn start_steps(c: &mut Connection, starts: &[StepStart]) -> Result<(), Error> {
    sqlx::query(
        "update step as s
        set state = 'running',
            attempt = n.attempt,
            sql_sha256 = n.sql,
            started_at = n.at,
            finished_at = null,
            message = null
        from unnest($1::uuid[], $2::text[], $3::integer[], $4::bytea[], $5::timestamptz[])
            as n (run_id, unique_id, attempt, sql, at)
        where s.run_id = n.run_id and s.unique_id = n.unique_id",
    )
    .bind(starts.iter().map(|start| start.run_id).collect::<Vec<_>>())
    .bind(starts.iter().map(|start| start.unique_id.as_str()).collect::<Vec<_>>())
    .bind(starts.iter().map(|start| start.attempt).collect::<Vec<_>>())
    .bind(starts.iter().map(|start| start.sql.as_ref().map(<[u8; 32]>::as_slice)).collect::<Vec<_>>())
    .bind(starts.iter().map(|start| start.at).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Notes that an attempt had no effect: the step waits for the next one.
///
/// # Errors
/// When the database does.
pub async fn reset_step(c: &mut Connection, moment: &Moment, unique_id: &str, message: &str) -> Result<(), Error> {
    sqlx::query("update step set state = 'pending', message = $3 where run_id = $1 and unique_id = $2")
        .bind(moment.stream_id)
        .bind(unique_id)
        .bind(message)
        .execute(c)
        .await?;
    Ok(())
}

/// Notes how steps ended, each at most once. A skipped step's message takes the place of the reason it was planned for.
///
/// # Errors
/// When the database does.
pub async fn end_steps(c: &mut Connection, ends: &[StepEnd]) -> Result<(), Error> {
    sqlx::query(
        "update step as s
        set state = n.state,
            warned = n.warned,
            rows = n.rows,
            failures = n.failures,
            message = n.message,
            reason = case when n.state = 'skipped' then coalesce(n.message, s.reason) else s.reason end,
            code = n.code,
            sqlstate = n.sqlstate,
            path = n.path,
            line = n.line,
            \"column\" = n.\"column\",
            finished_at = n.at,
            duration_us = n.duration_us
        from unnest(
            $1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::integer[], $12::integer[], $13::timestamptz[], $14::bigint[]
        ) as n (
            run_id, unique_id, state, warned, rows, failures, message, code,
            sqlstate, path, line, \"column\", at, duration_us
        )
        where s.run_id = n.run_id and s.unique_id = n.unique_id",
    )
    .bind(ends.iter().map(|end| end.run_id).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.unique_id.as_str()).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.state).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.warned).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.rows).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.failures).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.message.as_deref()).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.code.as_deref()).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.sqlstate.as_deref()).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.place.path.as_deref()).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.place.line).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.place.column).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.at).collect::<Vec<_>>())
    .bind(ends.iter().map(|end| end.duration_us).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Lists the steps of a run in the order of its plan.
///
/// # Errors
/// When the database does.
pub async fn list_steps(c: &mut Connection, run_id: Uuid) -> Result<Vec<Step>, Error> {
    Ok(sqlx::query_as("select * from step where run_id = $1 order by ordinal").bind(run_id).fetch_all(c).await?)
}

/// Answers how long each step usually takes in an environment, in microseconds: the mean of its successes in the last
/// runs.
///
/// # Errors
/// When the database does.
pub async fn usual_durations(
    c: &mut Connection,
    (project_id, environment): (Uuid, &str),
) -> Result<Vec<(String, i64)>, Error> {
    Ok(sqlx::query_as(
        "select s.unique_id, avg(s.duration_us)::bigint
        from step s
        join (
            select r.run_id
            from run r
            where r.project_id = $1 and r.environment = $2 and r.state = 'finished'
            order by r.number desc
            limit $3
        ) last using (run_id)
        where s.state = 'succeeded' and s.duration_us is not null
        group by s.unique_id",
    )
    .bind(project_id)
    .bind(environment)
    .bind(RUNS_REMEMBERED)
    .fetch_all(c)
    .await?)
}
