//! Applies one batch: the checkpoint's lock, the events, the handler and the checkpoint's move in one transaction.

use std::collections::HashSet;
use std::time::Instant;

use dvt_runtime::error::chain;
use dvt_runtime::{metrics, trace};
use dvt_store::event::{self, Range, Recorded};
use dvt_store::{Store, Tx, checkpoint, parked_stream};
use rdkafka::producer::{FutureProducer, FutureRecord};
use tracing::{Instrument, Span, info_span};
use uuid::Uuid;

use super::machine::{BATCH, Outcome, Source};
use super::plan::{Place, Step, plan};
use super::{Handler, HandlerError};
use crate::{Config, Slot, causes, record};

/// How many events of a parked stream are tried again at once.
const RETRY_PAGE: i64 = 500;

/// What the machine asked for, with the records that wait for it.
pub(super) struct Work {
    pub(super) slot: Slot,
    pub(super) source: Source,
    pub(super) limit: usize,
    pub(super) records: Vec<Recorded>,
}

/// Applies batches for one consumer.
pub(super) struct Batches<H> {
    consumer: String,
    store: Store,
    handler: H,
    config: Config,
    /// Made for the first dead letter: a producer is a thread, and most consumers never need it.
    dead_letters: Option<FutureProducer>,
}

/// What a batch is made of, once the checkpoint is known.
enum Taken {
    Events { events: Vec<Recorded>, has_more: bool },
    Diverged,
}

impl<H: Handler> Batches<H> {
    pub(super) fn new(consumer: &str, store: &Store, handler: H, config: &Config) -> Self {
        let (consumer, store, config) = (consumer.to_owned(), store.clone(), config.clone());
        Self { consumer, store, handler, config, dead_letters: None }
    }

