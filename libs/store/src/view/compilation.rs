//! Views `compilation` and `compilation_node`: what was compiled, and published to Git.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Moment, Place};
use crate::{Connection, Error, Sha256};

/// A compilation and, where asked for, its publish.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Compilation {
    pub compilation_id: Uuid,
    pub project_id: Uuid,
    pub branch_id: Uuid,
    pub branch_version: i64,
    pub project_version: i64,
    pub environment: String,
    /// `requested`, `compiled` or `failed`.
    pub state: String,
    pub artifact: Option<Sha256>,
    pub compiled: i32,
    pub deferred: i32,
    pub broken: i32,
    pub code: Option<String>,
    pub message: Option<String>,
    pub requested_by: String,
    pub requested_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// `pending`, `published` or `superseded`.
    pub publish_state: Option<String>,
    pub publish_message: Option<String>,
    pub publish_requested_at: Option<DateTime<Utc>>,
    pub published_at: Option<DateTime<Utc>>,
    pub commit: Option<String>,
    pub artifacts_commit: Option<String>,
    pub superseded_by: Option<i64>,
    pub version: i64,
    pub position: i64,
}

/// A node that is not simply compiled.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Node {
    pub unique_id: String,
    /// `deferred` or `broken`.
    pub state: String,
    pub code: Option<String>,
    pub message: Option<String>,
    #[sqlx(flatten)]
    pub place: Place,
}

/// Names what is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub branch_id: Uuid,
    pub branch_version: i64,
    pub project_version: i64,
    pub environment: String,
}

/// Holds what a compilation gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    pub artifact: Sha256,
    pub compiled: i32,
    pub deferred: i32,
    pub broken: i32,
    /// Those that are not simply compiled.
    pub nodes: Vec<Node>,
}

