//! A session: statements in, answers as text out.

use std::sync::Arc;

use bytes::Bytes;
use dvt_domain::Timestamp;
use dvt_domain::run::{Backend, question};
use dvt_runtime::error::chain;
use futures::{SinkExt, StreamExt};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, CancelToken, Client, NoTls, SimpleQueryMessage};
use tracing::Instrument;

use super::quote::ident;
use super::statement::{Statement, message};
use super::{catalog, materialize, unit};
use crate::cte;
use crate::targets::{
    Built, Canceller, Column, Counted, Error, Fault, Given, Key, Name, Notices, Refusal, RelationKind, Rows, Server,
    Session, Stored, Table, Test, UnitTest, Work,
};

/// The words that a statement begins with which only reads.
const QUERIES: [&str; 6] = ["select", "with", "values", "table", "show", "explain"];

/// `discard all`, but for the prepared statements by which the client itself learns of types.
const RESET: &str = "close all; reset session authorization; reset role; reset all; unlisten *;
    select pg_advisory_unlock_all(); discard temp; discard sequences";

/// Is a session of Postgres.
pub(super) struct PgSession {
    client: Client,
    backend: Backend,
    notices: Notices,
}

struct PgCanceller(CancelToken);

#[async_trait::async_trait]
impl Canceller for PgCanceller {
    async fn cancel(&self) {
        if let Err(error) = self.0.cancel_query(NoTls).await {
            tracing::warn!(error = chain(&error), "could not ask a target to cancel");
        }
    }
}

