//! The run's own rules: which event may follow which.

use dvt_mutant::mutant;

use super::*;

/// Asks for a change of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Request(RunRequested),
    RequestCancel(RunCancelRequested),
    Plan(RunPlanned),
    Start(RunStarted),
    /// Records what happened to a step: any of the Step events.
    Step(Event),
    Finish(RunFinished),
}

/// Says why a command was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the run was requested already")]
    Requested,
    #[error("the run does not exist")]
    Missing,
    #[error("the run has finished already: {0:?}")]
    Finished(Outcome),
    #[error("the run was planned already")]
    Planned,
    #[error("the run has no step {0}")]
    NoStep(String),
    #[error("step {0} has ended already")]
    StepEnded(String),
    #[error("attempt {attempt} at the run drives it already, got {got}")]
    Superseded { attempt: i32, got: i32 },
    #[error("attempt {attempt} at step {unique_id} has not ended yet")]
    StepOpen { unique_id: String, attempt: i32 },
    #[error("step {unique_id} is at attempt {expected}, got {got}")]
    Attempt { unique_id: String, expected: i32, got: i32 },
    #[error("steps have not ended yet: {0}")]
    Unfinished(usize),
    #[error("not an event of a step")]
    NotAStep,
}

/// Holds how far a run is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stage {
    #[default]
    Requested,
    Planned,
    Running {
        attempt: i32,
    },
    Finished(RunFinished),
}

/// Holds one step of the plan and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub planned: PlannedStep,
    /// The last attempt; 0 before the first.
    pub attempt: i32,
    pub state: Attempt,
}

/// Holds how far the last attempt at a step is.
#[derive(Clone, Debug, PartialEq)]
pub enum Attempt {
    /// Nothing was sent, or what was sent is known to have had no effect.
    Waiting,
    /// The intent is recorded; the statement may have been sent.
    Started(StepStarted),
    /// The effect must be read from the target.
    Unknown(StepStarted),
    Ended(StepEnd),
}

/// Names how a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEnd {
    Succeeded,
    Failed,
    Skipped,
    Cancelled,
}

/// Holds what a run is at one version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    pub request: Option<RunRequested>,
    pub cancel: Option<RunCancelRequested>,
    pub stage: Stage,
    /// The steps in the order of the plan.
    pub order: imbl::Vector<String>,
    pub steps: Steps,
}

impl Run {
    /// Decides a command into events.
    ///
    /// # Errors
    /// When the command does not fit how far the run or the step is.
    pub fn decide(&self, command: Command) -> Result<Vec<Event>, Error> {
        let event = match (self.stage(), command) {
            (None, Command::Request(request)) => Event::RunRequested(request),
            (Some(_), Command::Request(_)) => return Err(Error::Requested),
            (Some(Stage::Finished(end)), _) => return Err(Error::Finished(end.outcome)),
            (Some(_), Command::RequestCancel(request)) => match self.cancel {
                Some(_) => return Ok(Vec::new()),
                None => Event::RunCancelRequested(request),
            },
            (Some(Stage::Requested), Command::Plan(plan)) => Event::RunPlanned(plan),
            (Some(Stage::Planned | Stage::Running { .. }), Command::Plan(_)) => return Err(Error::Planned),
            // An executor that slept since its claim must not take the run back from its successor.
            (Some(Stage::Running { attempt }), Command::Start(start))
                if self.is_superseded(start.attempt) && !mutant("run_goes_back_to_an_older_attempt") =>
            {
                return Err(Error::Superseded { attempt: *attempt, got: start.attempt });
            }
            (Some(_), Command::Start(start)) => Event::RunStarted(start),
            (Some(_), Command::Step(event)) => {
                self.check_step(&event)?;
                event
            }
            (Some(_), Command::Finish(finish)) => {
                let open = self.steps.values().filter(|step| !matches!(step.state, Attempt::Ended(_))).count();
                match open {
                    _ if mutant("run_finishes_with_open_steps") => Event::RunFinished(finish),
                    0 => Event::RunFinished(finish),
                    open => return Err(Error::Unfinished(open)),
                }
            }
            (
                None,
                Command::RequestCancel(_)
                | Command::Plan(_)
                | Command::Start(_)
                | Command::Step(_)
                | Command::Finish(_),
            ) => return Err(Error::Missing),
        };
        Ok(vec![event])
    }

