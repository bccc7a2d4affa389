//! The real binary as a process that may be killed at any moment.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a start may take, with the recovery of everything that was killed.
const READY: Duration = Duration::from_secs(60);

/// Is one life of `dvt up`.
pub(crate) struct Up {
    process: Child,
    pub(crate) url: String,
}

impl Up {
    /// Starts on a folder and waits for the address.
    pub(crate) async fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_dvt"))
            .arg("up")
            .arg("--data")
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .env("RUST_LOG", "error")
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = tokio::time::timeout(READY, lines.next_line()).await.expect("dvt up is ready").unwrap();
        Self { process, url: url.expect("dvt up prints its address") }
    }

    /// Ends it as a crash does: nothing of it runs any further.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    /// Ends it as Ctrl-C does.
    pub(crate) async fn stop(mut self) {
        let pid = self.process.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
        assert!(self.process.wait().await.unwrap().success(), "Ctrl-C is a clean end");
    }
}
