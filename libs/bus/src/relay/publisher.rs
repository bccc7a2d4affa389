//! Sends events in order and waits for their acknowledgements; compares a cluster's records with our cursors.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dvt_runtime::{metrics, trace};
use dvt_store::event::{self, PARTITIONS, Range, Recorded};
use dvt_store::{Connection, checkpoint, relay_cursor};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer, PurgeConfig};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tracing::{Span, info_span};

use super::machine::{Published, Tail, start};
use crate::registry::Registry;
use crate::{Config, Error, Slot, Topics, causes, record};

/// How many events of a partition are sent before their acknowledgements are awaited.
const BATCH: i64 = 200;
/// Bounds questions to the cluster.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes to one Kafka cluster.
pub(super) struct Publisher {
    producer: FutureProducer,
    topics: Topics,
    cluster_id: String,
}

type Starts = Vec<(Slot, i64)>;

impl Publisher {
    /// Connects, and answers from where each partition is published.
    pub(super) async fn open(config: &Config, c: &mut Connection) -> Result<(Self, Starts), Error> {
        let client = config.client("relay").ok_or(Error::NoCluster)?;
        let mut settings = client.clone();
        settings
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("compression.type", "lz4")
            // Any delivery error is fatal: everything after it is thrown away and sent again.
            .set("message.timeout.ms", "5000");
        let producer: FutureProducer = settings.create()?;
        let topics = config.topics();
        let asked = (producer.clone(), topics.clone());
        let found = tokio::task::spawn_blocking(move || ask_cluster(&client, &asked.0, &asked.1));
        let (cluster_id, tails) = found.await.map_err(|_| Error::Thread)??;
        let starts = starts(c, &cluster_id, &tails).await?;
        Ok((Self { producer, topics, cluster_id }, starts))
    }

    /// Publishes the next events of each lane; answers how far each came, and whether any delivery failed.
    pub(super) async fn publish(
        &self,
        c: &mut Connection,
        registry: &mut Registry,
        lanes: &[(Slot, i64)],
    ) -> Result<(Vec<(Slot, Published)>, bool), Error> {
        let mut sent = Vec::new();
        for (slot, after) in lanes {
            let range = Range { topic: &slot.topic, partition: slot.partition, after: *after, through: i64::MAX };
            let events = event::list_partition(c, range, BATCH).await?;
            let span = span(slot, &events);
            let (deliveries, is_held) = self.send(c, registry, &events).await;
            sent.push((slot, *after, deliveries, is_held, span));
        }
        let mut has_failed = false;
        let mut published = Vec::new();
        for (slot, after, deliveries, is_held, span) in sent {
            let mut through = after;
            for sent in deliveries {
                let is_acknowledged = match sent.delivery {
                    Ok(delivery) => matches!(delivery.await, Ok(Ok(_))),
                    Err(()) => false,
                };
                if !is_acknowledged {
                    has_failed = true;
                    break;
                }
                metrics::RELAY_PUBLISHED.add([&slot.topic], 1);
                metrics::RELAY_DELAY.observe([], (Utc::now() - sent.recorded_at).to_std().unwrap_or_default());
                through = sent.position;
            }
            drop(span); // it ends with the last acknowledgement
            published.push((slot.clone(), Published { through, is_held }));
        }
        Ok((published, has_failed))
    }

    /// Queues events in order, up to the first whose schema has no id or that the client does not take.
    async fn send(&self, c: &mut Connection, registry: &mut Registry, events: &[Recorded]) -> (Vec<Sent>, bool) {
        let mut sent = Vec::new();
        for event in events {
            let topic = self.topics.name(&event.topic);
            let id = match registry.resolve(c, &event.schema_fingerprint, &topic).await {
                Ok(id) => id,
                Err(error) => {
                    let event_type = &event.event_type;
                    tracing::warn!(%error, event_type, "a schema has no id yet; its partition waits");
                    return (sent, true);
                }
            };
            let (key, payload) = (record::key(event), record::payload(event, id));
            let queued = FutureRecord::to(&topic)
                .key(key.as_bytes())
                .partition(i32::from(event.partition))
                .timestamp(event.recorded_at.timestamp_millis())
                .headers(record::headers(event));
            let queued = FutureRecord { payload: payload.as_deref(), ..queued };
            match self.producer.send_result(queued) {
                Ok(delivery) => sent.push(Sent::new(event, Ok(delivery))),
                Err((error, _)) => {
                    tracing::warn!(%error, "could not queue a record");
                    sent.push(Sent::new(event, Err(())));
                    break;
                }
            }
        }
        (sent, false)
    }

    /// Moves the cursors to what is acknowledged.
    pub(super) async fn advance(
        &self,
        c: &mut Connection,
        published: &[(Slot, Published)],
        epoch: i64,
    ) -> Result<(), Error> {
        for (slot, published) in published {
            relay_cursor::advance(c, &cursor(&self.cluster_id, slot, published.through), epoch).await?;
        }
        Ok(())
    }

