//! Environments: where a project runs, and the values it is read with.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dvt_domain::Topic;
use dvt_domain::project::{Command, EnvironmentDefined, Project};
use dvt_domain::run::question::{Answer, Question, Relation, Rows};
use dvt_log::Decided;
use dvt_store::view;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::previews;
use super::scope::{Scope, project_id};
use crate::app::{App, Write};
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::HashedJson;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::views;

/// The statements at a time unless an environment says otherwise.
const THREADS: i32 = 4;

/// Is an environment of a project.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    name: String,
    /// The name of a target that the executor knows, as `DVT_TARGET_<NAME>` has it.
    target: String,
    /// dbt's adapter type.
    #[serde(default = "postgres")]
    adapter: String,
    database: String,
    schema: String,
    /// Statements at a time, 1 to 64.
    #[serde(default = "threads")]
    threads: i32,
    /// What `var()` answers.
    #[serde(default)]
    #[schema(value_type = Object)]
    vars: Map<String, Value>,
    /// What `env_var()` answers. No place for secrets: everyone who sees the project sees it.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    env: IndexMap<String, String>,
}

fn postgres() -> String {
    "postgres".to_owned()
}

fn threads() -> i32 {
    THREADS
}

/// Lists environments, in the order in which they were defined.
#[derive(Serialize, ToSchema)]
pub(super) struct Environments {
    environments: Vec<Environment>,
}

impl From<view::project::Environment> for Environment {
    fn from(found: view::project::Environment) -> Self {
        Self {
            name: found.name,
            target: found.target,
            adapter: found.adapter,
            database: found.database,
            schema: found.schema,
            threads: found.threads,
            vars: serde_json::from_str(&found.vars).unwrap_or_default(),
            env: serde_json::from_str(&found.env).unwrap_or_default(),
        }
    }
}

impl From<Environment> for EnvironmentDefined {
    fn from(asked: Environment) -> Self {
        Self {
            name: asked.name,
            target: asked.target,
            adapter: asked.adapter,
            database: asked.database,
            schema: asked.schema,
            threads: asked.threads,
            vars: Value::Object(asked.vars).to_string(),
            env: asked.env,
        }
    }
}

/// Lists the environments of a project.
#[utoipa::path(get, path = "/api/v1/projects/{project}/environments", tag = "environments", params(("project" = String, Path)), responses((status = OK, body = Environments)))]
pub(super) async fn list(State(app): State<App>, Path(project): Path<String>) -> Result<Json<Environments>, Problem> {
    let id = project_id(&project)?;
    let mut connection = app.connection().await?;
    view::project::find(&mut connection, id.uuid()).await?.ok_or_else(Problem::not_found)?;
    let found = view::project::list_environments(&mut connection, id.uuid()).await?;
    Ok(Json(Environments { environments: found.into_iter().map(Environment::from).collect() }))
}

/// Defines an environment, or defines one of that name anew.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments", tag = "environments",
    params(("project" = String, Path), ("Idempotency-Key" = String, Header), ("Dvt-Actor" = Option<String>, Header)),
    request_body = Environment, responses((status = CREATED, body = Environments))
)]
pub(super) async fn define(
    State(app): State<App>,
    Path(project): Path<String>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
    HashedJson { value, sha256 }: HashedJson<Environment>,
) -> Result<(StatusCode, Json<Environments>), Problem> {
    let scope = Scope::head(&app, &project).await?;
    let write = Write { actor, key, request_sha256: sha256, project_id: scope.id };
    let mut events = app.repeated(&write).await?;
    if events.is_empty() {
        let defined = EnvironmentDefined::from(value);
        let stream_id = scope.id.uuid();
        let decide = |at: &dvt_log::At<Project>| {
            let events = at.state.decide(Command::DefineEnvironment(defined.clone())).map_err(refused)?;
            Ok(vec![Decided { stream_id, version: at.version, events: events.into_iter().map(Into::into).collect() }])
        };
        events = app.append_in_turn(&app.project_turns, (&write, stream_id), decide).await?;
    }
    let position = events.last().map_or(0, |event| event.position);
    views::reach(&app, (Topic::Project, scope.id), position).await?;
    Ok((StatusCode::CREATED, list(State(app), Path(project)).await?))
}

/// Is the result of a connection test.
#[derive(Serialize, ToSchema)]
pub(super) struct ConnectionTest {
    /// `ok` or `failed`.
    status: &'static str,
    /// What the database says it is.
    server: Option<String>,
    /// Why it failed, e.g. `TARGET_AUTH`.
    code: Option<String>,
    detail: Option<String>,
    ms: f64,
}

/// Tests whether the executor reaches an environment's target, with its rights.
#[utoipa::path(post, path = "/api/v1/projects/{project}/environments/{name}/test", tag = "environments", params(("project" = String, Path), ("name" = String, Path)), responses((status = OK, body = ConnectionTest)))]
pub(super) async fn test(
    State(app): State<App>,
    Path((project, name)): Path<(String, String)>,
) -> Result<Json<ConnectionTest>, Problem> {
    let scope = Scope::head(&app, &project).await?;
    let found = scope.environment(Some(&name))?;
    let question = Question::Connection { target: found.target.clone(), database: found.environment.database.clone() };
    let answer = previews::ask_now(&app, scope.id.uuid(), &question).await?;
    Ok(Json(answer.into()))
}

impl From<Answer> for ConnectionTest {
    fn from(answer: Answer) -> Self {
        let (status, server, code, detail, duration_us) = match answer {
            Answer::Connected { server, duration_us } => ("ok", Some(server), None, None, duration_us),
            Answer::Rows(Rows { duration_us, .. }) | Answer::Relation(Relation { duration_us, .. }) => {
                ("ok", None, None, None, duration_us)
            }
            Answer::Failed(failure) => ("failed", None, Some(failure.code), Some(failure.message), failure.duration_us),
        };
        Self { status, server, code, detail, ms: duration_us as f64 / 1_000.0 }
    }
}

fn refused(error: dvt_domain::project::Error) -> Problem {
    use dvt_domain::project::{ENVIRONMENTS_MAX, Error, NAME_MAX_BYTES, THREADS_MAX};
    let problem = Problem::unprocessable("ENVIRONMENT_INVALID", error.to_string());
    match error {
        Error::Exists | Error::Missing => Problem::not_found(),
        Error::Name { field: "environment" } => problem.at("/name").limit(NAME_MAX_BYTES as i64),
        Error::Name { field } => problem.at(format!("/{field}")).limit(NAME_MAX_BYTES as i64),
        Error::Adapter(got) => problem.at("/adapter").got(&got),
        Error::Threads(got) => problem.at("/threads").limit(i64::from(THREADS_MAX)).got(&got.to_string()),
        Error::Vars => problem.at("/vars"),
        Error::EnvironmentsFull => problem.limit(ENVIRONMENTS_MAX as i64),
    }
}
