//! The ledger: a row a step, in the same transaction as the step's work.
//!
//! The row is inserted before the work, so its key is a lock: a second attempt waits for the first and then finds what
//! it committed. That a row is there is the proof that the effect is, and the other way round.

use super::quote::{ident, literal};
use super::session::PgSession;
use super::statement::Statement;
use crate::targets::{Built, Committed, Error, Key};

/// Two runs that prepare one database at once wait for each other by this advisory lock: "dvt" and a number.
const PREPARE_LOCK: i64 = 0x0064_7674_0000_0001;
const LEDGER: &str = "
    create table if not exists _dvt.ledger (
        run_id uuid not null,
        unique_id text not null,
        attempt integer not null,
        rows bigint,
        message text,
        begun_at timestamptz not null default now(),
        committed_at timestamptz not null default clock_timestamp(),
        constraint ledger_pkey primary key (run_id, unique_id)
    )";
/// What Postgres calls the ledger's key in its error.
const LEDGER_KEY: &str = "ledger_pkey";

/// Makes sure of the ledger and of schemas.
pub(super) async fn create(session: &mut PgSession, schemas: &[String]) -> Result<(), Error> {
    let made = create_missing(session, schemas).await;
    if made.is_err() {
        session.roll_back().await;
    }
    made
}

/// Creates what is not there; where all is there, no right to create schemas is needed.
async fn create_missing(session: &mut PgSession, schemas: &[String]) -> Result<(), Error> {
    session.plain(format!("begin; select pg_advisory_xact_lock({PREPARE_LOCK})")).await?;
    let known = session.text("select nspname from pg_catalog.pg_namespace").await?;
    let known: Vec<&str> = known.iter().filter_map(|row| row.first()?.as_deref()).collect();
    for schema in schemas.iter().map(String::as_str).chain(["_dvt"]).filter(|schema| !known.contains(schema)) {
        session.plain(format!("create schema {}", ident(schema))).await?;
    }
    session.plain(LEDGER).await?;
    session.plain("commit").await.map(drop)
}

/// Begins the transaction of a step's work.
pub(super) async fn begin(session: &mut PgSession, key: &Key) -> Result<(), Error> {
    session.plain("begin").await?;
    let Key { run_id, unique_id, attempt } = key;
    let insert = format!(
        "insert into _dvt.ledger (run_id, unique_id, attempt) values ('{run_id}', {}, {attempt})",
        literal(unique_id)
    );
    match session.plain(insert).await {
        Err(Error::Refused(refusal)) if refusal.sqlstate == "23505" && refusal.message.contains(LEDGER_KEY) => {
            Err(Error::Committed)
        }
        other => other.map(drop),
    }
}

/// Ends the transaction of a step's work with what it did.
pub(super) async fn commit(session: &mut PgSession, key: &Key, built: &Built) -> Result<(), Error> {
    let rows = built.rows.map_or_else(|| "null".to_owned(), |rows| rows.to_string());
    let update = format!(
        "update _dvt.ledger
        set rows = {rows}, message = {}, committed_at = clock_timestamp()
        where run_id = '{}' and unique_id = {}",
        literal(&built.message),
        key.run_id,
        literal(&key.unique_id)
    );
    session.plain(update).await?;
    fail::fail_point!("executor.answered");
    session.run_through("executor.commit_sent", &Statement::plain("commit")).await.map(drop)
}

/// Finds what a step committed.
pub(super) async fn find(session: &mut PgSession, key: &Key) -> Result<Option<Committed>, Error> {
    let rows = session
        .text(&format!(
            "select rows, message, (extract(epoch from committed_at - begun_at) * 1000000)::bigint
            from _dvt.ledger
            where run_id = '{}' and unique_id = {}",
            key.run_id,
            literal(&key.unique_id)
        ))
        .await?;
    let cell = |row: &Vec<Option<String>>, column: usize| row.get(column).cloned().flatten();
    let number = |row: &Vec<Option<String>>, column: usize| cell(row, column).and_then(|text| text.parse().ok());
    let committed = |row: &Vec<Option<String>>| Committed {
        built: Built { rows: number(row, 0), message: cell(row, 1).unwrap_or_default() },
        duration_us: number(row, 2).unwrap_or_default(),
    };
    Ok(rows.first().map(committed))
}