impl PgSession {
    /// Opens a session and learns which one it is.
    pub(super) async fn open(config: &tokio_postgres::Config) -> Result<Self, Error> {
        let (client, mut connection) = config.connect(NoTls).await.map_err(|error| unreachable(&error))?;
        let notices = Notices::default();
        let kept = notices.clone();
        tokio::spawn(async move {
            let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                keep(&kept, message);
            }
        });
        let backend = Backend { pid: 0, started_at: Timestamp(0) };
        let mut session = Self { client, backend, notices };
        session.backend = session.identify().await?;
        Ok(session)
    }

    async fn identify(&mut self) -> Result<Backend, Error> {
        let rows = self
            .text(
                "select pid, (extract(epoch from backend_start) * 1000000)::bigint
                from pg_stat_activity
                where pid = pg_backend_pid()",
            )
            .await?;
        let number = |column: usize| rows.first()?.get(column)?.as_deref()?.parse::<i64>().ok();
        let (Some(pid), Some(started)) = (number(0).and_then(|pid| i32::try_from(pid).ok()), number(1)) else {
            return Err(Error::Unreachable("the server does not say which session this is".into()));
        };
        Ok(Backend { pid, started_at: Timestamp(started) })
    }

    /// Runs a statement; answers the rows that its last command touched.
    pub(super) async fn run(&mut self, statement: &Statement) -> Result<u64, Error> {
        self.run_through("executor.submitted", statement).await
    }

    #[cfg(not(feature = "failpoints"))]
    pub(super) async fn run_through(&mut self, _point: &str, statement: &Statement) -> Result<u64, Error> {
        self.send(statement).await
    }

    /// Runs a statement; the process can die at `point`: it has arrived, and its answer was not seen.
    #[cfg(feature = "failpoints")]
    pub(super) async fn run_through(&mut self, point: &str, statement: &Statement) -> Result<u64, Error> {
        const ARRIVES: std::time::Duration = std::time::Duration::from_millis(10);
        let mut sent = std::pin::pin!(futures::future::maybe_done(self.send(statement)));
        let _ = futures::poll!(sent.as_mut());
        tokio::time::sleep(ARRIVES).await;
        fail::fail_point!(point);
        sent.as_mut().await;
        sent.take_output().expect("invariant: it was awaited")
    }

    async fn send(&mut self, statement: &Statement) -> Result<u64, Error> {
        let sent = self.client.simple_query(&statement.text).instrument(statement.span());
        let messages = sent.await.map_err(|error| statement.error(&error))?;
        Ok(messages
            .iter()
            .rev()
            .find_map(|message| match message {
                SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
                _ => None,
            })
            .unwrap_or(0))
    }

    /// Runs a statement of our own words.
    pub(super) async fn plain(&mut self, sql: impl Into<String>) -> Result<u64, Error> {
        self.send(&Statement::plain(sql)).await
    }

    /// Runs a query of our own words; answers its rows.
    pub(super) async fn text(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        self.rows(&Statement::plain(sql)).await
    }

    pub(super) async fn rows(&mut self, statement: &Statement) -> Result<Vec<Vec<Option<String>>>, Error> {
        let sent = self.client.simple_query(&statement.text).instrument(statement.span());
        let messages = sent.await.map_err(|error| statement.error(&error))?;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    }

    /// Sends the bytes of a `copy ... from stdin`; answers how many rows they were.
    pub(super) async fn copy(&mut self, sql: &str, chunks: Vec<Bytes>) -> Result<u64, Error> {
        let statement = Statement::plain(sql);
        let sent = async {
            let sink = self.client.copy_in(sql).await?;
            let mut sink = std::pin::pin!(sink);
            for chunk in chunks {
                sink.as_mut().feed(chunk).await?;
            }
            sink.as_mut().finish().await
        };
        sent.instrument(statement.span()).await.map_err(|error: tokio_postgres::Error| statement.error(&error))
    }

    /// Takes back what a failed transaction did. Where the session is gone, the server has done so.
    pub(super) async fn roll_back(&mut self) {
        if let Err(error) = self.plain("rollback").await {
            tracing::debug!(%error, "could not roll back; the session is gone");
        }
    }

    /// Begins a transaction that writes nothing and cannot be made to: once it has answered a query, the server lets
    /// no statement change that.
    async fn begin_read_only(&mut self) -> Result<(), Error> {
        let begun = "begin transaction read only; select current_setting('transaction_read_only')";
        let state = self.text(begun).await?;
        match state.first().and_then(|row| row.first()?.as_deref()) {
            Some("on") => Ok(()),
            _ => Err(Fault::new("TARGET_READ_ONLY", "the target does not begin a read-only transaction").into()),
        }
    }

    /// Learns the names and types that a statement answers. The server refuses to say so of more than one statement,
    /// so what passes here is one.
    async fn prepare(&mut self, statement: &Statement) -> Result<Vec<(String, String)>, Error> {
        let prepared = self.client.prepare(&statement.text).await.map_err(|error| statement.error(&error))?;
        let column = |column: &tokio_postgres::Column| (column.name().to_owned(), column.type_().name().to_owned());
        Ok(prepared.columns().iter().map(column).collect())
    }

    /// Answers the names of a statement's columns, and the server's numbers of their types.
    pub(super) async fn types(&mut self, statement: &Statement) -> Result<Vec<(String, u32)>, Error> {
        let prepared = self.client.prepare(&statement.text).await.map_err(|error| statement.error(&error))?;
        Ok(prepared.columns().iter().map(|column| (column.name().to_owned(), column.type_().oid())).collect())
    }

    /// Answers the names of a query's columns, and their types as DDL writes them.
    pub(super) async fn shape(&mut self, sql: &str) -> Result<Vec<(String, String)>, Error> {
        check_query(sql)?;
        let statement = Statement::around("", sql, "");
        let prepared = self.client.prepare(&statement.text).await.map_err(|error| statement.error(&error))?;
        let mut columns = Vec::with_capacity(prepared.columns().len());
        for column in prepared.columns() {
            let written = format!("select format_type({}, {})", column.type_().oid(), column.type_modifier());
            let written = self.text(&written).await?;
            let written = written.into_iter().flatten().flatten().next().unwrap_or_default();
            columns.push((column.name().to_owned(), written));
        }
        Ok(columns)
    }

    pub(super) async fn read_in_transaction(&mut self, sql: &str, limit: Option<i64>) -> Result<Rows, Error> {
        check_query(sql)?;
        self.begin_read_only().await?;
        let statement = match limit {
            Some(limit) => {
                let timeout = question::SECONDS_MAX;
                self.plain(format!("set local statement_timeout = '{timeout}s'")).await?;
                Statement::around("select * from (", sql, &format!(") as dvt_preview limit {}", limit + 1))
            }
            None => Statement::around("", sql, ""),
        };
        let columns = self.prepare(&statement).await?;
        let mut rows = self.rows(&statement).await?;
        let truncated = limit.is_some_and(|limit| rows.len() as i64 > limit);
        rows.truncate(limit.map_or(usize::MAX, |limit| limit as usize));
        Ok(Rows { columns, rows, truncated })
    }

    /// Says something beside the answers, as the server does.
    pub(super) fn note(&self, said: String) {
        self.notices.keep(said);
    }

    /// Keeps the rows that fail a test in place of those of an earlier one, and counts them. Once more does no harm, so
    /// the ledger has nothing of it.
    async fn store(&mut self, test: &Test, Stored { relation, as_view }: &Stored) -> Result<Counted, Error> {
        self.plain("begin").await?;
        match as_view {
            true => materialize::view(self, relation, &test.sql).await?,
            false => {
                let table = Table { sql: test.sql.clone(), ..Table::default() };
                materialize::table(self, relation, &table).await?
            }
        };
        let kept = Test { sql: format!("select * from {}", super::quote::relation(relation)), ..test.clone() };
        let counted = self.count(&kept).await?;
        self.plain("commit").await?;
        Ok(counted)
    }

    async fn count(&mut self, test: &Test) -> Result<Counted, Error> {
        let Test { sql, fail_calc, warn_if, error_if, limit, .. } = test;
        let before = format!("select {fail_calc}, {fail_calc} {warn_if}, {fail_calc} {error_if} from (");
        let limit = limit.map_or_else(String::new, |limit| format!("limit {limit}\n"));
        let statement = Statement::around(&before, sql, &format!("{limit}) as dbt_internal_test"));
        self.prepare(&statement).await?;
        let rows = self.rows(&statement).await?;
        let cell = |column: usize| rows.first()?.get(column)?.as_deref();
        let failures = cell(0).and_then(|text| text.parse::<f64>().ok());
        let Some(failures) = failures else {
            let message = format!("fail_calc `{fail_calc}` answered {} instead of a number", cell(0).unwrap_or("null"));
            return Err(Error::Refused(Refusal { message, ..Refusal::default() }));
        };
        let (should_warn, should_error) = (cell(1) == Some("t"), cell(2) == Some("t"));
        Ok(Counted { failures: failures as i64, should_warn, should_error })
    }
}

