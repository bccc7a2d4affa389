//! Publishes the log to Kafka: in every service, led by one.
//!
//! [`machine`] decides; this shell reads the log, sends, and moves the cursors. A stale leader does no harm: its records
//! are identical, and positions decide.

pub mod cursor;
pub mod machine;
mod publisher;

use std::time::{Duration, Instant};

use dvt_runtime::{CancellationToken, Pace, Signal, metrics};
use dvt_store::lease::{self, Lease};
use dvt_store::{Store, event};
use uuid::Uuid;

use crate::leases::RELAY;
use crate::registry::Registry;
use crate::{Config, Error, Slot};
use cursor::Progress;
use machine::{Effect, Input, Machine};
use publisher::Publisher;

const NAME: &str = "relay";
/// How often the log is looked at; a notification comes sooner.
const POLL: Duration = Duration::from_millis(100);
/// How far apart events are published that come close behind each other.
const APART: Duration = Duration::from_millis(10);

/// Publishes until shutdown; without Kafka there is nothing to do but wait for it. `store` plays the relay's role.
///
/// # Errors
/// When the registry's client cannot be made: the configuration is wrong.
///
/// # Cancel safety
/// Not cancel safe: shut down by the token.
pub async fn run(config: Config, store: Store, signal: Signal, shutdown: CancellationToken) -> Result<(), Error> {
    signal.green();
    let (Some(_), Some(registry)) = (config.client(NAME), &config.schema_registry_url) else {
        shutdown.cancelled().await;
        return Ok(());
    };
    let registry = Registry::new(registry)?;
    let mut relay = Relay {
        config,
        store,
        registry,
        holder: Uuid::now_v7(),
        publisher: None,
        lease: None,
        leads: false,
        publishes: false,
    };
    relay.lead(&signal, &shutdown).await;
    relay.resign().await;
    Ok(())
}

struct Relay {
    config: Config,
    store: Store,
    registry: Registry,
    holder: Uuid,
    publisher: Option<Publisher>,
    /// Ours, as far as we know.
    lease: Option<Lease>,
    /// What the metrics say.
    leads: bool,
    publishes: bool,
}

impl Relay {
    async fn lead(&mut self, signal: &Signal, shutdown: &CancellationToken) {
        let started = Instant::now();
        let mut machine = Machine::default();
        let mut listener = self.store.listen();
        let mut pace = Pace::new(APART);
        while !shutdown.is_cancelled() {
            pace.begin();
            listener.connect().await;
            let mut input = Some(Input::Tick);
            while let Some(next) = input.take().filter(|_| !shutdown.is_cancelled()) {
                for effect in machine.handle(next, started.elapsed()) {
                    input = self.answer(effect, signal).await;
                }
                self.note(&machine);
                metrics::RELAY_HELD.set([], machine.held() as f64);
            }
            let woken = async {
                pace.next().await;
                listener.woken().await;
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Does what the machine says; Kafka being away is no reason to be not ready: consumers follow the log.
    async fn answer(&mut self, effect: Effect, signal: &Signal) -> Option<Input> {
        let answer = match effect {
            Effect::Lead => self.acquire().await.map(Input::Led),
            Effect::Open => renewing(self.store.clone(), self.lease.clone(), self.open()).await.map(Input::Opened),
            Effect::ReadHeads => self.heads().await.map(Input::Heads),
            Effect::Publish(lanes) => renewing(self.store.clone(), self.lease.clone(), self.publish(lanes)).await,
            Effect::Close => {
                self.close().await;
                return None;
            }
        };
        match answer {
            Ok(input) => {
                signal.green();
                Some(input)
            }
            Err(error) => {
                tracing::warn!(error = %error, source = std::error::Error::source(&error), "the relay pauses");
                metrics::RELAY_FAILURES.add([], 1);
                Some(Input::Failed)
            }
        }
    }

    fn note(&mut self, machine: &Machine) {
        let (leads, publishes) = (machine.epoch().is_some(), machine.publishes());
        if self.leads && !leads {
            metrics::LEASES_LOST.add([NAME, "taken"], 1);
        }
        // Added, not set: several relays may be in one process.
        metrics::RELAY_LEADER.add([], f64::from(publishes) - f64::from(self.publishes));
        (self.leads, self.publishes) = (leads, publishes);
    }

    async fn acquire(&mut self) -> Result<Option<i64>, Error> {
        let mut connection = self.store.acquire().await?;
        self.lease = lease::acquire(&mut connection, NAME, self.holder, RELAY.ttl).await?;
        Ok(self.lease.as_ref().map(|lease| lease.epoch))
    }

    fn epoch(&self) -> i64 {
        self.lease.as_ref().map_or(0, |lease| lease.epoch)
    }

    async fn open(&mut self) -> Result<Vec<(Slot, Progress)>, Error> {
        self.close().await;
        self.config.topics().ensure(&self.config).await?;
        let mut connection = self.store.acquire().await?;
        self.registry.load(&mut connection).await?;
        let (publisher, starts) = Publisher::open(&self.config, &mut connection, self.epoch()).await?;
        self.publisher = Some(publisher);
        Ok(starts)
    }

    async fn heads(&mut self) -> Result<Vec<(Slot, i64)>, Error> {
        let mut connection = self.store.acquire().await?;
        let heads = event::list_partition_heads(&mut connection).await?.into_iter();
        Ok(heads.map(|head| (Slot { topic: head.topic, partition: head.partition }, head.position)).collect())
    }

    async fn publish(&mut self, lanes: Vec<(Slot, Progress)>) -> Result<Input, Error> {
        let Some(publisher) = &self.publisher else { return Ok(Input::Failed) };
        let mut connection = self.store.acquire().await?;
        let (published, has_failed) = publisher.publish(&mut connection, &mut self.registry, &lanes).await?;
        fail::fail_point!("relay.acked");
        publisher.advance(&mut connection, &published, self.epoch()).await?;
        if has_failed {
            return Ok(Input::Failed);
        }
        Ok(Input::Published(published))
    }

    async fn close(&mut self) {
        if let Some(publisher) = self.publisher.take() {
            publisher.close().await;
        }
    }

    /// Lets another lead at once.
    async fn resign(mut self) {
        self.close().await;
        let (Some(lease), Ok(mut connection)) = (self.lease, self.store.acquire().await) else { return };
        if let Err(error) = lease::release(&mut connection, &lease).await {
            tracing::debug!(%error, "could not give the relay's lease back");
        }
    }
}

/// Does what takes long while the lease is renewed. Whether it was lost meanwhile is asked again afterwards.
async fn renewing<T>(store: Store, lease: Option<Lease>, work: impl Future<Output = T>) -> T {
    let heart = async {
        loop {
            tokio::time::sleep(RELAY.renew).await;
            if let (Some(lease), Ok(mut connection)) = (&lease, store.acquire().await)
                && let Err(error) = lease::renew(&mut connection, lease, RELAY.ttl).await
            {
                tracing::debug!(%error, "could not renew the relay's lease");
            }
        }
    };
    tokio::select! {
        done = work => done,
        () = heart => unreachable!("invariant: the heart beats for ever"),
    }
}
