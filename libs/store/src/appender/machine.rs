//! Decides what the appender does next: pure, `(state, input, now) -> effects`.
//!
//! - While a call is under way, commands queue; when it returns, as many as fit go in the next one, in order.
//! - Whatever is not appended is *lost* to its streams: commands that wait behind it on one of them, and commands
//!   decided before the loss was known, lose as well, even where their version would fit by accident.
//! - A call that the server refused is repeated command by command, so that one bad command costs nobody else.
//! - A call without an answer is repeated as it is: `append_events` knows the event ids of what it has.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dvt_mutant::mutant;
use uuid::Uuid;

use super::Error;
use crate::Retry;
use crate::event::{Command, Outcome};

/// How many commands go in one call.
pub const MAX_COMMANDS: usize = 256;
/// How many bytes of payload go in one call; a single command may be larger.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How long a command waits for a database that does not answer.
pub const PATIENCE: Duration = Duration::from_secs(5);
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(1);
/// How many streams are remembered as lost before all are declared lost at once.
const MAX_GENERATIONS: usize = 10_000;

/// Names a caller that waits for an answer.
pub type Ticket = u64;

/// A command that waits.
#[derive(Clone, Debug)]
pub struct Entry {
    pub ticket: Ticket,
    pub command: Arc<Command>,
    /// The stream whose turn the command was decided in, and the stream's generation then.
    pub decided: Option<(Uuid, u64)>,
    pub since: Instant,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.command.events.iter().map(|event| event.payload.len()).sum()
    }

    fn touches(&self, streams: &HashSet<Uuid>) -> bool {
        self.command.events.iter().any(|event| streams.contains(&event.stream_id))
    }
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    Submitted(Entry),
    Returned(Result<Vec<Outcome>, Arc<crate::Error>>),
    Connected(Result<(), Arc<crate::Error>>),
    /// The moment asked for by [`Effect::Wait`] has come.
    Elapsed,
}

/// What is to be done, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Calls `append_events`; its return is the next input but submissions.
    Call(Vec<Arc<Command>>),
    /// Opens a new connection; the old one is not to be used again.
    Connect,
    Wait(Instant),
    /// Tells whoever decides next, before any caller hears of it.
    Lose(Lost),
    Answer(Ticket, Result<Outcome, Error>),
}

/// Says which streams have a new generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    Stream { stream_id: Uuid, generation: u64 },
    All { generation: u64 },
}

#[derive(Debug)]
enum Flight {
    Idle,
    /// A call of these is under way. `rest` follows one by one: the call of them together was refused.
    Calling {
        entries: Vec<Entry>,
        rest: VecDeque<Entry>,
    },
    /// No connection; `backoff` is how long to wait after the next failure.
    Down {
        entries: Vec<Entry>,
        rest: VecDeque<Entry>,
        backoff: Duration,
    },
}

/// The state of the appender.
#[derive(Debug)]
pub struct Machine {
    queue: VecDeque<Entry>,
    flight: Flight,
    generations: HashMap<Uuid, u64>,
    floor: u64,
    last_generation: u64,
}

impl Default for Machine {
    fn default() -> Self {
        Self { queue: VecDeque::new(), flight: Flight::Idle, generations: HashMap::new(), floor: 0, last_generation: 0 }
    }
}

