//! What Kafka holds, read and written as anybody could.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use uuid::Uuid;

use crate::check::Verdict;
use crate::world::World;

/// The topics of the log.
const TOPICS: [&str; 4] = ["dvt.project", "dvt.layout", "dvt.compilation", "dvt.run"];
const PARTITIONS: i32 = 16;
/// How long nothing may come before the relay has published what is in the log.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
/// How long the broker may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How many of the last records come again or are imitated.
const RECORDS: usize = 500;
/// The bytes of the registry's prefix.
const PREFIX: usize = 5;

type Slot = (String, i32);
/// The positions that each partition holds, as they come.
type Held = BTreeMap<Slot, Vec<i64>>;

/// Answers the position of the log's last event.
pub(crate) async fn head(world: &World<'_>) -> Result<i64> {
    let head = "select coalesce(max(position), 0) from dvt.event";
    Ok(world.database().await?.query_one(head, &[]).await?.get(0))
}

/// Answers the position of the log's last event once the relay has begun: Kafka may miss nothing behind it. A cluster
/// that was never published to begins where the consumers are, which is ever further on until then.
pub(crate) async fn base(world: &World<'_>) -> Result<i64> {
    let database = world.database().await?;
    let patience = Instant::now() + PATIENCE;
    while !database.query_one("select exists (select from dvt.relay_cursor)", &[]).await?.get::<_, bool>(0) {
        ensure!(Instant::now() < patience, "no relay begins");
        tokio::time::sleep(POLL).await;
    }
    head(world).await
}

/// Checks that Kafka holds every event of the log behind a position, in the order of the log. What came before the
/// cluster was first published to is the log's alone.
pub(crate) async fn published(verdict: &mut Verdict, world: &World<'_>, after: i64) -> Result<()> {
    let rows = "select topic, partition, position, event_id from dvt.event order by position";
    let rows = world.database().await?.query(rows, &[]).await?;
    let mut log = Log::default();
    for row in &rows {
        let (slot, position) = ((row.get(0), i32::from(row.get::<_, i16>(1))), row.get(2));
        log.ids.insert(row.get::<_, Uuid>(3).to_string(), position);
        if position > after {
            log.expected.entry(slot).or_default().push(position);
        }
    }
    let (brokers, prefix) = (world.parts.brokers.clone(), world.prefix());
    let (held, missing) = tokio::task::spawn_blocking(move || held(&brokers, &prefix, &log)).await??;
    for (slot, held) in &held {
        disorder(verdict, slot, held);
    }
    verdict.lost += missing.len();
    verdict.findings.extend(missing);
    Ok(())
}

/// What Kafka is to hold.
#[derive(Default)]
struct Log {
    /// The position of every event, by its id.
    ids: HashMap<String, i64>,
    /// The positions of those that may not be missing.
    expected: Held,
}

/// Answers what Kafka holds, and what is missing when nothing comes any more.
fn held(brokers: &str, prefix: &str, log: &Log) -> Result<(Held, Vec<String>)> {
    let mut reader = Reader::of(brokers, prefix)?;
    let mut held = Held::new();
    let mut since = Instant::now();
    loop {
        for record in reader.records()? {
            since = Instant::now();
            let header = |name| header(&record, name);
            // What no relay has sent says nothing.
            let position = header("ce_position").and_then(|position| position.parse().ok());
            if position.is_some() && header("ce_id").and_then(|id| log.ids.get(id)) == position.as_ref() {
                let topic = record.topic().strip_prefix(prefix).unwrap_or_default().to_owned();
                held.entry((topic, record.partition())).or_default().extend(position);
            }
        }
        let missing = log.expected.iter().filter_map(|(slot, log)| missing(slot, log, held.get(slot)));
        let missing: Vec<String> = missing.collect();
        if missing.is_empty() || since.elapsed() > PATIENCE {
            return Ok((held, missing));
        }
        std::thread::sleep(POLL);
    }
}

fn header<'a>(record: &'a OwnedMessage, name: &str) -> Option<&'a str> {
    let header = record.headers()?.iter().find(|header| header.key == name)?;
    std::str::from_utf8(header.value?).ok()
}

fn missing((topic, partition): &Slot, log: &[i64], held: Option<&Vec<i64>>) -> Option<String> {
    let held: BTreeSet<i64> = held.into_iter().flatten().copied().collect();
    let first = log.iter().find(|position| !held.contains(position))?;
    Some(format!("I1 Kafka has no event {first} in {topic}/{partition}"))
}

/// At least once: a record may come again, but none comes first before one that is older.
fn disorder(verdict: &mut Verdict, (topic, partition): &Slot, held: &[i64]) {
    let mut last = 0;
    let mut known = BTreeSet::new();
    for position in held {
        if known.insert(*position) {
            if *position < last {
                let finding = format!("I2 Kafka has event {position} behind {last} in {topic}/{partition}");
                verdict.findings.push(finding);
            }
            last = last.max(*position);
        }
    }
}

fn consumer(brokers: &str) -> Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("group.id", "dvt.faults").set("enable.auto.commit", "false");
    // The broker answers a connection's requests one after the other: a question would wait for the fetch before it.
    config.set("fetch.wait.max.ms", "5");
    Ok(config.create()?)
}

/// Lists where each partition that holds anything begins and ends.
fn watermarks(consumer: &BaseConsumer, prefix: &str) -> Vec<(String, i32, (i64, i64))> {
    let names = TOPICS.iter().flat_map(|topic| (0..PARTITIONS).map(move |partition| (topic, partition)));
    let held = names.filter_map(|(topic, partition)| {
        let name = format!("{prefix}{topic}");
        let marks = consumer.fetch_watermarks(&name, partition, ANSWER).ok()?;
        (marks.1 > marks.0).then_some((name, partition, marks))
    });
    held.collect()
}

