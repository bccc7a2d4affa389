//! Table `snapshot`: what a branch was at some of its versions, so that loading it need not fold from 1.

use uuid::Uuid;

use crate::{Connection, Error, Sha256};

/// Says which files a stream had at a version; both trees are blobs.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Snapshot {
    pub stream_id: Uuid,
    pub version: i64,
    /// Of the event that made this version.
    pub position: i64,
    #[sqlx(rename = "tree_sha256")]
    pub tree: Sha256,
    #[sqlx(rename = "packages_sha256")]
    pub packages: Sha256,
}

/// Puts a snapshot whose blobs are there; the same one again changes nothing.
///
/// # Errors
/// `snapshot_tree_sha256_fkey`, `snapshot_packages_sha256_fkey` where a blob is missing; when the database does.
pub async fn put(c: &mut Connection, snapshot: &Snapshot) -> Result<(), Error> {
    sqlx::query(
        "insert into snapshot (stream_id, version, position, tree_sha256, packages_sha256)
        values ($1, $2, $3, $4, $5)
        on conflict (stream_id, version) do nothing",
    )
    .bind(snapshot.stream_id)
    .bind(snapshot.version)
    .bind(snapshot.position)
    .bind(snapshot.tree)
    .bind(snapshot.packages)
    .execute(c)
    .await?;
    Ok(())
}

/// Finds the newest snapshot of a stream that is not newer than `version`.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, stream_id: Uuid, version: i64) -> Result<Option<Snapshot>, Error> {
    Ok(sqlx::query_as(
        "select stream_id, version, position, tree_sha256, packages_sha256
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
