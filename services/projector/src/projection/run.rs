//! Views `run` and `step`.

use dvt_domain::run::{Event, Kind, Outcome, PlannedStep, RunRequested, StepFailed, StepSucceeded};
use dvt_store::view::Moment;
use dvt_store::view::run::{self, NewStep, Request, StepEnd};
use dvt_store::{Connection, Error};

use super::place;

pub(super) async fn apply(c: &mut Connection, moment: &Moment, event: &Event) -> Result<(), Error> {
    match event {
        Event::RunRequested(requested) => return run::request(c, moment, &request(requested)).await,
        Event::RunCancelRequested(_) => run::request_cancel(c, moment).await?,
        Event::RunPlanned(planned) => {
            let steps: Vec<NewStep> = planned.steps.iter().map(step).collect();
            run::plan(c, moment, &steps).await?;
        }
        Event::RunStarted(_) => run::start(c, moment).await?,
        Event::StepStarted(started) => {
            let attempt = (started.unique_id.as_str(), started.attempt);
            run::start_step(c, moment, attempt, started.sql.map(|sql| sql.0)).await?;
        }
        Event::StepSucceeded(succeeded) => run::end_step(c, moment, &success(succeeded)).await?,
        Event::StepFailed(failed) => run::end_step(c, moment, &failure(failed)).await?,
        Event::StepNotStarted(reset) => run::reset_step(c, moment, &reset.unique_id, &reset.message).await?,
        Event::StepUnknown(unknown) => {
            let message = Some(unknown.message.clone());
            run::end_step(c, moment, &StepEnd { message, ..StepEnd::new(&unknown.unique_id, "unknown") }).await?;
        }
        Event::StepSkipped(skipped) => {
            let message = Some(skipped.reason.clone());
            run::end_step(c, moment, &StepEnd { message, ..StepEnd::new(&skipped.unique_id, "skipped") }).await?;
        }
        Event::StepCancelled(cancelled) => {
            run::end_step(c, moment, &StepEnd::new(&cancelled.unique_id, "cancelled")).await?;
        }
        Event::RunFinished(finished) => {
            let outcome = match finished.outcome {
                Outcome::Succeeded => "succeeded",
                Outcome::Failed => "failed",
                Outcome::Cancelled => "cancelled",
            };
            run::finish(c, moment, outcome, (finished.code.as_deref(), finished.message.as_deref())).await?;
        }
    }
    run::advance(c, moment).await
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

fn success(succeeded: &StepSucceeded) -> StepEnd {
    StepEnd {
        warned: succeeded.warned,
        rows: succeeded.rows,
        failures: succeeded.failures,
        message: Some(succeeded.message.clone()),
        duration_us: Some(succeeded.duration_us),
        ..StepEnd::new(&succeeded.unique_id, "succeeded")
    }
}

fn failure(failed: &StepFailed) -> StepEnd {
    StepEnd {
        failures: failed.failures,
        message: Some(failed.message.clone()),
        code: Some(failed.code.clone()),
        sqlstate: failed.sqlstate.clone(),
        place: place(failed.place.as_ref()),
        duration_us: Some(failed.duration_us),
        ..StepEnd::new(&failed.unique_id, "failed")
    }
}
