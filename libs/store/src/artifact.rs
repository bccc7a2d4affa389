//! Tables `artifact` and `artifact_file`: what a compilation gave, by the hash of all it is a function of.

use crate::{Connection, Error, Sha256};

/// Lists the files of an artifact; their bytes are blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    pub key: Sha256,
    /// Name and version of what compiled it.
    pub compiler: String,
    pub files: Vec<ArtifactFile>,
}

/// One file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ArtifactFile {
    /// Below the artifact's folder, with `/`.
    pub path: String,
    pub sha256: Sha256,
    pub size: i64,
}

/// Puts an artifact whose blobs are there; one with the same key is the same and stays as it is. Needs a transaction.
///
/// # Errors
/// `artifact_file_sha256_fkey` where a blob is missing; when the database does.
pub async fn put(c: &mut Connection, artifact: &Artifact) -> Result<(), Error> {
    let inserted = sqlx::query(
        "insert into artifact (artifact_key, compiler)
        values ($1, $2)
        on conflict (artifact_key) do nothing",
    )
    .bind(artifact.key)
    .bind(&artifact.compiler)
    .execute(&mut *c)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(
        "insert into artifact_file (artifact_key, path, sha256, size)
        select $1, n.path, n.sha256, n.size
        from unnest($2::text[], $3::bytea[], $4::bigint[]) as n (path, sha256, size)",
    )
    .bind(artifact.key)
    .bind(artifact.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>())
    .bind(artifact.files.iter().map(|file| &file.sha256[..]).collect::<Vec<_>>())
    .bind(artifact.files.iter().map(|file| file.size).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Finds an artifact by its key.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, key: &Sha256) -> Result<Option<Artifact>, Error> {
    let compiler: Option<String> = sqlx::query_scalar("select compiler from artifact where artifact_key = $1")
        .bind(key)
        .fetch_optional(&mut *c)
        .await?;
    let Some(compiler) = compiler else { return Ok(None) };
    let files = sqlx::query_as("select path, sha256, size from artifact_file where artifact_key = $1 order by path")
        .bind(key)
        .fetch_all(c)
        .await?;
    Ok(Some(Artifact { key: *key, compiler, files }))
}
