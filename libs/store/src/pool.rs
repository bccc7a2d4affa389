//! Connections: the pool with its guard, transactions, and the listener that wakes readers of the log.
//!
//! Every connection plays one of the roles of the first migration, whoever logged in.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dvt_runtime::metrics;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection, Postgres, Row};

use crate::Error;

/// How long a caller waits for a free connection before it is told that the database is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long nobody asks a database again that was away. A process has two pools, whose connections all break at once,
/// and appends beside them: in all it asks less than ten times a second.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long a connection that was lent is taken to work still.
const FRESH: Duration = Duration::from_secs(1);
const CHANNEL: &str = "dvt_log";

/// Says where DVT+'s own database is.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Address of DVT+'s own database, e.g. postgres://user:password@host/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, required_unless_present = "database_url_file")]
    pub database_url: Option<SecretString>,
    /// File that holds the address, instead of DATABASE_URL
    #[arg(long, env = "DATABASE_URL_FILE")]
    pub database_url_file: Option<std::path::PathBuf>,
    /// Connections that one service keeps
    #[arg(long, env = "DATABASE_POOL_SIZE", default_value_t = 4)]
    pub database_pool_size: u32,
}

impl Config {
    /// Makes a configuration of an address.
    pub fn of(url: impl Into<String>) -> Self {
        let url: String = url.into();
        Self { database_url: Some(url.into()), database_url_file: None, database_pool_size: 4 }
    }

    fn options(&self) -> Result<PgConnectOptions, Error> {
        let url = match (&self.database_url, &self.database_url_file) {
            (Some(url), _) => url.expose_secret().to_owned(),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|error| Error::Address(sqlx::Error::Io(error)))?;
                text.trim().to_owned()
            }
            (None, None) => return Err(Error::Address(sqlx::Error::Configuration("no DATABASE_URL".into()))),
        };
        url.parse().map_err(Error::Address)
    }
}

/// Names the database role that a service plays; the first migration says what each may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Owner,
    Gateway,
    Projector,
    Executor,
    Artifact,
    Relay,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "dvt_owner",
            Self::Gateway => "dvt_gateway",
            Self::Projector => "dvt_projector",
            Self::Executor => "dvt_executor",
            Self::Artifact => "dvt_artifact",
            Self::Relay => "dvt_relay",
        }
    }
}

/// Hands out connections that play one role. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Store {
    role: Role,
    pool: PgPool,
    options: PgConnectOptions,
    /// While the database is away: when it may be asked for a connection again. Until then there are those that are
    /// idle; whoever finds none that works is told at once that it is away.
    away: Arc<Mutex<Option<Instant>>>,
}

