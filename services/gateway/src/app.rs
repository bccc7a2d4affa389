//! What every handler shares: the store, the log, the one writer, and the turns on streams.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use chrono::Utc;
use dvt_bus::view::Wakes;
use dvt_domain::compilation::Compilation;
use dvt_domain::id::ProjectId;
use dvt_domain::layout::Layout;
use dvt_domain::project::Project;
use dvt_domain::run::Run;
use dvt_domain::{Actor, Aggregate};
use dvt_log::{At, Causation, Decided, Log, Stamp};
use dvt_runtime::trace;
use dvt_store::appender::{Appender, RunError, Tip, Turns};
use dvt_store::event::{self, Command, Idempotency, Outcome, Recorded};
use dvt_store::{Lent, Store};
use uuid::Uuid;

use crate::branches::{Ahead, Branches, Head};
use crate::http::problem::Problem;
use crate::live::Live;
use crate::parsed::{Parsed, Parses, Reading};

/// Shared by all handlers. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What [`App`] points to.
pub struct Parts {
    pub store: Store,
    pub log: Log,
    pub appender: Appender,
    pub branches: Branches,
    pub live: Live,
    pub wakes: Wakes,
    /// The last position that a live stream of this process has sent.
    pub sent: AtomicI64,
    pub parses: Parses,
    pub branch_turns: Turns<Ahead>,
    pub project_turns: Turns<Project>,
    pub layout_turns: Turns<Layout>,
    pub compilation_turns: Turns<Compilation>,
    pub run_turns: Turns<Run>,
    /// Where the environment `dev` of a new project runs.
    pub default_target: Target,
    pub clone_url: Option<String>,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What requests wait for: the log, and the views.
#[derive(Clone, Debug)]
pub struct Waits {
    pub live: Live,
    pub wakes: Wakes,
}

/// Names a database of a target.
#[derive(Clone, Debug)]
pub struct Target {
    /// As `DVT_TARGET_<NAME>` has it.
    pub name: String,
    pub database: String,
}

/// Says what lies outside: where projects run, and where they are published to.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The target of a new project's first environment.
    pub target: Target,
    /// The address below which published projects can be cloned, if there is one.
    pub clone_url: Option<String>,
}

/// Names a write, so that its repetition gets the same answer.
#[derive(Clone, Debug)]
pub struct Write {
    pub actor: Actor,
    pub key: Uuid,
    pub request_sha256: [u8; 32],
    pub project_id: ProjectId,
}

