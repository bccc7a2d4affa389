//! What a run does next: a pure function of how far it is, so that whoever takes a run over goes on as it would have.

use std::collections::{BTreeMap, BTreeSet};

use dvt_mutant::mutant;

use super::{Attempt, Outcome, Run, RunFinished, Stage, Step, StepEnd};

/// dbt's resource type of a hook of the run.
const OPERATION: &str = "operation";

/// Tells an executor what to do with a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Begins the next attempt at a step.
    Begin(String),
    /// Finds out from the target what became of an attempt that nobody works on.
    Reconcile(String),
    /// Ends a step that will not run.
    Skip { unique_id: String, reason: String },
    /// Ends a step of a cancelled run.
    Cancel(String),
    /// Ends the run.
    Finish(RunFinished),
}

/// Holds what only the executor knows of a run it drives.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// The steps that are being worked on.
    pub busy: BTreeSet<String>,
    /// Steps that cannot run, and why: broken nodes, sources that are missing.
    pub blocked: BTreeMap<String, String>,
    /// What the end of the run says beside its counts.
    pub message: Option<String>,
    pub code: Option<String>,
}

/// Answers what is to be done now, in order; nothing while only busy steps are open.
pub fn next(run: &Run, desk: &Desk) -> Vec<Action> {
    if matches!(run.stage, Stage::Finished(_)) {
        return Vec::new();
    }
    let threads = run.request.as_ref().map_or(1, |request| request.threads.max(1) as usize);
    // An attempt that nobody works on any more may still run on the target.
    let is_taken = |step: &&Step| {
        desk.busy.contains(&step.planned.unique_id) || matches!(step.state, Attempt::Started(_) | Attempt::Unknown(_))
    };
    let mut free = threads.saturating_sub(run.steps.values().filter(is_taken).count());
    if mutant("schedule_ignores_threads") {
        free = usize::MAX;
    }
    let mut open = false;
    let mut actions = Vec::new();
    for step in run.order.iter().filter_map(|unique_id| run.steps.get(unique_id)) {
        let unique_id = &step.planned.unique_id;
        match &step.state {
            Attempt::Ended(_) => continue,
            Attempt::Started(_) | Attempt::Unknown(_) if !desk.busy.contains(unique_id) => {
                actions.push(Action::Reconcile(unique_id.clone()));
            }
            Attempt::Started(_) | Attempt::Unknown(_) => {}
            Attempt::Waiting => actions.extend(waiting(run, step, desk, &mut free)),
        }
        open = true;
    }
    if !open || (mutant("run_finishes_with_open_steps") && desk.busy.len() > 1) {
        actions.push(Action::Finish(finished(run, desk)));
    }
    actions
}

fn waiting(run: &Run, step: &Step, desk: &Desk, free: &mut usize) -> Option<Action> {
    let unique_id = step.planned.unique_id.clone();
    if desk.busy.contains(&unique_id) {
        return None;
    }
    if run.cancel.is_some() {
        return Some(Action::Cancel(unique_id));
    }
    if let Some(reason) = desk.blocked.get(&unique_id) {
        return Some(Action::Skip { unique_id, reason: reason.clone() });
    }
    let mut ready = true;
    for need in &step.planned.needs {
        match run.steps.get(need).map(|step| &step.state) {
            Some(Attempt::Ended(StepEnd::Succeeded)) | None => {}
            // What comes at the end of a run comes however the run went.
            Some(Attempt::Ended(_)) if step.planned.resource_type == OPERATION => {}
            Some(Attempt::Ended(end)) => {
                let reason = format!("needs {need}, which {}", ended(*end));
                return Some(Action::Skip { unique_id, reason });
            }
            Some(Attempt::Waiting | Attempt::Started(_) | Attempt::Unknown(_)) => {
                ready = mutant("schedule_ignores_needs")
            }
        }
    }
    if !ready || *free == 0 {
        return None;
    }
    *free -= 1;
    Some(Action::Begin(unique_id))
}

fn ended(end: StepEnd) -> &'static str {
    match end {
        StepEnd::Succeeded => "succeeded",
        StepEnd::Failed => "failed",
        StepEnd::Skipped => "was skipped",
        StepEnd::Cancelled => "was cancelled",
    }
}

