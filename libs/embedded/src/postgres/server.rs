//! Makes, starts, finds and stops the server of one folder.

use std::fs::{File, TryLockError};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::programs::Programs;
use super::{Error, SUPERUSER, file_error};

/// How often a start is tried: another program may take the free port that we found.
const STARTS: u32 = 5;
/// How long we wait for the server that another process is starting.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// Where clusters live that the user `postgres` could not reach in the caller's folder.
const ELSEWHERE: &str = "/var/lib";

/// Says what a cluster is for.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    Kept { password: String },
    ThrowAway,
}

/// A running server, ours or another process's.
#[derive(Debug)]
pub(super) struct Server {
    port: u16,
    /// None: another process owns it.
    owned: Option<Owned>,
}

#[derive(Debug)]
struct Owned {
    programs: Programs,
    data: PathBuf,
    /// Ends the server when its standard input closes.
    guard: Child,
    /// Held as long as we own the folder.
    _lock: File,
}

impl Server {
    pub(super) fn open(folder: &Path, mode: Mode) -> Result<Self, Error> {
        let lock_path = folder.join("postgres.lock");
        let lock = File::options().create(true).append(true).open(&lock_path).map_err(file_error(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => Self::own(folder, &mode, lock),
            Err(TryLockError::WouldBlock) => Self::join(folder),
            Err(TryLockError::Error(source)) => Err(file_error(&lock_path)(source)),
        }
    }

    fn own(folder: &Path, mode: &Mode, lock: File) -> Result<Self, Error> {
        let programs = Programs::find(folder)?;
        let home = home(folder, &programs)?;
        let data = home.join("data");
        if data.join("postmaster.pid").exists() {
            // Its owner was killed: the guard may be stopping it right now, so it is of no use to us.
            let stopped = programs.run("pg_ctl", &["stop", "-w", "-m", "fast", "-D", &data.display().to_string()]);
            tracing::info!(was_running = stopped.is_ok(), "found a cluster whose owner did not stop it");
        }
        if !data.join("PG_VERSION").exists() {
            initialise(&programs, &data, mode)?;
        }
        let port = start(&programs, &home, mode)?;
        let guard = guard(folder, &home, mode)?;
        Ok(Self { port, owned: Some(Owned { programs, data, guard, _lock: lock }) })
    }

    /// Waits for the server that the folder's owner runs or is starting.
    fn join(folder: &Path) -> Result<Self, Error> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let found = recorded_home(folder).and_then(|home| ready_port(&home.join("data")));
            match found {
                Some(port) => return Ok(Self { port, owned: None }),
                None if Instant::now() >= patience => return Err(Error::Busy(folder.to_owned())),
                None => std::thread::sleep(POLL),
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn is_owner(&self) -> bool {
        self.owned.is_some()
    }

    pub(super) fn stop(&mut self) -> Result<(), Error> {
        let Some(mut owned) = self.owned.take() else { return Ok(()) };
        let data = owned.data.display().to_string();
        let stopped = owned.programs.run("pg_ctl", &["stop", "-w", "-m", "fast", "-D", &data]);
        drop(owned.guard.stdin.take());
        let waited = owned.guard.wait();
        stopped?;
        waited.map(drop).map_err(|source| Error::Spawn { program: "sh".into(), source })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "could not stop the private cluster");
        }
    }
}

/// Answers the folder that the server's user may reach: the caller's, or one elsewhere that the caller's names.
fn home(folder: &Path, programs: &Programs) -> Result<PathBuf, Error> {
    if let Some(home) = recorded_home(folder) {
        return Ok(home);
    }
    let folder = folder.canonicalize().map_err(file_error(folder))?;
    let mut home = folder.join("postgres");
    std::fs::create_dir_all(&home).map_err(file_error(&home))?;
    own(&home, programs)?;
    if !programs.may_enter(&home) && folder.parent().is_some_and(|parent| programs.may_enter(parent)) {
        // Lets the server's user through, not in: the secrets beside are files of our own.
        let through = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o711);
        std::fs::set_permissions(&folder, through).map_err(file_error(&folder))?;
    }
    if !programs.may_enter(&home) {
        let elsewhere = tempfile::Builder::new().prefix("dvt-").tempdir_in(ELSEWHERE);
        home = elsewhere.map_err(file_error(Path::new(ELSEWHERE)))?.keep();
        own(&home, programs)?;
    }
    let record = folder.join("postgres.path");
    std::fs::write(&record, home.display().to_string()).map_err(file_error(&record))?;
    Ok(home)
}

