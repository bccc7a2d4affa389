//! The database of the log: killed, slow, cut off, locked, full.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::both;
use crate::client::{Burst, Play};
use crate::proxy::Weather;
use crate::servers;
use crate::world::World;

const POLL: Duration = Duration::from_millis(25);
/// How long the server stays away.
const AWAY: Duration = Duration::from_secs(2);
/// How many connections a process may ask for in a second while the server is away.
const ATTEMPTS: f64 = 10.0;
/// How soon a write succeeds once the server accepts again, and how soon one is told why it does not.
const FIRST_WRITE: Duration = Duration::from_secs(5);
const REFUSED: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(60);
/// How often connections are cut.
const CUTS: usize = 6;
/// How long a session with our own settings may hold locks and do nothing.
const IDLE: &str = "5s";

/// Waits until so many more edits are acknowledged: the work is under way.
pub(super) async fn under_way(burst: &Burst, edits: usize) -> Result<()> {
    let (before, patience) = (burst.record.edits(), Instant::now() + PATIENCE);
    while burst.record.edits() < before + edits {
        ensure!(Instant::now() < patience, "no more edits are acknowledged");
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

pub(super) async fn killed(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let processes = world.processes().count() as f64;
    let fault = async {
        under_way(burst, 2).await?;
        let (asked, begun, opened) = (world.before_log.accepted(), Instant::now(), burst.live.opened());
        servers::kill_postgres()?;
        tokio::time::sleep(AWAY).await;
        let rate = (world.before_log.accepted() - asked) as f64 / begun.elapsed().as_secs_f64() / processes;
        servers::start_postgres().await?;
        let accepts = Instant::now();
        under_way(burst, 1).await?;
        world.note_time("the first write after it accepts", accepts.elapsed(), FIRST_WRITE);
        ensure!(burst.live.opened() == opened, "I7 a live stream was closed");
        ensure!(rate <= ATTEMPTS, "I11 each process asked for {rate:.1} connections a second");
        Ok(())
    };
    both(burst.play(Play { edits: 8, ..Play::ALL }), fault).await?;
    Ok(1)
}

pub(super) async fn slow(world: &World<'_>, burst: &Burst) -> Result<usize> {
    world.before_log.set(Weather::Delay(Duration::from_millis(20)));
    let played = burst.play(Play::EDITS).await;
    world.before_log.set(Weather::Throttle(200_000));
    let throttled = burst.play(Play::EDITS).await;
    world.before_log.set(Weather::Clear);
    played.and(throttled)?;
    Ok(2)
}

pub(super) async fn cut(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let fault = async {
        for turn in 0..CUTS {
            under_way(burst, 1).await?;
            match turn % 2 {
                0 => world.before_log.cut(),
                _ => world.before_log.half_close(),
            }
        }
        Ok(())
    };
    both(burst.play(Play { edits: 2 * CUTS, ..Play::ALL }), fault).await?;
    Ok(CUTS)
}

/// A session with our own settings takes the lock of the log and sleeps.
pub(super) async fn locked(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let database = world.database().await?;
    database.batch_execute(&format!("set idle_in_transaction_session_timeout = '{IDLE}'")).await?;
    let locks = "begin; lock table dvt.stream_head in access exclusive mode";
    let fault = async {
        under_way(burst, 1).await?;
        database.batch_execute(locks).await?;
        Ok(())
    };
    both(burst.play(Play { edits: 4, ..Play::ALL }), fault).await?;
    Ok(1)
}

/// The disk that holds the log is full: writes are refused, reads go on, and all resumes once there is room.
pub(super) async fn full(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let disk = Disk::mount(&world.name).await?;
    let database = world.database().await?;
    let moved = format!(
        "create tablespace {0} location '{1}'; alter table dvt.event set tablespace {0}",
        disk.name,
        disk.folder.path().display()
    );
    // A tablespace is not made inside of a transaction.
    for statement in moved.split("; ") {
        database.batch_execute(statement).await?;
    }
    let fault = async {
        under_way(burst, 1).await?;
        disk.fill()?;
        let (refused, full) = (burst.http.refusals().count, Instant::now());
        while burst.http.refusals().count == refused {
            ensure!(full.elapsed() < PATIENCE, "no write was refused");
            tokio::time::sleep(POLL).await;
        }
        world.note_time("the first refusal", full.elapsed(), REFUSED);
        let said = burst.http.refusals().last;
        ensure!(said.contains("no room left on its disk"), "I10 a refusal does not name the cause: {said}");
        burst.http.get(&format!("projects/{}/graph", burst.project)).await?;
        disk.free()
    };
    let played = both(burst.play(Play { edits: 40, ..Play::ALL }), fault).await;
    database.batch_execute("alter table dvt.event set tablespace pg_default").await?;
    database.batch_execute(&format!("drop tablespace {}", disk.name)).await?;
    played?;
    Ok(1)
}

/// Is a small disk in memory that PostgreSQL may write to.
pub(super) struct Disk {
    name: String,
    folder: tempfile::TempDir,
}

impl Disk {
    pub(super) async fn mount(name: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("dvt-full-").tempdir()?;
        let disk = Self { name: format!("{name}_full"), folder };
        let path = disk.folder.path().display().to_string();
        run("mount", &["-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", &path]).await?;
        run("chown", &["postgres", &path]).await?;
        Ok(disk)
    }

    fn filler(&self) -> std::path::PathBuf {
        self.folder.path().join("filler")
    }

    fn fill(&self) -> Result<()> {
        let mut file = std::fs::File::create(self.filler())?;
        let page = [0; 4096];
        while std::io::Write::write_all(&mut file, &page).is_ok() {}
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that is not told to leave it may use it still.
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

async fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let done = tokio::process::Command::new(program).args(arguments).output().await?;
    ensure!(done.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
