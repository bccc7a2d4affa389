//! What goes wrong: processes die and sleep, and everything that they reach is away or misbehaves for a time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use dvt_bus::leases::RELAY;

use crate::consumer::{self, Duty};
use crate::gateway::Gateways;
use crate::runtime::{OUTSIDE, Process, Sim};
use crate::world::{Node, World};
use crate::{executor, publisher, relay};

/// The processes: two of each service.
const PLACES: usize = 8;
/// The first of them, which have a relay too.
const RELAYS: usize = 4;
/// How soon another leads the relay.
const TAKEOVER: Duration = Duration::from_secs(3);
/// How soon a leader sees that a partition to which it writes was wiped.
const NOTICE: Duration = Duration::from_secs(6);

/// What runs, by place.
#[derive(Clone)]
pub(crate) struct Product {
    pub(crate) outside: Node,
    pub(crate) gateways: Gateways,
    world: Rc<RefCell<World>>,
    places: Rc<RefCell<Vec<Option<Process>>>>,
}

impl Product {
    /// Starts every process.
    pub(crate) fn start(sim: &Sim, world: &Rc<RefCell<World>>) -> Self {
        let product = Self {
            outside: Node::new(sim, world, (OUTSIDE, "outside")),
            gateways: Gateways::default(),
            world: world.clone(),
            places: Rc::new(RefCell::new(vec![None; PLACES])),
        };
        (0..PLACES).for_each(|place| product.start_at(place));
        product
    }

    fn start_at(&self, place: usize) {
        let sim = &self.outside.sim;
        let process = sim.number();
        self.places.borrow_mut()[place] = Some(process);
        let named = |name| Node::new(sim, &self.world, (process, name));
        let consume = |duty: Duty| {
            let node = named(duty.name());
            node.clone().spawn(consumer::run(node, duty));
        };
        match place {
            0 | 1 => {
                let (node, relaying) = (named("gateway"), named("relay"));
                node.clone().spawn(self.gateways.clone().serve(node, place));
                relaying.clone().spawn(relay::run(relaying));
            }
            2 | 3 => {
                consume(Duty::Views);
                let relaying = named("relay");
                relaying.clone().spawn(relay::run(relaying));
            }
            4 | 5 => {
                consume(Duty::Compilations);
                publisher::start(&named("artifact"));
            }
            _ => {
                consume(Duty::Runs);
                executor::start(&named("executor"));
            }
        }
        self.rebalance();
    }

    fn kill(&self, place: usize) {
        if let Some(process) = self.places.borrow_mut()[place].take() {
            self.outside.trace(|| format!("kills process {process}"));
            self.outside.sim.kill(process);
        }
    }

    /// Gives each partition to one of the two processes that read it, or to nobody.
    fn rebalance(&self) {
        let places = self.places.borrow();
        self.outside.world(|world| {
            let slots = world.db.slots();
            for (duty, pair) in Duty::ALL.iter().zip([[2, 3], [4, 5], [6, 7]]) {
                for slot in slots.iter().filter(|slot| duty.follows(slot)) {
                    let key = (slot.clone(), duty.name().to_owned());
                    let chosen = self.outside.sim.below(5) as usize;
                    match pair.get(chosen % 3).and_then(|place| places[*place]) {
                        Some(process) => world.kafka.assigned.insert(key, process),
                        None => world.kafka.assigned.remove(&key),
                    };
                }
            }
        });
    }

    /// Looks all the time whether someone leads the relay: another must soon after a leader's death or sleep.
    pub(crate) async fn watch_leaders(self) {
        let sim = self.outside.sim.clone();
        let (mut calm_since, mut written) = (Duration::ZERO, BTreeMap::new());
        loop {
            sim.sleep(Duration::from_millis(50)).await;
            let now = sim.now();
            let has_relay = {
                let places = self.places.borrow();
                places[..RELAYS].iter().flatten().any(|process| !sim.is_asleep(*process))
            };
            self.outside.world(|world| {
                let kafka = &world.kafka;
                if world.db.is_down || world.db.is_flaky || !has_relay || kafka.is_down || kafka.is_troubled {
                    calm_since = now;
                }
                // A leader that writes to a partition after a wipe must see that its records are gone.
                written.retain(|slot, _| kafka.wiped.contains_key(slot));
                let again = kafka.wiped.keys().filter(|slot| kafka.partitions.get(slot).is_some_and(|p| p.high() > 0));
                for slot in again {
                    written.entry(slot.clone()).or_insert(now);
                }
                let unseen = written.iter().find(|(_, since)| now - calm_since.max(**since) > NOTICE);
                if let Some((slot, since)) = unseen {
                    let seen = format!("{slot} is written again since {since:?}, and nobody saw that it was wiped");
                    world.breaks("loss_noticed", seen);
                }
                let renewed = world.db.lease.expires_at.saturating_sub(RELAY.ttl);
                if now - calm_since > TAKEOVER && now - renewed > TAKEOVER {
                    world.breaks("takeover", format!("nobody has led the relay since {renewed:?}"));
                }
            });
        }
    }

