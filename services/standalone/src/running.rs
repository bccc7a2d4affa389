//! What a running `dvt up` tells others about itself: a file in its data folder.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The folder of data, from where `dvt` is started.
pub(crate) const DATA_FOLDER: &str = ".dvt";
const FILE: &str = "up.json";
/// The file holds the target's password.
const OWNER_ONLY: u32 = 0o600;

/// Describes a running `dvt up`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The address of the gateway.
    pub(crate) url: String,
    pub(crate) pid: u32,
    /// The database that runs are sent to, for those who want to look into it.
    pub(crate) target_url: String,
    /// Where publications go.
    pub(crate) repository: PathBuf,
}

impl Running {
    /// Finds what the last `dvt up` with this data wrote; it may have ended since.
    pub(crate) fn find(data: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(data.join(FILE)).ok()?).ok()
    }

    /// Forgets what an earlier `dvt up` wrote.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(crate) fn remove(data: &Path) -> anyhow::Result<()> {
        match fs::remove_file(data.join(FILE)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("could not remove up.json"),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Writes the file at once, so that nobody reads half of it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(&self, data: &Path) -> anyhow::Result<()> {
        let new = data.join(format!("{FILE}.new"));
        let write = || -> std::io::Result<()> {
            let mut file =
                fs::OpenOptions::new().create(true).truncate(true).write(true).mode(OWNER_ONLY).open(&new)?;
            file.write_all(serde_json::to_string(self)?.as_bytes())?;
            fs::rename(&new, data.join(FILE))
        };
        write().with_context(|| format!("could not write {}", data.join(FILE).display()))
    }
}
