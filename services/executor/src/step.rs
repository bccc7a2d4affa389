//! One step: the intent first, then the work with its ledger row in one transaction, then the outcome.
//!
//! Whatever is not known of an attempt is read from the target, after exactly its session was ended.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dvt_domain::run::verdict::Standing;
use dvt_domain::run::{Attempt, Run};
use dvt_runtime::CancellationToken;
use dvt_store::Store;

use crate::attempt::Try;
use crate::missing;
use crate::reconcile::Reconciler;
use crate::sessions::Sessions;
use crate::stream::Stream;
use crate::targets::{Canceller, Target};
use crate::task::{Failure, Maker};

/// How often a step is tried by one executor where nothing was committed.
pub(crate) const TRIES: u32 = 3;
/// The pause before another try, longer with each.
pub(crate) const PAUSE: Duration = Duration::from_millis(300);
/// How often a statement is cancelled until its session answers.
const CANCEL_AGAIN: Duration = Duration::from_millis(200);

/// Does the steps of one run.
pub(crate) struct Steps {
    pub(crate) stream: Arc<Stream>,
    pub(crate) store: Store,
    pub(crate) sessions: Sessions,
    pub(crate) maker: Maker,
    /// The run was cancelled.
    pub(crate) cancel: CancellationToken,
    /// The run is given back.
    pub(crate) lost: CancellationToken,
    pub(crate) reconciler: Reconciler,
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
        let reconciler = Reconciler { stream: stream.clone(), target: target.clone(), lost: lost.clone() };
        Self {
            stream,
            store,
            sessions: Sessions::new(target),
            maker,
            cancel,
            lost,
            reconciler,
            tries: Mutex::default(),
        }
    }

    /// Finds the steps that read sources without a relation: a sentence that lists those, and a reason for each step.
    ///
    /// # Errors
    /// When the target does not answer.
    pub(crate) async fn missing_sources(
        &self,
        run: &Run,
    ) -> anyhow::Result<Option<(String, BTreeMap<String, String>)>> {
        let mut session = self.sessions.take().await?;
        let missing = missing::missing(&self.maker.project, run, session.as_mut()).await?;
        self.sessions.leave(session);
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
        self.reconciler.reconcile(unique_id, self.may_try_again(unique_id)).await
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
            fail::fail_point!("executor.cancelling");
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
