//! One process of a service, which a supervisor starts again whenever it dies.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::task::JoinHandle;

/// What a service gets of this program's environment.
const PASSED_ON: [&str; 3] = ["PATH", "HOME", "TMPDIR"];
/// The pause before a dead process is started again.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a process may take until it is ready, with all that it has to catch up with.
const READY: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Says what to start.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) admin: SocketAddr,
    pub(crate) log: PathBuf,
}

/// Is a process under its supervisor.
pub(crate) struct Process {
    recipe: Recipe,
    shared: Arc<Mutex<Shared>>,
    supervisor: JoinHandle<()>,
    /// The length of its log before it: others of that name wrote there.
    since: usize,
}

#[derive(Default)]
struct Shared {
    pid: Option<Pid>,
    lives: u32,
    /// The failpoints of the next life; each life after it has none.
    failpoints: Option<String>,
    /// What each life from the next on finds in its environment beside the recipe's.
    dress: Vec<(String, String)>,
    is_stopping: bool,
}

impl Process {
    /// Starts a process, and again whenever it dies.
    pub(crate) fn start(recipe: Recipe, failpoints: Option<String>) -> Result<Self> {
        let shared = Arc::new(Mutex::new(Shared { failpoints, ..Shared::default() }));
        let log = File::options().create(true).append(true).open(&recipe.log);
        let log = log.with_context(|| format!("could not write {}", recipe.log.display()))?;
        let since = log.metadata().map_or(0, |metadata| metadata.len() as usize);
        let supervisor = tokio::spawn(supervise(recipe.clone(), shared.clone(), log));
        Ok(Self { recipe, shared, supervisor, since })
    }

    pub(crate) fn name(&self) -> &str {
        &self.recipe.name
    }

    /// Answers what the process said to its log, in all its lives.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(&self.recipe.log).unwrap_or_default();
        String::from_utf8_lossy(bytes.get(self.since..).unwrap_or_default()).into_owned()
    }

    /// Counts how often the process died at a failpoint.
    pub(crate) fn hits(&self) -> usize {
        self.log().lines().filter(|line| line.starts_with("failpoint ") && line.ends_with(" panic")).count()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(pid) = lock(&self.shared).pid {
            let _ = kill_process(pid, signal);
        }
    }

    pub(crate) fn pid(&self) -> Option<Pid> {
        lock(&self.shared).pid
    }

    /// Counts the files and connections that it holds open.
    pub(crate) fn open_files(&self) -> usize {
        let Some(pid) = self.pid() else { return 0 };
        std::fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero())).map_or(0, Iterator::count)
    }

    /// Adds up the lines of its metrics that begin with this; None where it does not answer.
    pub(crate) async fn metric(&self, http: &reqwest::Client, begin: &str) -> Option<f64> {
        let answer = http.get(format!("http://{}/metrics", self.recipe.admin)).send().await.ok()?;
        let text = answer.text().await.ok()?;
        let values = text.lines().filter(|line| line.starts_with(begin)).filter_map(|line| line.rsplit(' ').next());
        Some(values.filter_map(|value| value.parse::<f64>().ok()).sum())
    }

    /// Asks it to end, and waits until it lives again and is ready.
    pub(crate) async fn restart(&self, http: &reqwest::Client) -> Result<()> {
        let lives = self.lives();
        self.signal(Signal::TERM);
        let patience = Instant::now() + READY;
        while self.lives() == lives {
            anyhow::ensure!(Instant::now() < patience, "{} does not end", self.recipe.name);
            tokio::time::sleep(POLL).await;
        }
        self.ready(http).await
    }

    /// Gives each life from the next on something more in its environment.
    pub(crate) fn dress(&self, env: Vec<(String, String)>) {
        lock(&self.shared).dress = env;
    }

    /// Answers the memory that it holds, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let Some(pid) = self.pid() else { return 0 };
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        resident.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
    }

    /// Answers how often it was started.
    pub(crate) fn lives(&self) -> u32 {
        lock(&self.shared).lives
    }

    /// Asks whether it is ready; else why not.
    pub(crate) async fn readiness(&self, http: &reqwest::Client) -> Result<(), String> {
        let answer = http.get(format!("http://{}/readyz", self.recipe.admin)).send().await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(answer.text().await.unwrap_or_default()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&self, http: &reqwest::Client) -> Result<()> {
        let patience = Instant::now() + READY;
        loop {
            match self.readiness(http).await {
                Ok(()) => return Ok(()),
                Err(why) if Instant::now() >= patience => bail!("{} is not ready: {why}", self.recipe.name),
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Ends it for good, as a crash does.
    pub(crate) async fn stop(mut self) {
        lock(&self.shared).is_stopping = true;
        self.signal(Signal::CONT);
        self.signal(Signal::KILL);
        let _ = (&mut self.supervisor).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it supervises is killed with it.
        self.supervisor.abort();
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn supervise(recipe: Recipe, shared: Arc<Mutex<Shared>>, log: File) {
    while !lock(&shared).is_stopping {
        let mut command = Command::new(&recipe.program);
        // What this program itself finds Kafka by is none of a service's business.
        command.env_clear().envs(std::env::vars().filter(|(name, _)| PASSED_ON.contains(&&**name)));
        command.envs(recipe.env.iter().cloned()).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let Ok(log) = log.try_clone() else { return };
        command.stderr(log);
        {
            let mut shared = lock(&shared);
            command.env("FAILPOINTS", shared.failpoints.take().unwrap_or_default()).envs(shared.dress.iter().cloned());
        }
        let Ok(mut child) = command.spawn() else { return };
        {
            let mut shared = lock(&shared);
            shared.pid = child.id().and_then(|id| Pid::from_raw(id as i32));
            shared.lives += 1;
            if shared.is_stopping {
                let _ = child.start_kill();
            }
        }
        let _ = child.wait().await;
        lock(&shared).pid = None;
        tokio::time::sleep(PAUSE).await;
    }
}
