//! What breaks around DVT+: databases, Kafka, the network, the target, Git, and DVT+'s own processes by somebody's hand.

mod clients;
mod kafka;
mod postgres;
mod processes;
mod target;

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Result;
use rustix::process::Pid;

use crate::client::{Burst, Play};
use crate::crash::settle;
use crate::parts::Parts;
use crate::process::Process;
use crate::report::Report;
use crate::world::{Service, World};

/// The faults that one DVT+ lives through, one after the other.
pub(crate) const NAMES: &[&str] = &[
    "postgres killed",
    "postgres slow",
    "postgres cut",
    "postgres locked",
    "postgres full",
    "kafka killed",
    "kafka unreachable",
    "slow consumer",
    "registry down",
    "messages doubled",
    "messages dropped",
    "messages poisoned",
    "git sink down",
    "target cut mid-statement",
    "target cut at commit",
    "executor paused",
    "rolling restart",
    "clocks wrong",
    "overload",
    "migration killed",
];
/// Those that break what others stand on, too.
const ALONE: [&str; 3] = ["postgres killed", "kafka killed", "kafka unreachable"];
/// Those that fill the log, and so make each check after them last longer.
const LARGE: [&str; 2] = ["kafka away", "kafka wiped"];
/// How many processes each service has.
const REPLICAS: usize = 2;
/// How many files more than before a process may hold open when a fault has ended.
const FILES: usize = 24;
/// What a process may hold more than the tenth of its memory that it may have gained: caches fill with the first work.
const MEMORY: u64 = 8 * 1024;

/// What a process holds.
struct Holding {
    pid: Option<Pid>,
    files: usize,
    /// In KiB.
    memory: u64,
}

/// Breaks one thing after the other that nobody else stands on.
///
/// # Errors
/// When the parts cannot be used; what is against the promises goes into the report.
pub(crate) async fn beside(parts: &Parts, report: &Report) -> Result<()> {
    let names = NAMES.iter().filter(|name| !ALONE.contains(name));
    one_by_one((parts, "rows"), names, report).await
}

/// Breaks one thing after the other that everybody stands on.
///
/// # Errors
/// As [`beside`].
pub(crate) async fn alone(parts: &Parts, report: &Report) -> Result<()> {
    one_by_one((parts, "alone"), ALONE.iter().chain(&LARGE), report).await
}

async fn one_by_one(world: (&Parts, &str), names: impl Iterator<Item = &&'static str>, report: &Report) -> Result<()> {
    let asked: Vec<&str> = names.copied().filter(|name| report.asks_for(name)).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::begin(world, report).await?;
    for name in asked {
        if is_possible(name).await {
            rows.named(name).await?;
        }
    }
    rows.end().await;
    Ok(())
}

/// Says whether this machine lets us break that: a disk of our own needs the rights of root, and not every container
/// has them.
pub(crate) async fn is_possible(name: &str) -> bool {
    if name != "postgres full" {
        return true;
    }
    let disk = postgres::Disk::mount("probe").await;
    if let Err(error) = &disk {
        println!("{name}: not here, {error:#}");
    }
    disk.is_ok()
}

/// One DVT+ that things happen to.
pub(crate) struct Rows<'a, 'b> {
    pub(crate) world: World<'a>,
    pub(crate) burst: Burst,
    pub(crate) report: &'b Report,
    /// What each process held after the last fault.
    held: Vec<Holding>,
}

