//! Runs: requested, seen, cancelled.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dvt_domain::Topic;
use dvt_domain::id::{ProjectId, RunId};
use dvt_domain::project::THREADS_MAX;
use dvt_domain::run::{self, Kind, Run, RunCancelRequested, RunRequested, estimate};
use dvt_log::Decided;
use dvt_store::event;
use dvt_store::held_relation::Claim;
use dvt_store::{Connection, view};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::compilations::Needed;
use super::reruns;
use super::scope::{Scope, project_id};
use super::shapes::moment;
use super::steps::Step;
use crate::app::{App, Logged, Write};
use crate::holds;
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::HashedJson;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, page_before, page_size};
use crate::views;

/// How many runs a page has unless it asks for fewer or more, and at most.
const PAGE: (i64, i64) = (50, 200);

/// Asks for a run of the branch's head.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRun {
    /// As dbt's command of that name; `build` unless given.
    pub(super) command: Option<Command>,
    /// `dev` unless given.
    pub(super) environment: Option<String>,
    /// dbt's selector syntax; all nodes unless given. `state:` compares with the last run of the environment, e.g.
    /// `state:modified+` for what has changed since.
    #[serde(default)]
    pub(super) select: String,
    #[serde(default)]
    pub(super) exclude: String,
    /// The id of a finished run: what failed, was skipped or was cancelled in it runs again, with all that it was asked
    /// for, as `dbt retry`. Only `threads` goes with it.
    pub(super) retry: Option<String>,
    /// Rebuilds incremental models from nothing.
    #[serde(default)]
    pub(super) full_refresh: bool,
    /// Statements at a time, 1 to 64; the environment's unless given.
    threads: Option<i32>,
}

/// Names what a run does, as dbt's command of that name.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunCommand)]
pub(super) enum Command {
    #[default]
    Build,
    Run,
    Test,
    Seed,
    Snapshot,
}

impl From<Command> for Kind {
    fn from(command: Command) -> Self {
        match command {
            Command::Build => Self::Build,
            Command::Run => Self::Run,
            Command::Test => Self::Test,
            Command::Seed => Self::Seed,
            Command::Snapshot => Self::Snapshot,
        }
    }
}

/// Names a run.
#[derive(Serialize, ToSchema)]
pub(super) struct RunRef {
    run_id: String,
    /// Counts the project's runs from 1; null while the views are behind.
    number: Option<i64>,
}

/// Is a run at a glance.
#[derive(Serialize, ToSchema)]
pub(super) struct RunSummary {
    run_id: String,
    number: i64,
    command: String,
    select: String,
    exclude: String,
    full_refresh: bool,
    threads: i32,
    environment: String,
    /// The version of the branch.
    version: i64,
    /// The version of the run's own stream.
    stream_version: i64,
    /// `requested`, `planned`, `running` or `finished`.
    state: String,
    /// `succeeded`, `failed` or `cancelled`; null until it is finished.
    outcome: Option<String>,
    /// What a run that failed as a whole says.
    message: Option<String>,
    /// What kind of end that was, e.g. `RUN_ABANDONED`; null where the steps say how it ended.
    code: Option<String>,
    counts: StepCounts,
    requested_by: String,
    requested_at: String,
    cancel_requested_at: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    duration_ms: Option<i64>,
}

/// Counts steps by how they stand.
#[derive(Serialize, ToSchema)]
struct StepCounts {
    succeeded: i64,
    failed: i64,
    skipped: i64,
    cancelled: i64,
    running: i64,
    pending: i64,
    /// Of the succeeded: tests that found something and only warn.
    warned: i64,
}

/// Is a run with its steps, in the order of its plan.
#[derive(Serialize, ToSchema)]
pub(super) struct RunDetail {
    #[serde(flatten)]
    summary: RunSummary,
    /// How long it takes in all, by how long its steps took in the last runs; null where none of them ran, and once it
    /// is finished.
    expected_ms: Option<i64>,
    steps: Vec<Step>,
}

/// Is a page of runs, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Runs {
    runs: Vec<RunSummary>,
    /// Leads to older runs; null on the last page.
    next_cursor: Option<i64>,
}

/// Asks for a page of runs.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// How many runs, 1 to 200; 50 unless given.
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<i64>,
}

/// Says how new a read of a run must be.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunMoment {
    /// Waits up to 5 s until the run's stream has this version and the answer shows it.
    min_version: Option<i64>,
}

impl RunSummary {
    pub(super) async fn read(c: &mut Connection, run: view::run::Run) -> Result<Self, Problem> {
        let counts = view::run::count_steps(c, run.run_id).await?;
        let duration = run.started_at.zip(run.finished_at).map(|(started, finished)| finished - started);
        Ok(Self {
            run_id: run.run_id.to_string(),
            number: run.number,
            command: run.kind,
            select: run.select,
            exclude: run.exclude,
            full_refresh: run.full_refresh,
            threads: run.threads,
            environment: run.environment,
            version: run.branch_version,
            stream_version: run.version,
            state: run.state,
            outcome: run.outcome,
            message: run.message,
            code: run.code,
            counts: counts.into(),
            requested_by: run.requested_by,
            requested_at: moment(run.requested_at),
            cancel_requested_at: run.cancel_requested_at.map(moment),
            started_at: run.started_at.map(moment),
            finished_at: run.finished_at.map(moment),
            duration_ms: duration.map(|duration| duration.num_milliseconds()),
        })
    }
}

