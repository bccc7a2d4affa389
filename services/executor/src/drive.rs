//! Drives a run: claims it, waits for its artifact, plans it, and does what the schedule says until every step has ended.
//!
//! Decides nothing itself: the order is `dvt_domain::run::schedule`'s, what a step does is `step`'s.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use dvt_bus::worker::Work;
use dvt_dbt::jinja::RunValues;
use dvt_domain::run::plan;
use dvt_domain::run::schedule::{self, Action, Desk};
use dvt_domain::run::{
    Attempt, Command, Event, Kind, Outcome, Run, RunFinished, RunPlanned, RunRequested, RunStarted, Stage,
    StepCancelled, StepSkipped,
};
use dvt_log::Log;
use dvt_runtime::{CancellationToken, trace};
use dvt_store::job::{self, Job};
use dvt_store::{Appender, Store, event};
use tokio::task::{Id, JoinError, JoinSet};
use tracing::{Instrument, info_span};

use crate::abandon;
use crate::compiled::{self, Waited};
use crate::prepare::{self, Prepared};
use crate::project::{self, Versions};
use crate::step::Steps;
use crate::stream::Stream;
use crate::targets::Targets;
use crate::task::{Maker, THREAD};

/// How often the log is asked whether a run is to be cancelled.
const POLL: Duration = Duration::from_millis(200);
/// How long the steps of a run that is given back may take to end their statements.
const PATIENCE: Duration = Duration::from_secs(4);

/// Drives runs for this service.
pub(crate) struct Runs {
    pub(crate) log: Log,
    pub(crate) store: Store,
    pub(crate) appender: Appender,
    pub(crate) targets: Targets,
    /// What RunStarted calls this process.
    pub(crate) name: String,
}

#[async_trait::async_trait]
impl Work for Runs {
    async fn work(&self, job: &Job, lost: &CancellationToken) -> anyhow::Result<()> {
        let request = event::find(&mut *self.store.acquire().await?, job.job_id).await?;
        let request = request.context("a job's request is in the log")?;
        let parts = (&self.log, &self.store, &self.appender);
        let stream = Arc::new(Stream::open(parts, request, job.attempt).await?);
        let run = stream.run().await;
        if matches!(run.stage, Stage::Finished(_)) {
            return Ok(());
        }
        if abandon::is_abandoned(job) {
            return self.abandon(&stream, lost).await;
        }
        let asked = run.request.context("a run was requested")?;
        fail::fail_point!("executor.leased");
        match self.begin(&stream, asked, lost).await? {
            Ok(drive) => drive.run((&self.store, job), lost).await?,
            Err((outcome, message)) => drop(stream.append(early(outcome, message)).await?),
        }
        fail::fail_point!("executor.finished");
        Ok(())
    }
}

/// Is the end of a run that has no plan.
fn early(outcome: Outcome, message: Option<String>) -> Command {
    let (succeeded, failed, skipped, cancelled) = (0, 0, 0, 0);
    Command::Finish(RunFinished { outcome, succeeded, failed, skipped, cancelled, message, code: None })
}

/// Answers dbt's name of a command.
fn which(kind: Kind) -> &'static str {
    match kind {
        Kind::Build => "build",
        Kind::Run => "run",
        Kind::Test => "test",
        Kind::Seed => "seed",
        Kind::Snapshot => "snapshot",
    }
}

impl Runs {
    /// Brings a run to where its steps can begin. The inner error: it ends without a plan.
    async fn begin(
        &self,
        stream: &Arc<Stream>,
        asked: RunRequested,
        lost: &CancellationToken,
    ) -> anyhow::Result<Result<Drive, (Outcome, Option<String>)>> {
        let failed = |message: String| Ok(Err((Outcome::Failed, Some(message))));
        let waited = compiled::wait((&self.log, &self.store, stream), asked.compilation_id, lost).await?;
        let compiled = match waited {
            Waited::Compiled(compiled) => compiled,
            Waited::Failed(message) => return failed(message),
            Waited::Cancelled => return Ok(Err((Outcome::Cancelled, None))),
        };
        let versions = Versions {
            project_id: asked.project_id,
            project_version: asked.project_version,
            branch_id: asked.branch_id,
            branch_version: asked.branch_version,
            environment: &asked.environment,
        };
        let loaded = project::load(&self.log, &mut *self.store.acquire().await?, versions).await?;
        let project = match loaded {
            Ok(project) => project,
            Err(fault) => return failed(fault.message),
        };
        if stream.run().await.stage == Stage::Requested {
            let wanted = plan::Wanted::from(&asked);
            let planned = trace::child(|| info_span!("plan")).in_scope(|| plan::plan(&project.parsed, &wanted));
            match planned {
                Ok(steps) => drop(stream.append(Command::Plan(RunPlanned { steps })).await?),
                Err(error) => return failed(error.to_string()),
            }
        }
        let start = RunStarted { executor: self.name.clone(), attempt: stream.attempt() };
        let run = stream.append(Command::Start(start)).await?;
        let Prepared { target, blocked, message } = prepare::prepare(&self.targets, &project, &run).await?;
        let mut desk = Desk { blocked, message, ..Desk::default() };
        desk.blocked.extend(run.order.iter().filter_map(|id| Some((id.clone(), compiled.broken(id)?))));
        let cancel = CancellationToken::new();
        let steps = target.map(|target| {
            let request = stream.request();
            let values = RunValues {
                invocation_id: request.stream_id.to_string(),
                started_at: request.occurred_at.to_rfc3339(),
                thread_id: THREAD.to_owned(),
                selected: run.order.iter().cloned().collect(),
                which: which(asked.kind).to_owned(),
                full_refresh: asked.full_refresh,
            };
            let store = self.store.clone();
            let maker = Maker { store, project, compiled, values, full_refresh: asked.full_refresh };
            Arc::new(Steps::new((&self.store, stream), (target, maker), (cancel.clone(), lost.clone())))
        });
        Ok(Ok(Drive {
            stream: stream.clone(),
            steps,
            desk,
            working: JoinSet::new(),
            names: HashMap::new(),
            cancel,
            checked: false,
        }))
    }
}

