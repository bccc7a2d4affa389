//! What a run would do, in which order and why, before it is asked for.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use dvt_dbt::select::Criteria;
use dvt_domain::run::plan::{self, Wanted};
use dvt_domain::run::{PlannedStep, estimate};
use dvt_store::view;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::runs::{Command, check_threads};
use super::scope::{Moment, Scope};
use super::selection;
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;

/// Asks what a run would do; as the run itself is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    #[serde(default)]
    #[param(inline)]
    command: Command,
    /// dbt's selector syntax; all nodes unless given.
    #[serde(default)]
    select: String,
    #[serde(default)]
    exclude: String,
    /// `dev` unless given.
    environment: Option<String>,
    /// Statements at a time, 1 to 64; the environment's unless given.
    threads: Option<i32>,
    /// Waits up to 5 s until the branch has this version: read your own writes.
    min_version: Option<i64>,
}

/// Is what a run would do.
#[derive(Serialize, ToSchema)]
pub(super) struct Plan {
    /// The version of the branch.
    version: i64,
    threads: i32,
    /// How long it would take, by how long its steps took in the last runs; null where none of them ran.
    expected_ms: Option<i64>,
    /// In their order.
    steps: Vec<PlanStep>,
}

/// Is a step that would run.
#[derive(Serialize, ToSchema)]
struct PlanStep {
    unique_id: String,
    name: String,
    resource_type: String,
    materialized: Option<String>,
    relation: Option<String>,
    /// Why it would run.
    reason: String,
    /// The steps of this plan that it waits for.
    needs: Vec<String>,
    /// How long it usually takes; null where it never ran.
    usual_ms: Option<i64>,
    /// It has an error: it would be skipped, and with it what needs it.
    broken: bool,
}

/// Plans a run without asking for it.
#[utoipa::path(get, path = "/api/v1/projects/{project}/plan", tag = "runs", params(("project" = String, Path), Asked), responses((status = OK, body = Plan)))]
pub(super) async fn plan(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Plan>, Problem> {
    let moment = Moment { environment: asked.environment, min_version: asked.min_version, at_version: None };
    let scope = Scope::at(&app, &project, &moment).await?;
    let environment = scope.environment(moment.environment.as_deref())?.environment.clone();
    let threads = check_threads(asked.threads.unwrap_or(environment.threads as i32)).map_err(|it| it.at("threads"))?;
    let parsed = scope.parsed(&app, moment.environment.as_deref()).await?;
    let (select, exclude) = (asked.select, asked.exclude);
    let criteria = Criteria { select: select.clone(), exclude: exclude.clone(), ..Criteria::default() };
    let nodes = match selection::reads_state(&criteria) {
        true => selection::found(&app, &scope, (parsed.clone(), criteria)).await?,
        false => Vec::new(),
    };
    let wanted = Wanted { kind: asked.command.into(), select, exclude, nodes, is_retry: false };
    let read = parsed.clone();
    let steps = tokio::task::spawn_blocking(move || {
        let refused = |error: dvt_dbt::select::Error| Problem::unprocessable(error.code(), error.to_string());
        plan::plan(&read.project, &wanted).map_err(|error| refused(error).at("select").got(&wanted.select))
    });
    let steps = steps.await.map_err(|error| Problem::internal(&error))??;
    let usual = usual(&app, &scope, &environment.name).await?;
    let expected = estimate::expected(&steps, threads as usize, &usual);
    let is_broken = |step: &PlannedStep| parsed.problems.get(&step.unique_id).is_some_and(|found| found.errors > 0);
    let shown = |step: PlannedStep| PlanStep {
        usual_ms: usual.get(&step.unique_id).map(|usual| usual / 1000),
        broken: is_broken(&step),
        unique_id: step.unique_id,
        name: step.name,
        resource_type: step.resource_type,
        materialized: step.materialized,
        relation: step.relation,
        reason: step.reason,
        needs: step.needs,
    };
    let version = scope.head.version;
    let steps = steps.into_iter().map(shown).collect();
    Ok(Json(Plan { version, threads, expected_ms: expected.map(|expected| expected / 1000), steps }))
}

/// Answers how long steps usually take in an environment, in microseconds, by unique_id.
async fn usual(app: &App, scope: &Scope, environment: &str) -> Result<HashMap<String, i64>, Problem> {
    let mut connection = app.connection().await?;
    let usual = view::run::usual_durations(&mut connection, (scope.id.uuid(), environment)).await?;
    Ok(usual.into_iter().collect())
}
