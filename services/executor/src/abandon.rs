//! Ends a run that has ended every executor that drove it, so that it does not end the next ones too.

use std::sync::Arc;

use anyhow::{Context, bail};
use dvt_domain::project::Project;
use dvt_domain::run::schedule::{self, Action, Desk};
use dvt_domain::run::{Attempt, Command, Event, Run, RunStarted, StepCancelled, StepSkipped};
use dvt_runtime::CancellationToken;
use dvt_store::job::Job;

use crate::drive::Runs;
use crate::reconcile::Reconciler;
use crate::stream::Stream;

/// How many executors in a row may let a run's lease run out without a step that ended.
const TAKEOVERS_MAX: i32 = 5;
/// The code of a run that is given up.
const CODE: &str = "RUN_ABANDONED";

/// Says whether a run is given up.
pub(crate) fn is_abandoned(job: &Job) -> bool {
    job.takeovers >= TAKEOVERS_MAX
}

impl Runs {
    /// Ends a run as failed. Nothing of it is read or begun any more but what became of the attempts that are open.
    ///
    /// # Errors
    /// When the log or the target does not answer, or another executor drives the run.
    pub(crate) async fn abandon(&self, stream: &Arc<Stream>, lost: &CancellationToken) -> anyhow::Result<()> {
        let start = RunStarted { executor: self.name.clone(), attempt: stream.attempt() };
        let run = stream.append(Command::Start(start)).await?;
        let message =
            format!("{TAKEOVERS_MAX} executors in a row stopped while they drove this run; it is not tried again");
        tracing::error!(run = %stream.request().stream_id, code = CODE, message, "a run is given up");
        let blocked = run.order.iter().map(|id| (id.clone(), message.clone())).collect();
        let desk = Desk { blocked, message: Some(message), code: Some(CODE.to_owned()), ..Desk::default() };
        let reconciler = self.reconciler(stream, &run, lost).await?;
        loop {
            if lost.is_cancelled() {
                bail!("the run is given back");
            }
            let actions = schedule::next(&stream.run().await, &desk);
            for action in actions {
                match (action, &reconciler) {
                    (Action::Skip { unique_id, reason }, _) => {
                        stream.append(Command::Step(Event::StepSkipped(StepSkipped { unique_id, reason }))).await?;
                    }
                    (Action::Cancel(unique_id), _) => {
                        stream.append(Command::Step(Event::StepCancelled(StepCancelled { unique_id }))).await?;
                    }
                    (Action::Finish(finished), _) => {
                        return Ok(stream.append(Command::Finish(finished)).await.map(drop)?);
                    }
                    (Action::Reconcile(unique_id), Some(reconciler)) => reconciler.reconcile(&unique_id, true).await?,
                    (Action::Reconcile(unique_id) | Action::Begin(unique_id), _) => {
                        bail!("{unique_id} is neither open nor to be begun")
                    }
                }
            }
        }
    }

    /// Answers what asks the run's target; None where no attempt is open.
    async fn reconciler(
        &self,
        stream: &Arc<Stream>,
        run: &Run,
        lost: &CancellationToken,
    ) -> anyhow::Result<Option<Reconciler>> {
        let is_open = |id: &String| matches!(run.steps[id].state, Attempt::Started(_) | Attempt::Unknown(_));
        if !run.order.iter().any(is_open) {
            return Ok(None);
        }
        let asked = run.request.as_ref().context("a run was requested")?;
        let mut connection = self.store.acquire().await?;
        let (id, version) = (asked.project_id.uuid(), asked.project_version);
        let project = self.log.load_version::<Project>(&mut connection, id, version).await?.state;
        let environment = project.environments.get(&asked.environment).context("a run's environment is there")?;
        let target = self.targets.find(&environment.target)?;
        Ok(Some(Reconciler { stream: stream.clone(), target, lost: lost.clone() }))
    }
}
