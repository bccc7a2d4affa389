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

use tokio::sync::oneshot;
use uuid::Uuid;

use super::line::{Held, Line};
use super::rounds::{Next, Rounds};
use super::{Answer, Appender, Error};
use crate::event::{Command, Outcome};

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
    /// `decide` gets the stream's tip (None: load it from the log) and answers the command, the tip that it leaves, and
    /// what the caller gets back with the outcome of this very command.
    /// A tip may never come true, as what it is made of is still to be appended: so it is the log alone that a refusal
    /// is decided on.
    ///
    /// # Errors
    /// When `decide` refuses, the append fails, or others are faster every time.
    pub async fn run<D, F, T, E>(&self, stream_id: Uuid, mut decide: D) -> Result<(Outcome, T), RunError<E>>
    where
        D: FnMut(Option<Tip<S>>) -> F,
        F: Future<Output = Result<(Command, Tip<S>, T), E>>,
    {
        let line = self.line(stream_id);
        let place = line.join();
        let mut rounds = Reserving { appender: self.appender.clone(), rounds: Rounds::default() };
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
            let (mut command, tip, kept) = decided.map_err(RunError::Refused)?;
            command.reserve = rounds.rounds.reserves();
            match rounds.rounds.ended(turn.submit(command, tip).await?) {
                Next::Done(outcome) => return Ok((outcome, kept)),
                Next::Again => {}
                Next::Wait(wait) => line.pause(wait),
                Next::Busy => return Err(RunError::Busy),
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

/// The rounds of a command; dropped, they give back the turns among processes that it still holds.
struct Reserving {
    appender: Appender,
    rounds: Rounds,
}

impl Drop for Reserving {
    fn drop(&mut self) {
        let streams = self.rounds.take_reserved();
        if !streams.is_empty() {
            self.appender.release(streams);
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