/// Is a run whose steps are being done.
struct Drive {
    stream: Arc<Stream>,
    /// None where the target cannot be used; then every step is blocked.
    steps: Option<Arc<Steps>>,
    desk: Desk,
    working: JoinSet<anyhow::Result<()>>,
    /// The step that each task works on.
    names: HashMap<Id, String>,
    /// Tells the steps that the run is cancelled.
    cancel: CancellationToken,
    /// The sources have been looked for.
    checked: bool,
}

impl Drive {
    async fn run(mut self, (store, job): (&Store, &Job), lost: &CancellationToken) -> anyhow::Result<()> {
        let ended = |run: &Run| run.steps.values().filter(|step| matches!(step.state, Attempt::Ended(_))).count();
        let (before, mut told) = (ended(&self.stream.run().await), job.takeovers == 0);
        let mut news = tokio::time::interval(POLL);
        loop {
            let run = self.stream.run().await;
            if run.cancel.is_some() {
                self.cancel.cancel();
            }
            if !told && ended(&run) > before {
                told = true;
                job::progress(&mut *store.acquire().await?, job).await?;
            }
            self.look_for_sources(&run).await?;
            match self.act(&run).await? {
                Acted::Finished => return Ok(()),
                Acted::Again => continue,
                Acted::Waits => {}
            }
            tokio::select! {
                Some(ended) = self.working.join_next_with_id() => self.ended(ended).await?,
                _ = news.tick() => drop(self.stream.refresh().await?),
                () = lost.cancelled() => return self.give_back().await,
            }
        }
    }

    /// Does what the schedule says.
    async fn act(&mut self, run: &Run) -> anyhow::Result<Acted> {
        let mut acted = Acted::Waits;
        for action in schedule::next(run, &self.desk) {
            match action {
                Action::Begin(unique_id) => self.work_on(unique_id, false),
                Action::Reconcile(unique_id) => self.work_on(unique_id, true),
                Action::Skip { unique_id, reason } => {
                    acted = Acted::Again;
                    let skipped = Event::StepSkipped(StepSkipped { unique_id, reason });
                    self.stream.append(Command::Step(skipped)).await?;
                }
                Action::Cancel(unique_id) => {
                    acted = Acted::Again;
                    let cancelled = Event::StepCancelled(StepCancelled { unique_id });
                    self.stream.append(Command::Step(cancelled)).await?;
                }
                Action::Finish(finished) => {
                    self.stream.append(Command::Finish(finished)).await?;
                    return Ok(Acted::Finished);
                }
            }
        }
        Ok(acted)
    }

    fn work_on(&mut self, unique_id: String, begun: bool) {
        let steps = self.steps.clone().expect("invariant: without a target every step is blocked");
        self.desk.busy.insert(unique_id.clone());
        let id = unique_id.clone();
        let span = trace::child(|| info_span!("step", otel.name = format!("step {id}"), step = id));
        let working = async move {
            match begun {
                true => steps.reconcile(&id).await,
                false => steps.attempt(&id).await,
            }
        };
        let working = self.working.spawn(trace::carry(working.instrument(span)));
        self.names.insert(working.id(), unique_id);
    }

    async fn ended(&mut self, ended: Result<(Id, anyhow::Result<()>), JoinError>) -> anyhow::Result<()> {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let unique_id = self.names.remove(&id).expect("invariant: every task has a name");
        self.desk.busy.remove(&unique_id);
        match (ended, &self.steps) {
            (Ok((_, done)), _) => done,
            (Err(error), Some(steps)) if error.is_panic() => {
                tracing::error!(step = unique_id, "a step panicked");
                steps.panicked(&unique_id).await
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    /// Looks for the sources once, as soon as the hooks that come first have ended: they may make some.
    async fn look_for_sources(&mut self, run: &Run) -> anyhow::Result<()> {
        let is_open = |id: &String| {
            let step = &run.steps[id];
            plan::comes_first(&step.planned) && !matches!(step.state, Attempt::Ended(_))
        };
        let Some(steps) = self.steps.as_ref().filter(|_| !self.checked && !run.order.iter().any(is_open)) else {
            return Ok(());
        };
        self.checked = true;
        if let Some((message, missing)) = steps.missing_sources(run).await? {
            self.desk.message = Some(message);
            self.desk.blocked.extend(missing);
        }
        Ok(())
    }

    /// Ends what is running, so that whoever drives the run next finds the target quiet.
    async fn give_back(mut self) -> anyhow::Result<()> {
        let quiet = async { while self.working.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, quiet).await.is_err() {
            tracing::warn!(run = %self.stream.request().stream_id, "a target did not end its statements in time");
        }
        bail!("the run is given back")
    }
}

/// Says what is to be done after a look at the schedule.
enum Acted {
    /// The run may have more to do at once.
    Again,
    /// A step must end first.
    Waits,
    Finished,
}