impl<'a, 'b> Rows<'a, 'b> {
    pub(crate) async fn begin((parts, name): (&'a Parts, &str), report: &'b Report) -> Result<Self> {
        let mut world = World::make(parts, name).await?;
        world.start(REPLICAS).await?;
        let burst = Burst::begin(&world.urls()).await?;
        Ok(Self { world, burst, report, held: Vec::new() })
    }

    /// Breaks what has this name.
    pub(crate) async fn named(&mut self, name: &str) -> Result<()> {
        match name {
            "postgres killed" => self.row(name, postgres::killed).await,
            "postgres slow" => self.row(name, postgres::slow).await,
            "postgres cut" => self.row(name, postgres::cut).await,
            "postgres locked" => self.row(name, postgres::locked).await,
            "postgres full" => self.row(name, postgres::full).await,
            "kafka killed" => self.row(name, kafka::killed).await,
            "kafka unreachable" => self.row(name, kafka::unreachable).await,
            "kafka away" => self.row(name, kafka::away).await,
            "kafka wiped" => self.row(name, kafka::wiped).await,
            "slow consumer" => self.row(name, kafka::slow_consumer).await,
            "registry down" => self.row(name, kafka::registry_down).await,
            "messages doubled" => self.row(name, kafka::doubled).await,
            "messages dropped" => self.row(name, kafka::dropped).await,
            "messages poisoned" => self.row(name, kafka::poisoned).await,
            "git sink down" => self.row(name, processes::git_down).await,
            "target cut mid-statement" => self.row(name, target::cut).await,
            "target cut at commit" => self.row(name, target::cut_at_commit).await,
            "executor paused" => self.row(name, processes::paused).await,
            "rolling restart" => self.row(name, processes::rolled).await,
            "overload" => self.row(name, clients::overload).await,
            "clocks wrong" => self.row(name, processes::clocks).await,
            "migration killed" => self.row(name, processes::migration_killed).await,
            other => anyhow::bail!("there is no fault {other}"),
        }
    }

    /// Breaks one thing, and checks everything once it is whole again.
    async fn row(&mut self, name: &str, fault: impl AsyncFn(&World<'_>, &Burst) -> Result<usize>) -> Result<()> {
        let begun = Instant::now();
        let mut hits = 0;
        let verdict = async {
            hits = fault(&self.world, &self.burst).await?;
            let mut verdict = settle(&self.world, &self.burst).await?;
            // What the first work of a kind fills once is no leak: a leak grows again, and in the same process.
            let mut before = BTreeSet::new();
            loop {
                let grown = self.grown();
                verdict
                    .findings
                    .extend(grown.iter().filter(|(of, _)| before.contains(of)).map(|(_, what)| what.clone()));
                self.held = self.holdings();
                if grown.iter().all(|(of, _)| before.contains(of)) {
                    break;
                }
                before.extend(grown.into_iter().map(|(of, _)| of));
                hits += fault(&self.world, &self.burst).await?;
                verdict.add(settle(&self.world, &self.burst).await?);
            }
            anyhow::Ok(verdict)
        };
        let verdict = verdict.await;
        let is_whole = verdict.is_ok();
        self.report.add((&[(name, hits)], REPLICAS), verdict, begun.elapsed());
        self.report.add_times(name, self.world.take_times());
        if !is_whole {
            // What its clients sent and gave up on, nobody knows.
            self.burst = Burst::begin(&self.world.urls()).await?;
        }
        Ok(())
    }

    fn holdings(&self) -> Vec<Holding> {
        let of =
            |process: &Process| Holding { pid: process.pid(), files: process.open_files(), memory: process.memory() };
        self.world.processes().map(of).collect()
    }

    /// I11: a process that has lived since it was last looked at holds no more open and no more memory than then. Answers
    /// the processes that do, and what.
    fn grown(&self) -> Vec<(String, String)> {
        let mut grown = Vec::new();
        for (process, now) in self.world.processes().zip(self.holdings()) {
            let Some(before) = self.held.iter().find(|held| held.pid == now.pid) else { continue };
            let name = process.name();
            if now.files > before.files + FILES {
                let what = format!("I11 {name} held {} files open, now {}", before.files, now.files);
                grown.push((name.to_owned(), what));
            }
            if now.memory > before.memory + before.memory / 10 + MEMORY {
                let what = format!("I11 {name} held {} KiB, now {}", before.memory, now.memory);
                grown.push((name.to_owned(), what));
            }
        }
        grown
    }

    pub(crate) async fn end(self) {
        self.world.stop().await;
    }
}

/// Waits for work and for the fault in its midst: the work is not left half done where the fault fails.
async fn both<T>(work: impl Future<Output = Result<()>>, fault: impl Future<Output = Result<T>>) -> Result<T> {
    let (worked, struck) = tokio::join!(work, fault);
    worked?;
    struck
}

/// Works until the fault is over.
async fn under_load<T>(burst: &Burst, fault: impl Future<Output = Result<T>>) -> Result<T> {
    let over = std::cell::Cell::new(false);
    let load = async {
        while !over.get() {
            burst.play(Play::ALL).await?;
        }
        Ok(())
    };
    let fault = async {
        let struck = fault.await;
        over.set(true);
        struck
    };
    both(load, fault).await
}

/// Lists every service's processes that can be killed without asking a client to wait: all but gateways.
fn behind_the_gateway() -> impl Iterator<Item = Service> {
    Service::ALL.into_iter().filter(|service| *service != Service::Gateway)
}