/// Adds a compilation that was asked for.
///
/// # Errors
/// When the database does.
pub async fn request(c: &mut Connection, moment: &Moment, request: &Request) -> Result<(), Error> {
    sqlx::query(
        "insert into compilation (
            compilation_id, project_id, branch_id, branch_version, project_version, environment, state,
            requested_by, requested_at, version, position
        )
        values ($1, $2, $3, $4, $5, $6, 'requested', $7, $8, $9, $10)",
    )
    .bind(moment.stream_id)
    .bind(moment.project_id)
    .bind(request.branch_id)
    .bind(request.branch_version)
    .bind(request.project_version)
    .bind(&request.environment)
    .bind(&moment.actor)
    .bind(moment.at)
    .bind(moment.version)
    .bind(moment.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Notes what a compilation gave.
///
/// # Errors
/// When the database does.
pub async fn finish(c: &mut Connection, moment: &Moment, compiled: &Compiled) -> Result<(), Error> {
    sqlx::query(
        "update compilation
        set state = 'compiled', artifact = $2, compiled = $3, deferred = $4, broken = $5,
            finished_at = $6, version = $7, position = $8
        where compilation_id = $1",
    )
    .bind(moment.stream_id)
    .bind(compiled.artifact)
    .bind(compiled.compiled)
    .bind(compiled.deferred)
    .bind(compiled.broken)
    .bind(moment.at)
    .bind(moment.version)
    .bind(moment.position)
    .execute(&mut *c)
    .await?;
    let nodes = &compiled.nodes;
    sqlx::query(
        "insert into compilation_node (compilation_id, unique_id, state, code, message, path, line, \"column\")
        select $1, n.unique_id, n.state, n.code, n.message, n.path, n.line, n.col
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::integer[])
            as n (unique_id, state, code, message, path, line, col)
        on conflict (compilation_id, unique_id) do nothing",
    )
    .bind(moment.stream_id)
    .bind(nodes.iter().map(|node| node.unique_id.as_str()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.state.as_str()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.code.as_deref()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.message.as_deref()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.place.path.as_deref()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.place.line).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.place.column).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

/// Notes that a compilation failed as a whole.
///
/// # Errors
/// When the database does.
pub async fn fail(c: &mut Connection, moment: &Moment, code: &str, message: &str) -> Result<(), Error> {
    sqlx::query(
        "update compilation
        set state = 'failed', code = $2, message = $3, finished_at = $4, version = $5, position = $6
        where compilation_id = $1",
    )
    .bind(moment.stream_id)
    .bind(code)
    .bind(message)
    .bind(moment.at)
    .bind(moment.version)
    .bind(moment.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Notes that a compilation is to be published.
///
/// # Errors
/// When the database does.
pub async fn request_publish(c: &mut Connection, moment: &Moment, message: &str) -> Result<(), Error> {
    sqlx::query(
        "update compilation
        set publish_state = 'pending', publish_message = $2, publish_requested_at = $3, version = $4, position = $5
        where compilation_id = $1",
    )
    .bind(moment.stream_id)
    .bind(message)
    .bind(moment.at)
    .bind(moment.version)
    .bind(moment.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Notes the commits of a publish: of the project's files and, where there are any, of the artifacts.
///
/// # Errors
/// When the database does.
pub async fn publish(
    c: &mut Connection,
    moment: &Moment,
    commit: &str,
    artifacts_commit: Option<&str>,
) -> Result<(), Error> {
    sqlx::query(
        "update compilation
        set publish_state = 'published', commit = $2, artifacts_commit = $3, published_at = $4,
            version = $5, position = $6
        where compilation_id = $1",
    )
    .bind(moment.stream_id)
    .bind(commit)
    .bind(artifacts_commit)
    .bind(moment.at)
    .bind(moment.version)
    .bind(moment.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Notes that a later version was published first.
///
/// # Errors
/// When the database does.
pub async fn supersede(c: &mut Connection, moment: &Moment, by_version: i64) -> Result<(), Error> {
    sqlx::query(
        "update compilation
        set publish_state = 'superseded', superseded_by = $2, version = $3, position = $4
        where compilation_id = $1",
    )
    .bind(moment.stream_id)
    .bind(by_version)
    .bind(moment.version)
    .bind(moment.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Finds a compilation.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, compilation_id: Uuid) -> Result<Option<Compilation>, Error> {
    Ok(sqlx::query_as("select * from compilation where compilation_id = $1")
        .bind(compilation_id)
        .fetch_optional(c)
        .await?)
}

/// Finds the oldest compilation of a moment of a branch in an environment.
///
/// # Errors
/// When the database does.
pub async fn find_request(c: &mut Connection, request: &Request) -> Result<Option<Compilation>, Error> {
    Ok(sqlx::query_as(
        "select *
        from compilation
        where branch_id = $1 and branch_version = $2 and project_version = $3 and environment = $4
        order by position
        limit 1",
    )
    .bind(request.branch_id)
    .bind(request.branch_version)
    .bind(request.project_version)
    .bind(&request.environment)
    .fetch_optional(c)
    .await?)
}

/// Lists the nodes of a compilation that are not simply compiled.
///
/// # Errors
/// When the database does.
pub async fn list_nodes(c: &mut Connection, compilation_id: Uuid) -> Result<Vec<Node>, Error> {
    Ok(sqlx::query_as(
        "select unique_id, state, code, message, path, line, \"column\"
        from compilation_node
        where compilation_id = $1
        order by unique_id",
    )
    .bind(compilation_id)
    .fetch_all(c)
    .await?)
}

/// Lists up to `limit` compilations of a project that were to be published, the newest request first.
///
/// # Errors
/// When the database does.
pub async fn list_publishes(c: &mut Connection, project_id: Uuid, limit: i64) -> Result<Vec<Compilation>, Error> {
    Ok(sqlx::query_as(
        "select *
        from compilation
        where project_id = $1 and publish_state is not null
        order by publish_requested_at desc, compilation_id desc
        limit $2",
    )
    .bind(project_id)
    .bind(limit)
    .fetch_all(c)
    .await?)
}
