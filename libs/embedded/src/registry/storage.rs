//! The registry's tables: schemas, the versions of subjects, and compatibility levels.

use std::sync::Arc;

use apache_avro::Schema;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

use super::Error;
use super::rules::Compatibility;

const TABLES: &str = "
    create schema if not exists registry;
    create table if not exists registry.schema (
        id integer generated always as identity,
        canonical text not null,
        text text not null,
        constraint schema_pkey primary key (id),
        constraint schema_canonical_key unique (canonical)
    );
    create table if not exists registry.subject_version (
        subject text not null,
        version integer not null,
        schema_id integer not null,
        constraint subject_version_pkey primary key (subject, version),
        constraint subject_version_schema_key unique (subject, schema_id),
        constraint subject_version_schema_id_fkey foreign key (schema_id) references registry.schema (id)
    );
    create table if not exists registry.config (
        subject text not null, -- empty: of all subjects without one of their own
        compatibility text not null,
        constraint config_pkey primary key (subject)
    );";

/// One version of a subject.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) subject: String,
    pub(super) version: i32,
    pub(super) id: i32,
    pub(super) text: String,
}

/// Holds the one connection, again whenever it broke.
#[derive(Clone)]
pub(super) struct Storage {
    url: Arc<str>,
    client: Arc<Mutex<Option<Client>>>,
}

/// Says what registering a schema came to.
pub(super) enum Registered {
    As(i32),
    Refused(String),
}

impl Storage {
    pub(super) async fn open(url: &str) -> Result<Self, Error> {
        let storage = Self { url: url.into(), client: Arc::default() };
        let client = storage.connect().await?;
        // Two processes may start at once.
        client.batch_execute(&format!("begin; select pg_advisory_xact_lock(7234567); {TABLES} commit")).await?;
        *storage.client.lock().await = Some(client);
        Ok(storage)
    }

    async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "the schema registry lost its database");
            }
        });
        Ok(client)
    }

    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, tokio_postgres::Error> {
        let mut held = self.client.lock().await;
        let mut client = match held.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.connect().await?,
        };
        let done = work(&mut client).await;
        *held = Some(client);
        done
    }

    pub(super) async fn schema(&self, id: i32) -> Result<Option<String>, tokio_postgres::Error> {
        self.with(async |client| {
            let row = client.query_opt("select text from registry.schema where id = $1", &[&id]).await?;
            row.map(|row| row.try_get(0)).transpose()
        })
        .await
    }

    pub(super) async fn subjects(&self) -> Result<Vec<String>, tokio_postgres::Error> {
        self.with(async |client| {
            let sql = "select distinct subject from registry.subject_version order by subject";
            client.query(sql, &[]).await?.iter().map(|row| row.try_get(0)).collect()
        })
        .await
    }

    pub(super) async fn versions(&self, subject: &str) -> Result<Vec<Version>, tokio_postgres::Error> {
        self.with(async |client| versions(client, subject).await).await
    }

    pub(super) async fn level(&self, subject: &str) -> Result<Option<Compatibility>, tokio_postgres::Error> {
        self.with(async |client| {
            let sql = "select compatibility from registry.config where subject = $1";
            let row = client.query_opt(sql, &[&subject]).await?;
            let name: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
            Ok(name.and_then(|name| Compatibility::find(&name)))
        })
        .await
    }

    pub(super) async fn set_level(&self, subject: &str, level: Compatibility) -> Result<(), tokio_postgres::Error> {
        let sql = "insert into registry.config (subject, compatibility) values ($1, $2)
            on conflict (subject) do update set compatibility = excluded.compatibility";
        self.with(async |client| client.execute(sql, &[&subject, &level.as_str()]).await.map(drop)).await
    }

    /// Registers a schema; one that the subject has already keeps its id.
    pub(super) async fn register(
        &self,
        subject: &str,
        text: &str,
        schema: &Schema,
    ) -> Result<Registered, tokio_postgres::Error> {
        let level = self.level_of(subject).await?;
        let canonical = schema.canonical_form();
        self.with(async |client| {
            let transaction = client.transaction().await?;
            transaction.execute("select pg_advisory_xact_lock(7234567)", &[]).await?;
            let older = versions(&transaction, subject).await?;
            if let Some(same) = older.iter().find(|version| canonical_form(&version.text).as_ref() == Some(&canonical))
            {
                return Ok(Registered::As(same.id));
            }
            if let Some(objection) = level.objection(schema, &parsed(&older)) {
                return Ok(Registered::Refused(objection));
            }
            let put = "insert into registry.schema (canonical, text) values ($1, $2)
                on conflict (canonical) do update set canonical = excluded.canonical returning id";
            let id: i32 = transaction.query_one(put, &[&canonical, &text]).await?.try_get(0)?;
            let add = "insert into registry.subject_version (subject, version, schema_id)
                select $1, coalesce(max(version), 0) + 1, $2 from registry.subject_version where subject = $1";
            transaction.execute(add, &[&subject, &id]).await?;
            transaction.commit().await?;
            Ok(Registered::As(id))
        })
        .await
    }

    /// Answers the level that applies to a subject.
    pub(super) async fn level_of(&self, subject: &str) -> Result<Compatibility, tokio_postgres::Error> {
        match self.level(subject).await? {
            Some(level) => Ok(level),
            None => Ok(self.level("").await?.unwrap_or(Compatibility::Backward)),
        }
    }
}

pub(super) fn parsed(versions: &[Version]) -> Vec<Schema> {
    versions.iter().filter_map(|version| Schema::parse_str(&version.text).ok()).collect()
}

pub(super) fn canonical_form(text: &str) -> Option<String> {
    Schema::parse_str(text).ok().map(|schema| schema.canonical_form())
}

async fn versions(
    client: &impl tokio_postgres::GenericClient,
    subject: &str,
) -> Result<Vec<Version>, tokio_postgres::Error> {
    let sql = "select v.subject, v.version, v.schema_id, s.text
        from registry.subject_version v
        join registry.schema s on s.id = v.schema_id
        where v.subject = $1
        order by v.version";
    let rows = client.query(sql, &[&subject]).await?;
    rows.iter()
        .map(|row| {
            Ok(Version {
                subject: row.try_get(0)?,
                version: row.try_get(1)?,
                id: row.try_get(2)?,
                text: row.try_get(3)?,
            })
        })
        .collect()
}
