//! Tables `artifact` and `artifact_file`: what a compilation gave, by the hash of all it is a function of.

mod index;

use crate::{Connection, Error, Sha256, blob};

pub use index::{Broken, File, Index, Node, Place, SourceMap, Span, Spans};

/// The file that says what became of each node.
pub const INDEX: &str = "index.json";
/// The file that dbt's tools read, schema version 12.
pub const MANIFEST: &str = "manifest.json";
/// The file that leads from compiled SQL back to the project's files.
pub const SOURCE_MAP: &str = "source_map.json";

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

/// Finds the bytes of one file of an artifact.
///
/// # Errors
/// When the database does.
pub async fn find_file(c: &mut Connection, key: &Sha256, path: &str) -> Result<Option<Vec<u8>>, Error> {
    Ok(sqlx::query_scalar(
        "select b.bytes
        from artifact_file f
        join blob b on b.sha256 = f.sha256
        where f.artifact_key = $1 and f.path = $2",
    )
    .bind(key)
    .bind(path)
    .fetch_optional(c)
    .await?)
}

/// Finds what became of each node of an artifact.
///
/// # Errors
/// When the database does, or the file is not one that this release reads.
pub async fn find_index(c: &mut Connection, key: &Sha256) -> Result<Option<Index>, Error> {
    let bytes = find_file(c, key, INDEX).await?;
    bytes.map(|bytes| Index::from_bytes(&bytes)).transpose().map_err(|error| unreadable(INDEX, &error))
}

/// Finds the way back from an artifact's SQL to the project's files.
///
/// # Errors
/// As [`find_index`].
pub async fn find_source_map(c: &mut Connection, key: &Sha256) -> Result<Option<SourceMap>, Error> {
    let bytes = find_file(c, key, SOURCE_MAP).await?;
    bytes.map(|bytes| SourceMap::from_bytes(&bytes)).transpose().map_err(|error| unreadable(SOURCE_MAP, &error))
}

/// Finds the text of a node's SQL.
///
/// # Errors
/// As [`find_index`].
pub async fn find_sql(c: &mut Connection, file: &File) -> Result<Option<String>, Error> {
    let bytes = blob::find(c, &file.sha256).await?;
    bytes.map(String::from_utf8).transpose().map_err(|error| unreadable(&file.path, &error))
}

fn unreadable(path: &str, error: &dyn std::error::Error) -> Error {
    Error::Artifact { path: path.to_owned(), reason: error.to_string() }
}
