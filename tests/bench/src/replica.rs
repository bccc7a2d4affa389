//! One more replica of a service, with the settings of the first one but for its addresses.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::stack::Stack;

/// How long a replica may take until it is ready, and until it has ended.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(2);

/// Runs until it is dropped.
pub(crate) struct Replica {
    process: Child,
    /// Where the gateway listens.
    pub(crate) address: SocketAddr,
    /// How long it took from its start until it was ready.
    pub(crate) ready: Duration,
}

impl Replica {
    /// Starts a replica and waits until it is ready.
    pub(crate) async fn start(stack: &Stack, service: &str) -> Result<Self> {
        let file = stack.logs.join(format!("{service}-1.pid"));
        let pid = std::fs::read_to_string(&file).with_context(|| format!("there is no {}", file.display()))?;
        let variables = std::fs::read(format!("/proc/{}/environ", pid.trim()))?;
        let variables = String::from_utf8_lossy(&variables).into_owned();
        let [admin, address] = [free_address()?, free_address()?];
        let log =
            std::fs::File::options().create(true).append(true).open(stack.logs.join(format!("{service}-3.log")))?;
        let mut command = Command::new(stack.programs.join(format!("dvt-{service}")));
        command.env_clear().envs(variables.split('\0').filter_map(|variable| variable.split_once('=')));
        command.env("ADMIN_ADDR", admin.to_string()).env("LISTEN_ADDR", address.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        let began = Instant::now();
        let process = command.spawn()?;
        let http = reqwest::Client::new();
        loop {
            let answer = http.get(format!("http://{admin}/readyz")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(Self { process, address, ready: began.elapsed() });
            }
            ensure!(began.elapsed() < PATIENCE, "the third {service} does not get ready; see its log");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Answers how much memory it has now (`VmRSS`) or had at most (`VmHWM`), in MiB.
    pub(crate) fn memory(&self, what: &str) -> Result<f64> {
        let pid = self.process.id().context("the replica has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("a process has memory")?;
        Ok(kilobytes.parse::<f64>()? / 1024.0)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn end(mut self) -> Result<()> {
        let pid = self.process.id().and_then(|pid| Pid::from_raw(pid as i32)).context("the replica has ended")?;
        kill_process(pid, Signal::TERM)?;
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await.context("a replica does not end")??;
        ensure!(status.success(), "a replica ended with {status}");
        Ok(())
    }
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
