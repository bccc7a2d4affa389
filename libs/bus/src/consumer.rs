//! The one consumer loop: applies the log's events to a handler, in order and once, however they arrive.
//!
//! [`machine`] decides what to work on, [`plan`] what a checkpoint makes of records; this shell receives, works and
//! reports. Services supply a [`Handler`].

mod batch;
mod figures;
pub mod machine;
pub mod plan;
mod source;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dvt_domain::Topic;
use dvt_runtime::error::chain;
use dvt_runtime::{CancellationToken, Pace, Signal, metrics};
use dvt_store::event::Recorded;
use dvt_store::{Store, Tx, checkpoint};
use uuid::Uuid;

use crate::{Config, Error, Slot};
use batch::Batches;
use figures::Figures;
use machine::{Behind, Effect, Input, Machine};
use source::{Message, Source};

/// How often the log is looked at while Kafka serves no partition to us.
const POLL_ALONE: Duration = Duration::from_millis(100);
/// How often it is looked at otherwise, and how long an event may wait for Kafka.
const POLL: Duration = Duration::from_secs(1);
/// How far apart records are applied that come close behind each other: each batch costs some ten statements.
const APART: Duration = Duration::from_millis(20);
/// How many records are taken from the channel at once.
const RECEIVE: usize = 1_000;

/// Says why a handler did not apply events; its transaction is rolled back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HandlerError {
    /// The same events may be applied later.
    #[error("{0}")]
    Transient(String),
    /// The log's own bytes of this stream cannot be applied.
    #[error("could not apply stream {stream}: {error}")]
    Poison { stream: Uuid, error: String },
}

impl From<dvt_store::Error> for HandlerError {
    fn from(error: dvt_store::Error) -> Self {
        Self::Transient(chain(&error))
    }
}

/// Applies events inside the transaction that moves the checkpoint.
#[async_trait::async_trait]
pub trait Handler: Send {
    /// Applies events of one partition, in order, all or none. It takes milliseconds: long work becomes a job row.
    async fn handle(&mut self, tx: &mut Tx, events: &[Recorded]) -> Result<(), HandlerError>;

    /// Hears that what it applied is committed, as far as the process lives: good for hints, nothing else.
    fn committed(&mut self, events: &[Recorded]) {
        let _ = events;
    }
}

/// Names a consumer and what it follows.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names its checkpoints and its Kafka group.
    pub name: String,
    pub topics: Vec<Topic>,
}

/// Follows topics of the log for one handler.
pub struct Consumer<H> {
    options: Options,
    config: Config,
    store: Store,
    batches: Batches<H>,
    signal: Signal,
    machine: Machine,
    waiting: BTreeMap<Slot, Vec<Recorded>>,
    source: Option<Source>,
    started: Instant,
    has_begun: bool,
    figures: Figures,
}

impl<H: Handler> Consumer<H> {
    /// Makes a consumer; `signal` shows whether it is up to date and healthy.
    pub fn new(options: Options, config: &Config, store: &Store, handler: H, signal: Signal) -> Self {
        Self {
            batches: Batches::new(&options.name, store, handler, config),
            options,
            config: config.clone(),
            store: store.clone(),
            signal,
            machine: Machine::default(),
            waiting: BTreeMap::new(),
            source: None,
            started: Instant::now(),
            has_begun: false,
            figures: Figures::default(),
        }
    }

