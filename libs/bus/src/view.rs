//! The topic `dvt.view`: says that views advanced, so that whoever waits for one looks again at once.
//!
//! A hint and nothing more: notices may be lost, and a reader looks by itself too.

use std::time::Duration;

use anyhow::Context;
use dvt_codec::ViewAdvanced;
use dvt_runtime::CancellationToken;
use dvt_store::Store;
use dvt_store::event::{PARTITIONS, partition_of};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::{broadcast, mpsc};
use uuid::Uuid;

use crate::registry::Registry;
use crate::{Config, Error, record};

/// How many notices wait for Kafka; what comes after them is dropped.
const NOTICES: usize = 1_000;
/// How many notices a slow reader may be behind before it just looks again.
const WAKES: usize = 1_000;
/// Bounds how long the thread that listens waits before it looks whether it should end.
const POLL: Duration = Duration::from_millis(100);
/// How long stopping waits for the client, which blocks while Kafka is down.
const STOP: Duration = Duration::from_secs(3);

/// Says that views advanced. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Announcer(mpsc::Sender<(Uuid, ViewAdvanced)>);

impl Announcer {
    /// Makes an announcer, and the task that sends what it says until shutdown. The store is the relay's.
    pub fn new(
        config: &Config,
        store: &Store,
        shutdown: CancellationToken,
    ) -> (Self, impl Future<Output = anyhow::Result<()>> + Send + use<>) {
        let (sender, receiver) = mpsc::channel(NOTICES);
        (Self(sender), send(config.clone(), store.clone(), receiver, shutdown))
    }

    /// Says that a view of a project advanced; dropped where Kafka is behind.
    pub fn announce(&self, project_id: Uuid, advanced: ViewAdvanced) {
        if self.0.try_send((project_id, advanced)).is_err() {
            tracing::trace!(%project_id, "dropped a notice; readers look by themselves");
        }
    }
}

async fn send(
    config: Config,
    store: Store,
    mut notices: mpsc::Receiver<(Uuid, ViewAdvanced)>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (Some(mut client), Some(url)) = (config.client("view"), config.schema_registry_url.as_deref()) else {
        shutdown.cancelled().await;
        return Ok(());
    };
    let producer: FutureProducer = client.set("message.timeout.ms", "5000").set("linger.ms", "0").create()?;
    let (topic, mut registry) = (config.topics().view(), Registry::new(url)?);
    loop {
        let notice = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            notice = notices.recv() => notice,
        };
        let Some((project_id, advanced)) = notice else { return Ok(()) };
        let (fingerprint, payload) = advanced.encode();
        let id = match registry.known(&fingerprint.0) {
            Some(id) => Ok(id),
            None => resolve(&mut registry, &store, (&fingerprint.0, &topic)).await,
        };
        match id {
            Ok(id) => publish(&producer, &topic, project_id, &advanced, &record::prefixed(&payload, id)),
            Err(error) => tracing::debug!(%error, "could not say that a view advanced"),
        }
    }
}

async fn resolve(registry: &mut Registry, store: &Store, of: (&[u8; 32], &str)) -> Result<i32, Error> {
    registry.resolve(&mut *store.acquire().await?, of.0, of.1).await
}

fn publish(producer: &FutureProducer, topic: &str, project_id: Uuid, advanced: &ViewAdvanced, payload: &[u8]) {
    let key = project_id.to_string();
    let record = FutureRecord::to(topic)
        .key(key.as_bytes())
        .partition(i32::from(partition_of(project_id)))
        .headers(headers(advanced))
        .payload(payload);
    match producer.send_result(record) {
        Ok(delivery) => drop(delivery),
        Err((error, _)) => tracing::debug!(%error, "could not say that a view advanced"),
    }
}

fn headers(advanced: &ViewAdvanced) -> OwnedHeaders {
    let headers = [
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", Uuid::now_v7().to_string()),
        ("ce_type", ViewAdvanced::NAME.to_owned()),
        ("ce_source", record::SOURCE.to_owned()),
        ("ce_subject", format!("{}/{}", advanced.projection, advanced.stream_id)),
        ("ce_streamversion", advanced.version.to_string()),
    ];
    headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(value) }))
}

/// Wakes whoever waits for a project's views. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Wakes(broadcast::Sender<Uuid>);

impl Wakes {
    /// Makes it, and the task that listens until shutdown; without Kafka it never wakes anybody.
    pub fn new(
        config: &Config,
        shutdown: CancellationToken,
    ) -> (Self, impl Future<Output = anyhow::Result<()>> + Send + use<>) {
        let (sender, _) = broadcast::channel(WAKES);
        (Self(sender.clone()), listen(config.clone(), sender, shutdown))
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> Waking {
        Waking(self.0.subscribe())
    }
}

/// Hears of views that advance.
#[derive(Debug)]
pub struct Waking(broadcast::Receiver<Uuid>);

impl Waking {
    /// Waits until a view of the project may have advanced.
    pub async fn woken(&mut self, project_id: Uuid) {
        loop {
            match self.0.recv().await {
                Ok(of) if of != project_id => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

async fn listen(config: Config, wakes: broadcast::Sender<Uuid>, shutdown: CancellationToken) -> anyhow::Result<()> {
    // A group of its own, though it commits nothing: every process hears everything.
    let Some(client) = config.consumer(&format!("view-{}", Uuid::now_v7())) else {
        shutdown.cancelled().await;
        return Ok(());
    };
    let consumer: BaseConsumer = client.create()?;
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions.add_partition_offset(&config.topics().view(), i32::from(partition), Offset::End)?;
    }
    consumer.assign(&partitions)?;
    let stop = shutdown.clone();
    let mut thread = tokio::task::spawn_blocking(move || {
        while !stop.is_cancelled() {
            match consumer.poll(POLL) {
                Some(Ok(message)) => {
                    if let Some(project_id) = message.key().and_then(|key| Uuid::try_parse_ascii(key).ok()) {
                        drop(wakes.send(project_id)); // nobody waits
                    }
                }
                Some(Err(error)) => tracing::debug!(%error, "Kafka reports a problem"),
                None => {}
            }
        }
    });
    tokio::select! {
        ended = &mut thread => return ended.context("the thread that listens for views ended"),
        () = shutdown.cancelled() => {}
    }
    if tokio::time::timeout(STOP, thread).await.is_err() {
        tracing::warn!("the Kafka client does not close; leaving it behind");
    }
    Ok(())
}
