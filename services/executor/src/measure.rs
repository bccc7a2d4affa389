//! Counts what becomes of runs and their steps, once for each event that is in the log.

use std::time::Duration;

use dvt_domain::run::{Event, Outcome};
use dvt_runtime::metrics;
use dvt_store::event::Recorded;

/// Counts an event of the run that `request` asked for.
pub(crate) fn appended(request: &Recorded, event: &Event) {
    match event {
        Event::StepSucceeded(step) => tried("succeeded", step.duration_us),
        Event::StepFailed(step) => tried("failed", step.duration_us),
        Event::StepNotStarted(_) => metrics::STEPS.add(["not_started"], 1),
        Event::StepUnknown(_) => metrics::STEPS.add(["unknown"], 1),
        Event::StepSkipped(_) => metrics::STEPS.add(["skipped"], 1),
        Event::StepCancelled(_) => metrics::STEPS.add(["cancelled"], 1),
        Event::RunFinished(run) => {
            let outcome = name(run.outcome);
            let took = (chrono::Utc::now() - request.occurred_at).to_std().unwrap_or_default();
            metrics::RUNS.add([outcome], 1);
            metrics::RUN_SECONDS.observe([outcome], took);
        }
        Event::RunRequested(_)
        | Event::RunCancelRequested(_)
        | Event::RunPlanned(_)
        | Event::RunStarted(_)
        | Event::StepStarted(_) => {}
    }
}

fn tried(outcome: &str, duration_us: i64) {
    metrics::STEPS.add([outcome], 1);
    metrics::STEP_SECONDS.observe([outcome], Duration::from_micros(duration_us.unsigned_abs()));
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
        Outcome::Cancelled => "cancelled",
    }
}
