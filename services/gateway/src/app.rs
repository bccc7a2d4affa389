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
use dvt_domain::{Actor, Aggregate, Event};
use dvt_log::{At, Causation, Decided, Log, Stamp};
use dvt_runtime::trace;
use dvt_store::appender::{Appender, RunError, Tip, Turns};
use dvt_store::event::{self, Command, Idempotency, Outcome, Recorded};
use dvt_store::{Connection, Lent, Store};
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

/// Is an event of a command, as the log has it.
#[derive(Clone, Debug)]
pub struct Logged {
    pub position: i64,
    pub event_id: Uuid,
    pub stream_id: Uuid,
    pub version: i64,
    pub project_id: Option<Uuid>,
    /// None: erased by law.
    pub event: Option<Event>,
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
    pub async fn repeated(&self, write: &Write) -> Result<Vec<Logged>, Problem> {
        let mut connection = self.connection().await?;
        let events = event::list_by_idempotency_key(&mut connection, write.actor.as_str(), write.key).await?;
        match events.first() {
            Some(first) if first.request_sha256 != Some(write.request_sha256) => Err(key_reused(first)),
            Some(_) | None => self.logged(&mut connection, events).await,
        }
    }

    /// Encodes decided events and stores the blobs they name; with the command comes what its events are once the
    /// position of the first is known.
    ///
    /// # Errors
    /// 503 where the database does not answer.
    pub async fn command(
        &self,
        write: &Write,
        decided: Vec<Decided>,
    ) -> Result<(Command, impl FnOnce(i64) -> Vec<Logged> + Send + use<>), Problem> {
        let stamp = Stamp {
            project_id: write.project_id,
            actor: write.actor.clone(),
            command_id: Uuid::now_v7(),
            causation: Causation::Person,
            traceparent: trace::parent(),
            occurred_at: Utc::now(),
        };
        let events = self.log.prepare(&self.store, &stamp, &decided).await?;
        let ids: Vec<Uuid> = events.iter().map(|event| event.event_id).collect();
        let idempotency = Idempotency { key: write.key, request_sha256: write.request_sha256 };
        fail::fail_point!("gateway.decided");
        let project_id = Some(write.project_id.uuid());
        let placed = move |first: i64| {
            let events = decided.into_iter().flat_map(|Decided { stream_id, version, events }| {
                (version + 1..).zip(events).map(move |(version, event)| (stream_id, version, Some(event)))
            });
            let placed = (first..).zip(ids).zip(events);
            placed
                .map(|((position, event_id), (stream_id, version, event))| Logged {
                    position,
                    event_id,
                    stream_id,
                    version,
                    project_id,
                    event,
                })
                .collect()
        };
        Ok((Command { idempotency: Some(idempotency), events, reserve: false }, placed))
    }

    /// Appends events that nothing else can have decided, as those of a stream that starts with them.
    ///
    /// # Errors
    /// As [`App::repeated`]; 503 where the log does not answer.
    pub async fn append(&self, write: &Write, decided: Vec<Decided>) -> Result<Vec<Logged>, Problem> {
        let (command, placed) = self.command(write, decided).await?;
        let outcome = self.appender.append(command).await?;
        self.appended(outcome, placed).await
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
    ) -> Result<Vec<Logged>, Problem>
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
                let (command, placed) = self.command(write, decided).await?;
                Ok((command, after, placed))
            })
            .await;
        self.ended(write, outcome).await
    }

    /// Answers the events of a turn: none where there was nothing to append. What is refused or says nothing new may be
    /// a repetition, which gets the first answer.
    ///
    /// # Errors
    /// What was refused; 503 where the log is busy or does not answer.
    pub async fn ended(
        &self,
        write: &Write,
        outcome: Result<(Outcome, impl FnOnce(i64) -> Vec<Logged>), RunError<Stop>>,
    ) -> Result<Vec<Logged>, Problem> {
        match outcome {
            Ok((outcome, placed)) => self.appended(outcome, placed).await,
            Err(RunError::Refused(Stop::Nothing)) => self.repeated(write).await,
            Err(RunError::Refused(Stop::Refused(problem))) => match self.repeated(write).await? {
                events if events.is_empty() => Err(problem),
                events => Ok(events),
            },
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

    /// Answers the events of a command that is in the log.
    ///
    /// # Errors
    /// 422 where its key was used for another request; 503 where it was overtaken or the log does not answer.
    pub async fn appended(
        &self,
        outcome: Outcome,
        placed: impl FnOnce(i64) -> Vec<Logged>,
    ) -> Result<Vec<Logged>, Problem> {
        let (first, same_request) = match outcome {
            Outcome::Appended { first, .. } => {
                fail::fail_point!("gateway.committed");
                return Ok(placed(first));
            }
            Outcome::Duplicate { first, same_request } => (first, same_request),
            Outcome::Conflict { .. } | Outcome::Reserved { .. } => return Err(busy()),
        };
        let mut connection = self.connection().await?;
        let events = event::list_command(&mut connection, first).await?;
        match events.first() {
            Some(first) if !same_request => Err(key_reused(first)),
            Some(_) | None => self.logged(&mut connection, events).await,
        }
    }

    /// Decodes recorded events.
    ///
    /// # Errors
    /// 500 where one cannot be decoded; 503 where the database does not answer.
    pub async fn logged(&self, c: &mut Connection, events: Vec<Recorded>) -> Result<Vec<Logged>, Problem> {
        let mut logged = Vec::with_capacity(events.len());
        for recorded in events {
            let event = self.log.decode(c, &recorded).await?;
            let Recorded { position, event_id, stream_id, version, project_id, .. } = recorded;
            logged.push(Logged { position, event_id, stream_id, version, project_id, event });
        }
        Ok(logged)
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