    /// Runs until shutdown.
    ///
    /// # Errors
    /// When Kafka's client cannot be made: the configuration is wrong.
    ///
    /// # Cancel safety
    /// Not cancel safe: shut down by the token.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), Error> {
        self.batches.retry_all().await;
        let mut next_poll = Instant::now();
        let mut received = Vec::new();
        let mut pace = Pace::new(APART);
        while !shutdown.is_cancelled() {
            if Instant::now() >= next_poll {
                self.poll(&shutdown).await?;
                next_poll = Instant::now() + if self.is_assigned() { POLL } else { POLL_ALONE };
            }
            let wake = self.machine.next_wake().map(|at| self.started + at);
            let until = wake.map_or(next_poll, |wake| wake.min(next_poll));
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep_until(until.into()) => self.step(Input::Tick, &shutdown).await?,
                () = receive(self.source.as_mut(), (&pace, &mut received)) => {
                    pace.begin();
                    for input in self.keep(std::mem::take(&mut received)) {
                        self.step(input, &shutdown).await?;
                    }
                }
            }
        }
        if let Some(source) = self.source.take() {
            source.stop().await;
        }
        Ok(())
    }

    fn is_assigned(&self) -> bool {
        self.source.as_ref().is_some_and(Source::is_assigned)
    }

    /// Looks at the database: which parked streams are to be tried again, which checkpoints are behind the log?
    async fn poll(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        self.batches.retry_requested().await;
        self.figures.report(&self.store, &self.options).await;
        let patience = if self.is_assigned() { POLL } else { Duration::ZERO };
        match self.behind(patience).await {
            Ok(behind) => self.step(Input::Behind(behind), shutdown).await,
            Err(error) => {
                self.signal.red(format!("could not look at the log: {error}"));
                Ok(())
            }
        }
    }

    async fn behind(&mut self, patience: Duration) -> Result<Vec<Behind>, dvt_store::Error> {
        let topics: Vec<_> = self.options.topics.iter().map(|topic| topic.as_str().to_owned()).collect();
        let mut connection = self.store.acquire().await?;
        if !self.has_begun {
            checkpoint::begin(&mut connection, &self.options.name, &topics).await?;
            self.has_begun = true;
        }
        let behind = checkpoint::list_behind(&mut connection, &self.options.name, &topics, patience).await?;
        let behind = behind.into_iter().map(|behind| Behind {
            slot: Slot { topic: behind.topic, partition: behind.partition },
            checkpoint: behind.position,
        });
        Ok(behind.collect())
    }

    /// Gives the machine what happened, and does what it says until it has nothing more to say.
    async fn step(&mut self, input: Input, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut input = Some(input);
        while let Some(next) = input.take() {
            for effect in self.machine.handle(next, self.started.elapsed()) {
                match effect {
                    Effect::Discard { slot } => drop(self.waiting.remove(&slot)),
                    Effect::Listen => self.source = Source::start(&self.config, &self.options)?,
                    Effect::Work { slot, source, limit } if !shutdown.is_cancelled() => {
                        let records = self.waiting.remove(&slot).unwrap_or_default();
                        let work = batch::Work { slot: slot.clone(), source, limit, records };
                        let outcome = self.batches.work(work).await;
                        // Here too: while it catches up it does not poll.
                        self.figures.report(&self.store, &self.options).await;
                        if let Some(source) = &self.source {
                            source.done(&slot);
                        }
                        input = Some(Input::Worked { slot, outcome });
                    }
                    Effect::Work { .. } => {}
                }
            }
        }
        match self.machine.reason() {
            Some(reason) => self.signal.red(reason),
            None => self.signal.green(),
        }
        Ok(())
    }

    /// Keeps records for their batch, and answers what the machine must hear.
    fn keep(&mut self, messages: Vec<Message>) -> Vec<Input> {
        let mut readable: BTreeMap<Slot, bool> = BTreeMap::new();
        for message in messages {
            let is_readable = readable.entry(message.slot.clone()).or_insert(true);
            match message.event {
                Ok(event) => self.waiting.entry(message.slot).or_default().push(event),
                Err(error) => {
                    tracing::warn!(slot = %message.slot, %error, "could not read a record; reading the log instead");
                    metrics::CONSUMER_UNREADABLE.add([&self.options.name], 1);
                    *is_readable = false;
                }
            }
        }
        readable.into_iter().map(|(slot, is_readable)| Input::Received { slot, is_readable }).collect()
    }
}

/// Waits for messages; for ever without a source.
async fn receive(source: Option<&mut Source>, (pace, into): (&Pace, &mut Vec<Message>)) {
    pace.next().await;
    match source {
        Some(source) => source.receive(into, RECEIVE).await,
        None => std::future::pending().await,
    }
}
