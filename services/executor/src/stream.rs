//! A run's stream in the hands of the executor that drives it: its state, and appends that notice a successor.
//!
//! Steps go on side by side, their events stand one behind the other: what comes while one append is under way is appended
//! together by the next.

use std::sync::{Mutex as Lock, PoisonError};
use std::time::Duration;

use anyhow::Context;
use dvt_domain::Actor;
use dvt_domain::id::ProjectId;
use dvt_domain::run::{self, Command, Run};
use dvt_log::{At, Causation, Decided, Log, Stamp};
use dvt_runtime::trace;
use dvt_store::event::{Command as Append, Idempotency, NewEvent, Outcome, Recorded};
use dvt_store::{Appender, Retry, Store};
use tokio::sync::{Mutex, oneshot};
use uuid::Uuid;

use crate::measure;
use crate::targets::Key;

/// How often one append is tried before the run is given back.
const TRIES: u32 = 20;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Says why the run must be left alone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("another executor drives the run")]
    Lost,
    #[error("the run refuses an event")]
    Refused(#[from] run::Error),
    #[error("could not append to the run's stream")]
    Append(#[source] anyhow::Error),
}

/// Is the stream of one run.
pub(crate) struct Stream {
    log: Log,
    store: Store,
    appender: Appender,
    request: Recorded,
    /// Of the job: a later one is a later executor's.
    attempt: i32,
    /// What the next append takes.
    waiting: Lock<Vec<Waiting>>,
    held: Mutex<Held>,
}

struct Held {
    at: At<Run>,
    /// Counts the appends of this attempt, sent or not, for their idempotency keys.
    appended: u32,
}

/// Is a command on its way, and who waits for the run after it.
struct Waiting {
    command: Command,
    answer: oneshot::Sender<Result<Run, Error>>,
}

impl Stream {
    /// Loads the stream of a request.
    ///
    /// # Errors
    /// When the log does not answer, or a later attempt drives the run: this process slept since its claim.
    pub(crate) async fn open(
        (log, store, appender): (&Log, &Store, &Appender),
        request: Recorded,
        attempt: i32,
    ) -> anyhow::Result<Self> {
        let at: At<Run> = log.load(&mut *store.acquire().await?, request.stream_id).await?;
        if at.state.is_superseded(attempt) {
            return Err(Error::Lost.into());
        }
        let (log, store, appender) = (log.clone(), store.clone(), appender.clone());
        let held = Mutex::new(Held { at, appended: 0 });
        Ok(Self { log, store, appender, request, attempt, waiting: Lock::default(), held })
    }

    /// Answers the requesting event.
    pub(crate) fn request(&self) -> &Recorded {
        &self.request
    }

    /// Answers which attempt at the run this executor makes.
    pub(crate) fn attempt(&self) -> i32 {
        self.attempt
    }

    /// Names a step to the target's ledger.
    pub(crate) fn key(&self, unique_id: &str, attempt: i32) -> Key {
        Key { run_id: self.request.stream_id, unique_id: unique_id.to_owned(), attempt }
    }

    /// Answers the run as it is known here.
    pub(crate) async fn run(&self) -> Run {
        self.held.lock().await.at.state.clone()
    }

    /// Reads what others appended.
    pub(crate) async fn refresh(&self) -> Result<Run, Error> {
        let mut held = self.held.lock().await;
        self.advance(&mut held).await?;
        Ok(held.at.state.clone())
    }

    /// Appends what a command decides on the run as it is, together with what else waits.
    pub(crate) async fn append(&self, command: Command) -> Result<Run, Error> {
        let (answer, answered) = oneshot::channel();
        self.waiting().push(Waiting { command, answer });
        {
            let mut held = self.held.lock().await;
            // Nothing where whoever was here before took it along.
            let waiting = std::mem::take(&mut *self.waiting());
            self.append_all(&mut held, waiting).await;
        }
        answered.await.unwrap_or_else(|_| Err(Error::Append(anyhow::anyhow!("whoever appended was stopped"))))
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends what commands decide, each on the run as those before it leave it, and answers them.
    async fn append_all(&self, held: &mut Held, mut waiting: Vec<Waiting>) {
        for _ in 0..TRIES {
            let decided = decide(&held.at.state, &mut waiting);
            let tried = match decided.is_empty() {
                true => Ok(true),
                false => self.try_to_append(held, decided).await,
            };
            match tried {
                Ok(true) => return waiting.into_iter().for_each(|one| one.answer(Ok(held.at.state.clone()))),
                Ok(false) => {}
                Err(Error::Append(error)) => return refuse(waiting, &error),
                Err(_) => return waiting.into_iter().for_each(|one| one.answer(Err(Error::Lost))),
            }
        }
        refuse(waiting, &anyhow::anyhow!("lost {TRIES} times"));
    }

    /// Appends events that were decided on the run as it is held; false: the run is another by now.
    async fn try_to_append(&self, held: &mut Held, events: Vec<run::Event>) -> Result<bool, Error> {
        held.appended += 1;
        let name = format!("executor/{}/{}", self.attempt, held.appended);
        let key = Uuid::new_v5(&self.request.event_id, name.as_bytes());
        let decided = events.iter().cloned().map(Into::into).collect();
        let decided = Decided { stream_id: self.request.stream_id, version: held.at.version, events: decided };
        let prepared = self.prepare(key, &decided).await.map_err(Error::Append)?;
        match self.send(key, prepared).await.map_err(Error::Append)? {
            Outcome::Appended { .. } => {
                events.iter().for_each(|event| measure::appended(&self.request, event));
                let At { version, state } = std::mem::take(&mut held.at);
                let version = version + events.len() as i64;
                held.at = At { version, state: events.iter().fold(state, |run, event| run.apply(event)) };
                Ok(true)
            }
            Outcome::Duplicate { .. } => self.advance(held).await.map(|()| true),
            Outcome::Conflict { .. } => self.advance(held).await.map(|()| false),
            Outcome::Reserved { stream_id, wait } => {
                self.appender.turn_ended(stream_id, wait).await;
                Ok(false)
            }
        }
    }

    async fn prepare(&self, command_id: Uuid, decided: &Decided) -> anyhow::Result<Vec<NewEvent>> {
        let stamp = Stamp {
            project_id: ProjectId::new(self.request.project_id.context("a run belongs to a project")?),
            actor: Actor::service("executor"),
            command_id,
            causation: Causation::Event {
                event_id: self.request.event_id,
                correlation_id: self.request.correlation_id,
            },
            traceparent: trace::parent().or_else(|| self.request.traceparent.clone()),
            occurred_at: chrono::Utc::now(),
        };
        Ok(self.log.prepare(&self.store, &stamp, std::slice::from_ref(decided)).await?)
    }

    /// Sends one append until the log answers; the key makes a repetition harmless.
    async fn send(&self, key: Uuid, events: Vec<NewEvent>) -> anyhow::Result<Outcome> {
        let idempotency = Some(Idempotency { key, request_sha256: self.request.payload_sha256 });
        let command = Append { idempotency, events, reserve: false };
        let mut tries = 1;
        loop {
            match self.appender.append(command.clone()).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) if error.retry() == Retry::Transient && tries < TRIES => {
                    tracing::warn!(run = %self.request.stream_id, %error, "could not append; trying again");
                    tokio::time::sleep(PAUSE * tries).await;
                    tries += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn advance(&self, held: &mut Held) -> Result<(), Error> {
        let stream_id = self.request.stream_id;
        let read = async {
            let mut connection = self.store.acquire().await?;
            anyhow::Ok(self.log.advance(&mut connection, stream_id, held.at.clone(), i64::MAX).await?)
        };
        held.at = read.await.map_err(Error::Append)?;
        match held.at.state.is_superseded(self.attempt) {
            true => Err(Error::Lost),
            false => Ok(()),
        }
    }
}

/// Decides commands one after the other; whoever is refused hears it at once and no longer waits.
fn decide(run: &Run, waiting: &mut Vec<Waiting>) -> Vec<run::Event> {
    let (mut run, mut decided) = (run.clone(), Vec::new());
    for one in std::mem::take(waiting) {
        match run.decide(one.command.clone()) {
            Ok(events) => {
                run = events.iter().fold(run, |run, event| run.apply(event));
                decided.extend(events);
                waiting.push(one);
            }
            Err(refused) => one.answer(Err(Error::Refused(refused))),
        }
    }
    decided
}

/// Tells all who wait why nothing was appended.
fn refuse(waiting: Vec<Waiting>, error: &anyhow::Error) {
    for one in waiting {
        one.answer(Err(Error::Append(anyhow::anyhow!("{error:#}"))));
    }
}

impl Waiting {
    fn answer(self, answer: Result<Run, Error>) {
        // Whoever no longer waits has lost nothing: the command stands.
        let _ = self.answer.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use dvt_domain::run::{Event, PlannedStep, RunPlanned, RunRequested, StepStarted};
    use dvt_domain::{id, run};

    use super::*;

    fn planned(unique_id: &str) -> PlannedStep {
        PlannedStep {
            unique_id: unique_id.to_owned(),
            name: unique_id.to_owned(),
            resource_type: "model".to_owned(),
            materialized: None,
            relation: None,
            needs: Vec::new(),
            reason: "selected".to_owned(),
        }
    }

    fn two_steps() -> Run {
        let request = RunRequested {
            project_id: id::ProjectId::new(Uuid::nil()),
            branch_id: id::BranchId::new(Uuid::nil()),
            branch_version: 1,
            project_version: 1,
            environment: "dev".to_owned(),
            compilation_id: id::CompilationId::new(Uuid::nil()),
            kind: run::Kind::Build,
            select: String::new(),
            exclude: String::new(),
            full_refresh: false,
            threads: 4,
            nodes: Vec::new(),
            retry_of: None,
        };
        let plan = RunPlanned { steps: vec![planned("a"), planned("b")] };
        Run::default().apply(&Event::RunRequested(request)).apply(&Event::RunPlanned(plan))
    }

    fn start(unique_id: &str) -> Event {
        Event::StepStarted(StepStarted { unique_id: unique_id.to_owned(), attempt: 1, backend: None, sql: None })
    }

    #[test]
    fn decides_each_command_on_the_run_after_those_before_it() {
        let (mut waiting, mut answers) = (Vec::new(), Vec::new());
        for event in [start("a"), start("a"), start("b")] {
            let (answer, answered) = oneshot::channel();
            waiting.push(Waiting { command: Command::Step(event), answer });
            answers.push(answered);
        }
        assert_eq!(decide(&two_steps(), &mut waiting), [start("a"), start("b")]);
        assert_eq!(waiting.len(), 2, "the one that was refused no longer waits");
        let refused = answers[1].try_recv().expect("it heard").expect_err("it was refused");
        assert!(matches!(refused, Error::Refused(run::Error::StepOpen { .. })), "{refused}");
        assert!(answers[0].try_recv().is_err(), "the others hear when it is appended");
    }
}
