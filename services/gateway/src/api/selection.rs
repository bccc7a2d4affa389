//! What a selector finds, so that whoever types one sees what a run of it would take.

use axum::Json;
use axum::extract::{Path, State};
use dvt_dbt::node::UniqueId;
use dvt_dbt::parse::Project;
use dvt_dbt::select::{Criteria, select};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::scope::{Moment, Scope};
use crate::app::App;
use crate::http::problem::Problem;
use crate::http::query::Query;

/// Asks what a selector finds.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Selector {
    /// dbt's selector syntax; all nodes unless given.
    #[serde(default)]
    select: String,
    #[serde(default)]
    exclude: String,
    /// The environment that the files are read for; `dev` unless given.
    environment: Option<String>,
    /// Waits up to 5 s until the branch has this version: read your own writes.
    min_version: Option<i64>,
}

/// Is what a selector finds.
#[derive(Serialize, ToSchema)]
pub(super) struct Selection {
    /// The version of the branch.
    version: i64,
    /// Tests are among them.
    unique_ids: Vec<String>,
}

/// Answers what a selector finds, in the order of the graph.
#[utoipa::path(get, path = "/api/v1/projects/{project}/selection", tag = "graph", params(("project" = String, Path), Selector), responses((status = OK, body = Selection)))]
pub(super) async fn selection(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(asked): Query<Selector>,
) -> Result<Json<Selection>, Problem> {
    let moment = Moment { environment: asked.environment, min_version: asked.min_version, ..Moment::default() };
    let scope = Scope::at(&app, &project, &moment).await?;
    let parsed = scope.parsed(&app, moment.environment.as_deref()).await?;
    let criteria = Criteria { select: asked.select, exclude: asked.exclude, ..Criteria::default() };
    let find = move || found(&parsed.project, &criteria);
    let unique_ids = tokio::task::spawn_blocking(find).await.map_err(|error| Problem::internal(&error))??;
    Ok(Json(Selection { version: scope.head.version, unique_ids }))
}

/// Answers what criteria find in a project.
///
/// # Errors
/// When the selector cannot be read.
pub(super) fn found(project: &Project, criteria: &Criteria) -> Result<Vec<UniqueId>, Problem> {
    let found = select(project, criteria)
        .map_err(|error| Problem::unprocessable(error.code(), error.to_string()).at("/select").got(&criteria.select))?;
    Ok(found.into_iter().collect())
}
