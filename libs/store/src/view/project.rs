//! Views `project`, `branch` and `environment`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Moment;
use crate::{Connection, Error};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Project {
    pub project_id: Uuid,
    pub name: String,
    pub root: String,
    pub repository_url: Option<String>,
    pub repository_branch: Option<String>,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
    pub version: i64,
    pub position: i64,
}

/// A branch of a project, and the last change of its files.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Branch {
    pub branch_id: Uuid,
    pub project_id: Uuid,
    pub layout_id: Uuid,
    pub name: String,
    pub created_position: i64,
    pub version: i64,
    pub position: i64,
    pub edited_by: Option<String>,
    pub edited_at: Option<DateTime<Utc>>,
    pub edit_summary: Option<String>,
}

/// An environment of a project.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Environment {
    pub project_id: Uuid,
    pub name: String,
    pub target: String,
    pub adapter: String,
    pub database: String,
    pub schema: String,
    pub threads: i32,
    /// A JSON object.
    pub vars: String,
    /// A JSON object of strings.
    pub env: String,
    pub position: i64,
}

/// Creates a project.
///
/// # Errors
/// When the database does.
pub async fn create(c: &mut Connection, moment: &Moment, name: &str, root: &str) -> Result<(), Error> {
    sqlx::query(
        "insert into project (project_id, name, root, created_by, created_at, version, position)
        values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(moment.stream_id)
    .bind(name)
    .bind(root)
    .bind(&moment.actor)
    .bind(moment.at)
    .bind(moment.version)
    .bind(moment.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Notes the last event of a project's stream.
///
/// # Errors
/// When the database does.
pub async fn advance(c: &mut Connection, moment: &Moment) -> Result<(), Error> {
    sqlx::query("update project set version = $2, position = $3 where project_id = $1")
        .bind(moment.stream_id)
        .bind(moment.version)
        .bind(moment.position)
        .execute(c)
        .await?;
    Ok(())
}

/// Links a project to a repository's branch.
///
/// # Errors
/// When the database does.
pub async fn link(c: &mut Connection, moment: &Moment, url: &str, branch: &str) -> Result<(), Error> {
    sqlx::query("update project set repository_url = $2, repository_branch = $3 where project_id = $1")
        .bind(moment.stream_id)
        .bind(url)
        .bind(branch)
        .execute(&mut *c)
        .await?;
    Ok(())
}

/// Adds a branch to a project.
///
/// # Errors
/// When the database does.
pub async fn add_branch(c: &mut Connection, branch: &Branch) -> Result<(), Error> {
    sqlx::query(
        "insert into branch (branch_id, project_id, layout_id, name, created_position, version, position)
        values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(branch.branch_id)
    .bind(branch.project_id)
    .bind(branch.layout_id)
    .bind(&branch.name)
    .bind(branch.created_position)
    .bind(branch.version)
    .bind(branch.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Notes the last event of a branch.
///
/// # Errors
/// When the database does.
pub async fn edit_branch(c: &mut Connection, moment: &Moment, summary: &str) -> Result<(), Error> {
    sqlx::query(
        "update branch
        set version = $2, position = $3, edited_by = $4, edited_at = $5, edit_summary = $6
        where branch_id = $1",
    )
    .bind(moment.stream_id)
    .bind(moment.version)
    .bind(moment.position)
    .bind(&moment.actor)
    .bind(moment.at)
    .bind(summary)
    .execute(c)
    .await?;
    Ok(())
}

/// Defines an environment, or defines it anew.
///
/// # Errors
/// When the database does.
pub async fn define_environment(c: &mut Connection, environment: &Environment) -> Result<(), Error> {
    sqlx::query(
        "insert into environment (
            project_id, name, target, adapter, database, schema, threads, vars, env, position
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (project_id, name) do update
            set target = excluded.target,
                adapter = excluded.adapter,
                database = excluded.database,
                schema = excluded.schema,
                threads = excluded.threads,
                vars = excluded.vars,
                env = excluded.env,
                position = excluded.position",
    )
    .bind(environment.project_id)
    .bind(&environment.name)
    .bind(&environment.target)
    .bind(&environment.adapter)
    .bind(&environment.database)
    .bind(&environment.schema)
    .bind(environment.threads)
    .bind(&environment.vars)
    .bind(&environment.env)
    .bind(environment.position)
    .execute(c)
    .await?;
    Ok(())
}

/// Lists projects by name (at most `limit`, after the one named `after`).
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, after: (&str, Uuid), limit: i64) -> Result<Vec<Project>, Error> {
    Ok(sqlx::query_as(
        "select *
        from project
        where (name, project_id) > ($1, $2)
        order by name, project_id
        limit $3",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(limit)
    .fetch_all(c)
    .await?)
}

/// Finds a project.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, project_id: Uuid) -> Result<Option<Project>, Error> {
    Ok(sqlx::query_as("select * from project where project_id = $1").bind(project_id).fetch_optional(c).await?)
}

/// Lists a project's branches, the main one first.
///
/// # Errors
/// When the database does.
pub async fn list_branches(c: &mut Connection, project_id: Uuid) -> Result<Vec<Branch>, Error> {
    Ok(sqlx::query_as("select * from branch where project_id = $1 order by created_position")
        .bind(project_id)
        .fetch_all(c)
        .await?)
}

/// Lists a project's environments by name.
///
/// # Errors
/// When the database does.
pub async fn list_environments(c: &mut Connection, project_id: Uuid) -> Result<Vec<Environment>, Error> {
    Ok(sqlx::query_as("select * from environment where project_id = $1 order by name")
        .bind(project_id)
        .fetch_all(c)
        .await?)
}
