//! What became of an attempt that nobody works on: read from the target, after exactly its session was ended.

use std::sync::Arc;
use std::time::Duration;

use dvt_domain::run::verdict::{self, Proven};
use dvt_domain::run::{Attempt, Command, Event, StepFailed, StepNotStarted, StepStarted, StepSucceeded, StepUnknown};
use dvt_runtime::CancellationToken;

use crate::step::{PAUSE, TRIES};
use crate::stream::Stream;
use crate::targets::{Built, Committed, Error, Target};

/// The longest pause between two questions what became of an attempt.
const ASK_AGAIN_MAX: Duration = Duration::from_secs(5);

/// Asks a target what became of the attempts of one run.
pub(crate) struct Reconciler {
    pub(crate) stream: Arc<Stream>,
    pub(crate) target: Arc<dyn Target>,
    /// The run is given back.
    pub(crate) lost: CancellationToken,
}

impl Reconciler {
    /// Finds out what became of an attempt, if there is one whose end is not known.
    ///
    /// # Errors
    /// When the log fails, or another executor drives the run.
    pub(crate) async fn reconcile(&self, unique_id: &str, may_try_again: bool) -> anyhow::Result<()> {
        let mut pause = PAUSE;
        loop {
            let started = match &self.stream.run().await.steps[unique_id].state {
                Attempt::Started(started) => {
                    let message = "nobody works on this attempt; the target is asked".to_owned();
                    self.unknown(unique_id, started.attempt, message).await?;
                    started.clone()
                }
                Attempt::Unknown(started) => started.clone(),
                Attempt::Waiting | Attempt::Ended(_) => return Ok(()),
            };
            match self.committed(&started).await {
                Ok(committed) => return self.reconciled(&started, (committed, may_try_again)).await,
                Err(error) => tracing::warn!(
                    run = %self.stream.request().stream_id, step = unique_id, %error,
                    "could not ask a target what became of an attempt; asking again"
                ),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(ASK_AGAIN_MAX),
                () = self.lost.cancelled() => return Ok(()),
            }
        }
    }

    /// Ends an attempt's session and reads what it committed.
    async fn committed(&self, started: &StepStarted) -> Result<Option<Committed>, Error> {
        if let Some(backend) = &started.backend {
            self.target.end(backend).await?;
        }
        self.target.committed(&self.stream.key(&started.unique_id, started.attempt)).await
    }

    async fn reconciled(
        &self,
        started: &StepStarted,
        (committed, may_try_again): (Option<Committed>, bool),
    ) -> anyhow::Result<()> {
        let StepStarted { unique_id, attempt, .. } = started.clone();
        let event = match verdict::proven(committed, may_try_again) {
            Proven::Succeeded(Committed { built: Built { rows, message }, duration_us }) => {
                let (warned, failures) = (false, None);
                Event::StepSucceeded(StepSucceeded { unique_id, attempt, rows, message, warned, failures, duration_us })
            }
            Proven::NotStarted => {
                let message = "the target has nothing of this attempt".to_owned();
                Event::StepNotStarted(StepNotStarted { unique_id, attempt, message })
            }
            Proven::Failed => Event::StepFailed(StepFailed {
                unique_id,
                attempt,
                code: "TARGET_LOST".to_owned(),
                message: format!("the connection to the target was lost {TRIES} times; nothing was committed"),
                sqlstate: None,
                place: None,
                failures: None,
                duration_us: 0,
            }),
        };
        Ok(self.stream.append(Command::Step(event)).await.map(drop)?)
    }

    /// Records that an attempt's effect must be read from the target.
    ///
    /// # Errors
    /// As [`Reconciler::reconcile`].
    pub(crate) async fn unknown(&self, unique_id: &str, attempt: i32, message: String) -> anyhow::Result<()> {
        let event = Event::StepUnknown(StepUnknown { unique_id: unique_id.to_owned(), attempt, message });
        Ok(self.stream.append(Command::Step(event)).await.map(drop)?)
    }
}
