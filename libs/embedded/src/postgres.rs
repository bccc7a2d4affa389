//! A private Postgres cluster: made where there is none, started on a free port, stopped with its owner.
//!
//! The owner is whoever holds the folder's lock file. A guard process waits on a pipe that the kernel closes when the
//! owner ends, however it ends, and then stops exactly that server; so a killed owner leaves nothing behind that the
//! next start cannot take over.

mod programs;
mod server;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

use server::{Mode, Server};

/// The superuser of every cluster we make.
const SUPERUSER: &str = "postgres";
/// 192 bits: a password that nobody types.
const PASSWORD_BYTES: usize = 24;

/// Says why a cluster could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not find PostgreSQL's programs: install it, or name their folder in DVT_POSTGRES_BIN")]
    NoPrograms,
    #[error("could not use {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("could not start {program}")]
    Spawn { program: PathBuf, source: std::io::Error },
    #[error("{program} failed: {output}")]
    Program { program: PathBuf, output: String },
    #[error("there is no user `postgres`, and PostgreSQL refuses to run as root")]
    NoUser,
    #[error("another process owns the cluster in {0}, and its server does not answer")]
    Busy(PathBuf),
    #[error("could not run a statement on the cluster")]
    Sql(#[from] tokio_postgres::Error),
    #[error("`{0}` is no plain name: a to z, 0 to 9 and _")]
    Name(String),
}

pub(crate) fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}

/// Holds a running cluster; the owner's server stops when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    folder: PathBuf,
    /// None: all are trusted (a throw-away cluster).
    password: Option<String>,
    _temporary: Option<TempDir>,
}

impl Cluster {
    /// Opens the cluster in a folder: makes it, starts it, or finds the one that another process runs there.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, the folder cannot be used, or the server does not start.
    pub async fn open(folder: &Path) -> Result<Self, Error> {
        let folder = folder.to_owned();
        blocking(move || {
            std::fs::create_dir_all(&folder).map_err(file_error(&folder))?;
            let password = secret(&folder.join("postgres.password"))?;
            let server = Server::open(&folder, Mode::Kept { password: password.clone() })?;
            Ok(Self { server, folder, password: Some(password), _temporary: None })
        })
        .await?
        .closed()
        .await
    }

    /// Answers the throw-away cluster that all tests of this process share: no passwords, no fsync.
    ///
    /// # Panics
    /// When it cannot be started: a missing server fails the test.
    pub async fn temporary() -> &'static Self {
        static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
        let start = async || blocking(Self::throw_away).await?.closed().await;
        CLUSTER.get_or_try_init(start).await.unwrap_or_else(|error| panic!("could not start PostgreSQL: {error:?}"))
    }

    fn throw_away() -> Result<Self, Error> {
        let temporary = tempfile::Builder::new().prefix("dvt-postgres-").tempdir();
        let temporary = temporary.map_err(file_error(&std::env::temp_dir()))?;
        let folder = temporary.path().to_owned();
        let server = Server::open(&folder, Mode::ThrowAway)?;
        Ok(Self { server, folder, password: None, _temporary: Some(temporary) })
    }

    /// Closes the databases that each cluster has to all but the superuser. Once, by the owner: Postgres refuses to
    /// revoke twice at the same time.
    async fn closed(self) -> Result<Self, Error> {
        if self.is_owner() {
            self.execute("postgres", "revoke all on database postgres, template1 from public").await?;
        }
        Ok(self)
    }

    /// Answers the superuser's address of a database.
    pub fn url(&self, database: &str) -> String {
        self.url_of(SUPERUSER, self.password.as_deref(), database)
    }

    /// Answers the port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Says whether this process started the server and will stop it.
    pub fn is_owner(&self) -> bool {
        self.server.is_owner()
    }

    /// Makes sure that a database exists; only its owner and the superuser may connect to it.
    ///
    /// # Errors
    /// When the cluster refuses or the name is not plain.
    pub async fn create_database(&self, name: &str) -> Result<String, Error> {
        self.make_database(name, "template1", SUPERUSER).await?;
        Ok(self.url(name))
    }

    /// Makes sure that a database exists, as a copy of another that nobody is connected to.
    ///
    /// # Errors
    /// When the cluster refuses or a name is not plain.
    pub async fn create_database_like(&self, name: &str, template: &str) -> Result<String, Error> {
        self.make_database(name, template, SUPERUSER).await?;
        Ok(self.url(name))
    }

    /// Makes sure that a login role without any privilege, and a database of its own with the same name, exist;
    /// answers that role's address.
    ///
    /// # Errors
    /// When the cluster refuses or the name is not plain.
    pub async fn create_owned_database(&self, name: &str) -> Result<String, Error> {
        let password = match self.password {
            Some(_) => Some(secret(&self.folder.join(format!("{}.password", plain(name)?)))?),
            None => None,
        };
        if self
            .query("postgres", &format!("select 1 from pg_roles where rolname = '{}'", plain(name)?))
            .await?
            .is_empty()
        {
            self.execute("postgres", &format!("create role {name} login")).await?;
        }
        if let Some(password) = &password {
            self.execute("postgres", &format!("alter role {name} password '{password}'")).await?;
        }
        self.make_database(name, "template1", name).await?;
        Ok(self.url_of(name, password.as_deref(), name))
    }

    async fn make_database(&self, name: &str, template: &str, owner: &str) -> Result<(), Error> {
        let found = format!("select 1 from pg_database where datname = '{}'", plain(name)?);
        if !self.query("postgres", &found).await?.is_empty() {
            return Ok(());
        }
        let create = format!("create database {name} template {} owner {}", plain(template)?, plain(owner)?);
        self.execute("postgres", &create).await?;
        self.execute("postgres", &format!("revoke all on database {name} from public")).await
    }

    /// Runs SQL as the superuser.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn execute(&self, database: &str, sql: &str) -> Result<(), Error> {
        self.query(database, sql).await.map(drop)
    }

    /// Runs SQL as the superuser and answers its rows as text; null is None.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn query(&self, database: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        let (client, connection) = tokio_postgres::connect(&self.url(database), NoTls).await?;
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await;
        drop(client);
        if let Ok(ended) = connection.await {
            ended?;
        }
        let rows = messages?.into_iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Stops the server if this process started it.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stop(mut self) -> Result<(), Error> {
        blocking(move || self.server.stop()).await
    }

    fn url_of(&self, user: &str, password: Option<&str>, database: &str) -> String {
        let password = password.map(|password| format!(":{password}")).unwrap_or_default();
        format!("postgres://{user}{password}@127.0.0.1:{}/{database}", self.server.port())
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn plain(name: &str) -> Result<&str, Error> {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    is_plain.then_some(name).ok_or_else(|| Error::Name(name.to_owned()))
}

/// Reads the secret in a file that only we may read; makes a random one where there is none.
fn secret(path: &Path) -> Result<String, Error> {
    use std::os::unix::fs::OpenOptionsExt;
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(file_error(path)(source)),
    }
    let random = Path::new("/dev/urandom");
    let mut bytes = [0; PASSWORD_BYTES];
    File::open(random).and_then(|mut file| file.read_exact(&mut bytes)).map_err(file_error(random))?;
    let secret = hex::encode(bytes);
    let mut options = File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| std::io::Write::write_all(&mut file, secret.as_bytes())).map_err(file_error(path))?;
    Ok(secret)
}
