//! The shell of the relay: does what its machine says, with the simulated log and Kafka.

use std::collections::BTreeMap;
use std::time::Duration;

use dvt_bus::Slot;
use dvt_bus::leases::RELAY;
use dvt_bus::relay::cursor::{Delivery, Mark, Progress, acknowledge, probe, start};
use dvt_bus::relay::machine::{Effect, Input, Machine, Published};
use dvt_mutant::mutant;
use futures::future::{Either, select};

use crate::world::{Down, Node};

/// How often the log is looked at.
const POLL: Duration = Duration::from_millis(100);
/// How many events of a partition are sent at once.
const BATCH: usize = 20;

/// Runs one life of a relay.
pub(crate) async fn run(node: Node) {
    let mut relay = Relay { node: node.clone(), cluster: 0, epoch: 0, is_open: false };
    let mut machine = Machine::default();
    loop {
        let mut input = Some(Input::Tick);
        while let Some(next) = input.take() {
            for effect in machine.handle(next, node.sim.now()) {
                node.trace(|| format!("is told {effect:?}"));
                input = relay.answer(effect).await;
            }
        }
        node.sim.sleep(POLL).await;
    }
}

struct Relay {
    node: Node,
    cluster: u64,
    epoch: i64,
    is_open: bool,
}

impl Relay {
    async fn answer(&mut self, effect: Effect) -> Option<Input> {
        let answer = match effect {
            Effect::Lead => self.lead().await.map(Input::Led),
            Effect::Open => renewing(self.node.clone(), self.open()).await.map(Input::Opened),
            Effect::ReadHeads => self.node.db(|db, _| db.heads()).await.map(Input::Heads),
            Effect::Publish(lanes) => renewing(self.node.clone(), self.publish(lanes)).await,
            Effect::Close => {
                self.is_open = false;
                return None;
            }
        };
        Some(answer.unwrap_or(Input::Failed))
    }

    async fn lead(&mut self) -> Result<Option<i64>, Down> {
        let holder = self.node.process;
        let led = self.node.db(|db, now| db.lead(holder, now, RELAY.ttl)).await?;
        self.epoch = led.unwrap_or_default();
        Ok(led)
    }

    async fn open(&mut self) -> Result<Vec<(Slot, Progress)>, Down> {
        self.is_open = false;
        self.kafka().await?;
        self.cluster = self.node.world(|world| world.kafka.cluster);
        let cluster = self.cluster;
        let cursors: BTreeMap<Slot, Mark> = self
            .node
            .db(|db, _| {
                let ours = db.cursors.iter().filter(|((of, _), _)| *of == cluster);
                ours.map(|((_, slot), (mark, _))| (slot.clone(), *mark)).collect()
            })
            .await?;
        self.kafka().await?;
        let slots = self.node.world(|world| world.db.slots());
        let losses = self.node.world(|world| (world.kafka.unnoticed.clone(), world.kafka.wiped.clone()));
        let held = self.node.world(|world| {
            let holding = |slot: Slot| {
                let partition = world.kafka.partition(&slot).clone();
                let read = probe(cursors.get(&slot).copied(), partition.bounds()).and_then(|at| partition.at(at));
                (slot, partition.bounds(), read)
            };
            slots.into_iter().map(holding).collect::<Vec<_>>()
        });
        self.kafka().await?;
        if self.node.world(|world| world.kafka.cluster) != cluster {
            return Err(Down);
        }
        let lowest: Vec<i64> = self.node.db(|db, _| held.iter().map(|(slot, ..)| db.lowest(slot)).collect()).await?;
        let starts = held.into_iter().zip(lowest).map(|((slot, bounds, read), lowest)| {
            let started = start(cursors.get(&slot).copied(), lowest, bounds, read);
            (slot, started)
        });
        let starts: Vec<(Slot, Progress)> = starts.collect();
        let moved: Vec<_> = starts
            .iter()
            .filter(|(slot, start)| {
                cursors.get(slot) != Some(&start.mark) && !mutant("relay_sets_no_cursor_at_the_start")
            })
            .map(|(slot, start)| (slot.clone(), start.mark))
            .collect();
        if !self.move_cursors(moved, true).await? {
            return Err(Down);
        }
        self.node.world(|world| world.noticed(losses));
        self.is_open = true;
        Ok(starts)
    }

