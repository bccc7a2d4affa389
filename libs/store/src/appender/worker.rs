//! Does what the machine says, on one connection that nobody else uses.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use dvt_runtime::{metrics, trace};
use sqlx::PgConnection;
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, info_span};
use uuid::Uuid;

use super::machine::{Effect, Entry, Input, Machine, Ticket};
use super::{Answer, Generations, Submission};
use crate::event::{self, Command};
use crate::{Error, Store};

/// Appends what is submitted. Runs until every [`super::Appender`] is dropped and everything submitted is answered.
#[derive(Debug)]
pub struct Worker {
    store: Store,
    process: Uuid,
    submissions: mpsc::Receiver<Submission>,
    generations: Arc<Generations>,
    machine: Machine,
    answers: HashMap<Ticket, (Instant, oneshot::Sender<Answer>)>,
    tickets: Ticket,
    connection: Option<PgConnection>,
    effects: VecDeque<Effect>,
}

impl Worker {
    pub(super) fn new(
        (store, process): (Store, Uuid),
        submissions: mpsc::Receiver<Submission>,
        generations: Arc<Generations>,
    ) -> Self {
        Self {
            store,
            process,
            submissions,
            generations,
            machine: Machine::default(),
            answers: HashMap::new(),
            tickets: 0,
            connection: None,
            effects: VecDeque::new(),
        }
    }

    /// Works until there is nothing left to do and nobody left who could ask.
    ///
    /// # Cancel safety
    /// Not cancel safe: give it a task of its own and end it by dropping the appenders.
    pub async fn run(mut self) {
        loop {
            while let Some(effect) = self.effects.pop_front() {
                self.perform(effect).await;
            }
            match self.submissions.recv().await {
                Some(submission) => self.submit(submission),
                None => return,
            }
            self.take_submissions();
        }
    }

    async fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Call(commands) => {
                let returned = self.call(&commands).await.map_err(Arc::new);
                self.take_submissions();
                self.step(Input::Returned(returned));
            }
            Effect::Connect => {
                self.connection = None;
                let connected = self.connect().await.map_err(Arc::new);
                if let Err(error) = &connected {
                    tracing::warn!(%error, "could not connect to the log");
                }
                self.take_submissions();
                self.step(Input::Connected(connected));
            }
            Effect::Wait(until) => {
                tokio::time::sleep_until(until.into()).await;
                self.take_submissions();
                self.step(Input::Elapsed);
            }
            Effect::Lose(lost) => self.generations.raise(&lost),
            Effect::Answer(ticket, answer) => {
                if let Some((since, waiting)) = self.answers.remove(&ticket) {
                    metrics::APPEND_WAIT.observe([], since.elapsed());
                    metrics::APPEND_OUTCOMES.add([outcome(&answer)], 1);
                    // Whoever no longer waits has lost nothing: the command stands.
                    let _ = waiting.send(answer);
                }
            }
        }
    }

    fn step(&mut self, input: Input) {
        self.effects.extend(self.machine.step(input, Instant::now()));
    }

    fn take_submissions(&mut self) {
        while let Ok(submission) = self.submissions.try_recv() {
            self.submit(submission);
        }
    }

    fn submit(&mut self, submission: Submission) {
        self.tickets += 1;
        let since = Instant::now();
        self.answers.insert(self.tickets, (since, submission.answer));
        let entry = Entry { ticket: self.tickets, command: submission.command, decided: submission.decided, since };
        self.step(Input::Submitted(entry));
    }

    async fn call(&mut self, commands: &[Arc<Command>]) -> Result<Vec<event::Outcome>, Error> {
        if self.connection.is_none() {
            self.connect().await?;
        }
        let Some(connection) = &mut self.connection else { return Err(Error::Unreachable(sqlx::Error::PoolClosed)) };
        let events: usize = commands.iter().map(|command| command.events.len()).sum();
        let parents =
            commands.iter().flat_map(|command| &command.events).filter_map(|event| event.traceparent.as_deref());
        let span = trace::follow(parents, || info_span!("append", commands = commands.len(), events));
        let begun = Instant::now();
        let outcomes = append(connection, self.process, commands).instrument(span).await?;
        metrics::APPEND_SECONDS.observe([], begun.elapsed());
        metrics::APPEND_COMMANDS.observe([], commands.len());
        metrics::APPEND_EVENTS.add([], outcomes.iter().map(appended).sum());
        Ok(outcomes)
    }

    async fn connect(&mut self) -> Result<(), Error> {
        self.connection = Some(self.store.dedicated().await?);
        Ok(())
    }
}

/// Answers how many events a command added to the log.
fn appended(outcome: &event::Outcome) -> u64 {
    match outcome {
        event::Outcome::Appended { first, last } => last.abs_diff(*first) + 1,
        event::Outcome::Conflict { .. } | event::Outcome::Duplicate { .. } | event::Outcome::Reserved { .. } => 0,
    }
}

/// Names what became of a command.
fn outcome(answer: &Answer) -> &'static str {
    match answer {
        Ok(event::Outcome::Appended { .. }) => "appended",
        Ok(event::Outcome::Duplicate { .. }) => "duplicate",
        Ok(event::Outcome::Conflict { .. }) => "conflict",
        Ok(event::Outcome::Reserved { .. }) => "reserved",
        Err(_) => "failed",
    }
}

#[cfg(not(feature = "failpoints"))]
use event::append;

/// Appends in a transaction, so that the process can die between the append and its commit.
#[cfg(feature = "failpoints")]
async fn append(
    connection: &mut PgConnection,
    process: Uuid,
    commands: &[Arc<Command>],
) -> Result<Vec<event::Outcome>, Error> {
    let mut tx = sqlx::Connection::begin(connection).await?;
    let outcomes = event::append(&mut tx, process, commands).await?;
    fail::fail_point!("appender.appended");
    tx.commit().await?;
    Ok(outcomes)
}
