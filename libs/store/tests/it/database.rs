//! A fresh database for each test, on the cluster that the whole test binary shares.

use std::sync::atomic::{AtomicU32, Ordering};

use dvt_embedded::postgres::Cluster;
use dvt_store::event::{self, NewEvent};
use dvt_store::{Config, Role, Store};
use tokio::sync::OnceCell;
use uuid::Uuid;

const TEMPLATE: &str = "store_template";

static MIGRATED: OnceCell<()> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of its own.
pub(crate) struct Database {
    cluster: &'static Cluster,
    name: String,
    pub(crate) url: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let cluster = Cluster::temporary().await;
        MIGRATED
            .get_or_init(|| async {
                let url = cluster.create_database(TEMPLATE).await.unwrap();
                dvt_store::migrate(&url).await.unwrap();
            })
            .await;
        let name = format!("store_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let url = cluster.create_database_like(&name, TEMPLATE).await.unwrap();
        Self { cluster, name, url }
    }

    pub(crate) async fn store(&self, role: Role) -> Store {
        Store::connect(&Config::of(&self.url), role).await.unwrap()
    }

    /// Runs SQL as the superuser, past all grants; answers the last row's first value, or why it was refused.
    pub(crate) async fn sql(&self, sql: &str) -> Result<String, String> {
        let rows = self.cluster.query(&self.name, &format!("set search_path = dvt; {sql}")).await;
        let rows = rows.map_err(|error| format!("{error:?}"))?;
        Ok(rows.into_iter().last().and_then(|row| row.into_iter().next().flatten()).unwrap_or_default())
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
