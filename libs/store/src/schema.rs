//! Table `schema`: the writer schemas of all payloads, by fingerprint. Truth beside the log: it cannot be read without.

use crate::{Connection, Error, Sha256};

/// An Avro schema as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Schema {
    pub fingerprint: Sha256,
    /// The record's full name.
    pub name: String,
    pub text: String,
}

/// Puts schemas; those that are there stay as they are.
///
/// # Errors
/// When the database does.
pub async fn put(c: &mut Connection, schemas: &[Schema]) -> Result<(), Error> {
    let mut sorted: Vec<&Schema> = schemas.iter().collect();
    sorted.sort_unstable_by_key(|schema| schema.fingerprint);
    sqlx::query(
        "insert into schema (fingerprint, name, text)
        select n.fingerprint, n.name, n.text
        from unnest($1::bytea[], $2::text[], $3::text[]) as n (fingerprint, name, text)
        on conflict (fingerprint) do nothing",
    )
    .bind(sorted.iter().map(|schema| &schema.fingerprint[..]).collect::<Vec<_>>())
    .bind(sorted.iter().map(|schema| schema.name.as_str()).collect::<Vec<_>>())
    .bind(sorted.iter().map(|schema| schema.text.as_str()).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Finds a schema by its fingerprint.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, fingerprint: &Sha256) -> Result<Option<Schema>, Error> {
    Ok(sqlx::query_as("select fingerprint, name, text from schema where fingerprint = $1")
        .bind(fingerprint)
        .fetch_optional(c)
        .await?)
}

/// Lists all schemas (one a version of an event type).
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection) -> Result<Vec<Schema>, Error> {
    Ok(sqlx::query_as("select fingerprint, name, text from schema order by name, fingerprint").fetch_all(c).await?)
}
