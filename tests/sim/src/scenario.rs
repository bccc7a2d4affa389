//! One seed: a product of two of each service, its clients, its faults, and the checks.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use uuid::Uuid;

use crate::checks;
use crate::faults::Product;
use crate::gateway::client;
use crate::runtime::{OUTSIDE, Sim};
use crate::world::World;

/// How long things go wrong.
pub(crate) const TROUBLE: Duration = Duration::from_secs(12);
/// How long everything may take to drain afterwards.
const DRAIN: Duration = Duration::from_secs(150);
const CLIENTS: u64 = 4;
/// How many there are where all are in a hurry.
const CROWD: u64 = 14;

/// What came of a seed.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    /// The checks that failed, with what they saw.
    pub(crate) broken: Vec<(&'static str, String)>,
    pub(crate) trace: Vec<String>,
    events: usize,
    steps: usize,
    commits: usize,
    virtual_time: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {} events, {:.0} s", self.seed, self.events, self.virtual_time.as_secs_f64())?;
        for (check, seen) in &self.broken {
            write!(f, "\n  {check}: {seen}")?;
        }
        Ok(())
    }
}

/// Sums reports.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    seeds: usize,
    events: usize,
    steps: usize,
    commits: usize,
    virtual_time: Duration,
}

impl Totals {
    pub(crate) fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.events += report.events;
        self.steps += report.steps;
        self.commits += report.commits;
        self.virtual_time += report.virtual_time;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, events, steps, commits, virtual_time } = self;
        let hours = virtual_time.as_secs_f64() / 3_600.0;
        write!(f, "{seeds} seeds: {events} events, {steps} steps with effect, {commits} commits, {hours:.1} h")
    }
}

/// Runs one seed; a panic is a check that failed.
pub(crate) fn run_safely(seed: u64) -> Report {
    std::panic::catch_unwind(|| run(seed, false)).unwrap_or_else(|_| Report {
        seed,
        broken: vec![("no_panic", "it panicked".to_owned())],
        trace: Vec::new(),
        events: 0,
        steps: 0,
        commits: 0,
        virtual_time: Duration::ZERO,
    })
}

/// Runs one seed.
pub(crate) fn run(seed: u64, traces: bool) -> Report {
    let (sim, world) = (Sim::new(seed, traces), Rc::new(RefCell::new(World::default())));
    let projects: Vec<Uuid> = (0..1 + sim.below(2)).map(|number| project(seed, number)).collect();
    world.borrow_mut().db.projects.clone_from(&projects);
    world.borrow_mut().kafka.wipe(true);
    let product = Product::start(&sim, &world);
    let hurries = sim.chance(20);
    let clients = if hurries { CROWD } else { CLIENTS };
    let open = Rc::new(RefCell::new(clients));
    for number in 0..clients {
        let (node, gateways, open) = (product.outside.clone(), product.gateways.clone(), open.clone());
        let project_id = projects[(number as usize) % projects.len()];
        sim.spawn(OUTSIDE, async move {
            client(node, gateways, (project_id, number, hurries)).await;
            *open.borrow_mut() -= 1;
        });
    }
    let reader = product.outside.clone();
    sim.spawn(OUTSIDE, async move {
        loop {
            reader.sim.sleep(Duration::from_millis(40)).await;
            reader.world(|world| world.read_kafka());
        }
    });
    sim.spawn(OUTSIDE, product.clone().watch_leaders());
    let trouble = product.clone();
    let is_well = Rc::new(RefCell::new(false));
    let well = is_well.clone();
    sim.spawn(OUTSIDE, async move {
        trouble.trouble(TROUBLE).await;
        *well.borrow_mut() = true;
    });
    let mut at = TROUBLE;
    let is_done = || *is_well.borrow() && *open.borrow() == 0 && checks::is_drained(&world.borrow());
    while at < TROUBLE + DRAIN && world.borrow().broken.is_empty() {
        at += Duration::from_secs(1);
        sim.run_until(at);
        if is_done() {
            break;
        }
    }
    sim.end();
    let mut world = world.borrow_mut();
    if *open.borrow() > 0 && world.broken.is_empty() {
        world.breaks("answered", format!("{} clients still wait for an answer", open.borrow()));
    }
    if world.broken.is_empty() {
        let broken = checks::ALL.iter().filter_map(|(name, check)| Some((*name, check(&world)?)));
        let broken: Vec<_> = broken.collect();
        world.broken.extend(broken);
    }
    Report {
        seed,
        broken: std::mem::take(&mut world.broken),
        trace: sim.take_trace(),
        events: world.db.log.events().len(),
        steps: world.target.ledger.len(),
        commits: world.git.branches.values().map(Vec::len).sum(),
        virtual_time: at,
    }
}

/// Names a project; each seed has others, so that its partitions are others.
fn project(seed: u64, number: u64) -> Uuid {
    let ids = u128::from(seed) << 8 | u128::from(number) << 2;
    Uuid::from_u128((0x0190_0000_0000 << 80) | (0x7 << 76) | (0x8 << 60) | ids << 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays_to_the_same_trace() {
        let (once, again) = (run(7, true), run(7, true));
        assert!(once.trace.len() > 100, "{}", once.trace.len());
        assert_eq!(once.trace, again.trace);
    }
}
