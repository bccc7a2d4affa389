//! Table `job`: long work that a worker claims with a lease: compilations, publishes, runs.
//!
//! A job is keyed by the event that requested it, so enqueueing is idempotent. A worker loads the job's stream first and
//! finishes a job whose stream is finished.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Connection, Error};

/// Says what a job is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Compile,
    Publish,
    Run,
}

impl Kind {
    /// Answers the kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Publish => "publish",
            Self::Run => "run",
        }
    }
}

/// A job to enqueue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// The id of the requesting event.
    pub job_id: Uuid,
    pub kind: Kind,
    /// Jobs of one lane run one at a time, in the order of their positions; without a lane, beside all others.
    pub lane: Option<String>,
    pub project_id: Uuid,
    pub stream_id: Uuid,
    /// Of the requesting event.
    pub position: i64,
    pub request: Vec<u8>,
}

/// A job that a worker has claimed.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    pub job_id: Uuid,
    pub lane: Option<String>,
    pub project_id: Uuid,
    pub stream_id: Uuid,
    pub position: i64,
    pub request: Vec<u8>,
    /// Counts the claims, from 1.
    pub attempt: i32,
    /// Counts the claims whose worker let its lease run out since the job last made progress.
    pub takeovers: i32,
    pub worker: Uuid,
    pub created_at: DateTime<Utc>,
}

/// Says how a job stands.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Status {
    pub job_id: Uuid,
    /// `waiting`, `claimed` or `done`.
    pub state: String,
    pub attempt: i32,
    pub error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Enqueues a job; one with the same id stays as it is. Call it in the transaction that moves the checkpoint.
///
/// # Errors
/// When the database does.
pub async fn enqueue(c: &mut Connection, job: &NewJob) -> Result<(), Error> {
    sqlx::query(
        "insert into job (job_id, kind, lane, project_id, stream_id, position, request)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (job_id) do nothing",
    )
    .bind(job.job_id)
    .bind(job.kind.as_str())
    .bind(&job.lane)
    .bind(job.project_id)
    .bind(job.stream_id)
    .bind(job.position)
    .bind(&job.request)
    .execute(c)
    .await?;
    Ok(())
}

/// Claims the oldest job of a kind that is due: a waiting one, or one whose worker let its lease run out. A job with
/// a lane is due only when it is the lane's oldest.
///
/// # Errors
/// When the database does.
pub async fn claim(c: &mut Connection, kind: Kind, worker: Uuid, lease: Duration) -> Result<Option<Job>, Error> {
    Ok(sqlx::query_as(
        "update job
        set state = 'claimed',
            attempt = attempt + 1,
            takeovers = takeovers + (state = 'claimed')::integer,
            worker = $2,
            due_at = clock_timestamp() + make_interval(secs => $3)
        where job_id = (
            select j.job_id
            from job j
            where j.kind = $1
                and j.state <> 'done'
                and j.due_at <= clock_timestamp()
                and (
                    j.lane is null
                    or not exists (
                        select
                        from job before
                        where before.lane = j.lane and before.state <> 'done' and before.position < j.position
                    )
                )
            order by j.position
            limit 1
            for update skip locked
        )
        returning job_id, lane, project_id, stream_id, position, request, attempt, takeovers, worker, created_at",
    )
    .bind(kind.as_str())
    .bind(worker)
    .bind(lease.as_secs_f64())
    .fetch_optional(c)
    .await?)
}

