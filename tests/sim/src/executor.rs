//! The shell of an executor: drives a run by the schedule, attempts steps and finds out what became of them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use dvt_bus::leases::RUN;
use dvt_domain::envelope::Timestamp;
use dvt_domain::run::schedule::{self, Action, Desk};
use dvt_domain::run::verdict::{self, Known, Next, Proven, Standing};
use dvt_domain::run::{
    Attempt, Backend, Command, Event, PlannedStep, Run, RunPlanned, RunStarted, Stage, StepCancelled, StepFailed,
    StepNotStarted, StepSkipped, StepStarted, StepSucceeded, StepUnknown,
};
use dvt_mutant::mutant;
use dvt_store::event::{Command as Append, Idempotency, Outcome, Recorded};
use futures::channel::oneshot;
use futures::future::{Either, select};
use futures::lock::Mutex;
use futures::stream::{FuturesUnordered, StreamExt};
use uuid::Uuid;

use crate::appender::Appender;
use crate::db::Job;
use crate::fold::Folded;
use crate::target::{self, Connection, Key};
use crate::worker::{self, Lost};
use crate::world::{Down, Node, Stamp};

const POLL: Duration = Duration::from_millis(200);
const TRIES: u32 = 20;
const STEP_TRIES: u32 = 3;

/// Runs one life of an executor's workers.
pub(crate) fn start(node: &Node) {
    let appender = Appender::start(node);
    for _ in 0..2 {
        let (node, appender) = (node.clone(), appender.clone());
        node.clone().spawn(async move {
            let work = |job: Job, lost: Lost| work(node.clone(), appender.clone(), (job, lost));
            worker::run(node.clone(), ("run", RUN), work).await;
        });
    }
}

async fn work(node: Node, appender: Appender, (job, lost): (Job, Lost)) -> Result<(), Down> {
    let request = node.db_surely(|db, _| db.find(job.id).cloned()).await.ok_or(Down)?;
    let at = node.db_surely(|db, _| db.load(job.stream_id)).await;
    if at.run().is_superseded(job.attempt) {
        return Err(Down);
    }
    let held = Mutex::new((at, 0));
    let stream = Rc::new(Stream { node, appender, request, attempt: job.attempt, held });
    let run = stream.run().await;
    if matches!(run.stage, Stage::Finished(_)) {
        return Ok(());
    }
    if run.stage == Stage::Requested {
        stream.append(Command::Plan(RunPlanned { steps: stream.plan() })).await?;
    }
    let start = RunStarted { executor: stream.node.process.to_string(), attempt: job.attempt };
    stream.append(Command::Start(start)).await?;
    let steps = Rc::new(Steps { stream, lost, cancel: Cell::default(), tries: RefCell::default() });
    steps.drive().await
}

/// A run's stream in the hands of one executor.
struct Stream {
    node: Node,
    appender: Appender,
    request: Recorded,
    attempt: i32,
    held: Mutex<(Folded, u32)>,
}

impl Stream {
    async fn run(&self) -> Run {
        self.held.lock().await.0.run()
    }

    fn key(&self, unique_id: &str) -> Key {
        (self.request.stream_id, unique_id.to_owned())
    }

    /// Plans a few steps that need each other, by the run's own id.
    fn plan(&self) -> Vec<PlannedStep> {
        let mut rng = fastrand::Rng::with_seed(self.request.event_id.as_u128() as u64);
        let steps = rng.usize(1..5);
        let step = |index: usize| PlannedStep {
            unique_id: format!("step {index}"),
            name: format!("step {index}"),
            resource_type: "model".to_owned(),
            materialized: None,
            relation: None,
            needs: (0..index).filter(|_| rng.u8(..4) == 0).map(|need| format!("step {need}")).collect(),
            reason: "selected".to_owned(),
        };
        (0..steps).map(step).collect()
    }

    async fn refresh(&self) -> Result<(), Down> {
        let mut held = self.held.lock().await;
        self.advance(&mut held.0).await
    }

    async fn advance(&self, at: &mut Folded) -> Result<(), Down> {
        *at = self.node.db_surely(|db, _| db.load(self.request.stream_id)).await;
        match at.run().is_superseded(self.attempt) {
            true => Err(Down),
            false => Ok(()),
        }
    }

