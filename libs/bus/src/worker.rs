//! Claims job rows and works on them: with a lease that a heartbeat prolongs, an attempt number, and pauses that grow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dvt_runtime::{CancellationToken, metrics, trace};
use dvt_store::job::{self, Job, Kind};
use dvt_store::{Retry, Store, event};
use tokio::task::JoinSet;
use tracing::{Instrument, Span, info_span};
use uuid::Uuid;

use crate::leases::Lease;

/// How often an idle worker looks for jobs.
const POLL: Duration = Duration::from_millis(100);
/// How often the database is asked what waits.
const LOOK: Duration = Duration::from_secs(5);
/// The pause after a first failure, doubled with each attempt.
const BACKOFF: Duration = Duration::from_millis(500);
/// The longest pause after a failure.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// Says how a kind of jobs is worked on.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub kind: Kind,
    pub lease: Lease,
    /// How many jobs at once.
    pub parallel: usize,
}

/// Works on one job. Repeating it must do no harm: a worker may die after the work and before its row says so.
#[async_trait::async_trait]
pub trait Work: Send + Sync + 'static {
    /// Does the job; `lost` is cancelled when the claim is no longer ours or the process shuts down.
    ///
    /// # Errors
    /// Says why the job is to be tried again, for ever.
    async fn work(&self, job: &Job, lost: &CancellationToken) -> anyhow::Result<()>;
}

/// Claims and works until shutdown; running jobs are given back then.
///
/// # Errors
/// Never: a database that does not answer is waited for.
pub async fn run(
    options: Options,
    store: Store,
    work: Arc<dyn Work>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let worker = Uuid::now_v7();
    let mut running = JoinSet::new();
    let mut next_look = Instant::now();
    while !shutdown.is_cancelled() {
        while running.try_join_next().is_some() {}
        metrics::JOBS_LEASED.set([options.kind.as_str()], running.len() as f64);
        if Instant::now() >= next_look {
            next_look = Instant::now() + LOOK;
            look(options.kind, &store).await;
        }
        let claimed = match running.len() < options.parallel {
            true => claim(&options, &store, worker).await,
            false => None,
        };
        match claimed {
            Some(job) => {
                let lost = shutdown.child_token();
                drop(running.spawn(attend(options, store.clone(), work.clone(), (job, lost))));
            }
            None => tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(POLL) => {}
                Some(_) = running.join_next() => {}
            },
        }
    }
    while running.join_next().await.is_some() {}
    Ok(())
}

/// Reports what waits; every worker reports the whole.
async fn look(kind: Kind, store: &Store) {
    let backlog = match store.acquire().await {
        Ok(mut connection) => job::backlog(&mut connection, kind).await,
        Err(error) => Err(error),
    };
    match backlog {
        Ok(backlog) => {
            metrics::JOBS_WAITING.set([kind.as_str()], backlog.waiting as f64);
            metrics::JOBS_AGE.set([kind.as_str()], backlog.oldest_seconds);
        }
        Err(error) => tracing::debug!(%error, "could not look which jobs wait"),
    }
}

async fn claim(options: &Options, store: &Store, worker: Uuid) -> Option<Job> {
    let claimed = match store.acquire().await {
        Ok(mut connection) => job::claim(&mut connection, options.kind, worker, options.lease.ttl).await,
        Err(error) => Err(error),
    };
    claimed.unwrap_or_else(|error| {
        // Two workers may reach for one lane at once: one of them loses by the lane's unique key.
        tracing::debug!(%error, "could not claim a job");
        None
    })
}

/// Works on a claimed job while its heartbeat runs, and settles it.
async fn attend(options: Options, store: Store, work: Arc<dyn Work>, (job, lost): (Job, CancellationToken)) {
    let kind = options.kind.as_str();
    let begun = Instant::now();
    let span = span(&options, &store, &job).await;
    let heart = beat(&options, &store, (&job, &lost));
    let done = tokio::select! {
        done = work.work(&job, &lost).instrument(span) => done,
        () = heart => return,
    };
    metrics::JOB_SECONDS.observe([kind], begun.elapsed());
    if let Err(error) = &done {
        let error = format!("{error:#}");
        tracing::warn!(job = %job.job_id, attempt = job.attempt, error, "a job failed; it is tried again");
        metrics::JOB_FAILURES.add([kind], 1);
        if lost.is_cancelled() {
            metrics::LEASES_LOST.add([kind, "released"], 1);
        }
    }
    while let Err(error) = settle(&store, (&job, &lost), &done).await {
        if lost.is_cancelled() || error.retry() == Retry::Permanent {
            tracing::warn!(job = %job.job_id, %error, "could not settle a job; its lease will run out");
            metrics::LEASES_LOST.add([kind, "unreachable"], 1);
            return;
        }
        // Whoever falls silent is taken for dead.
        tokio::time::sleep(options.lease.renew).await;
    }
}

/// Says in a job's row how its work has ended.
async fn settle(
    store: &Store,
    (job, lost): (&Job, &CancellationToken),
    done: &anyhow::Result<()>,
) -> Result<(), dvt_store::Error> {
    let mut connection = store.acquire().await?;
    let is_ours = match done {
        Ok(()) => job::finish(&mut connection, job).await?,
        Err(error) => {
            let delay = if lost.is_cancelled() { Duration::ZERO } else { pause(job) };
            job::postpone(&mut connection, job, delay, &format!("{error:#}")).await?
        }
    };
    if !is_ours && !lost.is_cancelled() {
        job::outlived(&mut connection, job).await?;
    }
    Ok(())
}

/// Makes the span of an attempt at a job, in the trace of its request.
async fn span(options: &Options, store: &Store, job: &Job) -> Span {
    if !trace::is_on() {
        return Span::none();
    }
    let request = match store.acquire().await {
        Ok(mut connection) => event::find(&mut connection, job.job_id).await.ok().flatten(),
        Err(_) => None,
    };
    trace::follow(request.as_ref().and_then(|request| request.traceparent.as_deref()), || {
        let kind = options.kind.as_str();
        info_span!("job", otel.name = kind, otel.kind = "consumer", job = %job.job_id, attempt = job.attempt)
    })
}

/// Prolongs the claim until it is lost, then leaves the work some time to notice; otherwise never ends.
async fn beat(options: &Options, store: &Store, (job, lost): (&Job, &CancellationToken)) {
    loop {
        tokio::time::sleep(options.lease.renew).await;
        let Ok(mut connection) = store.acquire().await else { continue };
        if matches!(job::heartbeat(&mut connection, job, options.lease.ttl).await, Ok(false)) {
            tracing::warn!(job = %job.job_id, "another worker has taken the job");
            metrics::LEASES_LOST.add([options.kind.as_str(), "taken"], 1);
            if let Err(error) = job::outlived(&mut connection, job).await {
                tracing::debug!(job = %job.job_id, %error, "could not say that its worker lives");
            }
            lost.cancel();
            drop(connection);
            tokio::time::sleep(options.lease.ttl).await;
            return;
        }
    }
}

/// Answers the pause before the next attempt, with jitter from the job's own id and attempt.
fn pause(job: &Job) -> Duration {
    let doubled = BACKOFF.saturating_mul(1 << (job.attempt.max(1) - 1).min(16)).min(BACKOFF_MAX);
    let jitter = (job.job_id.as_u128() as u32).wrapping_mul(job.attempt as u32) % 25;
    doubled.mul_f64(1.0 + f64::from(jitter) / 100.0)
}