/// Reads each record once.
struct Reader {
    consumer: BaseConsumer,
    prefix: String,
    /// The offset that comes next.
    next: BTreeMap<Slot, i64>,
}

impl Reader {
    fn of(brokers: &str, prefix: &str) -> Result<Self> {
        Ok(Self { consumer: consumer(brokers)?, prefix: prefix.to_owned(), next: BTreeMap::new() })
    }

    /// Reads every record there is that it has not read.
    fn records(&mut self) -> Result<Vec<OwnedMessage>> {
        let mut from = TopicPartitionList::new();
        let mut ends = HashMap::new();
        let mut expected = 0;
        for (name, partition, (low, high)) in watermarks(&self.consumer, &self.prefix) {
            let next = self.next.insert((name.clone(), partition), high).unwrap_or(low).max(low);
            if next < high {
                expected += high - next;
                from.add_partition_offset(&name, partition, Offset::Offset(next))?;
                ends.insert((name, partition), high);
            }
        }
        let mut records = Vec::new();
        self.consumer.assign(&from)?;
        while (records.len() as i64) < expected {
            let record = self.consumer.poll(ANSWER).context("Kafka does not answer")??;
            // What came meanwhile is read the next time.
            if ends.get(&(record.topic().to_owned(), record.partition())).is_some_and(|end| record.offset() < *end) {
                records.push(record.detach());
            }
        }
        Ok(records)
    }
}

/// Sends every record again, the last one first; answers how many.
pub(crate) async fn again(world: &World<'_>) -> Result<usize> {
    send(world, |record| vec![sent(record, record.payload().map(<[u8]>::to_vec))]).await
}

/// Sends what no relay would: noise, halves, flipped bits, unknown schemas, positions that lie; answers how many.
pub(crate) async fn poison(world: &World<'_>) -> Result<usize> {
    send(world, |record| {
        let payload = record.payload().unwrap_or_default().to_vec();
        let (mut flipped, mut magic, mut schema) = (payload.clone(), payload.clone(), payload.clone());
        if let Some(byte) = flipped.last_mut() {
            *byte ^= 1;
        }
        if payload.len() > PREFIX {
            magic[0] = 9;
            schema[1..PREFIX].fill(0xff);
        }
        let half = payload[..payload.len() / 2].to_vec();
        let noise = Sent { headers: OwnedHeaders::new(), payload: Some(vec![0xa5; 64]), ..sent(record, None) };
        let mut poisons = vec![noise, sent(record, None)];
        poisons.extend([flipped, magic, schema, half].map(|payload| sent(record, Some(payload))));
        for lie in ["ce_position", "ce_partitionprev"] {
            // One digit more, as a flipped bit may make it.
            poisons.push(Sent { headers: lying(record, lie), ..sent(record, Some(payload.clone())) });
        }
        poisons
    })
    .await
}

fn lying(record: &OwnedMessage, lie: &str) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new();
    for header in record.headers().into_iter().flat_map(Headers::iter) {
        let mut value = header.value.unwrap_or_default().to_vec();
        if header.key == lie {
            value.insert(0, b'7');
        }
        headers = headers.insert(Header { key: header.key, value: Some(&value) });
    }
    headers
}

/// Is a record to be sent.
struct Sent {
    topic: String,
    partition: i32,
    key: Option<Vec<u8>>,
    headers: OwnedHeaders,
    payload: Option<Vec<u8>>,
}

fn sent(record: &OwnedMessage, payload: Option<Vec<u8>>) -> Sent {
    let headers = record.headers().cloned().unwrap_or_default();
    let (topic, key) = (record.topic().to_owned(), record.key().map(<[u8]>::to_vec));
    Sent { topic, partition: record.partition(), key, headers, payload }
}

async fn send(world: &World<'_>, make: impl Fn(&OwnedMessage) -> Vec<Sent>) -> Result<usize> {
    let (brokers, prefix) = (world.parts.brokers.clone(), world.prefix());
    let held = tokio::task::spawn_blocking(move || Reader::of(&brokers, &prefix)?.records()).await??;
    let producer: FutureProducer = ClientConfig::new().set("bootstrap.servers", &world.parts.brokers).create()?;
    let mut deliveries = Vec::new();
    for record in held.iter().rev().take(RECORDS) {
        for sent in make(record) {
            let queued = FutureRecord::to(&sent.topic).partition(sent.partition).headers(sent.headers);
            let queued = FutureRecord { key: sent.key.as_ref(), payload: sent.payload.as_ref(), ..queued };
            deliveries.push(producer.send_result(queued).map_err(|(error, _)| error)?);
        }
    }
    let count = deliveries.len();
    for delivery in deliveries {
        delivery.await?.map_err(|(error, _)| error)?;
    }
    Ok(count)
}

/// Deletes every record that there is.
pub(crate) async fn delete(world: &World<'_>) -> Result<()> {
    let (brokers, prefix) = (world.parts.brokers.clone(), world.prefix());
    let ends = tokio::task::spawn_blocking(move || {
        let mut ends = TopicPartitionList::new();
        for (name, partition, (_, high)) in watermarks(&consumer(&brokers)?, &prefix) {
            ends.add_partition_offset(&name, partition, Offset::Offset(high))?;
        }
        anyhow::Ok(ends)
    });
    let ends = ends.await??;
    if ends.count() == 0 {
        return Ok(());
    }
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &world.parts.brokers).create()?;
    admin.delete_records(&ends, &AdminOptions::new()).await?;
    Ok(())
}