    async fn append(&self, command: Command) -> Result<(), Down> {
        let mut held = self.held.lock().await;
        for _ in 0..TRIES {
            let decided = held.0.run().decide(command.clone()).map_err(|_| Down)?;
            let events: Vec<_> = decided.into_iter().map(dvt_domain::Event::Run).collect();
            if events.is_empty() {
                return Ok(());
            }
            held.1 += 1;
            let name = format!("executor/{}/{}", self.attempt, held.1);
            let key = Uuid::new_v5(&self.request.event_id, name.as_bytes());
            let version = held.0.version;
            match self.send(key, self.node.encode(&self.stamp(), version, &events)).await? {
                Outcome::Appended { .. } => {
                    let at = std::mem::take(&mut held.0);
                    held.0 = (version + 1..).zip(&events).fold(at, |at, (version, event)| at.after(version, event));
                    return Ok(());
                }
                Outcome::Duplicate { .. } => return self.advance(&mut held.0).await,
                Outcome::Conflict { .. } => self.advance(&mut held.0).await?,
                Outcome::Reserved { stream_id, wait } => self.appender.turn_ended(stream_id, wait).await,
            }
        }
        Err(Down)
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            project_id: self.request.project_id.unwrap_or_default(),
            stream_id: self.request.stream_id,
            actor: "service:executor".to_owned(),
        }
    }

    async fn send(&self, key: Uuid, events: Vec<dvt_store::event::NewEvent>) -> Result<Outcome, Down> {
        let idempotency = Some(Idempotency { key, request_sha256: self.request.payload_sha256 });
        let command = Append { idempotency, events, reserve: false };
        for tries in 1..=TRIES {
            if let Ok(outcome) = self.appender.append(command.clone()).await {
                return Ok(outcome);
            }
            self.node.sim.sleep(Duration::from_millis(100) * tries).await;
        }
        Err(Down)
    }
}

/// The steps of a run that one executor drives.
struct Steps {
    stream: Rc<Stream>,
    lost: Lost,
    cancel: Cell<bool>,
    tries: RefCell<HashMap<String, u32>>,
}

/// What became of a step's task.
type Ended = (String, Result<(), Down>);

/// The tasks of a run's steps; they end with whoever drives it.
struct Working {
    node: Node,
    tasks: Vec<u64>,
    ended: FuturesUnordered<oneshot::Receiver<Ended>>,
}

impl Working {
    fn spawn(&mut self, step: impl Future<Output = Ended> + 'static) {
        let (end, ended) = oneshot::channel();
        self.ended.push(ended);
        let task = self.node.spawn(async move {
            let _ = end.send(step.await);
        });
        self.tasks.push(task);
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.tasks.drain(..).for_each(|task| self.node.sim.abort(task));
    }
}

impl Steps {
    async fn drive(self: Rc<Self>) -> Result<(), Down> {
        let node = self.stream.node.clone();
        let mut working = Working { node, tasks: Vec::new(), ended: FuturesUnordered::new() };
        let mut desk = Desk::default();
        loop {
            let run = self.stream.run().await;
            self.cancel.set(run.cancel.is_some());
            let mut again = false;
            for action in schedule::next(&run, &desk) {
                match action {
                    Action::Begin(unique_id) => self.work_on(unique_id, &mut desk, (&mut working, false)),
                    Action::Reconcile(unique_id) => self.work_on(unique_id, &mut desk, (&mut working, true)),
                    Action::Skip { unique_id, reason } => {
                        again = true;
                        let skipped = Event::StepSkipped(StepSkipped { unique_id, reason });
                        self.stream.append(Command::Step(skipped)).await?;
                    }
                    Action::Cancel(unique_id) => {
                        again = true;
                        self.stream.append(Command::Step(Event::StepCancelled(StepCancelled { unique_id }))).await?;
                    }
                    Action::Finish(finished) => return self.stream.append(Command::Finish(finished)).await,
                }
            }
            if again {
                continue;
            }
            if self.lost.get() {
                let quiet = std::pin::pin!(async { while working.ended.next().await.is_some() {} });
                let patience = std::pin::pin!(self.stream.node.sim.sleep(Duration::from_secs(4)));
                select(quiet, patience).await;
                return Err(Down);
            }
            let tick = std::pin::pin!(self.stream.node.sim.sleep(POLL));
            let ended = match working.ended.is_empty() {
                true => {
                    tick.await;
                    None
                }
                false => match select(working.ended.next(), tick).await {
                    Either::Left((ended, _)) => ended.and_then(Result::ok),
                    Either::Right(_) => None,
                },
            };
            match ended {
                Some((unique_id, done)) => {
                    desk.busy.remove(&unique_id);
                    done?;
                }
                None => self.stream.refresh().await?,
            }
        }
    }

    fn work_on(self: &Rc<Self>, unique_id: String, desk: &mut Desk, (working, begun): (&mut Working, bool)) {
        desk.busy.insert(unique_id.clone());
        let steps = self.clone();
        working.spawn(async move {
            let done = match begun {
                true => steps.reconcile(&unique_id).await,
                false => steps.attempt(&unique_id).await,
            };
            (unique_id, done)
        });
    }

    fn is_ending(&self) -> bool {
        self.cancel.get() || self.lost.get()
    }

    fn may_try_again(&self, unique_id: &str) -> bool {
        self.tries.borrow().get(unique_id).is_none_or(|tries| *tries < STEP_TRIES)
    }

    async fn step(&self, event: Event) -> Result<(), Down> {
        self.stream.node.trace(|| format!("says {event:?}"));
        self.stream.append(Command::Step(event)).await
    }

