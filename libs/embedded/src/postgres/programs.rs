//! Finds PostgreSQL's programs and the user that they run as.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Error, file_error};

/// Names the folder of the programs, for installations in places of their own.
const FOLDER_VARIABLE: &str = "DVT_POSTGRES_BIN";
/// Where Debian keeps one folder a major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A user of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Runs PostgreSQL's programs, as another user where we are root.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    pub(super) user: Option<User>,
}

impl Programs {
    /// Finds them; `folder` is one of ours, whose owner says who we are.
    pub(super) fn find(folder: &Path) -> Result<Self, Error> {
        let probe = tempfile::NamedTempFile::new_in(folder).map_err(file_error(folder))?;
        let ours = probe.as_file().metadata().map_err(file_error(folder))?.uid();
        let user = if ours == 0 { Some(postgres_user()?) } else { None };
        Ok(Self { folder: bin()?, user })
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// Prepares a program, without Ctrl-C's signals, in a folder that its user may enter.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.process_group(0).current_dir("/").env("LC_ALL", "C");
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Runs a program to its end.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Error> {
        let program = self.path(program);
        let mut command = self.command(&program);
        // Not through pipes: a server that pg_ctl starts would keep them open.
        let log = tempfile::NamedTempFile::new().map_err(file_error(&std::env::temp_dir()))?;
        let copy = || log.reopen().map_err(file_error(log.path()));
        let status =
            command.args(arguments).stdin(std::process::Stdio::null()).stdout(copy()?).stderr(copy()?).status();
        let status = status.map_err(|source| Error::Spawn { program: program.clone(), source })?;
        if status.success() {
            return Ok(());
        }
        let output = std::fs::read(log.path()).unwrap_or_default();
        Err(Error::Program { program, output: String::from_utf8_lossy(&output).trim().to_owned() })
    }

    /// Says whether the user of the programs may enter a folder.
    pub(super) fn may_enter(&self, folder: &Path) -> bool {
        let mut command = self.command(Path::new("test"));
        command.arg("-x").arg(folder).status().is_ok_and(|status| status.success())
    }
}

fn bin() -> Result<PathBuf, Error> {
    let named = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from);
    let debian = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let mut debian: Vec<_> = debian.collect();
    debian.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = named.into_iter().chain(debian).chain(std::env::split_paths(&path));
    let mut found = candidates.filter(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file());
    found.next().ok_or(Error::NoPrograms)
}

/// Reads `15` from `/usr/lib/postgresql/15/bin`.
fn version(bin: &Path) -> u32 {
    let name = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

fn postgres_user() -> Result<User, Error> {
    let path = Path::new("/etc/passwd");
    let text = std::fs::read_to_string(path).map_err(file_error(path))?;
    let user = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_postgres = fields.next() == Some("postgres");
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        is_postgres.then_some(User { uid, gid })
    });
    user.ok_or(Error::NoUser)
}
