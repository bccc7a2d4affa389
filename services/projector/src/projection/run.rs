//! Views `run` and `step`, from the runs' streams.
//!
//! Most of a run's events are its steps' starts and ends, so these are written together: once a batch.

use std::collections::{BTreeMap, HashSet};

use dvt_domain::run::{Event, Kind, Outcome, PlannedStep, RunRequested, StepFailed, StepStarted, StepSucceeded};
use dvt_store::view::Moment;
use dvt_store::view::run::{self, NewStep, Request, StepEnd, StepStart};
use dvt_store::{Connection, Error};
use uuid::Uuid;

use super::place;

/// Collects the starts and ends of steps; all else is written at once.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The last event of each run.
    last: BTreeMap<Uuid, Moment>,
    starts: Vec<StepStart>,
    ends: Vec<StepEnd>,
    /// The steps among `starts`, and those among `ends`.
    started: HashSet<(Uuid, String)>,
    ended: HashSet<(Uuid, String)>,
}

impl Runs {
    pub(super) async fn add(&mut self, c: &mut Connection, moment: Moment, event: &Event) -> Result<(), Error> {
        let ended = |unique_id: &str, state| StepEnd::new(&moment, unique_id, state);
        match event {
            Event::StepStarted(started) => self.start(c, start(&moment, started)).await?,
            Event::StepSucceeded(succeeded) => {
                self.end(c, success(ended(&succeeded.unique_id, "succeeded"), succeeded)).await?;
            }
            Event::StepFailed(failed) => self.end(c, failure(ended(&failed.unique_id, "failed"), failed)).await?,
            Event::StepUnknown(unknown) => {
                let message = Some(unknown.message.clone());
                self.end(c, StepEnd { message, ..ended(&unknown.unique_id, "unknown") }).await?;
            }
            Event::StepSkipped(skipped) => {
                let message = Some(skipped.reason.clone());
                self.end(c, StepEnd { message, ..ended(&skipped.unique_id, "skipped") }).await?;
            }
            Event::StepCancelled(cancelled) => self.end(c, ended(&cancelled.unique_id, "cancelled")).await?,
            Event::StepNotStarted(reset) => {
                self.write(c).await?;
                run::reset_step(c, &moment, &reset.unique_id, &reset.message).await?;
            }
            Event::RunPlanned(planned) => {
                let steps: Vec<NewStep> = planned.steps.iter().map(step).collect();
                run::plan(c, &moment, &steps).await?;
            }
            Event::RunRequested(requested) => run::request(c, &moment, &request(requested)).await?,
            Event::RunCancelRequested(_) => run::request_cancel(c, &moment).await?,
            Event::RunStarted(_) => run::start(c, &moment).await?,
            Event::RunFinished(finished) => {
                let outcome = match finished.outcome {
                    Outcome::Succeeded => "succeeded",
                    Outcome::Failed => "failed",
                    Outcome::Cancelled => "cancelled",
                };
                run::finish(c, &moment, outcome, (finished.code.as_deref(), finished.message.as_deref())).await?;
            }
        }
        self.last.insert(moment.stream_id, moment);
        Ok(())
    }

    /// Notes a start; of a step whose start or end waits, that is written first.
    async fn start(&mut self, c: &mut Connection, start: StepStart) -> Result<(), Error> {
        let step = (start.run_id, start.unique_id.clone());
        if self.started.contains(&step) || self.ended.contains(&step) {
            self.write(c).await?;
        }
        self.started.insert(step);
        self.starts.push(start);
        Ok(())
    }

    /// Notes an end, which comes after the step's start if that waits, too.
    async fn end(&mut self, c: &mut Connection, end: StepEnd) -> Result<(), Error> {
        let step = (end.run_id, end.unique_id.clone());
        if self.ended.contains(&step) {
            self.write(c).await?;
        }
        self.ended.insert(step);
        self.ends.push(end);
        Ok(())
    }

    pub(super) async fn write(&mut self, c: &mut Connection) -> Result<(), Error> {
        let Self { last, starts, ends, .. } = std::mem::take(self);
        if !starts.is_empty() {
            run::start_steps(c, &starts).await?;
        }
        if !ends.is_empty() {
            run::end_steps(c, &ends).await?;
        }
        if !last.is_empty() {
            run::advance(c, &last.into_values().collect::<Vec<_>>()).await?;
        }
        Ok(())
    }
}

fn start(moment: &Moment, started: &StepStarted) -> StepStart {
    StepStart {
        run_id: moment.stream_id,
        unique_id: started.unique_id.clone(),
        attempt: started.attempt,
        sql: started.sql.map(|sql| sql.0),
        at: moment.at,
    }
}

fn request(requested: &RunRequested) -> Request {
    let kind = match requested.kind {
        Kind::Build => "build",
        Kind::Run => "run",
        Kind::Test => "test",
        Kind::Seed => "seed",
        Kind::Snapshot => "snapshot",
    };
    Request {
        branch_id: requested.branch_id.uuid(),
        branch_version: requested.branch_version,
        project_version: requested.project_version,
        environment: requested.environment.clone(),
        compilation_id: requested.compilation_id.uuid(),
        kind: kind.to_owned(),
        select: requested.select.clone(),
        exclude: requested.exclude.clone(),
        full_refresh: requested.full_refresh,
        threads: requested.threads,
    }
}

fn step(planned: &PlannedStep) -> NewStep {
    NewStep {
        unique_id: planned.unique_id.clone(),
        name: planned.name.clone(),
        resource_type: planned.resource_type.clone(),
        materialized: planned.materialized.clone(),
        relation: planned.relation.clone(),
        reason: planned.reason.clone(),
    }
}

fn success(end: StepEnd, succeeded: &StepSucceeded) -> StepEnd {
    StepEnd {
        warned: succeeded.warned,
        rows: succeeded.rows,
        failures: succeeded.failures,
        message: Some(succeeded.message.clone()),
        duration_us: Some(succeeded.duration_us),
        ..end
    }
}

fn failure(end: StepEnd, failed: &StepFailed) -> StepEnd {
    StepEnd {
        failures: failed.failures,
        message: Some(failed.message.clone()),
        code: Some(failed.code.clone()),
        sqlstate: failed.sqlstate.clone(),
        place: place(failed.place.as_ref()),
        duration_us: Some(failed.duration_us),
        ..end
    }
}
