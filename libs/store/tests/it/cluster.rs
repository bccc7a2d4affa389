//! A private Postgres cluster for this test binary, and a fresh database for each test.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use dvt_store::event::{self, NewEvent};
use dvt_store::{Config, Role, Store};
use tokio::sync::OnceCell;
use uuid::Uuid;

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

struct Cluster {
    port: u16,
}

/// Where Debian keeps the newest server's programs.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let newest = versions.filter_map(Result::ok).map(|entry| entry.path()).max().expect("PostgreSQL is installed");
    newest.join("bin").join(name)
}

fn run(command: &mut Command) {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Cluster {
    async fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.expect("a port is free").port();
        let folder = std::env::temp_dir().join(format!("dvt-store-{port}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        run(Command::new("chown").arg("postgres").arg(&folder));
        let data = folder.join("data");
        let initdb = format!("{} -D {} -U postgres -A trust --no-sync", program("initdb").display(), data.display());
        run(Command::new("su").args(["postgres", "-c", &initdb]));
        let start = format!(
            "{} -w -D {} -l {} -o '-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300' start",
            program("pg_ctl").display(),
            data.display(),
            folder.join("log").display(),
            folder.display(),
        );
        run(Command::new("su").args(["postgres", "-c", &start]));
        // Ends the server when the tests have ended, whichever way.
        let watch = format!(
            "(while test -d /proc/{}; do sleep 1; done; {} -D {} -m immediate stop; rm -rf {}) >/dev/null 2>&1 &",
            std::process::id(),
            program("pg_ctl").display(),
            data.display(),
            data.display(),
        );
        run(Command::new("su").args(["postgres", "-c", &watch]));
        let cluster = Self { port };
        cluster.psql("create database template_dvt");
        dvt_store::migrate(&cluster.url("template_dvt")).await.expect("the migrations apply");
        cluster
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn psql(&self, sql: &str) {
        let port = self.port.to_string();
        run(Command::new(program("psql")).args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-qc", sql]));
    }
}

/// A database of its own.
pub(crate) struct Database {
    pub(crate) url: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let cluster = CLUSTER.get_or_init(Cluster::start).await;
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        cluster.psql(&format!("create database {name} template template_dvt"));
        Self { url: cluster.url(&name) }
    }

    pub(crate) async fn store(&self, role: Role) -> Store {
        Store::connect(&Config::of(&self.url), role).await.expect("the database answers")
    }

    /// Runs SQL as the superuser, past all grants, and answers the first column of the first row as text.
    pub(crate) fn psql(&self, sql: &str) -> Result<String, String> {
        let output = Command::new(program("psql"))
            .args([&self.url, "-v", "ON_ERROR_STOP=1", "-Atqc", &format!("set search_path = dvt; {sql}")])
            .output()
            .expect("psql starts");
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

pub(crate) fn id() -> Uuid {
    Uuid::now_v7()
}

/// An event of a branch of some project.
pub(crate) fn an_event(project_id: Uuid, stream_id: Uuid, version: i64) -> NewEvent {
    let event_id = id();
    NewEvent {
        event_id,
        category: "branch".to_owned(),
        stream_id,
        version,
        tenant_id: Uuid::from_u128(1),
        project_id: Some(project_id),
        topic: "dvt.project".to_owned(),
        event_type: "FileEdited".to_owned(),
        schema_fingerprint: [1; 32],
        payload: event_id.as_bytes().to_vec(),
        actor: "local:ann".to_owned(),
        command_id: id(),
        correlation_id: id(),
        causation_id: None,
        traceparent: None,
        occurred_at: chrono::Utc::now(),
    }
}

/// A command of one event.
pub(crate) fn a_command(project_id: Uuid, stream_id: Uuid, version: i64) -> event::Command {
    event::Command::new(vec![an_event(project_id, stream_id, version)])
}