/// Prolongs a claim; false: it is no longer ours, and the work must stop.
///
/// # Errors
/// When the database does.
pub async fn heartbeat(c: &mut Connection, job: &Job, lease: Duration) -> Result<bool, Error> {
    let done = sqlx::query(
        "update job
        set due_at = clock_timestamp() + make_interval(secs => $4)
        where job_id = $1 and state = 'claimed' and worker = $2 and attempt = $3",
    )
    .bind(job.job_id)
    .bind(job.worker)
    .bind(job.attempt)
    .bind(lease.as_secs_f64())
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a claimed job has made progress: what happened to it before is no reason to give it up.
///
/// # Errors
/// When the database does.
pub async fn progress(c: &mut Connection, job: &Job) -> Result<(), Error> {
    sqlx::query("update job set takeovers = 0 where job_id = $1 and worker = $2 and attempt = $3 and takeovers > 0")
        .bind(job.job_id)
        .bind(job.worker)
        .bind(job.attempt)
        .execute(c)
        .await?;
    Ok(())
}

/// Takes back that a worker had stopped when its claim ran out: it lives, and only the database was out of its reach.
///
/// # Errors
/// When the database does.
pub async fn outlived(c: &mut Connection, job: &Job) -> Result<(), Error> {
    sqlx::query("update job set takeovers = takeovers - 1 where job_id = $1 and attempt > $2 and takeovers > 0")
        .bind(job.job_id)
        .bind(job.attempt)
        .execute(c)
        .await?;
    Ok(())
}

/// Finishes a claimed job; false: the claim is no longer ours, and nothing changed.
///
/// # Errors
/// When the database does.
pub async fn finish(c: &mut Connection, job: &Job) -> Result<bool, Error> {
    let done = sqlx::query(
        "update job
        set state = 'done', worker = null, finished_at = clock_timestamp()
        where job_id = $1 and state = 'claimed' and worker = $2 and attempt = $3",
    )
    .bind(job.job_id)
    .bind(job.worker)
    .bind(job.attempt)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a claimed job back, to be claimed after `delay`; false: the claim is no longer ours, and nothing changed.
///
/// # Errors
/// When the database does.
pub async fn postpone(c: &mut Connection, job: &Job, delay: Duration, error: &str) -> Result<bool, Error> {
    let done = sqlx::query(
        "update job
        set state = 'waiting', worker = null, error = $5, due_at = clock_timestamp() + make_interval(secs => $4)
        where job_id = $1 and state = 'claimed' and worker = $2 and attempt = $3",
    )
    .bind(job.job_id)
    .bind(job.worker)
    .bind(job.attempt)
    .bind(delay.as_secs_f64())
    .bind(error)
    .execute(c)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets the waiting jobs of a stream be claimed at once, as what they wait for has happened.
///
/// # Errors
/// When the database does.
pub async fn wake(c: &mut Connection, kind: Kind, stream_id: Uuid) -> Result<(), Error> {
    sqlx::query(
        "update job
        set due_at = clock_timestamp()
        where kind = $1 and stream_id = $2 and state = 'waiting' and due_at > clock_timestamp()",
    )
    .bind(kind.as_str())
    .bind(stream_id)
    .execute(c)
    .await?;
    Ok(())
}

/// Lists the unfinished jobs of a lane, oldest first (at most 1,000): what a publisher may send as one.
///
/// # Errors
/// When the database does.
pub async fn list_lane(c: &mut Connection, lane: &str) -> Result<Vec<NewJob>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "select job_id, kind, lane, project_id, stream_id, position, request
        from job
        where lane = $1 and state <> 'done'
        order by position
        limit 1000",
    )
    .bind(lane)
    .fetch_all(c)
    .await?;
    rows.into_iter().map(Row::job).collect()
}

/// Finishes jobs of a lane that were done together with `leader`, which is claimed; answers how many. 0: the
/// leader's claim is no longer ours.
///
/// # Errors
/// When the database does.
pub async fn finish_with(c: &mut Connection, leader: &Job, jobs: &[Uuid]) -> Result<u64, Error> {
    let done = sqlx::query(
        "update job
        set state = 'done', worker = null, finished_at = clock_timestamp()
        where (job_id = any ($4) and lane = $5 and state = 'waiting' or job_id = $1)
            and exists (
                select from job l where l.job_id = $1 and l.state = 'claimed' and l.worker = $2 and l.attempt = $3
            )",
    )
    .bind(leader.job_id)
    .bind(leader.worker)
    .bind(leader.attempt)
    .bind(jobs)
    .bind(&leader.lane)
    .execute(c)
    .await?;
    Ok(done.rows_affected())
}

/// Says what waits of a kind of jobs.
#[derive(Clone, Copy, Debug, PartialEq, sqlx::FromRow)]
pub struct Backlog {
    /// How many jobs nobody works on.
    pub waiting: i64,
    /// How long ago the oldest that has not ended was requested.
    pub oldest_seconds: f64,
}

/// Answers what waits of a kind of jobs.
///
/// # Errors
/// When the database does.
pub async fn backlog(c: &mut Connection, kind: Kind) -> Result<Backlog, Error> {
    Ok(sqlx::query_as(
        "select count(*) filter (where state = 'waiting') as waiting,
            coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as oldest_seconds
        from job
        where kind = $1 and state <> 'done'",
    )
    .bind(kind.as_str())
    .fetch_one(c)
    .await?)
}

/// Finds how a job stands.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, job_id: Uuid) -> Result<Option<Status>, Error> {
    Ok(sqlx::query_as("select job_id, state, attempt, error, created_at, finished_at from job where job_id = $1")
        .bind(job_id)
        .fetch_optional(c)
        .await?)
}

#[derive(sqlx::FromRow)]
struct Row {
    job_id: Uuid,
    kind: String,
    lane: Option<String>,
    project_id: Uuid,
    stream_id: Uuid,
    position: i64,
    request: Vec<u8>,
}

impl Row {
    fn job(self) -> Result<NewJob, Error> {
        let kind = [Kind::Compile, Kind::Publish, Kind::Run].into_iter().find(|kind| kind.as_str() == self.kind);
        let Some(kind) = kind else { return Err(Error::Answer(format!("a job of kind {}", self.kind))) };
        Ok(NewJob {
            job_id: self.job_id,
            kind,
            lane: self.lane,
            project_id: self.project_id,
            stream_id: self.stream_id,
            position: self.position,
            request: self.request,
        })
    }
}
