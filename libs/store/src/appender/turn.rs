//! Turns: who may decide next on a stream, and on what.
//!
//! A turn is held only while a command is decided, never while it is appended: the next command is decided on the
//! state that the commands before it will leave, and all of them may go in one call. If one of them is lost, so is
//! whatever was decided on it; its caller takes a new turn and decides again on what the log says.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::{OwnedMutexGuard, oneshot};
use uuid::Uuid;

use super::{Answer, Appender, Error};
use crate::event::{Command, Outcome};

/// How often a command is decided before its caller is told that the stream is busy.
pub const ROUNDS: u32 = 5;
/// After how many losses a command asks for the stream's turn among processes.
const LOSSES_BEFORE_RESERVING: u32 = 2;
/// How many streams' states are kept.
const MAX_SLOTS: usize = 256;

/// The state of a stream after its last event, as far as this process knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip<S> {
    pub version: i64,
    pub state: S,
}

#[derive(Debug)]
struct Slot<S> {
    /// The tip and the generation that it belongs to.
    tip: Option<(Tip<S>, u64)>,
}

type Slots<S> = HashMap<Uuid, Arc<tokio::sync::Mutex<Slot<S>>>>;

/// Hands out turns on streams, first come first served. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Turns<S> {
    appender: Appender,
    slots: Arc<Mutex<Slots<S>>>,
}

/// Says why [`Turns::run`] did not append.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E> {
    /// The decision was no.
    #[error(transparent)]
    Refused(E),
    #[error(transparent)]
    Append(#[from] Error),
    /// Others were faster every time; nothing was appended.
    #[error("the stream is busy")]
    Busy,
}

impl<S: Clone + Send + 'static> Turns<S> {
    /// Makes turns for commands that go through `appender`.
    pub fn new(appender: Appender) -> Self {
        Self { appender, slots: Arc::default() }
    }

    /// Waits for the stream's turn. Hold it while deciding, no longer.
    pub async fn take(&self, stream_id: Uuid) -> Turn<S> {
        let slot = self.slot(stream_id).lock_owned().await;
        let generation = self.appender.generations.of(stream_id);
        Turn { appender: self.appender.clone(), stream_id, generation, slot }
    }

    /// Decides and appends a command in the stream's turn; decides again after each loss, at most [`ROUNDS`] times.
    ///
    /// `decide` gets the stream's tip (None: load it from the log) and answers the command and the tip that it leaves.
    ///
    /// # Errors
    /// When `decide` refuses, the append fails, or others are faster every time.
    pub async fn run<D, F, E>(&self, stream_id: Uuid, mut decide: D) -> Result<Outcome, RunError<E>>
    where
        D: FnMut(Option<Tip<S>>) -> F,
        F: Future<Output = Result<(Command, Tip<S>), E>>,
    {
        for round in 0..ROUNDS {
            let turn = self.take(stream_id).await;
            let (mut command, tip) = decide(turn.tip().cloned()).await.map_err(RunError::Refused)?;
            command.reserve = round >= LOSSES_BEFORE_RESERVING - 1;
            match turn.submit(command, tip).await? {
                outcome @ (Outcome::Appended { .. } | Outcome::Duplicate { .. }) => return Ok(outcome),
                Outcome::Conflict { .. } => {}
                Outcome::Reserved { wait, .. } => tokio::time::sleep(wait).await,
            }
        }
        Err(RunError::Busy)
    }

    fn slot(&self, stream_id: Uuid) -> Arc<tokio::sync::Mutex<Slot<S>>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_SLOTS && !slots.contains_key(&stream_id) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        slots.entry(stream_id).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Slot { tip: None }))).clone()
    }
}

/// The right to decide the stream's next command.
#[derive(Debug)]
pub struct Turn<S> {
    appender: Appender,
    stream_id: Uuid,
    generation: u64,
    slot: OwnedMutexGuard<Slot<S>>,
}

impl<S> Turn<S> {
    /// Answers the state that everything submitted from this process leaves. None: load it from the log.
    pub fn tip(&self) -> Option<&Tip<S>> {
        self.slot.tip.as_ref().filter(|(_, generation)| *generation == self.generation).map(|(tip, _)| tip)
    }

    /// Keeps a state that was loaded from the log, for the next turns, where this one appends nothing.
    pub fn keep(&mut self, tip: Tip<S>) {
        self.slot.tip = Some((tip, self.generation));
    }

    /// Submits a command that was decided in this turn, and ends the turn; the next one is decided on `tip`.
    pub fn submit(mut self, command: Command, tip: Tip<S>) -> Submitted {
        let submitted = self.appender.submit(command, Some((self.stream_id, self.generation)));
        match submitted {
            Submitted::Waiting(_) => self.keep(tip),
            Submitted::Refused(_) => self.slot.tip = None,
        }
        submitted
    }
}

/// A command that was submitted: await it for its outcome. Dropping it takes nothing back.
#[derive(Debug)]
#[must_use = "the outcome says whether the command was appended"]
pub enum Submitted {
    Waiting(oneshot::Receiver<Answer>),
    Refused(Error),
}

impl Future for Submitted {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        match self.get_mut() {
            Self::Waiting(answer) => Pin::new(answer).poll(context).map(|answer| answer.unwrap_or(Err(Error::Stopped))),
            Self::Refused(error) => Poll::Ready(Err(error.clone())),
        }
    }
}