impl Store {
    /// Connects once, to fail early, and keeps a pool.
    ///
    /// # Errors
    /// When the address is wrong or the database does not answer.
    pub async fn connect(config: &Config, role: Role) -> Result<Self, Error> {
        let options = session(config.options()?, role);
        let pool = PgPoolOptions::new()
            .max_connections(config.database_pool_size)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false) // the guards answer that too
            .before_acquire(|connection, lent| {
                Box::pin(async move { Ok(lent.idle_for < FRESH || is_idle(connection).await?) })
            })
            .after_release(|connection, _| Box::pin(is_idle(connection)))
            .connect_with(options.clone())
            .await?;
        Ok(Self { role, pool, options, away: Arc::default() })
    }

    /// Lends a connection whose statements commit by themselves.
    ///
    /// # Errors
    /// When no connection is free in time or the database does not answer.
    pub async fn acquire(&self) -> Result<Lent, Error> {
        let asked = Instant::now();
        let acquired = match self.may_ask(asked) {
            true => self.heard(self.pool.acquire().await),
            false => self.pool.try_acquire().ok_or_else(Error::unreachable),
        };
        self.measure(asked);
        acquired.map(Lent)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// When no connection is free in time or the database does not answer.
    ///
    /// # Cancel safety
    /// Not cancel safe: run it in a task that nobody aborts. The pool's guard throws away a connection that a
    /// cancelled call left inside a transaction.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let asked = Instant::now();
        let begun = match self.may_ask(asked) {
            true => self.heard(self.pool.begin().await),
            false => self.pool.try_begin().await?.ok_or_else(Error::unreachable),
        };
        self.measure(asked);
        begun.map(Tx)
    }

    /// Lets one caller at a time ask a database that was away.
    fn may_ask(&self, now: Instant) -> bool {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(again) = &mut *away else { return true };
        let may = now >= *again;
        if may {
            // Until the answer is heard; a caller that is cancelled hears none.
            *again = now + ACQUIRE_TIMEOUT;
        }
        may
    }

    /// Notes whether the database answered. A pool whose connections are all lent says nothing of it.
    fn heard<T>(&self, answer: Result<T, sqlx::Error>) -> Result<T, Error> {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Ok(_) => *away = None,
            Err(sqlx::Error::PoolTimedOut) if self.pool.size() >= self.pool.options().get_max_connections() => {}
            Err(_) => *away = Some(Instant::now() + ASK_AGAIN),
        }
        Ok(answer?)
    }

    fn measure(&self, asked: Instant) {
        let role = self.role.as_str();
        metrics::DATABASE_ACQUIRE.observe([role], asked.elapsed());
        let (all, idle) = (f64::from(self.pool.size()), self.pool.num_idle() as f64);
        metrics::DATABASE_CONNECTIONS.set([role, "idle"], idle);
        metrics::DATABASE_CONNECTIONS.set([role, "used"], (all - idle).max(0.0));
    }

    /// Opens a connection of its own, outside the pool. Whoever asks again waits in between.
    pub(crate) async fn dedicated(&self) -> Result<PgConnection, Error> {
        Ok(self.options.connect().await?)
    }

    /// Listens for appends to the log, once the listener is connected.
    pub fn listen(&self) -> Listener {
        Listener { store: self.clone(), connected: None }
    }

    async fn listener(&self) -> Result<PgListener, Error> {
        if !self.may_ask(Instant::now()) {
            return Err(Error::unreachable());
        }
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = self.heard(pool.connect_with(self.options.clone()).await)?;
        let mut listener = PgListener::connect_with(&pool).await?;
        // It would ask a database that is away in each of its readers' rounds.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }

    /// Closes the pool, after what runs on it has ended.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

fn session(options: PgConnectOptions, role: Role) -> PgConnectOptions {
    options.application_name(role.as_str()).options([
        ("role", role.as_str()),
        ("search_path", "views,dvt"),
        ("timezone", "UTC"),
        ("statement_timeout", "30s"),
        ("lock_timeout", "5s"),
        // A session that sleeps inside a transaction must not hold the log's lock for longer than this.
        ("idle_in_transaction_session_timeout", "5s"),
        // A dead client's session, and its locks, go soon.
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ])
}

/// Says whether a pooled connection is outside of any transaction. A cancelled `begin` can leave one open in sqlx 0.9
/// without its knowledge, and the next borrower's statements would never commit.
async fn is_idle(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::raw_sql("select now() = statement_timestamp()").fetch_one(connection).await?;
    row.try_get(0)
}

/// A pooled connection; each statement commits by itself.
#[derive(Debug)]
pub struct Lent(sqlx::pool::PoolConnection<Postgres>);

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

/// A transaction. Ends by [`Tx::commit`] or [`Tx::rollback`]; dropped, it rolls back some time later.
#[derive(Debug)]
pub struct Tx(sqlx::Transaction<'static, Postgres>);

impl Tx {
    /// Commits.
    ///
    /// # Errors
    /// When the database refuses, or does not answer: then it may have committed.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.0.commit().await?)
    }

    /// Takes back everything, now: dropping would keep the locks until the pool gets to it.
    ///
    /// # Errors
    /// When the database does not answer; then it has rolled back or will.
    pub async fn rollback(self) -> Result<(), Error> {
        Ok(self.0.rollback().await?)
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

/// Wakes readers of the log. Only a hint: notifications are lost while the connection is, so readers poll as well.
#[derive(Debug)]
pub struct Listener {
    store: Store,
    connected: Option<PgListener>,
}

impl Listener {
    /// Connects where it is not; a database that is away is asked as seldom as by all others.
    pub async fn connect(&mut self) {
        if self.connected.is_none() {
            self.connected = self.store.listener().await.ok();
        }
    }

    /// Waits until something was appended, or may have been as the connection broke; for ever where there is none.
    ///
    /// # Cancel safety
    /// Cancel safe: a notification that arrived in between wakes the next call.
    pub async fn woken(&mut self) {
        let Some(connected) = &mut self.connected else { return std::future::pending().await };
        match connected.try_recv().await {
            Ok(Some(_)) => while connected.next_buffered().is_some() {},
            Ok(None) | Err(_) => self.connected = None,
        }
    }
}
