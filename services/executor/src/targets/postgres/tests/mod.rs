//! Postgres as a target, on a real server.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod build;
mod contract;
mod errors;
mod incremental;
mod outfit;
mod read;
mod recover;
mod reset;
mod snapshot;

use dvt_embedded::postgres::Cluster;
use uuid::Uuid;

use super::Postgres;
use crate::targets::{Built, Docs, Error, Grants, Hooks, Key, Materialization, Name, Session, Table, Target, Work};

/// Is a target with a database of its own.
pub(super) struct World {
    cluster: &'static Cluster,
    database: String,
    url: String,
    target: Postgres,
}

impl World {
    pub(super) async fn new(database: &str) -> Self {
        let cluster = Cluster::temporary().await;
        let url = cluster.create_owned_database(database).await.unwrap();
        let target = Postgres::new(&url).unwrap();
        target.prepare(&["dev".to_owned()]).await.unwrap();
        Self { cluster, database: database.to_owned(), url, target }
    }

    /// Is the same target, for whoever keeps one.
    pub(super) fn another_target(&self) -> Postgres {
        Postgres::new(&self.url).unwrap()
    }

    pub(super) async fn session(&self) -> Box<dyn Session> {
        self.target.connect().await.unwrap()
    }

    /// Runs statements beside all sessions.
    pub(super) async fn execute(&self, sql: &str) {
        self.session().await.build(&key(), &work("none", Materialization::Statements(sql.to_owned()))).await.unwrap();
    }

    /// Answers rows, their cells joined by a space.
    pub(super) async fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.cluster.query(&self.database, sql).await.unwrap();
        let cell = |cell: Option<String>| cell.unwrap_or_else(|| "null".to_owned());
        rows.into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>().join(" ")).collect()
    }

    /// Builds `dev.<name>`.
    pub(super) async fn build(&self, name: &str, materialization: Materialization) -> Result<Built, Error> {
        self.session().await.build(&key(), &work(name, materialization)).await
    }

    /// Waits until a statement runs that contains this text.
    pub(super) async fn until_running(&self, text: &str) {
        let sql = format!(
            "select 1 from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query like '%{text}%'"
        );
        while self.rows(&sql).await.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

/// Names a step of a run of its own.
pub(super) fn key() -> Key {
    Key { run_id: Uuid::now_v7(), unique_id: "model.shop.it's".to_owned(), attempt: 1 }
}

pub(super) fn work(name: &str, materialization: Materialization) -> Work {
    Work {
        relation: Name::new("dev", name),
        materialization,
        before: Hooks::default(),
        after: Hooks::default(),
        grants: Grants::new(),
        docs: Docs::default(),
    }
}

pub(super) fn view(sql: &str) -> Materialization {
    Materialization::View { sql: sql.to_owned(), contract: None }
}

pub(super) fn table(sql: &str) -> Materialization {
    Materialization::Table(Table { sql: sql.to_owned(), ..Table::default() })
}
