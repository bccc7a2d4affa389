//! Receives Kafka's records on a thread of their own and hands them over.
//!
//! A plain consumer, polled: the bindings' asynchronous one can lose a wake-up. A record that finds the channel full is
//! dropped: the next one shows the gap, and the log fills it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dvt_store::event::{PARTITIONS, Recorded};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;

use super::Options;
use crate::record::{self, Undecodable};
use crate::{Config, Error, Slot, Topics};

/// Bounds how long the thread waits before it looks whether it should end.
const POLL: Duration = Duration::from_millis(100);
/// How many records wait for the loop.
const CHANNEL: usize = 10_000;
/// How often offsets are committed: a hint, so that a restart does not read everything again.
const COMMIT: Duration = Duration::from_secs(1);
/// How long stopping waits for the client, which blocks while Kafka is down.
const STOP: Duration = Duration::from_secs(3);

/// One record, read or not.
pub(super) struct Message {
    pub(super) slot: Slot,
    pub(super) event: Result<Recorded, Undecodable>,
}

/// Holds the receiving end.
pub(super) struct Source {
    messages: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
    thread: Option<tokio::task::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_stopping: AtomicBool,
    is_assigned: AtomicBool,
    /// Partitions whose received records are applied, up to an offset.
    seen: Mutex<HashMap<Slot, (i64, bool)>>,
}

impl Source {
    /// Starts to listen; None without Kafka.
    pub(super) fn start(config: &Config, options: &Options) -> Result<Option<Self>, Error> {
        let Some(client) = config.consumer(&options.name) else { return Ok(None) };
        let consumer: BaseConsumer = client.create()?;
        let topics = config.topics();
        let names: Vec<_> = options.topics.iter().map(|topic| topics.name(topic.as_str())).collect();
        consumer.subscribe(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        let (sender, messages) = mpsc::channel(CHANNEL);
        let shared = Arc::new(Shared::default());
        let loop_ = Loop { consumer, topics, sender, shared: shared.clone() };
        let thread = tokio::task::spawn_blocking(move || loop_.run());
        Ok(Some(Self { messages, shared, thread: Some(thread) }))
    }

    /// Waits for messages.
    ///
    /// # Cancel safety
    /// Cancel safe: what is not handed over stays in the channel.
    pub(super) async fn receive(&mut self, into: &mut Vec<Message>, limit: usize) {
        if self.messages.recv_many(into, limit).await == 0 {
            self.shared.is_assigned.store(false, Ordering::Relaxed);
            std::future::pending::<()>().await; // the thread has ended: the log remains
        }
    }

    /// Says whether Kafka serves us any partition.
    pub(super) fn is_assigned(&self) -> bool {
        self.shared.is_assigned.load(Ordering::Relaxed)
    }

    /// Notes that what was received of a partition is applied.
    pub(super) fn done(&self, slot: &Slot) {
        let mut seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, is_done)) = seen.get_mut(slot) {
            *is_done = true;
        }
    }

    /// Ends the thread, or leaves it behind where Kafka does not answer.
    pub(super) async fn stop(mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        self.messages.close();
        if let Some(thread) = self.thread.take()
            && tokio::time::timeout(STOP, thread).await.is_err()
        {
            tracing::warn!("the Kafka client does not close; leaving it behind");
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
    }
}

struct Loop {
    consumer: BaseConsumer,
    topics: Topics,
    sender: mpsc::Sender<Message>,
    shared: Arc<Shared>,
}

impl Loop {
    fn run(self) {
        let mut next_commit = Instant::now() + COMMIT;
        while !self.shared.is_stopping.load(Ordering::Relaxed) {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => self.receive(&message),
                Some(Err(error)) => tracing::debug!(%error, "Kafka reports a problem"),
                None => {}
            }
            if Instant::now() >= next_commit {
                next_commit = Instant::now() + COMMIT;
                let count = self.consumer.assignment().map_or(0, |assignment| assignment.count());
                self.shared.is_assigned.store(count > 0, Ordering::Relaxed);
                self.commit();
            }
        }
    }

    fn receive(&self, message: &BorrowedMessage<'_>) {
        let (Some(topic), Ok(partition)) = (self.topics.strip(message.topic()), i16::try_from(message.partition()))
        else {
            return;
        };
        if !(0..PARTITIONS).contains(&partition) {
            return;
        }
        self.shared.is_assigned.store(true, Ordering::Relaxed);
        let slot = Slot { topic: topic.to_owned(), partition };
        let incoming = record::Incoming { topic, partition, headers: message.headers(), payload: message.payload() };
        let event = record::decode(&incoming);
        let seen = (message.offset(), false);
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(slot.clone(), seen);
        if self.sender.try_send(Message { slot, event }).is_err() {
            tracing::debug!("the loop is behind Kafka; the log will fill the gap");
        }
    }

    fn commit(&self) {
        let mut offsets = TopicPartitionList::new();
        for (slot, (offset, is_done)) in self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if std::mem::take(is_done) {
                let next = Offset::Offset(*offset + 1);
                let added =
                    offsets.add_partition_offset(&self.topics.name(&slot.topic), i32::from(slot.partition), next);
                drop(added);
            }
        }
        if offsets.count() > 0
            && let Err(error) = self.consumer.commit(&offsets, CommitMode::Async)
        {
            tracing::debug!(%error, "could not commit offsets");
        }
    }
}