fn finished(run: &Run, desk: &Desk) -> RunFinished {
    let mut counts = [0; 4];
    for step in run.steps.values() {
        match &step.state {
            Attempt::Ended(StepEnd::Succeeded) => counts[0] += 1,
            Attempt::Ended(StepEnd::Failed) => counts[1] += 1,
            Attempt::Ended(StepEnd::Skipped) => counts[2] += 1,
            Attempt::Ended(StepEnd::Cancelled) => counts[3] += 1,
            Attempt::Waiting | Attempt::Started(_) | Attempt::Unknown(_) => {}
        }
    }
    let [succeeded, failed, skipped, cancelled] = counts;
    let outcome = match (run.cancel.is_some() && cancelled > 0, failed + skipped > 0) {
        (true, _) => Outcome::Cancelled,
        (false, true) => Outcome::Failed,
        (false, false) => Outcome::Succeeded,
    };
    let (message, code) = (desk.message.clone(), desk.code.clone());
    RunFinished { outcome, succeeded, failed, skipped, cancelled, message, code }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::run::{
        Event, Kind, PlannedStep, RunCancelRequested, RunPlanned, RunRequested, StepCancelled, StepFailed, StepSkipped,
        StepStarted, StepSucceeded,
    };

    fn step(name: &str, needs: &[&str]) -> PlannedStep {
        PlannedStep {
            unique_id: name.into(),
            name: name.into(),
            resource_type: "model".into(),
            materialized: None,
            relation: None,
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            reason: "selected".into(),
        }
    }

    fn run(threads: i32, plan: &[PlannedStep]) -> Run {
        let id = "0198f6a0-0000-7000-8000-000000000001";
        let request = RunRequested {
            project_id: id.parse().expect("a UUIDv7"),
            branch_id: id.parse().expect("a UUIDv7"),
            branch_version: 1,
            project_version: 3,
            environment: "dev".into(),
            compilation_id: id.parse().expect("a UUIDv7"),
            kind: Kind::Build,
            select: String::new(),
            exclude: String::new(),
            full_refresh: false,
            threads,
            nodes: Vec::new(),
            retry_of: None,
        };
        let planned = Event::RunPlanned(RunPlanned { steps: plan.to_vec() });
        Run::default().apply(&Event::RunRequested(request)).apply(&planned)
    }

    fn begun(run: Run, name: &str) -> Run {
        let attempt = run.steps[name].attempt + 1;
        run.apply(&Event::StepStarted(StepStarted { unique_id: name.into(), attempt, backend: None, sql: None }))
    }

    fn failed(name: &str) -> Event {
        Event::StepFailed(StepFailed {
            unique_id: name.into(),
            attempt: 1,
            code: "DATABASE_ERROR".into(),
            message: "no".into(),
            sqlstate: None,
            place: None,
            failures: None,
            duration_us: 1,
        })
    }

    fn succeeded(name: &str) -> Event {
        Event::StepSucceeded(StepSucceeded {
            unique_id: name.into(),
            attempt: 1,
            rows: None,
            message: "SELECT 1".into(),
            warned: false,
            failures: None,
            duration_us: 1,
        })
    }

    #[test]
    fn begins_as_many_as_there_are_threads_and_only_what_is_ready() {
        let plan = [step("a", &[]), step("b", &[]), step("c", &[]), step("d", &["a"])];
        let begin = |name: &str| Action::Begin(name.into());
        assert_eq!(next(&run(2, &plan), &Desk::default()), [begin("a"), begin("b")]);
        let desk = Desk { busy: ["a".into(), "b".into()].into(), ..Desk::default() };
        assert_eq!(next(&run(2, &plan), &desk), []);
    }

    #[test]
    fn skips_what_depends_on_a_failed_step_and_says_so() {
        let plan = [step("a", &[]), step("b", &["a"])];
        let run = begun(run(4, &plan), "a").apply(&failed("a"));
        let reason = "needs a, which failed".to_owned();
        assert_eq!(next(&run, &Desk::default()), [Action::Skip { unique_id: "b".into(), reason }]);
    }

    #[test]
    fn reconciles_an_attempt_that_nobody_works_on() {
        let plan = [step("a", &[])];
        let run = begun(run(4, &plan), "a");
        assert_eq!(next(&run, &Desk::default()), [Action::Reconcile("a".into())]);
    }

    #[test]
    fn begins_nothing_in_the_place_of_an_attempt_that_nobody_works_on() {
        let plan = [step("a", &[]), step("b", &[])];
        let run = begun(run(1, &plan), "b");
        assert_eq!(next(&run, &Desk::default()), [Action::Reconcile("b".into())]);
    }

    #[test]
    fn cancels_what_waits_and_finishes_as_cancelled() {
        let plan = [step("a", &[])];
        let run = run(4, &plan).apply(&Event::RunCancelRequested(RunCancelRequested { reason: None }));
        assert_eq!(next(&run, &Desk::default()), [Action::Cancel("a".into())]);
        let run = run.apply(&Event::StepCancelled(StepCancelled { unique_id: "a".into() }));
        let actions = next(&run, &Desk::default());
        assert!(matches!(&actions[..], [Action::Finish(end)] if end.outcome == Outcome::Cancelled), "{actions:?}");
    }

    proptest! {
        #[test]
        fn every_run_ends_with_every_step_ended(fates in proptest::collection::vec((any::<bool>(), any::<u8>()), 1..30), threads in 1i32..5) {
            let names: Vec<String> = (0..fates.len()).map(|i| format!("s{i:02}")).collect();
            let plan: Vec<PlannedStep> = names.iter().enumerate().map(|(i, name)| {
                let needs: Vec<&str> = (0..i).filter(|j| fates[i].1 >> (j % 8) & 3 == 3).map(|j| names[j].as_str()).collect();
                step(name, &needs)
            }).collect();
            let (mut run, mut desk) = (run(threads, &plan), Desk::default());
            for _ in 0..3 * fates.len() + 1 {
                for action in next(&run, &desk) {
                    match action {
                        Action::Begin(name) => {
                            prop_assert!(desk.busy.len() < threads as usize);
                            run = begun(run, &name);
                            desk.busy.insert(name);
                        }
                        Action::Skip { unique_id, reason } => run = run.apply(&Event::StepSkipped(StepSkipped { unique_id, reason })),
                        Action::Finish(end) => run = run.apply(&Event::RunFinished(end)),
                        Action::Reconcile(_) | Action::Cancel(_) => prop_assert!(false, "nobody died"),
                    }
                }
                if let Some(name) = desk.busy.pop_first() {
                    let fate = names.iter().position(|known| *known == name).map(|i| fates[i].0) == Some(true);
                    run = run.apply(&if fate { succeeded(&name) } else { failed(&name) });
                }
            }
            prop_assert!(matches!(run.stage, Stage::Finished(_)));
            prop_assert!(run.steps.values().all(|step| matches!(step.state, Attempt::Ended(_))));
        }
    }
}
