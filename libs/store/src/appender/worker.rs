//! Does what the machine says, on one connection that nobody else uses.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use sqlx::PgConnection;
use tokio::sync::{mpsc, oneshot};
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
    answers: HashMap<Ticket, oneshot::Sender<Answer>>,
    tickets: Ticket,
    connection: Option<PgConnection>,
    effects: VecDeque<Effect>,
}

impl Worker {
    pub(super) fn new(store: Store, submissions: mpsc::Receiver<Submission>, generations: Arc<Generations>) -> Self {
        Self {
            store,
            process: Uuid::now_v7(),
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
                if let Some(waiting) = self.answers.remove(&ticket) {
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
        self.answers.insert(self.tickets, submission.answer);
        let entry = Entry {
            ticket: self.tickets,
            command: submission.command,
            decided: submission.decided,
            since: Instant::now(),
        };
        self.step(Input::Submitted(entry));
    }

    async fn call(&mut self, commands: &[Arc<Command>]) -> Result<Vec<event::Outcome>, Error> {
        if self.connection.is_none() {
            self.connect().await?;
        }
        match &mut self.connection {
            Some(connection) => event::append(connection, self.process, commands).await,
            None => Err(Error::Unreachable(sqlx::Error::PoolClosed)),
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        self.connection = Some(self.store.dedicated().await?);
        Ok(())
    }
}
