//! Table `registry_id`: the ids under which schema registries know our schemas.

use crate::{Connection, Error, Sha256};

/// Finds a schema's id in a registry.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, registry: &str, fingerprint: &Sha256) -> Result<Option<i32>, Error> {
    Ok(sqlx::query_scalar("select id from registry_id where registry = $1 and fingerprint = $2")
        .bind(registry)
        .bind(fingerprint)
        .fetch_optional(c)
        .await?)
}

/// Lists all ids of a registry (one a schema we ever wrote).
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, registry: &str) -> Result<Vec<(Sha256, i32)>, Error> {
    Ok(sqlx::query_as("select fingerprint, id from registry_id where registry = $1 order by id")
        .bind(registry)
        .fetch_all(c)
        .await?)
}

/// Remembers a schema's id.
///
/// # Errors
/// When the database does.
pub async fn put(c: &mut Connection, registry: &str, fingerprint: &Sha256, id: i32) -> Result<(), Error> {
    sqlx::query(
        "insert into registry_id (registry, fingerprint, id)
        values ($1, $2, $3)
        on conflict (registry, fingerprint) do update set id = excluded.id",
    )
    .bind(registry)
    .bind(fingerprint)
    .bind(id)
    .execute(c)
    .await?;
    Ok(())
}

/// Forgets a registry's ids: it was wiped and gives out others.
///
/// # Errors
/// When the database does.
pub async fn forget(c: &mut Connection, registry: &str) -> Result<(), Error> {
    sqlx::query("delete from registry_id where registry = $1").bind(registry).execute(c).await?;
    Ok(())
}
