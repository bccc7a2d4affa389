//! The steps of a run: how each stands, its log, the SQL it sent.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dvt_dbt::tree::Sha256;
use dvt_domain::run::question::{Question, ROWS_MAX, SentQuestion};
use dvt_store::{Connection, blob, step_log, view};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::previews::PreviewRef;
use super::runs;
use super::shapes::{Place, moment};
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, page_size};

/// How many lines of a log an answer has unless it asks for fewer or more, and at most.
const LINES: (i64, i64) = (1_000, 10_000);

/// Is one step of a run.
#[derive(Serialize, ToSchema)]
#[schema(as = RunStep)]
pub(super) struct Step {
    unique_id: String,
    node_key: String,
    name: String,
    resource_type: String,
    materialized: Option<String>,
    relation: Option<String>,
    /// `pending`, `running`, `succeeded`, `failed`, `unknown`, `skipped` or `cancelled`.
    state: String,
    attempt: i32,
    /// Why it runs, or why it was skipped.
    reason: String,
    /// Of a test that ended: `pass`, `warn` or `error`.
    severity: Option<&'static str>,
    rows: Option<i64>,
    /// How many rows a test found.
    failures: Option<i64>,
    message: Option<String>,
    error: Option<StepError>,
    started_at: Option<String>,
    finished_at: Option<String>,
    duration_ms: Option<f64>,
}

/// Says why a step failed.
#[derive(Serialize, ToSchema)]
struct StepError {
    code: Option<String>,
    message: String,
    sqlstate: Option<String>,
    /// Where in the project's files.
    place: Option<Place>,
}

/// Is a part of a step's log.
#[derive(Serialize, ToSchema)]
pub(super) struct StepLog {
    lines: Vec<LogLine>,
    /// True once no more lines will come.
    done: bool,
}

/// Is one line of a log.
#[derive(Serialize, ToSchema)]
struct LogLine {
    seq: i64,
    attempt: i32,
    at: String,
    /// `debug`, `info`, `warn` or `error`.
    level: String,
    text: String,
}

/// Is the SQL that a step sent.
#[derive(Serialize, ToSchema)]
pub(super) struct StepSql {
    sql: String,
}

/// Says which part of a log is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// The `seq` of the last line that is known.
    #[serde(default)]
    after: i64,
    /// How many lines, 1 to 10,000; 1,000 unless given.
    limit: Option<i64>,
}

impl Step {
    /// Lists the steps of a run in the order of its plan.
    pub(super) async fn list(c: &mut Connection, run: &view::run::Run) -> Result<Vec<Self>, Problem> {
        let keys: HashMap<_, _> = view::subject::list_identities(c, run.branch_id).await?.into_iter().collect();
        let steps = view::run::list_steps(c, run.run_id).await?;
        Ok(steps.into_iter().map(|step| Self::new(step, &keys)).collect())
    }

    fn new(step: view::run::Step, keys: &HashMap<String, String>) -> Self {
        let is_test = matches!(step.resource_type.as_str(), "test" | "unit_test");
        let failed = matches!(step.state.as_str(), "failed" | "unknown");
        let severity = match step.state.as_str() {
            "failed" => Some("error"),
            "succeeded" if step.warned => Some("warn"),
            "succeeded" => Some("pass"),
            _ => None,
        };
        Self {
            node_key: keys.get(&step.unique_id).unwrap_or(&step.unique_id).clone(),
            error: failed.then(|| StepError {
                code: step.code,
                message: step.message.clone().unwrap_or_default(),
                sqlstate: step.sqlstate,
                place: Place::of_view(&step.place),
            }),
            severity: severity.filter(|_| is_test),
            unique_id: step.unique_id,
            name: step.name,
            resource_type: step.resource_type,
            materialized: step.materialized,
            relation: step.relation,
            state: step.state,
            attempt: step.attempt,
            reason: step.reason,
            rows: step.rows,
            failures: step.failures,
            message: step.message,
            started_at: step.started_at.map(moment),
            finished_at: step.finished_at.map(moment),
            duration_ms: step.duration_us.map(|microseconds| microseconds as f64 / 1_000.0),
        }
    }
}

