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

/// Says how a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepEnd {
    pub unique_id: String,
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
    pub fn new(unique_id: &str, state: &'static str) -> Self {
        Self {
            unique_id: unique_id.to_owned(),
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

/// Notes that an attempt at a step begins, and the SQL that it sends.
///
/// # Errors
/// When the database does.
pub async fn start_step(
    c: &mut Connection,
    moment: &Moment,
    (unique_id, attempt): (&str, i32),
    sql: Option<Sha256>,
) -> Result<(), Error> {
    sqlx::query(
        "update step
        set state = 'running', attempt = $3, sql_sha256 = $4, started_at = $5, finished_at = null, message = null
        where run_id = $1 and unique_id = $2",
    )
    .bind(moment.stream_id)
    .bind(unique_id)
    .bind(attempt)
    .bind(sql)
    .bind(moment.at)
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

/// Notes how a step ended. A skipped step's message takes the place of the reason it was planned for.
///
/// # Errors
/// When the database does.
pub async fn end_step(c: &mut Connection, moment: &Moment, end: &StepEnd) -> Result<(), Error> {
    sqlx::query(
        "update step
        set state = $3,
            warned = $4,
            rows = $5,
            failures = $6,
            message = $7,
            reason = case when $3 = 'skipped' then coalesce($7, reason) else reason end,
            code = $8,
            sqlstate = $9,
            path = $10,
            line = $11,
            \"column\" = $12,
            finished_at = $13,
            duration_us = $14
        where run_id = $1 and unique_id = $2",
    )
    .bind(moment.stream_id)
    .bind(&end.unique_id)
    .bind(end.state)
    .bind(end.warned)
    .bind(end.rows)
    .bind(end.failures)
    .bind(&end.message)
    .bind(&end.code)
    .bind(&end.sqlstate)
    .bind(&end.place.path)
    .bind(end.place.line)
    .bind(end.place.column)
    .bind(moment.at)
    .bind(end.duration_us)
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