fn own(folder: &Path, programs: &Programs) -> Result<(), Error> {
    match programs.user {
        Some(user) => std::os::unix::fs::chown(folder, Some(user.uid), Some(user.gid)).map_err(file_error(folder)),
        None => Ok(()),
    }
}

fn recorded_home(folder: &Path) -> Option<PathBuf> {
    let recorded = std::fs::read_to_string(folder.join("postgres.path")).ok()?;
    Some(PathBuf::from(recorded.trim())).filter(|home| home.is_dir())
}

fn initialise(programs: &Programs, data: &Path, mode: &Mode) -> Result<(), Error> {
    // A first start that was killed half-way leaves a folder that initdb refuses.
    if data.exists() {
        std::fs::remove_dir_all(data).map_err(file_error(data))?;
    }
    let folder = data.display().to_string();
    let common = ["-D", &folder, "-U", SUPERUSER, "-E", "UTF8", "--no-locale"];
    match mode {
        Mode::ThrowAway => programs.run("initdb", &[&common[..], &["-A", "trust", "--no-sync"]].concat()),
        Mode::Kept { password } => {
            let file = tempfile::NamedTempFile::new().map_err(file_error(data))?;
            std::fs::write(file.path(), password).map_err(file_error(file.path()))?;
            own(file.path(), programs)?;
            let option = format!("--pwfile={}", file.path().display());
            programs.run("initdb", &[&common[..], &["-A", "scram-sha-256", &option]].concat())
        }
    }
}

fn start(programs: &Programs, home: &Path, mode: &Mode) -> Result<u16, Error> {
    let (data, log) = (home.join("data").display().to_string(), home.join("log").display().to_string());
    let mode = match mode {
        Mode::Kept { .. } => "-c max_connections=100",
        Mode::ThrowAway => "-c max_connections=300 -c fsync=off -c full_page_writes=off -c synchronous_commit=off",
    };
    let mut tries = 1;
    loop {
        let port = free_port()?;
        // Without sockets in the file system, whose paths are limited to about 100 bytes.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c logging_collector=off {mode}"
        );
        match programs.run("pg_ctl", &["start", "-w", "-t", "60", "-D", &data, "-l", &log, "-o", &options]) {
            Ok(()) => return Ok(port),
            Err(_) if tries < STARTS => tries += 1,
            Err(Error::Program { program, output }) => {
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                let last: Vec<_> = log.lines().rev().take(10).collect();
                let last: Vec<_> = last.into_iter().rev().collect();
                return Err(Error::Program { program, output: format!("{output}\n{}", last.join("\n")) });
            }
            Err(error) => return Err(error),
        }
    }
}

fn free_port() -> Result<u16, Error> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    Ok(port.map_err(file_error(Path::new("127.0.0.1:0")))?.port())
}

/// Starts the process that ends this very server once our end of its standard input is closed.
fn guard(folder: &Path, home: &Path, mode: &Mode) -> Result<Child, Error> {
    let pid = postmaster(&home.join("data")).ok_or_else(|| Error::Busy(home.to_owned()))?.pid;
    let script = match mode {
        Mode::Kept { .. } => r#"trap '' INT TERM HUP; read -r _; kill -INT "$1" 2>/dev/null; exit 0"#,
        // Waits until the server has let go of its files.
        Mode::ThrowAway => {
            r#"trap '' INT TERM HUP; read -r _; kill -QUIT "$1" 2>/dev/null
            while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf "$2"; exit 0"#
        }
    };
    let mut command = Command::new("sh");
    // A group of its own: Ctrl-C is for its owner.
    command.process_group(0).current_dir("/").args(["-c", script, "guard", &pid]).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|source| Error::Spawn { program: "sh".into(), source })
}

struct Postmaster {
    pid: String,
    port: Option<u16>,
    is_ready: bool,
}

/// Reads what the server says of itself: lines of pid, folder, start, port, socket folder, address, memory, status.
fn postmaster(data: &Path) -> Option<Postmaster> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    Some(Postmaster {
        pid: (*lines.first()?).to_owned(),
        port: lines.get(3).and_then(|port| port.parse().ok()),
        is_ready: lines.get(7) == Some(&"ready"),
    })
}

fn ready_port(data: &Path) -> Option<u16> {
    let found = postmaster(data).filter(|server| server.is_ready)?.port?;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], found));
    std::net::TcpStream::connect_timeout(&address, POLL).ok().map(|_| found)
}