impl Machine {
    /// Takes one input and answers what is to be done.
    pub fn step(&mut self, input: Input, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        match (input, std::mem::replace(&mut self.flight, Flight::Idle)) {
            (Input::Submitted(entry), flight) => {
                self.flight = flight;
                self.submit(entry, &mut effects);
            }
            (Input::Returned(Ok(outcomes)), Flight::Calling { entries, mut rest }) => {
                self.settle(entries, outcomes, &mut rest, &mut effects);
                self.call_next(rest, &mut effects);
            }
            (Input::Returned(Err(error)), Flight::Calling { entries, rest }) => {
                self.fail(entries, rest, error, &mut effects);
            }
            (Input::Connected(connected), Flight::Down { entries, rest, backoff }) => {
                let (entries, rest) = self.give_up(entries, rest, now, &mut effects);
                match connected {
                    Ok(()) if entries.is_empty() => self.call_next(rest, &mut effects),
                    Ok(()) => self.call(entries, rest, &mut effects),
                    Err(_) => {
                        effects.push(Effect::Wait(now + backoff));
                        self.flight = Flight::Down { entries, rest, backoff: (backoff * 2).min(MAX_BACKOFF) };
                    }
                }
            }
            (Input::Elapsed, Flight::Down { entries, rest, backoff }) => {
                self.flight = Flight::Down { entries, rest, backoff };
                effects.push(Effect::Connect);
            }
            (Input::Returned(_), flight @ (Flight::Idle | Flight::Down { .. }))
            | (Input::Connected(_) | Input::Elapsed, flight @ (Flight::Idle | Flight::Calling { .. })) => {
                self.flight = flight; // an answer to a question that was not asked
            }
        }
        if matches!(self.flight, Flight::Idle) {
            self.call_next(VecDeque::new(), &mut effects);
        }
        effects
    }

    fn submit(&mut self, entry: Entry, effects: &mut Vec<Effect>) {
        match entry.decided {
            Some((stream_id, generation))
                if generation != self.generation(stream_id)
                    && !mutant("appender_takes_what_was_decided_before_a_loss") =>
            {
                let lost = HashSet::from([stream_id]);
                effects.push(Effect::Answer(entry.ticket, Ok(lost_behind(&entry, &lost))));
            }
            Some(_) | None => self.queue.push_back(entry),
        }
    }

    fn generation(&self, stream_id: Uuid) -> u64 {
        self.generations.get(&stream_id).copied().unwrap_or(self.floor)
    }