    /// Says whether a later attempt than `attempt` drives the run: whoever makes this one must leave the run alone.
    pub fn is_superseded(&self, attempt: i32) -> bool {
        matches!(self.stage, Stage::Running { attempt: current } if current > attempt)
            && !mutant("run_goes_back_to_an_older_attempt")
    }

    fn stage(&self) -> Option<&Stage> {
        self.request.as_ref().map(|_| &self.stage)
    }

    fn check_step(&self, event: &Event) -> Result<(), Error> {
        let (unique_id, attempt) = step_of(event).ok_or(Error::NotAStep)?;
        let step = self.steps.get(unique_id).ok_or_else(|| Error::NoStep(unique_id.to_owned()))?;
        let expected = match (&step.state, event) {
            (Attempt::Ended(_), _) => return Err(Error::StepEnded(unique_id.to_owned())),
            (Attempt::Waiting, Event::StepStarted(_)) => step.attempt + 1,
            (Attempt::Started(_) | Attempt::Unknown(_), Event::StepStarted(_)) => {
                return Err(Error::StepOpen { unique_id: unique_id.to_owned(), attempt: step.attempt });
            }
            (Attempt::Waiting | Attempt::Started(_) | Attempt::Unknown(_), _) => step.attempt,
        };
        match attempt {
            Some(got) if got != expected => Err(Error::Attempt { unique_id: unique_id.to_owned(), expected, got }),
            Some(_) | None => Ok(()),
        }
    }

    /// Answers the run after `event`.
    pub fn apply(mut self, event: &Event) -> Self {
        match event {
            Event::RunRequested(request) => self.request = Some(request.clone()),
            Event::RunCancelRequested(request) => self.cancel = Some(request.clone()),
            Event::RunPlanned(plan) => {
                self.stage = Stage::Planned;
                self.order = plan.steps.iter().map(|step| step.unique_id.clone()).collect();
                self.steps = plan.steps.iter().map(|step| (step.unique_id.clone(), Step::planned(step))).collect();
            }
            Event::RunStarted(start) => self.stage = Stage::Running { attempt: start.attempt },
            Event::RunFinished(finish) => self.stage = Stage::Finished(finish.clone()),
            Event::StepStarted(_)
            | Event::StepSucceeded(_)
            | Event::StepFailed(_)
            | Event::StepNotStarted(_)
            | Event::StepUnknown(_)
            | Event::StepSkipped(_)
            | Event::StepCancelled(_) => self.apply_step(event),
        }
        self
    }

    fn apply_step(&mut self, event: &Event) {
        let Some(step) = step_of(event).and_then(|(unique_id, _)| self.steps.get_mut(unique_id)) else { return };
        let started = match &step.state {
            Attempt::Started(started) | Attempt::Unknown(started) => Some(started.clone()),
            Attempt::Waiting | Attempt::Ended(_) => None,
        };
        step.state = match event {
            Event::StepStarted(started) => {
                step.attempt = started.attempt;
                Attempt::Started(started.clone())
            }
            Event::StepUnknown(_) => started.map_or(Attempt::Waiting, Attempt::Unknown),
            Event::StepNotStarted(_) => Attempt::Waiting,
            Event::StepSucceeded(_) => Attempt::Ended(StepEnd::Succeeded),
            Event::StepFailed(_) => Attempt::Ended(StepEnd::Failed),
            Event::StepSkipped(_) => Attempt::Ended(StepEnd::Skipped),
            Event::StepCancelled(_) => Attempt::Ended(StepEnd::Cancelled),
            Event::RunRequested(_)
            | Event::RunCancelRequested(_)
            | Event::RunPlanned(_)
            | Event::RunStarted(_)
            | Event::RunFinished(_) => return,
        };
    }
}

impl Step {
    fn planned(planned: &PlannedStep) -> Self {
        Self { planned: planned.clone(), attempt: 0, state: Attempt::Waiting }
    }
}

