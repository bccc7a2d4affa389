//! Turns: who may decide next on a stream, and on what.
//!
//! A turn is held only while a command is decided, never while it is appended: the next command is decided on the
//! state that the commands before it will leave, and all of them may go in one call. If one of them is lost, so is
//! whatever was decided on it; its caller takes a new turn and decides again on what the log says.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::line::{Held, Line};
use super::{Answer, Appender, Error};
use crate::event::{Command, Outcome};

/// How often a command loses before its caller is told that the stream is busy.
pub const ROUNDS: u32 = 5;
/// With which loss a command asks for the stream's turn among processes: the next round then wins, unless its decision
/// takes longer than a turn lasts.
const LOSSES_BEFORE_RESERVING: u32 = 2;
/// How many streams' states are kept.
const MAX_LINES: usize = 256;

/// The state of a stream after its last event, as far as this process knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip<S> {
    pub version: i64,
    pub state: S,
}

/// What a stream's turn works on: the tip and the generation that it belongs to.
type Known<S> = Option<(Tip<S>, u64)>;
type Lines<S> = HashMap<Uuid, Arc<Line<Known<S>>>>;

/// Hands out turns on streams: first come first served, and who loses keeps its place. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Turns<S> {
    appender: Appender,
    lines: Arc<Mutex<Lines<S>>>,
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
        Self { appender, lines: Arc::default() }
    }

    /// Decides and appends a command in the stream's turn; decides again after each loss.
    ///
    /// `decide` gets the stream's tip (None: load it from the log) and answers the command and the tip that it leaves.
    /// A tip may never come true, as what it is made of is still to be appended: so it is the log alone that a refusal
    /// is decided on.
    ///
    /// # Errors
    /// When `decide` refuses, the append fails, or others are faster every time.
    pub async fn run<D, F, E>(&self, stream_id: Uuid, mut decide: D) -> Result<Outcome, RunError<E>>
    where
        D: FnMut(Option<Tip<S>>) -> F,
        F: Future<Output = Result<(Command, Tip<S>), E>>,
    {
        let line = self.line(stream_id);
        let (place, mut losses) = (line.join(), 0);
        let mut reserved = Reserved { appender: self.appender.clone(), streams: HashSet::new() };
        loop {
            let held = line.turn(place).await;
            if let Some(wait) = held.take_pause() {
                self.appender.turn_ended(stream_id, wait).await;
            }
            let generation = self.appender.generations.of(stream_id);
            let turn = Turn { appender: self.appender.clone(), stream_id, generation, held };
            let tip = turn.tip();
            let is_certain = tip.is_none();
            let decided = match decide(tip).await {
                Err(_) if !is_certain => decide(None).await,
                decided => decided,
            };
            let (mut command, tip) = decided.map_err(RunError::Refused)?;
            let reserves = losses + 1 >= LOSSES_BEFORE_RESERVING;
            command.reserve = reserves;
            match turn.submit(command, tip).await? {
                outcome @ Outcome::Appended { .. } => {
                    reserved.streams.clear(); // what was appended has ended the turn
                    return Ok(outcome);
                }
                outcome @ Outcome::Duplicate { .. } => return Ok(outcome),
                Outcome::Conflict { stream_id, expected, actual } => {
                    // Whoever only stood behind a loser has not lost itself.
                    losses += u32::from(expected != actual);
                    reserved.streams.extend(reserves.then_some(stream_id));
                }
                Outcome::Reserved { wait, .. } => line.pause(wait),
            }
            if losses >= ROUNDS {
                return Err(RunError::Busy);
            }
        }
    }

    fn line(&self, stream_id: Uuid) -> Arc<Line<Known<S>>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() >= MAX_LINES && !lines.contains_key(&stream_id) {
            lines.retain(|_, line| Arc::strong_count(line) > 1);
        }
        lines.entry(stream_id).or_insert_with(|| Arc::new(Line::new(None))).clone()
    }
}

/// The turns among processes that a command may hold. What it did not append after all gives them back, so that nobody
/// waits in vain.
struct Reserved {
    appender: Appender,
    streams: HashSet<Uuid>,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.streams.is_empty() {
            self.appender.release(std::mem::take(&mut self.streams));
        }
    }
}

/// The right to decide the stream's next command. Held while deciding, no longer.
struct Turn<S> {
    appender: Appender,
    stream_id: Uuid,
    generation: u64,
    held: Held<Known<S>>,
}

impl<S: Clone> Turn<S> {
    /// Answers the state that everything submitted from this process leaves. None: load it from the log.
    fn tip(&self) -> Option<Tip<S>> {
        let known = self.held.work();
        known.as_ref().filter(|(_, generation)| *generation == self.generation).map(|(tip, _)| tip.clone())
    }

    /// Submits a command that was decided in this turn, and ends the turn; the next one is decided on `tip`.
    fn submit(self, command: Command, tip: Tip<S>) -> Submitted {
        let submitted = self.appender.submit(command, Some((self.stream_id, self.generation)));
        *self.held.work() = match submitted {
            Submitted::Waiting(_) => Some((tip, self.generation)),
            Submitted::Refused(_) => None,
        };
        submitted
    }
}

/// A command that was submitted: await it for its outcome. Dropping it takes nothing back.
#[must_use = "the outcome says whether the command was appended"]
pub(super) enum Submitted {
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