    async fn attempt(&self, unique_id: &str) -> Result<(), Down> {
        let attempt = self.stream.run().await.steps[unique_id].attempt + 1;
        *self.tries.borrow_mut().entry(unique_id.to_owned()).or_default() += 1;
        let node = &self.stream.node;
        let connection = match target::connect(node).await {
            Ok(connection) => connection,
            Err(known) => {
                self.started(unique_id, attempt, None).await?;
                return self.ended((unique_id, attempt), Err(known)).await;
            }
        };
        if self.is_ending() {
            return Ok(());
        }
        if !mutant("executor_sends_before_the_intent") {
            self.started(unique_id, attempt, Some(&connection)).await?;
        }
        let key = self.stream.key(unique_id);
        let done = connection.build((&key, attempt), || self.is_ending()).await;
        if mutant("executor_sends_before_the_intent") {
            self.started(unique_id, attempt, Some(&connection)).await?;
        }
        drop(connection);
        self.ended((unique_id, attempt), done).await
    }

    async fn started(&self, unique_id: &str, attempt: i32, connection: Option<&Connection>) -> Result<(), Down> {
        let backend = connection.map(|connection| Backend { pid: connection.pid, started_at: Timestamp(0) });
        self.step(Event::StepStarted(StepStarted { unique_id: unique_id.to_owned(), attempt, backend, sql: None }))
            .await
    }

    async fn ended(&self, (unique_id, attempt): (&str, i32), done: Result<(), Known>) -> Result<(), Down> {
        let known = match done {
            Ok(()) => return self.step(succeeded(unique_id, attempt)).await,
            Err(known) => known,
        };
        let standing = Standing {
            cancelled: self.cancel.get(),
            given_back: self.lost.get(),
            may_try_again: self.may_try_again(unique_id),
        };
        match verdict::next(known, standing) {
            Next::Leave => Ok(()),
            Next::Cancel => self.step(Event::StepCancelled(StepCancelled { unique_id: unique_id.to_owned() })).await,
            Next::Fail => self.step(failed(unique_id, attempt)).await,
            Next::TryAgain => self.step(not_started(unique_id, attempt)).await,
            Next::Ask => {
                self.unknown(unique_id, attempt).await?;
                self.reconcile(unique_id).await
            }
        }
    }

    async fn unknown(&self, unique_id: &str, attempt: i32) -> Result<(), Down> {
        let message = "lost".to_owned();
        self.step(Event::StepUnknown(StepUnknown { unique_id: unique_id.to_owned(), attempt, message })).await
    }

    async fn reconcile(&self, unique_id: &str) -> Result<(), Down> {
        let node = &self.stream.node;
        loop {
            let started = match &self.stream.run().await.steps[unique_id].state {
                Attempt::Started(started) => {
                    self.unknown(unique_id, started.attempt).await?;
                    started.clone()
                }
                Attempt::Unknown(started) => started.clone(),
                Attempt::Waiting | Attempt::Ended(_) => return Ok(()),
            };
            if let Ok(row) = self.committed(&started).await {
                let attempt = started.attempt;
                let event = match verdict::proven(row, self.may_try_again(unique_id)) {
                    Proven::Succeeded(_) => succeeded(unique_id, attempt),
                    Proven::NotStarted => not_started(unique_id, attempt),
                    Proven::Failed => failed(unique_id, attempt),
                };
                return self.step(event).await;
            }
            if self.lost.get() {
                return Ok(());
            }
            node.sim.sleep(Duration::from_millis(300)).await;
        }
    }

    async fn committed(&self, started: &StepStarted) -> Result<Option<i32>, Known> {
        let node = &self.stream.node;
        if let Some(backend) =
            started.backend.as_ref().filter(|_| !mutant("executor_reads_the_ledger_of_a_living_session"))
        {
            target::end(node, backend.pid).await?;
        }
        target::committed(node, &self.stream.key(&started.unique_id)).await
    }
}

fn succeeded(unique_id: &str, attempt: i32) -> Event {
    let (unique_id, message) = (unique_id.to_owned(), "done".to_owned());
    let (rows, warned, failures, duration_us) = (None, false, None, 0);
    Event::StepSucceeded(StepSucceeded { unique_id, attempt, rows, message, warned, failures, duration_us })
}

fn not_started(unique_id: &str, attempt: i32) -> Event {
    let (unique_id, message) = (unique_id.to_owned(), "nothing".to_owned());
    Event::StepNotStarted(StepNotStarted { unique_id, attempt, message })
}

fn failed(unique_id: &str, attempt: i32) -> Event {
    Event::StepFailed(StepFailed {
        unique_id: unique_id.to_owned(),
        attempt,
        code: "DATABASE_ERROR".to_owned(),
        message: "no".to_owned(),
        sqlstate: None,
        place: None,
        failures: None,
        duration_us: 0,
    })
}
