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

use super::cursor::{Bounds, Delivery, Mark, Progress, acknowledge, probe, start};
use super::machine::Published;
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

type Cursors = HashMap<Slot, Mark>;
type Starts = Vec<(Slot, Progress)>;

impl Publisher {
    /// Connects, and answers from where each partition is published. From here on the cursors say the same.
    pub(super) async fn open(config: &Config, c: &mut Connection, epoch: i64) -> Result<(Self, Starts), Error> {
        let client = config.client("relay").ok_or(Error::NoCluster)?;
        let mut settings = client.clone();
        settings
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("compression.type", "lz4")
            // Any delivery error is fatal: everything after it is thrown away and sent again.
            .set("message.timeout.ms", "5000");
        let topics = config.topics();
        let (consumer, cluster_id) = blocking(move || connect(&client)).await?;
        let cursors = list_cursors(c, &cluster_id).await?;
        let asked = (topics.clone(), cursors.clone());
        let held = blocking(move || ask_cluster(&consumer, &asked.0, &asked.1)).await?;
        let producer: FutureProducer = settings.create()?;
        let asked = producer.clone();
        // Clients keep the id that they saw first: where the last one has that of the first, all between was of one cluster.
        let is_same =
            move || asked.client().fetch_cluster_id(PATIENCE).filter(|id| *id == cluster_id).ok_or(Error::NoCluster);
        let cluster_id = blocking(is_same).await?;
        let publisher = Self { producer, topics, cluster_id };
        let starts = publisher.begin(c, (&cursors, &held), epoch).await?;
        Ok((publisher, starts))
    }

    /// Decides from where each partition is published, and moves the cursors there.
    async fn begin(
        &self,
        c: &mut Connection,
        (cursors, held): (&Cursors, &HashMap<Slot, Holding>),
        epoch: i64,
    ) -> Result<Starts, Error> {
        let lowest = checkpoint::list_lowest(c).await?.into_iter();
        let lowest: HashMap<_, _> =
            lowest.map(|(topic, partition, position)| (Slot { topic, partition }, position)).collect();
        let (mut starts, mut moved) = (Starts::new(), Vec::new());
        for (slot, holding) in held {
            let (cursor, lowest) = (cursors.get(slot).copied(), lowest.get(slot).copied().unwrap_or_default());
            let start = start(cursor, lowest, holding.bounds, holding.read);
            if let Some(cursor) = cursor.filter(|cursor| start.mark.position < cursor.position) {
                let (cursor, start) = (cursor.position, start.mark.position);
                tracing::warn!(%slot, cursor, start, "the Kafka cluster lost records; publishing them again");
            }
            if cursor != Some(start.mark) {
                moved.push(self.cursor(slot, start.mark));
            }
            starts.push((slot.clone(), start));
        }
        match relay_cursor::begin(c, &moved, epoch).await? {
            true => Ok(starts),
            false => Err(Error::Superseded),
        }
    }

