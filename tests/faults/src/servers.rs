//! The servers beside ours, killed and started again. The scripts around leave a program that starts each of them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::parts::{Parts, variable};

const POLL: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(60);

fn folder(name: &str) -> Result<PathBuf> {
    Ok(variable(name)?.into())
}

/// Kills the first process that a file names.
fn kill(file: PathBuf) -> Result<()> {
    let text = std::fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
    let pid = text.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
    Ok(kill_process(pid.context("the file names a process")?, Signal::KILL)?)
}

pub(crate) fn kill_postgres() -> Result<()> {
    kill(folder("PG_FOLDER")?.join("data/postmaster.pid"))
}

/// Starts PostgreSQL until it accepts: what is left of the dead one keeps its memory for a moment.
pub(crate) async fn start_postgres() -> Result<()> {
    let program = folder("PG_FOLDER")?.join("server");
    let patience = Instant::now() + PATIENCE;
    loop {
        let done = Command::new(&program).output().await?;
        if done.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        ensure!(Instant::now() < patience, "PostgreSQL does not start again: {said}");
        tokio::time::sleep(POLL).await;
    }
}

pub(crate) fn kill_kafka() -> Result<()> {
    kill(folder("KAFKA_FOLDER")?.join("broker.pid"))
}

/// Throws away all that the dead broker knew: it begins as another cluster.
pub(crate) fn wipe_kafka() -> Result<()> {
    Ok(std::fs::remove_dir_all(folder("KAFKA_FOLDER")?.join("data"))?)
}

pub(crate) async fn start_kafka(parts: &Parts) -> Result<()> {
    // The script around ends it.
    drop(Command::new(folder("KAFKA_FOLDER")?.join("broker")).spawn()?);
    let patience = Instant::now() + PATIENCE;
    while TcpStream::connect(&parts.brokers).await.is_err() {
        ensure!(Instant::now() < patience, "Kafka does not start again");
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