    /// Answers the callers of a call that returned, losers' followers included.
    fn settle(
        &mut self,
        entries: Vec<Entry>,
        outcomes: Vec<Outcome>,
        rest: &mut VecDeque<Entry>,
        effects: &mut Vec<Effect>,
    ) {
        let mut lost = HashSet::new();
        let mut answers = Vec::new();
        for (entry, outcome) in entries.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Appended { .. } => {}
                Outcome::Conflict { .. } | Outcome::Duplicate { .. } | Outcome::Reserved { .. } => {
                    self.lose(&entry, &mut lost, effects);
                }
            }
            answers.push(Effect::Answer(entry.ticket, Ok(outcome)));
        }
        self.lose_followers(rest, &mut lost, effects, &mut answers);
        effects.append(&mut answers);
    }

    /// Takes what waits on lost streams out of `rest` and the queue.
    fn lose_followers(
        &mut self,
        rest: &mut VecDeque<Entry>,
        lost: &mut HashSet<Uuid>,
        effects: &mut Vec<Effect>,
        answers: &mut Vec<Effect>,
    ) {
        if lost.is_empty() || mutant("appender_keeps_who_stood_behind_a_loser") {
            return;
        }
        let queue = std::mem::take(&mut self.queue);
        let behind = rest.len();
        for (index, entry) in std::mem::take(rest).into_iter().chain(queue).enumerate() {
            if entry.touches(lost) {
                self.lose(&entry, lost, effects);
                answers.push(Effect::Answer(entry.ticket, Ok(lost_behind(&entry, lost))));
            } else if index < behind {
                rest.push_back(entry);
            } else {
                self.queue.push_back(entry);
            }
        }
    }

    /// Gives the streams of a lost command a new generation.
    fn lose(&mut self, entry: &Entry, lost: &mut HashSet<Uuid>, effects: &mut Vec<Effect>) {
        for event in &entry.command.events {
            if !lost.insert(event.stream_id) {
                continue;
            }
            self.last_generation += 1;
            let generation = self.last_generation;
            if self.generations.len() < MAX_GENERATIONS {
                self.generations.insert(event.stream_id, generation);
                effects.push(Effect::Lose(Lost::Stream { stream_id: event.stream_id, generation }));
            } else {
                self.generations.clear();
                self.floor = generation;
                effects.push(Effect::Lose(Lost::All { generation }));
            }
        }
    }

    fn fail(
        &mut self,
        entries: Vec<Entry>,
        mut rest: VecDeque<Entry>,
        error: Arc<crate::Error>,
        effects: &mut Vec<Effect>,
    ) {
        if mutant("appender_acknowledges_before_commit") {
            let appended = |entry: &Entry| Effect::Answer(entry.ticket, Ok(Outcome::Appended { first: 1, last: 1 }));
            effects.extend(entries.iter().map(appended));
            return self.call_next(rest, effects);
        }
        if matches!(*error, crate::Error::Unreachable(_)) {
            self.flight = Flight::Down { entries, rest, backoff: FIRST_BACKOFF };
            effects.push(Effect::Connect);
            return;
        }
        if entries.len() > 1 && error.retry() == Retry::Permanent {
            for entry in entries.into_iter().rev() {
                rest.push_front(entry);
            }
            self.call_next(rest, effects);
            return;
        }
        let mut lost = HashSet::new();
        let mut answers = Vec::new();
        for entry in entries {
            self.lose(&entry, &mut lost, effects);
            answers.push(Effect::Answer(entry.ticket, Err(Error::Refused(error.clone()))));
        }
        self.lose_followers(&mut rest, &mut lost, effects, &mut answers);
        effects.append(&mut answers);
        self.call_next(rest, effects);
    }

    /// Tells those who have waited too long for the database; answers who goes on waiting.
    fn give_up(
        &mut self,
        entries: Vec<Entry>,
        rest: VecDeque<Entry>,
        now: Instant,
        effects: &mut Vec<Effect>,
    ) -> (Vec<Entry>, VecDeque<Entry>) {
        let mut lost = HashSet::new();
        let mut answers = Vec::new();
        let mut keep = |machine: &mut Self, waiting: VecDeque<Entry>| {
            let mut kept = VecDeque::new();
            for entry in waiting {
                if now.duration_since(entry.since) >= PATIENCE || entry.touches(&lost) {
                    machine.lose(&entry, &mut lost, effects);
                    answers.push(Effect::Answer(entry.ticket, Err(Error::Unavailable)));
                } else {
                    kept.push_back(entry);
                }
            }
            kept
        };
        let entries = keep(self, entries.into()).into();
        let rest = keep(self, rest);
        let queue = std::mem::take(&mut self.queue);
        self.queue = keep(self, queue);
        effects.append(&mut answers);
        (entries, rest)
    }

    /// Starts the next call: one of `rest`, else as many from the queue as fit.
    fn call_next(&mut self, mut rest: VecDeque<Entry>, effects: &mut Vec<Effect>) {
        if let Some(entry) = rest.pop_front() {
            self.call(vec![entry], rest, effects);
            return;
        }
        let mut entries: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        let mut keys = HashSet::new();
        while let Some(entry) = self.queue.front() {
            let fits = entries.is_empty() || entries.len() < MAX_COMMANDS && bytes + entry.bytes() <= MAX_BYTES;
            // The same key twice: the second has to find the first in the log.
            let repeats = entry.command.idempotency.as_ref().is_some_and(|idempotency| {
                let actor = entry.command.events.first().map(|event| event.actor.clone());
                !keys.insert((actor, idempotency.key))
            });
            if !fits || repeats {
                break;
            }
            bytes += entry.bytes();
            entries.extend(self.queue.pop_front());
        }
        if !entries.is_empty() {
            self.call(entries, rest, effects);
        }
    }

    fn call(&mut self, entries: Vec<Entry>, rest: VecDeque<Entry>, effects: &mut Vec<Effect>) {
        effects.push(Effect::Call(entries.iter().map(|entry| entry.command.clone()).collect()));
        self.flight = Flight::Calling { entries, rest };
    }
}

/// Answers what a command hears that lost because one before it did: nobody knows the stream's version yet, so it is
/// said to be the expected one.
fn lost_behind(entry: &Entry, lost: &HashSet<Uuid>) -> Outcome {
    let event = entry.command.events.iter().find(|event| lost.contains(&event.stream_id));
    let (stream_id, version) = event.map_or((Uuid::nil(), 1), |event| (event.stream_id, event.version));
    Outcome::Conflict { stream_id, expected: version - 1, actual: version - 1 }
}

#[cfg(test)]
mod tests;
