//! The checker: asks the log, the views, the warehouse, the repositories, the live stream and the clients' own record
//! whether every promise was kept. Each finding begins with the invariant that it breaks.

mod git;
mod log;
mod steps;
mod views;

pub(crate) use log::repeat;

use anyhow::Result;
use tokio_postgres::Client;

use crate::client::Burst;
use crate::world::World;

/// What a check found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// Acknowledged, and not there.
    pub(crate) lost: usize,
    /// There twice.
    pub(crate) doubled: usize,
    pub(crate) views_differ: bool,
    pub(crate) findings: Vec<String>,
}

impl Verdict {
    /// Makes a verdict of one thing that is wrong.
    pub(crate) fn of(finding: String) -> Self {
        Self { findings: vec![finding], ..Self::default() }
    }

    /// Adds what another check found.
    pub(crate) fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.views_differ |= other.views_differ;
        self.findings.extend(other.findings);
    }

    fn find(&mut self, invariant: &str, what: impl std::fmt::Display) {
        self.findings.push(format!("{invariant} {what}"));
    }

    /// Notes each row of a query that answers what is wrong.
    async fn none(&mut self, client: &Client, invariant: &str, sql: &str) -> Result<usize> {
        let rows = client.query(sql, &[]).await?;
        for row in &rows {
            self.find(invariant, row.get::<_, String>(0));
        }
        Ok(rows.len())
    }
}

/// Checks a world that is at rest.
///
/// # Errors
/// When it cannot be asked.
pub(crate) async fn check(world: &World<'_>, burst: &Burst) -> Result<Verdict> {
    let mut verdict = record(world, burst).await?;
    let (database, target) = (world.database().await?, world.target().await?);
    steps::check(&mut verdict, (&database, &target)).await?;
    git::check(&mut verdict, &database, (world.repositories(), burst)).await?;
    views::check(&mut verdict, &database, world).await?;
    for process in world.processes() {
        if let Some(line) = process.log().lines().find(|line| line.contains("panicked")) {
            verdict.find("I10", format!("{} panicked: {line}", process.name()));
        }
    }
    Ok(verdict)
}

/// Checks what the clients of one project know against the log.
///
/// # Errors
/// As [`check`].
pub(crate) async fn record(world: &World<'_>, burst: &Burst) -> Result<Verdict> {
    let mut verdict = Verdict { findings: burst.http.wrong(), ..Verdict::default() };
    let database = world.database().await?;
    log::check(&mut verdict, &database, burst).await?;
    log::check_stream(&mut verdict, &database, burst).await?;
    Ok(verdict)
}
