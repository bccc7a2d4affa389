//! `dvt parse` and `dvt compile` on a folder beside `dbt parse` and `dbt compile`: whole processes, from nothing kept.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use crate::figure::{Figure, milliseconds, percentile};
use crate::project;
use crate::stack::Stack;

/// How often ours is timed, after one time that does not count.
const TIMES: usize = 7;
/// How often dbt is timed, which needs half a minute: the better time counts.
const DBT_TIMES: usize = 2;

/// Is the project in a folder, with a profile for the servers around.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn make(stack: &Stack, write: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("dvt-bench-").tempdir()?;
        write(folder.path())?;
        let postgres = &stack.postgres;
        let output = serde_json::json!({
            "type": "postgres", "host": postgres.host, "port": postgres.port, "user": postgres.user,
            "password": postgres.password, "dbname": "warehouse", "schema": "dbt", "threads": 4,
        });
        let profiles = serde_json::json!({"bench": {"target": "dev", "outputs": {"dev": output}}});
        std::fs::write(folder.path().join("profiles.yml"), serde_json::to_vec(&profiles)?)?;
        Ok(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs dbt to its end and answers how long it took.
    pub(crate) async fn dbt(&self, stack: &Stack, arguments: &[&str]) -> Result<Duration> {
        let mut command = Command::new(&stack.dbt);
        command.args(["--quiet", "--no-version-check", "--no-send-anonymous-usage-stats", "--log-level-file", "none"]);
        command.args(arguments);
        self.time(&mut command).await
    }

    async fn dvt(&self, stack: &Stack, arguments: &[&str]) -> Result<Duration> {
        self.time(Command::new(stack.programs.join("dvt")).args(arguments)).await
    }

    async fn time(&self, command: &mut Command) -> Result<Duration> {
        command.current_dir(self.path()).stdin(std::process::Stdio::null());
        let began = Instant::now();
        let done = command.output().await.with_context(|| format!("could not run {command:?}"))?;
        let took = began.elapsed();
        let said = || String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{command:?} failed: {}", said());
        Ok(took)
    }
}

pub(crate) async fn measure(stack: &Stack) -> Result<Vec<Figure>> {
    let folder = Folder::make(stack, project::write)?;
    let mut figures = Vec::new();
    for command in ["parse", "compile"] {
        let mut ours = Vec::new();
        for _ in 0..=TIMES {
            ours.push(folder.dvt(stack, &[command, "--target-path", "target/dvt"]).await?);
        }
        let mut theirs = Vec::new();
        for _ in 0..DBT_TIMES {
            theirs.push(folder.dbt(stack, &["--no-partial-parse", command]).await?);
        }
        let figure = Figure::milliseconds(format!("{command}_1000"), percentile(&mut ours[1..], 50));
        figures.push(figure.beside(milliseconds(percentile(&mut theirs, 1))));
    }
    Ok(figures)
}