/// Answers the step that an event is about, and its attempt where the event is about one.
fn step_of(event: &Event) -> Option<(&str, Option<i32>)> {
    match event {
        Event::StepStarted(step) => Some((&step.unique_id, Some(step.attempt))),
        Event::StepSucceeded(step) => Some((&step.unique_id, Some(step.attempt))),
        Event::StepFailed(step) => Some((&step.unique_id, Some(step.attempt))),
        Event::StepNotStarted(step) => Some((&step.unique_id, Some(step.attempt))),
        Event::StepUnknown(step) => Some((&step.unique_id, Some(step.attempt))),
        Event::StepSkipped(step) => Some((&step.unique_id, None)),
        Event::StepCancelled(step) => Some((&step.unique_id, None)),
        Event::RunRequested(_)
        | Event::RunCancelRequested(_)
        | Event::RunPlanned(_)
        | Event::RunStarted(_)
        | Event::RunFinished(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Command {
        let id = "0198f6a0-0000-7000-8000-000000000001";
        Command::Request(RunRequested {
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
            threads: 4,
            nodes: Vec::new(),
            retry_of: None,
        })
    }

    fn plan() -> Command {
        let step = PlannedStep {
            unique_id: "model.shop.orders".into(),
            name: "orders".into(),
            resource_type: "model".into(),
            materialized: Some("table".into()),
            relation: None,
            needs: Vec::new(),
            reason: "selected".into(),
        };
        Command::Plan(RunPlanned { steps: vec![step] })
    }

    fn started(attempt: i32) -> Command {
        let unique_id = "model.shop.orders".to_owned();
        Command::Step(Event::StepStarted(StepStarted { unique_id, attempt, backend: None, sql: None }))
    }

    fn failed(attempt: i32) -> Command {
        Command::Step(Event::StepFailed(StepFailed {
            unique_id: "model.shop.orders".into(),
            attempt,
            code: "DATABASE_ERROR".into(),
            message: "no such column".into(),
            sqlstate: Some("42703".into()),
            place: None,
            failures: None,
            duration_us: 12,
        }))
    }

    fn finish() -> Command {
        let (succeeded, failed, skipped, cancelled) = (0, 1, 0, 0);
        let (message, code) = (None, None);
        Command::Finish(RunFinished { outcome: Outcome::Failed, succeeded, failed, skipped, cancelled, message, code })
    }

    fn given(commands: Vec<Command>) -> Run {
        commands.into_iter().fold(Run::default(), |run, command| {
            let events = run.decide(command).expect("a command that fits");
            events.iter().fold(run, Run::apply)
        })
    }

    #[test]
    fn finishes_only_when_every_step_has_ended() {
        assert_eq!(given(vec![request(), plan(), started(1)]).decide(finish()), Err(Error::Unfinished(1)));
        let run = given(vec![request(), plan(), started(1), failed(1), finish()]);
        assert_eq!(run.decide(started(2)), Err(Error::Finished(Outcome::Failed)));
    }

    #[test]
    fn an_older_attempt_never_takes_the_run_back() {
        let start = |attempt| Command::Start(RunStarted { executor: "one".into(), attempt });
        let run = given(vec![request(), plan(), start(2)]);
        assert_eq!(run.decide(start(1)), Err(Error::Superseded { attempt: 2, got: 1 }));
        assert!(run.is_superseded(1) && !run.is_superseded(2));
        assert!(run.decide(start(3)).is_ok());
    }

    #[test]
    fn refuses_to_start_a_step_twice() {
        let run = given(vec![request(), plan(), started(1)]);
        assert_eq!(run.decide(started(2)), Err(Error::StepOpen { unique_id: "model.shop.orders".into(), attempt: 1 }));
    }

    #[test]
    fn tries_again_only_what_had_no_effect() {
        let not_started = Command::Step(Event::StepNotStarted(StepNotStarted {
            unique_id: "model.shop.orders".into(),
            attempt: 1,
            message: "connection refused".into(),
        }));
        let run = given(vec![request(), plan(), started(1), not_started, started(2)]);
        assert_eq!(run.steps["model.shop.orders"].attempt, 2);
        let ended = given(vec![request(), plan(), started(1), failed(1)]);
        assert_eq!(ended.decide(started(2)), Err(Error::StepEnded("model.shop.orders".into())));
    }

    #[test]
    fn cancels_once() {
        let cancel = Command::RequestCancel(RunCancelRequested { reason: None });
        let run = given(vec![request(), cancel.clone()]);
        assert_eq!(run.decide(cancel), Ok(Vec::new()));
    }
}
