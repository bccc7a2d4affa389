//! DVT+'s own processes and what they write to: paused, restarted one after the other, killed while they migrate.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tokio::process::Command;

use super::postgres::under_way;
use super::{both, under_load};
use crate::client::{Burst, Play};
use crate::world::{Service, World};

const POLL: Duration = Duration::from_millis(10);
/// Debian's libfaketime, which scripts/setup brings.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";
const PATIENCE: Duration = Duration::from_secs(60);

/// The repositories cannot be written: runs go on, the publication waits and says how long.
pub(super) async fn git_down(world: &World<'_>, burst: &Burst) -> Result<usize> {
    // So that there is something to publish.
    burst.play(Play::EDITS).await?;
    let obstacle = Obstacle::put(world.repositories())?;
    let path = format!("projects/{}/publishes", burst.project);
    let waits = async {
        let patience = Instant::now() + PATIENCE;
        let seen = loop {
            let list = burst.http.get(&path).await?;
            let newest = &list["publishes"][0];
            if newest["state"] == "pending" && newest["age_ms"].as_i64().is_some_and(|age| age > 0) {
                break burst.play(Play { edits: 0, publishes: false, ..Play::ALL }).await;
            }
            if Instant::now() >= patience {
                break Err(anyhow::anyhow!("no publication waits: {newest}"));
            }
            tokio::time::sleep(POLL).await;
        };
        drop(obstacle);
        seen
    };
    both(burst.play(Play { runs: false, ..Play::ALL }), waits).await?;
    Ok(1)
}

/// Is a file where a folder should be; the folder comes back with its end.
struct Obstacle {
    folder: PathBuf,
    away: PathBuf,
}

impl Obstacle {
    fn put(folder: &Path) -> Result<Self> {
        let (folder, away) = (folder.to_owned(), folder.with_extension("away"));
        std::fs::rename(&folder, &away)?;
        std::fs::write(&folder, "in the way")?;
        Ok(Self { folder, away })
    }
}

impl Drop for Obstacle {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.folder).and_then(|()| std::fs::rename(&self.away, &self.folder));
    }
}

/// The executor that drives a run sleeps longer than its lease, and wakes while another drives it.
pub(super) async fn paused(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let database = world.database().await?;
    let fault = async {
        let patience = Instant::now() + PATIENCE;
        let driver = loop {
            let mut found = None;
            for process in world.of(Service::Executor) {
                if process.metric(&world.http, "dvt_jobs_leased{kind=\"run\"}").await > Some(0.0) {
                    found = Some(process);
                }
            }
            match found {
                Some(driver) => break driver,
                None => ensure!(Instant::now() < patience, "no executor drives the run"),
            }
            tokio::time::sleep(POLL).await;
        };
        driver.signal(Signal::STOP);
        let taken = "select coalesce(bool_or(attempt > 1 or state = 'done'), false) from dvt.job
            where kind = 'run' and position = (select max(position) from dvt.job where kind = 'run')";
        while !database.query_one(taken, &[]).await?.get::<_, bool>(0) {
            if Instant::now() >= patience {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        driver.signal(Signal::CONT);
        Ok(())
    };
    both(burst.play(Play::ALL), fault).await?;
    Ok(1)
}

/// Every process is restarted, one after the other, under load.
pub(super) async fn rolled(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let fault = async {
        let mut restarted = Ok(());
        for process in world.processes() {
            under_way(burst, 1).await?;
            restarted = restarted.and(process.restart(&world.http).await);
        }
        restarted
    };
    under_load(burst, fault).await?;
    Ok(world.processes().count())
}

/// Every process has a clock that is an hour wrong, of each service one ahead and one behind, and in the middle of work
/// each jumps by two hours. They follow the log, not Kafka: its client waits by functions that libfaketime does not know,
/// with one of the two clocks for hours.
pub(super) async fn clocks(world: &World<'_>, burst: &Burst) -> Result<usize> {
    const CLOCKS: [&str; 2] = ["+1h", "-1h"];
    let folder = tempfile::tempdir()?;
    let set = |turn: usize| {
        let mut processes = world.processes().enumerate();
        processes.try_for_each(|(number, process)| {
            std::fs::write(folder.path().join(process.name()), CLOCKS[(number + turn) % 2])
        })
    };
    set(0)?;
    let after = crate::kafka::head(world).await?;
    for process in world.processes() {
        let file = folder.path().join(process.name()).display().to_string();
        let env = [
            ("LD_PRELOAD", FAKETIME.to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("KAFKA_BROKERS", String::new()),
        ];
        process.dress(env.map(|(name, value)| (name.to_owned(), value)).to_vec());
        process.restart(&world.http).await?;
    }
    let jump = async {
        under_way(burst, 2).await?;
        Ok(set(1)?)
    };
    let played = async {
        burst.play(Play::ALL).await?;
        both(burst.play(Play { edits: 6, ..Play::ALL }), jump).await?;
        burst.play(Play::ALL).await
    };
    let played = played.await;
    for process in world.processes() {
        process.dress(Vec::new());
        process.restart(&world.http).await?;
    }
    played?;
    let wrong = "select count(*) filter (where occurred_at > recorded_at + interval '50 minutes'),
            count(*) filter (where occurred_at < recorded_at - interval '50 minutes')
        from dvt.event where position > $1";
    let row = world.database().await?.query_one(wrong, &[&after]).await?;
    let (ahead, behind): (i64, i64) = (row.get(0), row.get(1));
    ensure!(ahead > 0 && behind > 0, "{ahead} events were made by a clock that was ahead, {behind} by one behind");
    Ok((ahead + behind) as usize)
}

/// A migration is killed at several moments; whoever runs it again succeeds.
pub(super) async fn migration_killed(world: &World<'_>, _: &Burst) -> Result<usize> {
    const KILLS: u32 = 8;
    const STEP: Duration = Duration::from_millis(25);
    let superuser = world.parts.postgres.connect("postgres").await?;
    let name = format!("{}_migrated", world.name);
    superuser.batch_execute(&format!("create database {name} owner migrate")).await?;
    let url = world.parts.postgres.through(&world.before_log, ("migrate", &name));
    let migrate = || {
        let mut command = Command::new(world.parts.dvt());
        command
            .arg("migrate")
            .env("DATABASE_URL", &url)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    };
    let mut killed = 0;
    for kill in 0..KILLS {
        let mut process = migrate().spawn().context("could not run dvt")?;
        if tokio::time::timeout(STEP * kill, process.wait()).await.is_err() {
            process.kill().await?;
            killed += 1;
        }
    }
    let done = migrate().output().await?;
    ensure!(done.status.success(), "the migration fails: {}", String::from_utf8_lossy(&done.stderr));
    superuser.batch_execute(&format!("drop database {name} with (force)")).await?;
    Ok(killed)
}