async fn find(c: &mut Connection, run: &view::run::Run, unique_id: &str) -> Result<view::run::Step, Problem> {
    let steps = view::run::list_steps(c, run.run_id).await?;
    steps.into_iter().find(|step| step.unique_id == unique_id).ok_or_else(Problem::not_found)
}

/// Answers the lines of a step's log after one that is known.
#[utoipa::path(get, path = "/api/v1/projects/{project}/runs/{run_id}/steps/{unique_id}/log", tag = "runs", params(("project" = String, Path), ("run_id" = String, Path), ("unique_id" = String, Path), After), responses((status = OK, body = StepLog)))]
pub(super) async fn log(
    State(app): State<App>,
    Path((project, run, unique_id)): Path<(String, String, String)>,
    Query(After { after, limit }): Query<After>,
) -> Result<Json<StepLog>, Problem> {
    let limit = page_size(limit, LINES)?;
    let mut connection = app.connection().await?;
    let run = runs::find(&mut connection, (&project, &run)).await?;
    // Before the lines: a step that has ended writes no more.
    let ended = find(&mut connection, &run, &unique_id).await?.finished_at.is_some();
    let step = step_log::Step { run_id: run.run_id, node: &unique_id };
    let lines = step_log::list_after(&mut connection, step, after, limit).await?;
    let done = ended && (lines.len() as i64) < limit;
    let line = |line: step_log::Line| LogLine {
        seq: line.seq,
        attempt: line.attempt,
        at: moment(line.at),
        level: line.level,
        text: line.line,
    };
    Ok(Json(StepLog { lines: lines.into_iter().map(line).collect(), done }))
}

/// Answers the SQL that a step sent.
#[utoipa::path(get, path = "/api/v1/projects/{project}/runs/{run_id}/steps/{unique_id}/sql", tag = "runs", params(("project" = String, Path), ("run_id" = String, Path), ("unique_id" = String, Path)), responses((status = OK, body = StepSql)))]
pub(super) async fn sql(
    State(app): State<App>,
    Path((project, run, unique_id)): Path<(String, String, String)>,
) -> Result<Json<StepSql>, Problem> {
    let mut connection = app.connection().await?;
    let run = runs::find(&mut connection, (&project, &run)).await?;
    let step = find(&mut connection, &run, &unique_id).await?;
    let sha256 = step.sql_sha256.ok_or_else(Problem::not_found)?;
    let bytes = blob::find(&mut connection, &sha256).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(StepSql { sql: String::from_utf8_lossy(&bytes).into_owned() }))
}

/// Says how many rows are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Limit {
    /// 1 to 500; 100 unless given.
    limit: Option<i64>,
}

/// Runs the query of a test step again, read-only, for the rows that fail it now.
#[utoipa::path(post, path = "/api/v1/projects/{project}/runs/{run_id}/steps/{unique_id}/failures", tag = "runs", params(("project" = String, Path), ("run_id" = String, Path), ("unique_id" = String, Path), Limit), responses((status = ACCEPTED, body = PreviewRef)))]
pub(super) async fn failures(
    State(app): State<App>,
    Path((project, run, unique_id)): Path<(String, String, String)>,
    Query(Limit { limit }): Query<Limit>,
) -> Result<(StatusCode, Json<PreviewRef>), Problem> {
    let limit = page_size(limit, (100, ROWS_MAX))?;
    let mut connection = app.connection().await?;
    let run = runs::find(&mut connection, (&project, &run)).await?;
    let step = find(&mut connection, &run, &unique_id).await?;
    drop(connection);
    let Some(sql) = step.sql_sha256.filter(|_| step.resource_type == "test") else {
        let detail = match step.resource_type.as_str() {
            "test" => "the test has not sent its query yet",
            "unit_test" => "the rows that fail a unit test are in the message of its step",
            _ => "only a test has rows that fail it",
        };
        return Err(Problem::unprocessable("STEP_WITHOUT_FAILURES", detail).at("unique_id").got(&unique_id));
    };
    let question = Question::Sent(SentQuestion {
        project_version: run.project_version,
        environment: run.environment,
        sql: Sha256(sql),
        limit,
    });
    Ok((StatusCode::ACCEPTED, Json(PreviewRef::ask(&app, run.project_id, &question).await?)))
}