/// Says why a turn ends without an append.
pub enum Stop {
    Nothing,
    Refused(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(store: Store, log: Log, appender: Appender, waits: Waits, outside: Outside) -> Self {
        let Waits { live, wakes } = waits;
        let Outside { target: default_target, clone_url } = outside;
        Self(Arc::new(Parts {
            branches: Branches::new(store.clone(), log.clone()),
            parses: Parses::default(),
            branch_turns: Turns::new(appender.clone()),
            project_turns: Turns::new(appender.clone()),
            layout_turns: Turns::new(appender.clone()),
            compilation_turns: Turns::new(appender.clone()),
            run_turns: Turns::new(appender.clone()),
            store,
            log,
            appender,
            live,
            wakes,
            sent: AtomicI64::new(0),
            default_target,
            clone_url,
        }))
    }

    /// Lends a connection.
    ///
    /// # Errors
    /// 503 where the database does not answer.
    pub async fn connection(&self) -> Result<Lent, Problem> {
        self.store.acquire().await.map_err(Problem::from)
    }

    /// Finds the events of an earlier request with the same key; empty where it is new.
    ///
    /// # Errors
    /// 422 where the earlier request was another one.
    pub async fn repeated(&self, write: &Write) -> Result<Vec<Recorded>, Problem> {
        let mut connection = self.connection().await?;
        let events = event::list_by_idempotency_key(&mut connection, write.actor.as_str(), write.key).await?;
        match events.first() {
            Some(first) if first.request_sha256 != Some(write.request_sha256) => Err(key_reused(first)),
            Some(_) | None => Ok(events),
        }
    }

    /// Encodes decided events and stores the blobs they name.
    ///
    /// # Errors
    /// 503 where the database does not answer.
    pub async fn command(&self, write: &Write, decided: &[Decided]) -> Result<Command, Problem> {
        let stamp = Stamp {
            project_id: write.project_id,
            actor: write.actor.clone(),
            command_id: Uuid::now_v7(),
            causation: Causation::Person,
            traceparent: trace::parent(),
            occurred_at: Utc::now(),
        };
        let mut connection = self.connection().await?;
        let events = self.log.prepare(&mut connection, &stamp, decided).await?;
        let idempotency = Idempotency { key: write.key, request_sha256: write.request_sha256 };
        fail::fail_point!("gateway.decided");
        Ok(Command { idempotency: Some(idempotency), events, reserve: false })
    }

    /// Appends events that nothing else can have decided, as those of a stream that starts with them.
    ///
    /// # Errors
    /// As [`App::repeated`]; 503 where the log does not answer.
    pub async fn append(&self, write: &Write, decided: &[Decided]) -> Result<Vec<Recorded>, Problem> {
        let command = self.command(write, decided).await?;
        let outcome = self.appender.append(command).await?;
        self.appended(outcome).await
    }

    /// Decides and appends on one stream in its turn, and answers the command's events: none where there was nothing to
    /// append.
    ///
    /// # Errors
    /// What `decide` refuses; 503 where the log is busy or does not answer.
    pub async fn append_in_turn<A, D>(
        &self,
        turns: &Turns<A>,
        (write, stream_id): (&Write, Uuid),
        decide: D,
    ) -> Result<Vec<Recorded>, Problem>
    where
        A: Aggregate + Send + Sync + 'static,
        D: Fn(&At<A>) -> Result<Vec<Decided>, Problem>,
    {
        let decide = &decide;
        let outcome = turns
            .run(stream_id, move |tip: Option<Tip<A>>| async move {
                let at = match tip {
                    Some(tip) => At { version: tip.version, state: tip.state },
                    None => self.load::<A>(stream_id).await?,
                };
                let decided = decide(&at)?;
                if decided.is_empty() {
                    return Err(Stop::Nothing);
                }
                let after = after(&at, stream_id, &decided)?;
                Ok((self.command(write, &decided).await?, after))
            })
            .await;
        self.ended(outcome).await
    }

    /// Answers the events of a turn: none where there was nothing to append.
    ///
    /// # Errors
    /// What was refused; 503 where the log is busy or does not answer.
    pub async fn ended(&self, outcome: Result<Outcome, RunError<Stop>>) -> Result<Vec<Recorded>, Problem> {
        match outcome {
            Ok(outcome) => self.appended(outcome).await,
            Err(RunError::Refused(Stop::Nothing)) => Ok(Vec::new()),
            Err(RunError::Refused(Stop::Refused(problem))) => Err(problem),
            Err(RunError::Append(error)) => Err(error.into()),
            Err(RunError::Busy) => Err(busy()),
        }
    }

    /// Reads a branch's files as a project.
    ///
    /// # Errors
    /// 500 where the reader fails.
    pub async fn read(&self, head: &Head, reading: &Reading) -> Result<Arc<Parsed>, Problem> {
        self.parses.get(&head.state, reading).await.map_err(|error| Problem::internal(&error))
    }

    async fn load<A: Aggregate>(&self, stream_id: Uuid) -> Result<At<A>, Problem> {
        Ok(self.log.load::<A>(&mut *self.connection().await?, stream_id).await?)
    }

    /// Reads the events of a command that is in the log.
    ///
    /// # Errors
    /// 422 where its key was used for another request; 503 where it was overtaken or the log does not answer.
    pub async fn appended(&self, outcome: Outcome) -> Result<Vec<Recorded>, Problem> {
        let first = match outcome {
            Outcome::Appended { first, .. } => first,
            Outcome::Duplicate { first, .. } => first,
            Outcome::Conflict { .. } | Outcome::Reserved { .. } => return Err(busy()),
        };
        fail::fail_point!("gateway.committed");
        let mut connection = self.connection().await?;
        let events = event::list_command(&mut connection, first).await?;
        match (&outcome, events.first()) {
            (Outcome::Duplicate { same_request: false, .. }, Some(first)) => Err(key_reused(first)),
            _ => Ok(events),
        }
    }
}

fn after<A: Aggregate>(at: &At<A>, stream_id: Uuid, decided: &[Decided]) -> Result<Tip<A>, Problem> {
    let events = decided.iter().filter(|decided| decided.stream_id == stream_id).flat_map(|decided| &decided.events);
    let mut tip = Tip { version: at.version, state: at.state.clone() };
    for event in events {
        tip =
            Tip { version: tip.version + 1, state: tip.state.after(event).map_err(|error| Problem::internal(&error))? };
    }
    Ok(tip)
}

fn key_reused(first: &Recorded) -> Problem {
    let hash = first.request_sha256.map(|hash| dvt_dbt::tree::Sha256(hash).to_string()).unwrap_or_default();
    let detail = "this Idempotency-Key was used for another request; use a new one";
    Problem::unprocessable("IDEMPOTENCY_KEY_REUSED", detail).at("Idempotency-Key").with("first_request_sha256", hash)
}

/// Says that the database did not do its part, and why; the caller may repeat the request.
fn unavailable(cause: &str) -> Problem {
    Problem::unavailable("DATABASE_UNAVAILABLE", format!("the database {cause}; repeat the request"))
}

fn busy() -> Problem {
    Problem::unavailable("BUSY", "others edit the same thing at this moment; repeat the request")
}

impl From<dvt_store::Error> for Problem {
    fn from(error: dvt_store::Error) -> Self {
        match error.retry() {
            dvt_store::Retry::Transient => {
                tracing::warn!(%error, "the database does not answer");
                unavailable(error.cause())
            }
            dvt_store::Retry::Permanent => Self::internal(&error),
        }
    }
}

impl From<dvt_log::Error> for Problem {
    fn from(error: dvt_log::Error) -> Self {
        match error {
            dvt_log::Error::Store(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<dvt_store::appender::Error> for Problem {
    fn from(error: dvt_store::appender::Error) -> Self {
        match error {
            dvt_store::appender::Error::Busy => busy(),
            dvt_store::appender::Error::Unavailable | dvt_store::appender::Error::Stopped => {
                unavailable("does not answer")
            }
            dvt_store::appender::Error::Refused(error) => match error.retry() {
                dvt_store::Retry::Transient => unavailable(error.cause()),
                dvt_store::Retry::Permanent => Self::internal(&*error),
            },
        }
    }
}
