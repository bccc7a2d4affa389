//! Exports: a working copy was made, from which a later import starts; and what it had in common with the project.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dvt_dbt::tree;
use dvt_domain::Event;
use dvt_domain::branch::{self, ProjectExported};
use dvt_domain::id::BranchId;
use dvt_log::At;
use dvt_store::event;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::files::Tree;
use super::scope::Scope;
use crate::app::{App, Write};
use crate::edits;
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::HashedJson;
use crate::http::path::Path;
use crate::http::problem::Problem;

/// Records an export.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewExport {
    /// The version of the branch that was downloaded.
    version: i64,
}

/// Says that an export is recorded.
#[derive(Serialize, ToSchema)]
pub(super) struct Exported {
    /// The version of the branch after the record.
    version: i64,
}

/// Lists the files that the project and its working copy last had in common: as the last import gave them, or as they
/// were in the version that was last exported.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/exports/last", tag = "files",
    params(("project" = String, Path)), responses((status = OK, body = Tree))
)]
pub(super) async fn last(State(app): State<App>, Path(project): Path<String>) -> Result<Json<Tree>, Problem> {
    let scope = Scope::head(&app, &project).await?;
    let common = working_copy(&app, scope.branch.branch_id).await?;
    Ok(Json(Tree::of(common.version, &common.state)))
}

/// Reads the files that the project and its working copy last had in common, with the version they are of.
///
/// # Errors
/// When the log cannot be read.
pub(super) async fn working_copy(app: &App, branch: BranchId) -> Result<At<tree::Tree>, Problem> {
    let mut connection = app.connection().await?;
    let last = event::find_last(&mut connection, branch.uuid(), &["ProjectImported", "ProjectExported"]).await?;
    let last = last.ok_or_else(Problem::not_found)?;
    match app.log.decode(&mut connection, &last).await? {
        Some(Event::Branch(branch::Event::ProjectImported(imported))) => {
            Ok(At { version: last.version, state: imported.given.unwrap_or(imported.tree) })
        }
        Some(Event::Branch(branch::Event::ProjectExported(ProjectExported { version }))) => {
            Ok(At { version, state: app.branches.version(branch, version).await?.state.tree.clone() })
        }
        Some(_) | None => Err(Problem::not_found()),
    }
}

/// Records that a version was made a working copy: a later import of it brings what changed since.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/exports", tag = "files",
    params(("project" = String, Path), ("Idempotency-Key" = String, Header), ("Dvt-Actor" = Option<String>, Header)),
    request_body = NewExport, responses((status = CREATED, body = Exported))
)]
pub(super) async fn record(
    State(app): State<App>,
    Path(project): Path<String>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
    HashedJson { value: NewExport { version }, sha256 }: HashedJson<NewExport>,
) -> Result<(StatusCode, Json<Exported>), Problem> {
    let scope = Scope::head(&app, &project).await?;
    let write = Write { actor, key, request_sha256: sha256, project_id: scope.id };
    let mut events = app.repeated(&write).await?;
    if events.is_empty() {
        let head = scope.head.version;
        if !(1..=head).contains(&version) {
            let problem = Problem::unprocessable("NUMBER_RANGE", format!("version must be 1 to {head}"));
            return Err(problem.at("/version").limit(head).got(&version.to_string()));
        }
        let event = branch::Event::ProjectExported(ProjectExported { version });
        let decide = |_| std::future::ready(Ok(Some(event.clone())));
        events = edits::append(&app, (scope.branch.branch_id, &write), decide).await?;
    }
    let version = events.first().map_or(scope.head.version, |event| event.version);
    Ok((StatusCode::CREATED, Json(Exported { version })))
}
