//! What breaks around DVT+: databases, Kafka, the network, the target, Git, and DVT+'s own processes by somebody's hand.

mod kafka;
mod postgres;
mod processes;
mod target;

use std::time::Instant;

use anyhow::Result;

use crate::check::Verdict;
use crate::client::Burst;
use crate::crash::settle;
use crate::parts::Parts;
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
    "registry down",
    "messages doubled",
    "messages dropped",
    "messages poisoned",
    "git sink down",
    "target cut mid-statement",
    "target cut at commit",
    "executor paused",
    "rolling restart",
    "migration killed",
];
/// How many processes each service has.
const REPLICAS: usize = 2;
/// How many files more than before a process may hold open when a fault has ended.
const FILES: usize = 24;

/// Breaks one thing after the other.
///
/// # Errors
/// When the parts cannot be used; what is against the promises goes into the report.
pub(crate) async fn all(parts: &Parts, report: &mut Report) -> Result<()> {
    if NAMES.iter().any(|name| report.asks_for(name)) {
        shared(parts, report).await?;
    }
    if report.asks_for("kafka wiped") {
        let mut rows = Rows::begin((parts, "wiped"), report).await?;
        rows.row("kafka wiped", kafka::wiped).await?;
        rows.end().await;
    }
    Ok(())
}

async fn shared(parts: &Parts, report: &mut Report) -> Result<()> {
    let mut rows = Rows::begin((parts, "rows"), report).await?;
    for name in NAMES.iter().filter(|name| is_possible(name)) {
        rows.named(name).await?;
    }
    rows.end().await;
    Ok(())
}

/// A disk of our own needs the rights of root.
pub(crate) fn is_possible(name: &str) -> bool {
    name != "postgres full" || rustix::process::geteuid().is_root()
}

/// One DVT+ that things happen to.
pub(crate) struct Rows<'a, 'b> {
    pub(crate) world: World<'a>,
    pub(crate) burst: Burst,
    pub(crate) report: &'b mut Report,
}

impl<'a, 'b> Rows<'a, 'b> {
    pub(crate) async fn begin((parts, name): (&'a Parts, &str), report: &'b mut Report) -> Result<Self> {
        let mut world = World::make(parts, name).await?;
        world.start(REPLICAS).await?;
        let burst = Burst::begin(&world.urls()).await?;
        Ok(Self { world, burst, report })
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
            "registry down" => self.row(name, kafka::registry_down).await,
            "messages doubled" => self.row(name, kafka::doubled).await,
            "messages dropped" => self.row(name, kafka::dropped).await,
            "messages poisoned" => self.row(name, kafka::poisoned).await,
            "git sink down" => self.row(name, processes::git_down).await,
            "target cut mid-statement" => self.row(name, target::cut).await,
            "target cut at commit" => self.row(name, target::cut_at_commit).await,
            "executor paused" => self.row(name, processes::paused).await,
            "rolling restart" => self.row(name, processes::rolled).await,
            "migration killed" => self.row(name, processes::migration_killed).await,
            other => anyhow::bail!("there is no fault {other}"),
        }
    }

    /// Breaks one thing, and checks everything once it is whole again.
    async fn row(&mut self, name: &str, fault: impl AsyncFn(&World<'_>, &Burst) -> Result<usize>) -> Result<()> {
        if !self.report.asks_for(name) {
            return Ok(());
        }
        let begun = Instant::now();
        let files = self.open_files();
        let mut hits = 0;
        let verdict = async {
            hits = fault(&self.world, &self.burst).await?;
            let mut verdict = settle(&self.world, &self.burst).await?;
            self.check_files(&mut verdict, &files);
            Ok(verdict)
        };
        let verdict = verdict.await;
        let is_whole = verdict.is_ok();
        self.report.line((name, REPLICAS, hits), verdict, begun.elapsed());
        if !is_whole {
            // What its clients sent and gave up on, nobody knows.
            self.burst = Burst::begin(&self.world.urls()).await?;
        }
        Ok(())
    }

    fn open_files(&self) -> Vec<(u32, usize)> {
        self.world.processes().map(|process| (process.lives(), process.open_files())).collect()
    }

    /// I11: a process that lived through the fault holds no more open than before.
    fn check_files(&self, verdict: &mut Verdict, before: &[(u32, usize)]) {
        for (process, (lives, files)) in self.world.processes().zip(before) {
            let now = process.open_files();
            if process.lives() == *lives && now > files + FILES {
                verdict.findings.push(format!("I11 {} held {files} files open, now {now}", process.name()));
            }
        }
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

/// Lists every service's processes that can be killed without asking a client to wait: all but gateways.
fn behind_the_gateway() -> impl Iterator<Item = Service> {
    Service::ALL.into_iter().filter(|service| *service != Service::Gateway)
}
