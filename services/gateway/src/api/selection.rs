//! What a selector finds, so that whoever types one sees what a run of it would take.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use dvt_dbt::node::UniqueId;
use dvt_dbt::select::{Criteria, select_since};
use dvt_domain::project;
use dvt_store::view;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::scope::{Moment, Scope};
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::parsed::{Parsed, Reading};

/// dbt's method that compares with an earlier state.
const STATE: &str = "state:";

/// Asks what a selector finds.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Selector {
    /// dbt's selector syntax; all nodes unless given. `state:` compares with the last run of the environment.
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
    let unique_ids = found(&app, &scope, (parsed, criteria)).await?;
    Ok(Json(Selection { version: scope.head.version, unique_ids }))
}

/// Answers what criteria find in a project; `state:` compares with the last run of the environment.
///
/// # Errors
/// When the selector cannot be read, or names a state and no run has finished.
pub(super) async fn found(
    app: &App,
    scope: &Scope,
    (parsed, criteria): (Arc<Parsed>, Criteria),
) -> Result<Vec<UniqueId>, Problem> {
    let previous = match reads_state(&criteria) {
        true => Some(as_it_ran(app, scope, &parsed.project.engine().settings().environment.name).await?),
        false => None,
    };
    let find = move || {
        let previous = previous.as_ref().map(|previous| &previous.project);
        select_since(&parsed.project, &criteria, previous).map(|found| found.into_iter().collect()).map_err(|error| {
            Problem::unprocessable(error.code(), error.to_string()).at("/select").got(&criteria.select)
        })
    };
    tokio::task::spawn_blocking(find).await.map_err(|error| Problem::internal(&error))?
}

/// Says whether criteria compare with the last run.
pub(super) fn reads_state(criteria: &Criteria) -> bool {
    criteria.select.contains(STATE) || criteria.exclude.contains(STATE)
}

/// Parses the project as the last run of an environment had it.
async fn as_it_ran(app: &App, scope: &Scope, environment: &str) -> Result<Arc<Parsed>, Problem> {
    let mut connection = app.connection().await?;
    let run = view::run::find_finished(&mut connection, scope.id.uuid(), environment).await?;
    let run = run.ok_or_else(|| {
        let detail = format!("`{STATE}` compares with the last run, and none has finished in {environment} yet");
        Problem::unprocessable("STATE_UNKNOWN", detail).at("/select")
    })?;
    let then = app.log.load_version::<project::Project>(&mut connection, scope.id.uuid(), run.project_version).await?;
    drop(connection);
    let found = then.state.environments.get(environment).ok_or_else(Problem::not_found)?;
    let reading = Reading { root: scope.root().to_owned(), environment: found.environment.clone() };
    let head = app.branches.version(scope.branch.branch_id, run.branch_version).await?;
    app.read(&head, &reading).await
}
