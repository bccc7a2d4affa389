//! Table `snapshot`: what a stream was at some of its versions, so that loading it need not fold from 1.

use uuid::Uuid;

use crate::{Connection, Error, Sha256};

/// Names the blob of what a stream was at a version.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Snapshot {
    pub stream_id: Uuid,
    pub version: i64,
    pub tree_sha256: Sha256,
}

/// Puts a snapshot whose blob is there; the same one again changes nothing.
///
/// # Errors
/// `snapshot_tree_sha256_fkey` where the blob is missing; when the database does.
pub async fn put(c: &mut Connection, snapshot: &Snapshot) -> Result<(), Error> {
    sqlx::query(
        "insert into snapshot (stream_id, version, tree_sha256)
        values ($1, $2, $3)
        on conflict (stream_id, version) do nothing",
    )
    .bind(snapshot.stream_id)
    .bind(snapshot.version)
    .bind(snapshot.tree_sha256)
    .execute(c)
    .await?;
    Ok(())
}

/// Finds the newest snapshot of a stream that is not newer than `version`.
///
/// # Errors
/// When the database does.
pub async fn find_at(c: &mut Connection, stream_id: Uuid, version: i64) -> Result<Option<Snapshot>, Error> {
    Ok(sqlx::query_as(
        "select stream_id, version, tree_sha256
        from snapshot
        where stream_id = $1 and version <= $2
        order by version desc
        limit 1",
    )
    .bind(stream_id)
    .bind(version)
    .fetch_optional(c)
    .await?)
}