    /// Lets things go wrong until a moment; then all is well again, and whoever publishes is started anew.
    pub(crate) async fn trouble(&self, until: Duration) {
        let sim = self.outside.sim.clone();
        while sim.now() < until {
            sim.sleep(sim.between(Duration::from_millis(100), Duration::from_millis(1_500))).await;
            self.strike();
        }
        sim.sleep(Duration::from_secs(12)).await; // the longest fault has ended
        self.outside.world(|world| {
            (world.db.is_down, world.db.is_flaky) = (false, false);
            (world.kafka.is_down, world.kafka.is_troubled, world.kafka.registry_is_down) = (false, false, false);
            (world.target.is_troubled, world.git.is_down, world.git.is_slow) = (false, false, false);
        });
        for place in 0..PLACES {
            if place < RELAYS {
                self.kill(place);
            }
            if self.places.borrow()[place].is_none() {
                self.start_at(place);
            }
        }
        self.outside.trace(|| "all is well".to_owned());
    }

    fn strike(&self) {
        let sim = &self.outside.sim;
        let place = sim.below(PLACES as u64) as usize;
        match sim.below(14) {
            0 | 1 => {
                self.kill(place);
                self.later(sim.between(Duration::ZERO, Duration::from_secs(4)), move |product| {
                    if product.places.borrow()[place].is_none() {
                        product.start_at(place);
                    }
                });
            }
            2 | 3 => {
                let time = sim.between(Duration::from_millis(200), Duration::from_secs(10));
                if let Some(process) = self.places.borrow()[place] {
                    self.outside.trace(|| format!("puts process {process} to sleep for {time:?}"));
                    sim.put_to_sleep(process, sim.now() + time);
                }
            }
            4 => self.switch("the database is down", 3, |world, is| world.db.is_down = is),
            5 => self.switch("answers of the database get lost", 4, |world, is| world.db.is_flaky = is),
            6 => self.switch("Kafka is down", 6, |world, is| world.kafka.is_down = is),
            7 | 8 => self.switch("Kafka misbehaves", 8, |world, is| world.kafka.is_troubled = is),
            9 => {
                let is_renamed = sim.chance(30);
                self.outside.trace(|| format!("wipes Kafka, renamed: {is_renamed}"));
                self.outside.world(|world| world.wipe_kafka(is_renamed));
            }
            10 => {
                let records = 1 + sim.below(4) as usize;
                let truncates = sim.chance(40);
                self.outside.trace(|| format!("Kafka loses {records} records, its last: {truncates}"));
                self.outside.world(|world| match truncates {
                    true => world.truncate_kafka(records),
                    false => world.kafka.expire(records, &world.readers),
                });
            }
            11 => self.switch("the registry is down", 6, |world, is| world.kafka.registry_is_down = is),
            12 => self.switch("the target misbehaves", 10, |world, is| world.target.is_troubled = is),
            _ => {
                self.switch("Git is slow", 8, |world, is| world.git.is_slow = is);
                if sim.chance(40) {
                    self.switch("Git is down", 4, |world, is| world.git.is_down = is);
                }
                self.rebalance();
            }
        }
    }

    /// Turns a fault on for up to some seconds.
    fn switch(&self, what: &'static str, seconds: u64, set: fn(&mut World, bool)) {
        let sim = &self.outside.sim;
        let time = sim.between(Duration::from_millis(100), Duration::from_secs(seconds));
        self.outside.trace(|| format!("{what} for {time:?}"));
        self.outside.world(|world| set(world, true));
        self.later(time, move |product| product.outside.world(|world| set(world, false)));
    }

    fn later(&self, time: Duration, act: impl FnOnce(&Self) + 'static) {
        let product = self.clone();
        self.outside.spawn(async move {
            product.outside.sim.sleep(time).await;
            act(&product);
        });
    }
}