#[async_trait::async_trait]
impl Session for PgSession {
    fn backend(&self) -> Backend {
        self.backend.clone()
    }

    fn canceller(&self) -> Arc<dyn Canceller> {
        Arc::new(PgCanceller(self.client.cancel_token()))
    }

    async fn build(&mut self, key: &Key, work: &Work) -> Result<Built, Error> {
        let built = materialize::build(self, key, work).await;
        if built.is_err() {
            self.roll_back().await;
        }
        built
    }

    async fn test(&mut self, test: &Test) -> Result<Counted, Error> {
        let counted = match &test.stored {
            Some(stored) => self.store(test, stored).await,
            None => match self.begin_read_only().await {
                Ok(()) => self.count(test).await,
                Err(error) => Err(error),
            },
        };
        if test.stored.is_none() || counted.is_err() {
            self.roll_back().await;
        }
        counted
    }

    async fn given(&mut self, name: &Name, given: &Given) -> Result<String, Error> {
        unit::given(self, name, given).await
    }

    async fn unit_test(&mut self, test: &UnitTest) -> Result<Rows, Error> {
        let found = unit::differences(self, test).await;
        self.roll_back().await;
        found
    }

    async fn read(&mut self, sql: &str, limit: Option<i64>) -> Result<Rows, Error> {
        let rows = self.read_in_transaction(sql, limit).await;
        self.roll_back().await;
        rows
    }

    async fn relation(&mut self, name: &Name) -> Result<Option<RelationKind>, Error> {
        catalog::kind(self, name).await
    }

    async fn relations(&mut self, schema: &str) -> Result<Vec<(String, RelationKind)>, Error> {
        catalog::list(self, schema).await
    }

    async fn columns(&mut self, name: &Name) -> Result<Vec<Column>, Error> {
        catalog::columns(self, &super::quote::relation(name)).await
    }

    async fn describe(&mut self) -> Result<Server, Error> {
        let rows = self
            .text(
                "select current_database(), 'PostgreSQL ' || current_setting('server_version'), current_user,
                    has_database_privilege(current_database(), 'CREATE')",
            )
            .await?;
        let cell = |column: usize| rows.first().and_then(|row| row.get(column).cloned().flatten()).unwrap_or_default();
        let (database, role) = (cell(0), cell(2));
        let lacks = (cell(3) != "t").then(|| {
            let (on, to) = (ident(&database), ident(&role));
            format!("{role} may not create schemas in {database}: grant create on database {on} to {to}")
        });
        Ok(Server { database, version: cell(1), lacks })
    }

    async fn reset(&mut self) -> Result<(), Error> {
        self.plain(RESET).await?;
        self.notices.take();
        Ok(())
    }

    fn notices(&self) -> Notices {
        self.notices.clone()
    }
}

/// Refuses what is no query before it is sent: nothing else can end a transaction or reach beyond it.
fn check_query(sql: &str) -> Result<(), Fault> {
    let first = cte::first_word(sql).unwrap_or_default();
    match QUERIES.iter().any(|word| first.eq_ignore_ascii_case(word)) {
        true => Ok(()),
        false => {
            let message = format!("only a query can be run here; it begins with {}, got `{first}`", QUERIES.join(", "));
            Err(Fault::new("QUERY_ONLY", message))
        }
    }
}

fn keep(notices: &Notices, said: AsyncMessage) {
    if let AsyncMessage::Notice(notice) = said {
        notices.keep(format!("{}: {}", notice.severity().to_lowercase(), message(&notice)));
    }
}

/// Sorts why there is no session: what a person must mend is a fault, the rest may pass.
fn unreachable(error: &tokio_postgres::Error) -> Error {
    let Some(said) = error.as_db_error() else { return Error::Unreachable(chain(error)) };
    let code = match said.code() {
        &SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => "TARGET_AUTH",
        &SqlState::INVALID_CATALOG_NAME => "TARGET_NOT_FOUND",
        &SqlState::INSUFFICIENT_PRIVILEGE => "TARGET_PRIVILEGE",
        _ => return Error::Unreachable(message(said)),
    };
    Error::Fault(Fault::new(code, message(said)))
}
