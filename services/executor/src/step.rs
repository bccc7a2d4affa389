//! One step: the intent first, then the work with its ledger row in one transaction, then the outcome.
//!
//! Whatever is not known of an attempt is read from the target, after exactly its session was ended.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dvt_domain::run::verdict::{self, Proven, Standing};
use dvt_domain::run::{
    Attempt, Command, Event, Run, StepFailed, StepNotStarted, StepStarted, StepSucceeded, StepUnknown,
};
use dvt_runtime::CancellationToken;
use dvt_store::Store;

use crate::attempt::Try;
use crate::missing;
use crate::stream::Stream;
use crate::targets::{Built, Canceller, Error, Target};
use crate::task::{Failure, Maker};

/// How often a step is tried by one executor where nothing was committed.
const TRIES: u32 = 3;
/// The pause before another try, longer with each.
pub(crate) const PAUSE: Duration = Duration::from_millis(300);
/// How often a statement is cancelled until its session answers.
const CANCEL_AGAIN: Duration = Duration::from_millis(200);
/// The longest pause between two questions what became of an attempt.
const ASK_AGAIN_MAX: Duration = Duration::from_secs(5);

/// Does the steps of one run.
pub(crate) struct Steps {
    pub(crate) stream: Arc<Stream>,
    pub(crate) store: Store,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) maker: Maker,
    /// The run was cancelled.
    pub(crate) cancel: CancellationToken,
    /// The run is given back.
    pub(crate) lost: CancellationToken,
    /// Counts the tries that this executor spent on a step.
    tries: Mutex<HashMap<String, u32>>,
}

impl Steps {
    pub(crate) fn new(
        (store, stream): (&Store, &Arc<Stream>),
        (target, maker): (Arc<dyn Target>, Maker),
        (cancel, lost): (CancellationToken, CancellationToken),
    ) -> Self {
        let (stream, store) = (stream.clone(), store.clone());
        Self { stream, store, target, maker, cancel, lost, tries: Mutex::default() }
    }

    /// Finds the steps that read sources without a relation: a sentence that lists those, and a reason for each step.
    ///
    /// # Errors
    /// When the target does not answer.
    pub(crate) async fn missing_sources(
        &self,
        run: &Run,
    ) -> anyhow::Result<Option<(String, BTreeMap<String, String>)>> {
        let mut session = self.target.connect().await?;
        let missing = missing::missing(&self.maker.project, run, session.as_mut()).await?;
        Ok((!missing.is_empty()).then(|| (missing::sentence(&missing), missing::reasons(&missing))))
    }

    /// Makes the next attempt at a step.
    ///
    /// # Errors
    /// When the log or the artifact fails, or another executor drives the run.
    pub(crate) async fn attempt(&self, unique_id: &str) -> anyhow::Result<()> {
        let run = self.stream.run().await;
        let attempt = run.steps[unique_id].attempt + 1;
        *self.spent().entry(unique_id.to_owned()).or_default() += 1;
        Try::new(self, unique_id, attempt).make().await
    }

    /// Finds out what became of an attempt that nobody works on any more.
    ///
    /// # Errors
    /// As [`Steps::attempt`].
    pub(crate) async fn reconcile(&self, unique_id: &str) -> anyhow::Result<()> {
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
                Ok(built) => return self.reconciled(&started, built).await,
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

    /// Ends an attempt that stopped unexpectedly, so that its run does not stop with it.
    ///
    /// # Errors
    /// As [`Steps::attempt`].
    pub(crate) async fn panicked(&self, unique_id: &str) -> anyhow::Result<()> {
        let run = self.stream.run().await;
        let step = &run.steps[unique_id];
        if step.state == Attempt::Waiting {
            let attempt = Try::new(self, unique_id, step.attempt + 1);
            attempt.started(None, None).await?;
            return attempt
                .failed(Failure::new("INTERNAL", "the step stopped unexpectedly; this is a fault of DVT+"))
                .await;
        }
        self.spent().insert(unique_id.to_owned(), TRIES);
        Ok(())
    }

    /// Ends an attempt's session and reads what it committed.
    async fn committed(&self, started: &StepStarted) -> Result<Option<Built>, Error> {
        if let Some(backend) = &started.backend {
            self.target.end(backend).await?;
        }
        self.target.committed(&self.stream.key(&started.unique_id, started.attempt)).await
    }

    async fn reconciled(&self, started: &StepStarted, built: Option<Built>) -> anyhow::Result<()> {
        let StepStarted { unique_id, attempt, .. } = started.clone();
        let event = match verdict::proven(built, self.may_try_again(&unique_id)) {
            Proven::Succeeded(Built { rows, message }) => {
                let (warned, failures, duration_us) = (false, None, 0);
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

    pub(crate) async fn unknown(&self, unique_id: &str, attempt: i32, message: String) -> anyhow::Result<()> {
        let event = Event::StepUnknown(StepUnknown { unique_id: unique_id.to_owned(), attempt, message });
        Ok(self.stream.append(Command::Step(event)).await.map(drop)?)
    }

    /// Waits for work on a session; a run that is cancelled or given back cancels its statement until it has ended.
    pub(crate) async fn watched<T>(&self, canceller: &dyn Canceller, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = self.cancel.cancelled() => {}
            () = self.lost.cancelled() => {}
        }
        loop {
            canceller.cancel().await;
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(CANCEL_AGAIN) => {}
            }
        }
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.cancel.is_cancelled() || self.lost.is_cancelled()
    }

    pub(crate) fn standing(&self, unique_id: &str) -> Standing {
        Standing {
            cancelled: self.cancel.is_cancelled(),
            given_back: self.lost.is_cancelled(),
            may_try_again: self.may_try_again(unique_id),
        }
    }

    fn spent(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_try_again(&self, unique_id: &str) -> bool {
        self.spent().get(unique_id).is_none_or(|spent| *spent < TRIES)
    }
}
