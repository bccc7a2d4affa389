//! What appends are compared with: rows of the log's own shape, inserted one by one by a prepared statement, each
//! with a commit of its own, into a table with the same columns, checks and indexes.

use std::time::SystemTime;

use anyhow::{Result, ensure};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client as Connection, Statement};
use uuid::Uuid;

use crate::load::Client;
use crate::stack::{LOG, Stack};

/// How long the payload of an event is that places a node, in bytes.
pub(crate) const PAYLOAD: usize = 300;

const TABLE: &str = "
    create schema if not exists plain;
    create table if not exists plain.event (like dvt.event including all);
    create sequence if not exists plain.position owned by plain.event.position;
";
const INSERT: &str = "
    insert into plain.event values (
        nextval('plain.position'), $1, 'layout', $2, $3, $2, $2, 'dvt.layout', dvt.event_partition($2), 0, 'NodePlaced',
        $4, $5, $4, 'local:bench', $1, $1, null, $1, $4, null, $6, $6, $4
    )";

/// Makes the table.
pub(crate) async fn make(stack: &Stack) -> Result<()> {
    Ok(stack.postgres.connect(LOG).await?.batch_execute(TABLE).await?)
}

/// Inserts rows of one stream.
pub(crate) struct Insert {
    connection: Connection,
    insert: Statement,
    stream: Uuid,
    version: i64,
}

impl Insert {
    pub(crate) async fn new(stack: &Stack) -> Result<Self> {
        let connection = stack.postgres.connect(LOG).await?;
        let insert = connection.prepare(INSERT).await?;
        Ok(Self { connection, insert, stream: Uuid::now_v7(), version: 0 })
    }
}

impl Client for Insert {
    async fn step(&mut self) -> Result<usize> {
        self.version += 1;
        let (id, now) = (Uuid::now_v7(), SystemTime::now());
        let (hash, payload) = (id.as_bytes().repeat(2), id.as_bytes().repeat(PAYLOAD.div_ceil(16)));
        let (stream, version, payload) = (self.stream, self.version, &payload[..PAYLOAD]);
        let values: [&(dyn ToSql + Sync); 6] = [&id, &stream, &version, &hash, &payload, &now];
        ensure!(self.connection.execute(&self.insert, &values).await? == 1, "a row was not inserted");
        Ok(1)
    }
}
