//! Exports: a working copy was made, from which a later import starts.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use dvt_domain::branch::{self, ProjectExported};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scope::Scope;
use crate::app::{App, Write};
use crate::edits;
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::HashedJson;
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