impl From<view::run::Counts> for StepCounts {
    fn from(counts: view::run::Counts) -> Self {
        let view::run::Counts { succeeded, failed, skipped, cancelled, running, pending, warned } = counts;
        Self { succeeded, failed, skipped, cancelled, running, pending, warned }
    }
}

/// Parses a run's id.
fn run_id(text: &str) -> Result<RunId, Problem> {
    let malformed = |error: dvt_domain::id::Error| Problem::bad_request("ID_INVALID", error.to_string());
    text.parse().map_err(|error| malformed(error).at("run_id").got(text))
}

/// Finds a run of a project.
pub(super) async fn find(c: &mut Connection, (project, run): (&str, &str)) -> Result<view::run::Run, Problem> {
    let (project, run) = (project_id(project)?, run_id(run)?);
    let found = view::run::find(c, run.uuid()).await?;
    found.filter(|found| found.project_id == project.uuid()).ok_or_else(Problem::not_found)
}

/// Requests a run of the branch's head.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/runs", tag = "runs",
    params(("project" = String, Path), ("Idempotency-Key" = String, Header), ("Dvt-Actor" = Option<String>, Header)),
    request_body = NewRun, responses((status = CREATED, body = RunRef))
)]
pub(super) async fn request(
    State(app): State<App>,
    Path(project): Path<String>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
    HashedJson { value, sha256 }: HashedJson<NewRun>,
) -> Result<(StatusCode, Json<RunRef>), Problem> {
    let scope = Scope::head(&app, &project).await?;
    let write = Write { actor, key, request_sha256: sha256, project_id: scope.id };
    let mut events = app.repeated(&write).await?;
    if events.is_empty() {
        let (decided, claim) = decide(&app, &scope, value).await?;
        events = holds::append(&app, &write, (decided, &claim)).await?;
    }
    let requested = events.last().ok_or_else(Problem::not_found)?;
    Ok((StatusCode::CREATED, Json(run_ref(&app, scope.id, requested).await?)))
}

async fn run_ref(app: &App, project: ProjectId, requested: &Logged) -> Result<RunRef, Problem> {
    views::reach(app, (Topic::Run, project), requested.position).await?;
    let found = view::run::find(&mut *app.connection().await?, requested.stream_id).await?;
    Ok(RunRef { run_id: requested.stream_id.to_string(), number: found.map(|run| run.number) })
}

async fn decide(app: &App, scope: &Scope, asked: NewRun) -> Result<(Vec<Decided>, Claim), Problem> {
    let threads = asked.threads;
    threads.map(check_threads).transpose()?;
    let chosen = match asked.retry.clone() {
        Some(run) => reruns::of_run(app, scope, (&run, &asked)).await?,
        None => reruns::selected(app, scope, &asked).await?,
    };
    let needed = Needed::find(app, scope, Some(&chosen.environment)).await?;
    if let Some(failed) = needed.known.as_ref().filter(|known| known.state == "failed") {
        let detail =
            format!("the project does not compile: {}", failed.message.as_deref().unwrap_or("see diagnostics"));
        return Err(Problem::conflict("COMPILATION_FAILED", detail));
    }
    let request = RunRequested {
        project_id: scope.id,
        branch_id: needed.request.branch_id,
        branch_version: needed.request.branch_version,
        project_version: needed.request.project_version,
        environment: needed.request.environment.clone(),
        compilation_id: needed.id,
        kind: chosen.kind,
        select: chosen.select,
        exclude: chosen.exclude,
        full_refresh: chosen.full_refresh,
        threads: threads.unwrap_or(chosen.threads),
        nodes: chosen.nodes,
        retry_of: chosen.retry_of,
    };
    let events = Run::default().decide(run::Command::Request(request)).map_err(|error| Problem::internal(&error))?;
    let events = events.into_iter().map(Into::into).collect();
    let run_id = Uuid::now_v7();
    let run = Decided { stream_id: run_id, version: 0, events };
    let decided = needed.decide(&[])?.into_iter().chain([run]).collect();
    let environment = scope.environment(Some(&chosen.environment))?;
    Ok((decided, holds::claim(run_id, environment, chosen.relations)))
}

/// Checks how many statements are sent at a time.
pub(super) fn check_threads(threads: i32) -> Result<i32, Problem> {
    if (1..=THREADS_MAX as i32).contains(&threads) {
        return Ok(threads);
    }
    let detail = format!("threads must be 1 to {THREADS_MAX}");
    let problem = Problem::unprocessable("NUMBER_RANGE", detail).at("/threads");
    Err(problem.limit(i64::from(THREADS_MAX)).got(&threads.to_string()))
}

