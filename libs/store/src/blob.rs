//! Table `blob`: bytes under the name of their hash. Putting is idempotent; what nothing names is collected later.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256 as Hasher};

use crate::{Connection, Error, Sha256};

/// Puts contents and answers their hashes, in order. Call it before the append that names them.
///
/// # Errors
/// When the database does.
pub async fn put(c: &mut Connection, contents: &[&[u8]]) -> Result<Vec<Sha256>, Error> {
    let hashes: Vec<Sha256> = contents.iter().map(|bytes| Hasher::digest(bytes).into()).collect();
    let distinct: HashMap<&Sha256, &[u8]> = hashes.iter().zip(contents.iter().copied()).collect();
    // In one order in every process: two that put the same contents wait for each other instead of deadlocking.
    let mut sorted: Vec<_> = distinct.into_iter().collect();
    sorted.sort_unstable_by_key(|(hash, _)| *hash);
    let (names, bytes): (Vec<&[u8]>, Vec<&[u8]>) = sorted.into_iter().map(|(hash, bytes)| (&hash[..], bytes)).unzip();
    sqlx::query(
        "insert into blob as b (sha256, bytes)
        select n.sha256, n.bytes
        from unnest($1::bytea[], $2::bytea[]) as n (sha256, bytes)
        on conflict (sha256) do update set put_at = now()
            where b.put_at < now() - interval '1 hour'",
    )
    .bind(names)
    .bind(bytes)
    .execute(c)
    .await?;
    Ok(hashes)
}

/// Finds content by its hash.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, sha256: &Sha256) -> Result<Option<Vec<u8>>, Error> {
    Ok(sqlx::query_scalar("select bytes from blob where sha256 = $1").bind(sha256).fetch_optional(c).await?)
}

/// Lists contents by their hashes; those that are not there are left out.
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, hashes: &[Sha256]) -> Result<HashMap<Sha256, Vec<u8>>, Error> {
    let rows: Vec<(Sha256, Vec<u8>)> =
        sqlx::query_as("select sha256, bytes from blob where sha256 = any ($1)").bind(hashes).fetch_all(c).await?;
    Ok(rows.into_iter().collect())
}

/// Lists those of `hashes` that are not there, so that only they need to be put.
///
/// # Errors
/// When the database does.
pub async fn list_missing(c: &mut Connection, hashes: &[Sha256]) -> Result<Vec<Sha256>, Error> {
    Ok(sqlx::query_scalar(
        "select n.sha256
        from unnest($1::bytea[]) as n (sha256)
        where not exists (select from blob b where b.sha256 = n.sha256)",
    )
    .bind(hashes)
    .fetch_all(c)
    .await?)
}

/// Deletes contents that were put last before `put_before` and are not `live`; answers how many. The caller lists
/// what events, trees and artifacts name; only the owner may delete.
///
/// # Errors
/// When the database does.
pub async fn collect_orphans(c: &mut Connection, live: &[Sha256], put_before: DateTime<Utc>) -> Result<u64, Error> {
    let done = sqlx::query(
        "delete from blob b
        where b.put_at < $2
            and not exists (select from unnest($1::bytea[]) as l (sha256) where l.sha256 = b.sha256)
            and not exists (select from artifact_file f where f.sha256 = b.sha256)
            and not exists (select from snapshot s where s.tree_sha256 = b.sha256)",
    )
    .bind(live)
    .bind(put_before)
    .execute(c)
    .await?;
    Ok(done.rows_affected())
}