    pub(super) async fn work(&mut self, work: Work) -> Outcome {
        let begun = Instant::now();
        let outcome = match self.attempt(&work).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed { error: chain(&error) },
        };
        if let Outcome::Failed { error } = &outcome {
            tracing::warn!(consumer = self.consumer, slot = %work.slot, error, "could not apply events; trying again");
            metrics::CONSUMER_FAILURES.add([&self.consumer], 1);
        }
        metrics::CONSUMER_SECONDS.observe([&self.consumer], begun.elapsed());
        outcome
    }

    fn key(&self, slot: &Slot) -> checkpoint::Key {
        checkpoint::Key { consumer: self.consumer.clone(), topic: slot.topic.clone(), partition: slot.partition }
    }

    fn count(&self, metric: metrics::Counter<1>, by: usize) {
        metric.add([&self.consumer], by as u64);
    }

    /// Makes the span of a batch, in the trace of what it applies.
    fn span(&self, slot: &Slot, events: &[Recorded]) -> Span {
        trace::follow(causes(events), || {
            let name = format!("apply {}", self.consumer);
            info_span!("apply", otel.name = name, otel.kind = "consumer", %slot, events = events.len())
        })
    }

    async fn attempt(&mut self, work: &Work) -> Result<Outcome, dvt_store::Error> {
        let key = self.key(&work.slot);
        fail::fail_point!("consumer.fetched");
        let mut tx = self.store.begin().await?;
        let done = self.apply(&mut tx, &key, work).await;
        let (outcome, poison) = match done {
            Ok(Applied::Moved { outcome, events, span }) => {
                tx.commit().instrument(span).await?;
                fail::fail_point!("consumer.committed");
                self.handler.committed(&events);
                return Ok(outcome);
            }
            Ok(Applied::Nothing(outcome)) => (Ok(outcome), None),
            Ok(Applied::Poison { outcome, poison }) => (Ok(outcome), poison),
            Err(error) => (Err(error), None),
        };
        // Dropping would keep the checkpoint's lock until the pool gets to it.
        tx.rollback().await?;
        match poison {
            Some(poison) => self.park(&key, &poison).await,
            None => outcome,
        }
    }

    async fn apply(&mut self, tx: &mut Tx, key: &checkpoint::Key, work: &Work) -> Result<Applied, dvt_store::Error> {
        let Some(at) = checkpoint::lock(tx, key).await? else { return Ok(Applied::Nothing(Outcome::Held)) };
        let taken = match work.source {
            Source::Records => self.take_records(tx, at, work).await?,
            Source::Log => take_log(tx, at, work).await?,
        };
        let Taken::Events { events, has_more } = taken else {
            tracing::error!(consumer = self.consumer, slot = %work.slot, checkpoint = at, "HISTORY_DIVERGED");
            return Ok(Applied::Nothing(Outcome::Diverged { checkpoint: at }));
        };
        let Some(to) = events.last().map(|event| event.position) else {
            return Ok(Applied::Nothing(Outcome::Moved { to: at, has_more }));
        };
        let parked: HashSet<_> =
            parked_stream::list_partition(tx, key).await?.into_iter().map(|parked| parked.stream_id).collect();
        let mut events = events;
        events.retain(|event| !parked.contains(&event.stream_id));
        let span = self.span(&work.slot, &events);
        if !events.is_empty() {
            fail::fail_point!("consumer.locked");
            match self.handler.handle(tx, &events).instrument(span.clone()).await {
                Ok(()) => self.count(metrics::CONSUMER_HANDLED, events.len()),
                Err(HandlerError::Transient(error)) => return Ok(Applied::Nothing(Outcome::Failed { error })),
                Err(HandlerError::Poison { stream, error }) => {
                    // Alone and from the log's own bytes: there is nothing better to try.
                    let is_proof = events.len() == 1 && work.source == Source::Log;
                    let poison =
                        is_proof.then(|| Box::new(Poison { stream, error, event: events.remove(0), has_more }));
                    return Ok(Applied::Poison { outcome: Outcome::Poisoned { through: to }, poison });
                }
            }
        }
        fail::fail_point!("consumer.applied");
        checkpoint::advance(tx, key, to).instrument(span.clone()).await?;
        Ok(Applied::Moved { outcome: Outcome::Moved { to, has_more }, events, span })
    }

    async fn take_records(&self, tx: &mut Tx, at: i64, work: &Work) -> Result<Taken, dvt_store::Error> {
        let places = work.records.iter().map(|event| Place { position: event.position, prev: event.partition_prev });
        let mut events: Vec<Recorded> = Vec::new();
        for step in plan(at, &places.collect::<Vec<_>>()) {
            if events.len() >= work.limit.max(BATCH) {
                return Ok(Taken::Events { events, has_more: true });
            }
            match step {
                Step::Drop(_) => self.count(metrics::CONSUMER_DUPLICATES, 1),
                Step::Apply(index) => events.push(work.records[index].clone()),
                Step::Refetch { after, through } => {
                    let range = Range { topic: &work.slot.topic, partition: work.slot.partition, after, through };
                    let fetched = event::list_partition(tx, range, BATCH as i64).await?;
                    self.count(metrics::CONSUMER_REFETCHED, fetched.len());
                    let is_whole = fetched.last().is_some_and(|event| event.position == through);
                    let follows = fetched.first().is_some_and(|event| event.partition_prev == after);
                    if !follows && events.is_empty() {
                        return Ok(Taken::Diverged); // the log does not know what Kafka says came before
                    }
                    events.extend(fetched.into_iter().take_while(|_| follows));
                    if !is_whole || !follows {
                        return Ok(Taken::Events { events, has_more: true });
                    }
                }
                Step::Diverged if events.is_empty() => return Ok(Taken::Diverged),
                // What comes before is applied first; the log then shows the divergence.
                Step::Diverged => return Ok(Taken::Events { events, has_more: true }),
            }
        }
        Ok(Taken::Events { events, has_more: false })
    }

    /// Parks the stream of an event that cannot be applied, and goes on behind it.
    async fn park(&mut self, key: &checkpoint::Key, poison: &Poison) -> Result<Outcome, dvt_store::Error> {
        let mut tx = self.store.begin().await?;
        let position = poison.event.position;
        if checkpoint::lock(&mut tx, key).await? != Some(poison.event.partition_prev) {
            tx.rollback().await?;
            return Ok(Outcome::Held);
        }
        let park = parked_stream::Park { key, stream_id: poison.stream, position, error: &poison.error };
        parked_stream::park(&mut tx, &park).await?;
        checkpoint::advance(&mut tx, key, position).await?;
        tx.commit().await?;
        self.count(metrics::CONSUMER_PARKED, 1);
        let (consumer, stream, error) = (&self.consumer, poison.stream, &poison.error);
        tracing::error!(consumer, %stream, position, error, "parked a stream that cannot be applied");
        self.send_dead_letter(&poison.event).await;
        Ok(Outcome::Moved { to: position, has_more: poison.has_more })
    }

    /// Copies an event to the dead letter topic: for eyes only, `parked_stream` is the truth.
    async fn send_dead_letter(&mut self, event: &Recorded) {
        if self.dead_letters.is_none() {
            let client = self.config.client(&self.consumer);
            self.dead_letters = client.and_then(|mut client| client.set("message.timeout.ms", "5000").create().ok());
        }
        let Some(producer) = &self.dead_letters else { return };
        let topic = self.config.topics().dead_letter();
        let headers = record::headers(event)
            .insert(rdkafka::message::Header { key: "dvt_consumer", value: Some(self.consumer.as_bytes()) });
        let key = record::key(event);
        let letter =
            FutureRecord::to(&topic).key(key.as_bytes()).headers(headers).partition(i32::from(event.partition));
        let letter = FutureRecord { payload: event.payload.as_deref(), ..letter };
        match producer.send_result(letter) {
            Ok(delivery) => drop(tokio::spawn(delivery)),
            Err((error, _)) => tracing::warn!(%error, "could not copy a record to the dead letter topic"),
        }
    }

    /// Tries every parked stream again, as a new release may read what an older one could not.
    pub(super) async fn retry_all(&mut self) {
        let parked = match self.store.acquire().await {
            Ok(mut connection) => parked_stream::list(&mut connection, &self.consumer).await,
            Err(error) => Err(error),
        };
        self.retry(parked).await;
    }

    /// Tries those parked streams again that an operator named.
    pub(super) async fn retry_requested(&mut self) {
        let parked = match self.store.acquire().await {
            Ok(mut connection) => parked_stream::list_requested(&mut connection, &self.consumer).await,
            Err(error) => Err(error),
        };
        self.retry(parked).await;
    }

    async fn retry(&mut self, parked: Result<Vec<parked_stream::Parked>, dvt_store::Error>) {
        match parked {
            Ok(parked) => {
                for parked in parked {
                    self.retry_parked(&parked).await;
                }
            }
            Err(error) => tracing::warn!(error = chain(&error), "could not list the parked streams"),
        }
    }

    async fn retry_parked(&mut self, parked: &parked_stream::Parked) {
        let (consumer, stream) = (self.consumer.clone(), parked.stream_id);
        match self.resume(parked).await {
            Ok(true) => tracing::info!(consumer, %stream, "a parked stream flows again"),
            Ok(false) => tracing::info!(consumer, %stream, "another owner works on the partition of a parked stream"),
            Err(error) => {
                tracing::warn!(consumer, %stream, %error, "a parked stream still cannot be applied");
                if let Err(error) = self.note_failure(parked, &error).await {
                    tracing::warn!(consumer, %stream, error = chain(&error), "could not note why");
                }
            }
        }
    }

    async fn note_failure(&self, parked: &parked_stream::Parked, why: &HandlerError) -> Result<(), dvt_store::Error> {
        let why = match why {
            HandlerError::Transient(error) | HandlerError::Poison { error, .. } => error,
        };
        parked_stream::note_failure(&mut *self.store.acquire().await?, parked, why).await
    }

    /// Applies what a parked stream missed, all or nothing.
    async fn resume(&mut self, parked: &parked_stream::Parked) -> Result<bool, HandlerError> {
        let slot = Slot { topic: parked.topic.clone(), partition: parked.partition };
        let mut tx = self.store.begin().await?;
        let resumed = match checkpoint::lock(&mut tx, &self.key(&slot)).await? {
            Some(at) => self.replay(&mut tx, parked, at).await.map(|()| true),
            None => Ok(false),
        };
        match resumed {
            Ok(true) => tx.commit().await?,
            Ok(false) | Err(_) => tx.rollback().await?,
        }
        resumed
    }

    async fn replay(&mut self, tx: &mut Tx, parked: &parked_stream::Parked, at: i64) -> Result<(), HandlerError> {
        let first = event::list_at(tx, &[parked.position]).await?;
        let mut version = first.first().map_or(0, |event| event.version - 1);
        loop {
            let mut page = event::list_stream(tx, parked.stream_id, version, RETRY_PAGE).await?;
            let is_last = (page.len() as i64) < RETRY_PAGE;
            page.retain(|event| event.position <= at);
            let Some(last) = page.last().map(|event| event.version) else { break };
            self.handler.handle(tx, &page).await?;
            version = last;
            if is_last {
                break;
            }
        }
        parked_stream::remove(tx, &self.consumer, parked.stream_id).await?;
        Ok(())
    }
}

enum Applied {
    /// To be committed.
    Moved { outcome: Outcome, events: Vec<Recorded>, span: Span },
    /// To be rolled back.
    Nothing(Outcome),
    /// To be rolled back; with a poison, its stream is to be parked.
    Poison { outcome: Outcome, poison: Option<Box<Poison>> },
}

struct Poison {
    stream: Uuid,
    error: String,
    event: Recorded,
    has_more: bool,
}

async fn take_log(tx: &mut Tx, at: i64, work: &Work) -> Result<Taken, dvt_store::Error> {
    let range = Range { topic: &work.slot.topic, partition: work.slot.partition, after: at, through: i64::MAX };
    let events = event::list_partition(tx, range, work.limit as i64).await?;
    if events.first().is_some_and(|event| event.partition_prev != at) {
        return Ok(Taken::Diverged);
    }
    let has_more = events.len() == work.limit;
    Ok(Taken::Events { events, has_more })
}