/// Lists runs.
#[utoipa::path(get, path = "/api/v1/projects/{project}/runs", tag = "runs", params(("project" = String, Path), Page), responses((status = OK, body = Runs)))]
pub(super) async fn list(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<Runs>, Problem> {
    let id = project_id(&project)?;
    let limit = page_size(page.limit, PAGE)?;
    let mut connection = app.connection().await?;
    let before = page_before(page.cursor)?;
    let found = view::run::list_before(&mut connection, id.uuid(), before, limit).await?;
    let next_cursor = found.last().filter(|_| found.len() as i64 == limit).map(|run| run.number);
    let mut runs = Vec::with_capacity(found.len());
    for run in found {
        runs.push(RunSummary::read(&mut connection, run).await?);
    }
    Ok(Json(Runs { runs, next_cursor }))
}

/// Answers one run.
#[utoipa::path(get, path = "/api/v1/projects/{project}/runs/{run_id}", tag = "runs", params(("project" = String, Path), ("run_id" = String, Path), RunMoment), responses((status = OK, body = RunDetail)))]
pub(super) async fn detail(
    State(app): State<App>,
    Path((project, run)): Path<(String, String)>,
    Query(RunMoment { min_version }): Query<RunMoment>,
) -> Result<Json<RunDetail>, Problem> {
    let (project_id, id) = (project_id(&project)?, run_id(&run)?);
    if let Some(version) = min_version {
        let stream = event::list_stream(&mut *app.connection().await?, id.uuid(), version - 1, 1).await?;
        if let Some(event) = stream.first() {
            views::reach(&app, (Topic::Run, project_id), event.position).await?;
        }
    }
    let mut connection = app.connection().await?;
    let found = find(&mut connection, (&project, &run)).await?;
    let steps = Step::list(&mut connection, &found).await?;
    let expected_ms = match found.state.as_str() {
        "planned" | "running" => expected(&app, &mut connection, &found).await?,
        _ => None,
    };
    Ok(Json(RunDetail { summary: RunSummary::read(&mut connection, found).await?, expected_ms, steps }))
}

/// Estimates how long a run takes, in milliseconds.
async fn expected(app: &App, c: &mut Connection, found: &view::run::Run) -> Result<Option<i64>, Problem> {
    let usual = view::run::usual_durations(c, (found.project_id, &found.environment)).await?;
    if usual.is_empty() {
        return Ok(None);
    }
    let run: dvt_log::At<Run> = app.log.load(c, found.run_id).await?;
    let planned = run.state.order.iter().filter_map(|id| run.state.steps.get(id)).map(|step| &step.planned);
    let expected = estimate::expected(planned, found.threads.unsigned_abs() as usize, &usual.into_iter().collect());
    Ok(expected.map(|expected| expected / 1000))
}

/// Cancels a run: what runs in the database is cancelled there, what waits does not start.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/runs/{run_id}/cancel", tag = "runs",
    params(("project" = String, Path), ("run_id" = String, Path), ("Idempotency-Key" = String, Header), ("Dvt-Actor" = Option<String>, Header)),
    responses((status = ACCEPTED, body = RunRef))
)]
pub(super) async fn cancel(
    State(app): State<App>,
    Path((project, run)): Path<(String, String)>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<(StatusCode, Json<RunRef>), Problem> {
    let id = project_id(&project)?;
    let found = find(&mut *app.connection().await?, (&project, &run)).await?;
    let request_sha256 = super::new_project::request_sha256(&format!("POST runs/{run}/cancel"), &[]);
    let write = Write { actor, key, request_sha256, project_id: id };
    if app.repeated(&write).await?.is_empty() {
        let stream_id = found.run_id;
        let decide = |at: &dvt_log::At<Run>| {
            let cancel = run::Command::RequestCancel(RunCancelRequested { reason: None });
            let events: Vec<run::Event> = at.state.decide(cancel).map_err(|error| refused(error, &found))?;
            let events: Vec<_> = events.into_iter().map(Into::into).collect();
            let decided = Decided { stream_id, version: at.version, events };
            Ok(Some(decided).filter(|decided| !decided.events.is_empty()).into_iter().collect())
        };
        app.append_in_turn(&app.run_turns, (&write, stream_id), decide).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(RunRef { run_id: run, number: Some(found.number) })))
}

fn refused(error: run::Error, found: &view::run::Run) -> Problem {
    match error {
        run::Error::Finished(_) => {
            let at = found.finished_at.map(moment);
            let problem = Problem::conflict("RUN_FINISHED", error.to_string());
            at.into_iter().fold(problem, |problem, at| problem.with("finished_at", at))
        }
        run::Error::Missing => Problem::not_found(),
        error => Problem::internal(&error),
    }
}