    /// Throws away what is not sent, and the client, which may block while it closes.
    pub(super) async fn close(self) {
        self.producer.purge(PurgeConfig::default().queue().inflight());
        let closed = tokio::task::spawn_blocking(move || drop(self.producer));
        if tokio::time::timeout(PATIENCE, closed).await.is_err() {
            tracing::warn!("the Kafka producer does not close; leaving it behind");
        }
    }
}

/// Is a record that was handed to the client; without a delivery it did not take it.
struct Sent {
    position: i64,
    recorded_at: DateTime<Utc>,
    delivery: Result<DeliveryFuture, ()>,
}

impl Sent {
    fn new(event: &Recorded, delivery: Result<DeliveryFuture, ()>) -> Self {
        Self { position: event.position, recorded_at: event.recorded_at, delivery }
    }
}

/// Makes the span of what is published of a partition, in the trace of its events.
fn span(slot: &Slot, events: &[Recorded]) -> Span {
    trace::follow(causes(events), || {
        let name = format!("publish {}", slot.topic);
        info_span!("publish", otel.name = name, otel.kind = "producer", %slot, events = events.len())
    })
}

fn cursor(cluster_id: &str, slot: &Slot, position: i64) -> relay_cursor::Cursor {
    relay_cursor::Cursor {
        cluster_id: cluster_id.to_owned(),
        topic: slot.topic.clone(),
        partition: slot.partition,
        position,
    }
}

async fn starts(c: &mut Connection, cluster_id: &str, tails: &HashMap<Slot, Tail>) -> Result<Starts, Error> {
    let cursors = relay_cursor::list(c, cluster_id).await?.into_iter();
    let cursors: HashMap<_, _> =
        cursors.map(|cursor| (Slot { topic: cursor.topic, partition: cursor.partition }, cursor.position)).collect();
    let lowest = checkpoint::list_lowest(c).await?.into_iter();
    let lowest: HashMap<_, _> =
        lowest.map(|(topic, partition, position)| (Slot { topic, partition }, position)).collect();
    let slots = tails.iter().map(|(slot, tail)| {
        let (cursor, lowest) = (cursors.get(slot).copied(), lowest.get(slot).copied().unwrap_or_default());
        let start = start(cursor, *tail, lowest);
        if let Some(cursor) = cursor.filter(|cursor| start < *cursor) {
            tracing::warn!(%slot, cursor, start, "the Kafka cluster lost records; publishing them again");
        }
        (slot.clone(), start)
    });
    let starts: Starts = slots.collect();
    Ok(starts)
}

/// Asks for the cluster's id and the last record of each partition. Blocks.
fn ask_cluster(
    client: &ClientConfig,
    producer: &FutureProducer,
    topics: &Topics,
) -> Result<(String, HashMap<Slot, Tail>), Error> {
    let cluster_id = producer.client().fetch_cluster_id(PATIENCE).ok_or(Error::NoCluster)?;
    let mut settings = client.clone();
    settings.set("group.id", "dvt.relay").set("enable.auto.commit", "false").set("fetch.wait.max.ms", "5");
    let consumer: BaseConsumer = settings.create()?;
    let mut tails = HashMap::new();
    let mut last = TopicPartitionList::new();
    for topic in dvt_domain::Topic::ALL {
        let name = topics.name(topic.as_str());
        for partition in 0..PARTITIONS {
            let (low, high) = consumer.fetch_watermarks(&name, i32::from(partition), PATIENCE)?;
            let tail = if high == 0 { Tail::New } else { Tail::Expired };
            tails.insert(Slot { topic: topic.as_str().to_owned(), partition }, tail);
            if high > low {
                last.add_partition_offset(&name, i32::from(partition), Offset::Offset(high - 1))?;
            }
        }
    }
    read_last(&consumer, topics, &last, &mut tails)?;
    Ok((cluster_id, tails))
}

fn read_last(
    consumer: &BaseConsumer,
    topics: &Topics,
    last: &TopicPartitionList,
    tails: &mut HashMap<Slot, Tail>,
) -> Result<(), Error> {
    consumer.assign(last)?;
    let mut missing = last.count();
    while missing > 0 {
        let message = consumer.poll(PATIENCE).ok_or(Error::NoCluster)??;
        let (Some(topic), Ok(partition)) = (topics.strip(message.topic()), i16::try_from(message.partition())) else {
            continue;
        };
        let slot = Slot { topic: topic.to_owned(), partition };
        // A record that is not ours says nothing: then the lowest checkpoint decides.
        let tail = record::position(message.headers()).map_or(Tail::New, Tail::At);
        if !matches!(tails.insert(slot, tail), Some(Tail::At(_))) {
            missing -= 1;
        }
    }
    Ok(())
}
