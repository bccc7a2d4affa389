//! A run's stream in the hands of the executor that drives it: its state, and appends that notice a successor.

use std::time::Duration;

use anyhow::Context;
use dvt_domain::Actor;
use dvt_domain::id::ProjectId;
use dvt_domain::run::{self, Command, Run};
use dvt_log::{At, Causation, Decided, Log, Stamp};
use dvt_runtime::trace;
use dvt_store::event::{Command as Append, Idempotency, NewEvent, Outcome, Recorded};
use dvt_store::{Appender, Retry, Store};
use tokio::sync::Mutex;
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
    held: Mutex<Held>,
}

struct Held {
    at: At<Run>,
    /// Counts the appends of this attempt, sent or not, for their idempotency keys.
    appended: u32,
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
        Ok(Self { log, store, appender, request, attempt, held: Mutex::new(Held { at, appended: 0 }) })
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

    /// Appends what a command decides on the run as it is.
    pub(crate) async fn append(&self, command: Command) -> Result<Run, Error> {
        let mut held = self.held.lock().await;
        for _ in 0..TRIES {
            let events = held.at.state.decide(command.clone())?;
            if events.is_empty() {
                return Ok(held.at.state.clone());
            }
            held.appended += 1;
            let name = format!("executor/{}/{}", self.attempt, held.appended);
            let key = Uuid::new_v5(&self.request.event_id, name.as_bytes());
            let decided = events.iter().cloned().map(Into::into).collect();
            let decided = Decided { stream_id: self.request.stream_id, version: held.at.version, events: decided };
            let prepared = self.prepare(key, &decided).await.map_err(Error::Append)?;
            match self.send(key, prepared).await.map_err(Error::Append)? {
                Outcome::Appended { .. } => {
                    events.iter().for_each(|event| measure::appended(&self.request, event));
                    let At { mut version, mut state } = std::mem::take(&mut held.at);
                    for event in &decided.events {
                        state =
                            dvt_domain::Aggregate::after(state, event).map_err(|error| Error::Append(error.into()))?;
                        version += 1;
                    }
                    held.at = At { version, state };
                    return Ok(held.at.state.clone());
                }
                Outcome::Duplicate { .. } => {
                    self.advance(&mut held).await?;
                    return Ok(held.at.state.clone());
                }
                Outcome::Conflict { .. } => self.advance(&mut held).await?,
                Outcome::Reserved { stream_id, wait } => self.appender.turn_ended(stream_id, wait).await,
            }
        }
        Err(Error::Append(anyhow::anyhow!("lost {TRIES} times")))
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
