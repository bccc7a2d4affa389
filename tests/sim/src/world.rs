//! Everything that the processes share, and how a process reaches it: late, not at all, or without hearing the answer.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dvt_bus::Slot;
use dvt_domain::Event;
use dvt_domain::id::TENANT;
use dvt_store::event::NewEvent;
use uuid::Uuid;

use crate::db::Db;
use crate::git::Git;
use crate::kafka::{Kafka, Reader};
use crate::runtime::{OUTSIDE, Process, Sim};
use crate::scenario::TROUBLE;
use crate::target::Target;

/// Says that something did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Down;

/// What the processes share.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) kafka: Kafka,
    pub(crate) target: Target,
    pub(crate) git: Git,
    /// What was found to be wrong: the check, and what it saw.
    pub(crate) broken: Vec<(&'static str, String)>,
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// What a program has seen that reads nothing but Kafka.
    pub(crate) readers: BTreeMap<Slot, Reader>,
    pub(crate) busy: u32,
}

/// What a client was told.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) key: Uuid,
    pub(crate) events: Vec<Event>,
    pub(crate) first: i64,
}

impl World {
    /// Hears that a leader has begun after `losses`: whoever reads Kafka alone may have missed what consumers have
    /// applied, and no more.
    pub(crate) fn noticed(&mut self, (losses, wiped): (BTreeMap<Slot, u64>, BTreeMap<Slot, u64>)) {
        self.kafka.wiped.retain(|slot, loss| wiped.get(slot) != Some(loss));
        for (slot, loss) in losses {
            if self.kafka.unnoticed.get(&slot) == Some(&loss) {
                self.kafka.unnoticed.remove(&slot);
                let lowest = self.db.lowest(&slot);
                let reader = self.readers.entry(slot).or_default();
                reader.at = reader.at.max(lowest);
            }
        }
    }

    /// Kafka loses everything. Its readers see another topic, and begin anew.
    pub(crate) fn wipe_kafka(&mut self, is_renamed: bool) {
        self.kafka.wipe(is_renamed);
        for reader in self.readers.values_mut() {
            reader.offset = 0;
        }
    }

    /// Kafka loses the ends of all partitions. Its readers see a younger leader, and go back to where the records differ.
    pub(crate) fn truncate_kafka(&mut self, records: usize) {
        self.kafka.truncate(records);
        for (slot, reader) in &mut self.readers {
            reader.offset = reader.offset.min(self.kafka.partition(slot).high());
        }
    }

    /// Lets the readers of Kafka see what is new.
    pub(crate) fn read_kafka(&mut self) {
        for slot in self.db.slots() {
            let partition = self.kafka.partition(&slot).clone();
            let reader = self.readers.entry(slot).or_default();
            while let Some(position) = partition.at(reader.offset) {
                reader.offset += 1;
                let prev = self.db.at(position).map(|event| event.partition_prev);
                if prev == Some(reader.at) {
                    reader.at = position;
                }
            }
        }
    }

    pub(crate) fn breaks(&mut self, check: &'static str, seen: impl Into<String>) {
        if self.broken.len() < 10 {
            self.broken.push((check, seen.into()));
        }
    }
}

/// A process's view of the world. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) sim: Sim,
    pub(crate) process: Process,
    pub(crate) name: &'static str,
    world: Rc<RefCell<World>>,
}

/// The moment at which simulations begin, in seconds of the Unix epoch.
const BEGIN: i64 = 1_800_000_000;

impl Node {
    pub(crate) fn new(sim: &Sim, world: &Rc<RefCell<World>>, (process, name): (Process, &'static str)) -> Self {
        Self { sim: sim.clone(), process, name, world: world.clone() }
    }

    /// Looks at the world at once, as no process can.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.borrow_mut())
    }

    pub(crate) fn clock(&self) -> DateTime<Utc> {
        let begin = DateTime::from_timestamp(BEGIN, 0).unwrap_or_default();
        begin + chrono::TimeDelta::from_std(self.sim.now()).unwrap_or_default()
    }

    pub(crate) fn id(&self) -> Uuid {
        let millis = BEGIN as u64 * 1_000 + self.sim.now().as_millis() as u64;
        let number = u128::from(self.sim.number());
        Uuid::from_u128((u128::from(millis) << 80) | (0x7 << 76) | (0x8 << 60) | number)
    }

    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        self.sim.trace(|| format!("{}#{} {}", self.name, self.process, line()));
    }

    /// Answers the same view for what outlives the process.
    pub(crate) fn outside(&self) -> Self {
        Self { process: OUTSIDE, ..self.clone() }
    }

    /// Starts a task of this process.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + 'static) -> u64 {
        self.sim.spawn(self.process, future)
    }

    /// Puts the process to sleep now and then, where another may take over what it is about to do.
    pub(crate) fn nap(&self, percent: u64) {
        if self.sim.now() < TROUBLE && self.sim.chance(percent) {
            let nap = self.sim.between(Duration::from_secs(1), Duration::from_secs(10));
            self.sim.put_to_sleep(self.process, self.sim.now() + nap);
        }
    }

    /// Runs one statement or transaction, committed by the time it is applied; the answer may never come.
    pub(crate) async fn db<T>(&self, work: impl FnOnce(&mut Db, Duration) -> T) -> Result<T, Down> {
        let (is_down, is_flaky) = self.world(|world| (world.db.is_down, world.db.is_flaky));
        self.sim.sleep(self.sim.between(Duration::from_micros(100), Duration::from_millis(3))).await;
        if is_down || (is_flaky && self.sim.chance(5)) {
            self.sim.sleep(Duration::from_millis(100)).await;
            return Err(Down);
        }
        let done = self.world(|world| work(&mut world.db, self.sim.now()));
        self.sim.sleep(self.sim.between(Duration::from_micros(100), Duration::from_millis(2))).await;
        if is_flaky && self.sim.chance(5) {
            self.sim.sleep(Duration::from_millis(100)).await;
            return Err(Down);
        }
        Ok(done)
    }

    /// Runs one statement again until it is answered.
    pub(crate) async fn db_surely<T>(&self, mut work: impl FnMut(&mut Db, Duration) -> T) -> T {
        loop {
            if let Ok(done) = self.db(&mut work).await {
                return done;
            }
        }
    }

    /// Encodes events that follow a version of a stream.
    pub(crate) fn encode(&self, to: &Stamp, version: i64, events: &[Event]) -> Vec<NewEvent> {
        let command_id = self.id();
        let mut new = Vec::new();
        for (version, event) in (version + 1..).zip(events) {
            let encoded = dvt_codec::encode(event);
            self.world(|world| world.db.put_blobs(encoded.blobs));
            let category = event.category();
            new.push(NewEvent {
                event_id: self.id(),
                category: category.as_str().to_owned(),
                stream_id: to.stream_id,
                version,
                tenant_id: TENANT,
                project_id: Some(to.project_id),
                topic: category.topic().as_str().to_owned(),
                event_type: event.name().to_owned(),
                schema_fingerprint: encoded.fingerprint.0,
                payload: encoded.payload,
                actor: to.actor.clone(),
                command_id,
                correlation_id: command_id,
                causation_id: None,
                traceparent: None,
                occurred_at: self.clock(),
            });
        }
        new
    }
}

/// Says where events go, and who appends them.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) project_id: Uuid,
    pub(crate) stream_id: Uuid,
    pub(crate) actor: String,
}