    /// Publishes the next events of each lane; answers how far each came, and whether any delivery failed.
    pub(super) async fn publish(
        &self,
        c: &mut Connection,
        registry: &mut Registry,
        lanes: &[(Slot, Progress)],
    ) -> Result<(Vec<(Slot, Published)>, bool), Error> {
        let mut sent = Vec::new();
        for (slot, progress) in lanes {
            let after = progress.mark.position;
            let range = Range { topic: &slot.topic, partition: slot.partition, after, through: i64::MAX };
            let events = event::list_partition(c, range, BATCH).await?;
            fail::fail_point!("relay.read");
            let span = span(slot, &events);
            let (deliveries, is_held) = self.send(c, registry, &events).await;
            sent.push((slot, *progress, deliveries, is_held, span));
        }
        fail::fail_point!("relay.produced");
        let mut has_failed = false;
        let mut published = Vec::new();
        for (slot, progress, sent, is_held, span) in sent {
            let mut deliveries = Vec::new();
            for sent in sent {
                let delivery = delivered(sent.delivery).await;
                if let Delivery::Acknowledged(_) = delivery {
                    metrics::RELAY_PUBLISHED.add([&slot.topic], 1);
                    metrics::RELAY_DELAY.observe([], (Utc::now() - sent.recorded_at).to_std().unwrap_or_default());
                }
                deliveries.push((sent.position, delivery));
            }
            drop(span); // it ends with the last acknowledgement
            let progress = acknowledge(progress, deliveries).unwrap_or_else(|known| {
                tracing::warn!(%slot, "a record was not delivered, or the Kafka cluster lost some; beginning again");
                has_failed = true;
                known
            });
            published.push((slot.clone(), Published { progress, is_held }));
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
        let cursors = published.iter().map(|(slot, published)| self.cursor(slot, published.progress.mark));
        // A cursor that a newer leader has moved stays: what this one sent does no harm.
        relay_cursor::advance(c, &cursors.collect::<Vec<_>>(), epoch).await?;
        Ok(())
    }

    fn cursor(&self, slot: &Slot, mark: Mark) -> relay_cursor::Cursor {
        relay_cursor::Cursor {
            cluster_id: self.cluster_id.clone(),
            topic: slot.topic.clone(),
            partition: slot.partition,
            position: mark.position,
            offset: mark.offset,
        }
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

/// Waits for what becomes of a record.
async fn delivered(delivery: Result<DeliveryFuture, ()>) -> Delivery {
    match delivery {
        Ok(delivery) => match delivery.await {
            // A cluster that had the record already may not say where.
            Ok(Ok(place)) if place.offset >= 0 => Delivery::Acknowledged(place.offset),
            Ok(Ok(_) | Err(_)) | Err(_) => Delivery::Failed,
        },
        Err(()) => Delivery::Failed,
    }
}

async fn list_cursors(c: &mut Connection, cluster_id: &str) -> Result<Cursors, Error> {
    let cursors = relay_cursor::list(c, cluster_id).await?.into_iter();
    let mark = |cursor: &relay_cursor::Cursor| Mark { position: cursor.position, offset: cursor.offset };
    Ok(cursors
        .map(|cursor| {
            let mark = mark(&cursor);
            (Slot { topic: cursor.topic, partition: cursor.partition }, mark)
        })
        .collect())
}

/// What a cluster has of a partition.
struct Holding {
    bounds: Bounds,
    /// The position of the record that was looked at; None: there is none, or it is not ours.
    read: Option<i64>,
}

async fn blocking<T: Send + 'static>(ask: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(ask).await.map_err(|_| Error::Thread)?
}

/// Connects to read, and answers the cluster's id. Blocks.
fn connect(client: &ClientConfig) -> Result<(BaseConsumer, String), Error> {
    let mut settings = client.clone();
    settings.set("group.id", "dvt.relay").set("enable.auto.commit", "false").set("fetch.wait.max.ms", "5");
    let consumer: BaseConsumer = settings.create()?;
    let cluster_id = consumer.client().fetch_cluster_id(PATIENCE).ok_or(Error::NoCluster)?;
    Ok((consumer, cluster_id))
}

/// Asks what the cluster has of each partition, and for the record that says whether it has what the cursor says. Blocks.
fn ask_cluster(consumer: &BaseConsumer, topics: &Topics, cursors: &Cursors) -> Result<HashMap<Slot, Holding>, Error> {
    let mut held = HashMap::new();
    let mut probes = TopicPartitionList::new();
    for topic in dvt_domain::Topic::ALL {
        let name = topics.name(topic.as_str());
        for partition in 0..PARTITIONS {
            let (low, high) = consumer.fetch_watermarks(&name, i32::from(partition), PATIENCE)?;
            let (slot, bounds) = (Slot { topic: topic.as_str().to_owned(), partition }, Bounds { low, high });
            if let Some(offset) = probe(cursors.get(&slot).copied(), bounds) {
                probes.add_partition_offset(&name, i32::from(partition), Offset::Offset(offset))?;
            }
            held.insert(slot, Holding { bounds, read: None });
        }
    }
    consumer.assign(&probes)?;
    let mut missing = probes.count();
    while missing > 0 {
        let message = consumer.poll(PATIENCE).ok_or(Error::NoCluster)??;
        let (Some(topic), Ok(partition)) = (topics.strip(message.topic()), i16::try_from(message.partition())) else {
            continue;
        };
        let slot = Slot { topic: topic.to_owned(), partition };
        let probed = probes.find_partition(message.topic(), message.partition()).map(|probe| probe.offset());
        if let (Some(holding), true) = (held.get_mut(&slot), probed == Some(Offset::Offset(message.offset()))) {
            holding.read = record::position(message.headers()).ok();
            missing -= 1;
        }
    }
    Ok(held)
}