    /// Moves cursors, also backwards if told; false: a newer leader has moved one.
    async fn move_cursors(&self, cursors: Vec<(Slot, Mark)>, backwards: bool) -> Result<bool, Down> {
        let (cluster, epoch) = (self.cluster, self.epoch);
        self.node
            .db(|db, _| {
                let mut all = true;
                for (slot, mark) in cursors {
                    let known = db.cursors.get(&(cluster, slot.clone())).copied();
                    let is_newer = known.is_some_and(|(_, of)| of > epoch);
                    let is_ahead = known.is_some_and(|(known, _)| known.position >= mark.position);
                    if is_newer || (is_ahead && !backwards) {
                        all = false;
                        continue;
                    }
                    db.cursors.insert((cluster, slot), (mark, epoch));
                }
                all
            })
            .await
    }

    async fn kafka(&self) -> Result<(), Down> {
        self.node.sim.sleep(self.node.sim.between(Duration::from_millis(1), Duration::from_millis(8))).await;
        match self.node.world(|world| world.kafka.is_down) {
            true => {
                self.node.sim.sleep(Duration::from_secs(1)).await;
                Err(Down)
            }
            false => Ok(()),
        }
    }

    async fn publish(&self, lanes: Vec<(Slot, Progress)>) -> Result<Input, Down> {
        if !self.is_open {
            return Err(Down);
        }
        let (mut published, mut has_failed) = (Vec::new(), false);
        for (slot, progress) in lanes {
            let events = self.node.db(|db, _| db.list(&slot, progress.mark.position, i64::MAX, BATCH)).await?;
            let mut deliveries = Vec::new();
            let mut is_held = false;
            for event in events {
                if !self.has_schema(&event.event_type).await? {
                    is_held = true;
                    break;
                }
                deliveries.push((event.position, self.send(&slot, event.position).await));
            }
            let progress = acknowledge(progress, deliveries).unwrap_or_else(|known| {
                has_failed = true;
                known
            });
            published.push((slot, Published { progress, is_held }));
        }
        let marks = published.iter().map(|(slot, published)| (slot.clone(), published.progress.mark)).collect();
        self.move_cursors(marks, false).await?;
        Ok(if has_failed { Input::Failed } else { Input::Published(published) })
    }

    async fn has_schema(&self, event_type: &str) -> Result<bool, Down> {
        if self.node.world(|world| world.db.registry_ids.contains(event_type)) {
            return Ok(true);
        }
        if self.node.world(|world| world.kafka.registry_is_down) {
            return Ok(false);
        }
        self.node.db(|db, _| db.registry_ids.insert(event_type.to_owned())).await?;
        Ok(true)
    }

    /// Sends one record: it may fail, or arrive without an answer, or twice.
    async fn send(&self, slot: &Slot, position: i64) -> Delivery {
        let sim = &self.node.sim;
        sim.sleep(sim.between(Duration::from_micros(200), Duration::from_millis(4))).await;
        let (is_down, trouble) = self.node.world(|world| (world.kafka.is_down, world.kafka.is_troubled));
        if is_down || (trouble && sim.chance(15)) {
            return Delivery::Failed;
        }
        let offset = self.node.world(|world| world.kafka.append(slot, position));
        if trouble && sim.chance(10) {
            self.node.world(|world| world.kafka.append(slot, position));
        }
        sim.sleep(sim.between(Duration::from_micros(200), Duration::from_millis(4))).await;
        if trouble && sim.chance(10) {
            return Delivery::Failed;
        }
        // A cluster that had the record already may not say where.
        if sim.chance(3) { Delivery::Failed } else { Delivery::Acknowledged(offset) }
    }
}

/// Does what takes long while the lease is renewed.
async fn renewing<T>(node: Node, work: impl Future<Output = T>) -> T {
    let holder = node.process;
    let heart = async {
        loop {
            node.sim.sleep(RELAY.renew).await;
            let renew = |db: &mut crate::db::Db, now| {
                if db.lease.holder == holder {
                    db.lease.expires_at = now + RELAY.ttl;
                }
            };
            let _ = node.db(renew).await;
        }
    };
    match select(std::pin::pin!(work), std::pin::pin!(heart)).await {
        Either::Left((done, _)) => done,
        Either::Right(((), _)) => unreachable!("invariant: the heart beats for ever"),
    }
}
