//! Compilations: what the files of one version come to in one environment.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dvt_dbt::tree::Sha256;
use dvt_domain::Topic;
use dvt_domain::compilation::{Command, Compilation, CompileRequested, Event};
use dvt_domain::id::CompilationId;
use dvt_log::Decided;
use dvt_store::view;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::scope::{Scope, project_id};
use super::shapes::{Place, moment};
use crate::app::{App, Write};
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::HashedJson;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::views;

/// Asks for a compilation of the branch's head.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCompilation {
    /// `dev` unless given.
    environment: Option<String>,
}

/// Names a compilation.
#[derive(Serialize, ToSchema)]
pub(super) struct CompilationRef {
    compilation_id: String,
    /// The version of the branch that is compiled.
    version: i64,
}

/// Is a compilation and how far it is.
#[derive(Serialize, ToSchema)]
pub(super) struct CompilationDetail {
    compilation_id: String,
    version: i64,
    environment: String,
    /// `requested`, `compiled` or `failed`.
    state: String,
    /// Names the artifact by what it was made of; null until it is compiled.
    artifact_key: Option<String>,
    compiled: i32,
    deferred: i32,
    broken: i32,
    /// Why it failed.
    code: Option<String>,
    message: Option<String>,
    requested_by: String,
    requested_at: String,
    finished_at: Option<String>,
    /// The nodes that are not simply compiled.
    nodes: Vec<NodeOutcome>,
}

/// Says why a node is deferred or broken.
#[derive(Serialize, ToSchema)]
struct NodeOutcome {
    unique_id: String,
    /// `deferred` or `broken`.
    state: String,
    code: Option<String>,
    message: Option<String>,
    place: Option<Place>,
}

/// Is the compilation that a run or a publication needs: one that is known, or the events of a new one.
pub(super) struct Needed {
    pub(super) id: CompilationId,
    pub(super) request: CompileRequested,
    pub(super) known: Option<view::compilation::Compilation>,
}

impl Needed {
    /// Finds the compilation of the branch's head in an environment.
    pub(super) async fn find(app: &App, scope: &Scope, environment: Option<&str>) -> Result<Self, Problem> {
        let request = CompileRequested {
            project_id: scope.id,
            branch_id: scope.branch.branch_id,
            branch_version: scope.head.version,
            project_version: scope.project.version,
            environment: scope.environment(environment)?.environment.name.clone(),
        };
        let wanted = view::compilation::Request {
            branch_id: request.branch_id.uuid(),
            branch_version: request.branch_version,
            project_version: request.project_version,
            environment: request.environment.clone(),
        };
        let known = view::compilation::find_request(&mut *app.connection().await?, &wanted).await?;
        let id = CompilationId::new(known.as_ref().map_or_else(Uuid::now_v7, |known| known.compilation_id));
        Ok(Self { id, request, known })
    }

    /// Decides its first events, with what else is asked of it; nothing where it is known.
    pub(super) fn decide(&self, commands: &[Command]) -> Result<Option<Decided>, Problem> {
        if self.known.is_some() {
            return Ok(None);
        }
        let (mut state, mut events) = (Compilation::default(), Vec::<Event>::new());
        for command in [Command::Request(self.request.clone())].iter().chain(commands) {
            let decided = state.decide(command.clone()).map_err(|error| Problem::internal(&error))?;
            state = decided.iter().fold(state, Compilation::apply);
            events.extend(decided);
        }
        let events = events.into_iter().map(Into::into).collect();
        Ok(Some(Decided { stream_id: self.id.uuid(), version: 0, events }))
    }
}

/// Compiles the branch's head, unless it was compiled in this environment before.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/compilations", tag = "compilations",
    params(("project" = String, Path), ("Idempotency-Key" = String, Header), ("Dvt-Actor" = Option<String>, Header)),
    request_body = NewCompilation, responses((status = ACCEPTED, body = CompilationRef))
)]
pub(super) async fn request(
    State(app): State<App>,
    Path(project): Path<String>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
    HashedJson { value, sha256 }: HashedJson<NewCompilation>,
) -> Result<(StatusCode, Json<CompilationRef>), Problem> {
    let scope = Scope::head(&app, &project).await?;
    let write = Write { actor, key, request_sha256: sha256, project_id: scope.id };
    let answer = |id: String, version| (StatusCode::ACCEPTED, Json(CompilationRef { compilation_id: id, version }));
    let mut events = app.repeated(&write).await?;
    if events.is_empty() {
        let needed = Needed::find(&app, &scope, value.environment.as_deref()).await?;
        match needed.decide(&[])? {
            Some(decided) => events = app.append(&write, vec![decided]).await?,
            None => return Ok(answer(needed.id.to_string(), needed.request.branch_version)),
        }
    }
    let event = events.first().ok_or_else(Problem::not_found)?;
    views::reach(&app, (Topic::Compilation, scope.id), event.position).await?;
    let version = match &event.event {
        Some(dvt_domain::Event::Compilation(Event::CompileRequested(request))) => request.branch_version,
        Some(_) | None => return Err(Problem::not_found()),
    };
    Ok(answer(event.stream_id.to_string(), version))
}

/// Answers a compilation.
#[utoipa::path(get, path = "/api/v1/projects/{project}/compilations/{compilation_id}", tag = "compilations", params(("project" = String, Path), ("compilation_id" = String, Path)), responses((status = OK, body = CompilationDetail)))]
pub(super) async fn detail(
    State(app): State<App>,
    Path((project, compilation_id)): Path<(String, String)>,
) -> Result<Json<CompilationDetail>, Problem> {
    let project = project_id(&project)?;
    let malformed = |error: dvt_domain::id::Error| {
        Problem::bad_request("ID_INVALID", error.to_string()).at("compilation_id").got(&compilation_id)
    };
    let id: CompilationId = compilation_id.parse().map_err(malformed)?;
    let mut connection = app.connection().await?;
    let found = view::compilation::find(&mut connection, id.uuid()).await?;
    let found = found.filter(|found| found.project_id == project.uuid()).ok_or_else(Problem::not_found)?;
    let nodes = view::compilation::list_nodes(&mut connection, id.uuid()).await?;
    Ok(Json(CompilationDetail {
        compilation_id,
        version: found.branch_version,
        environment: found.environment,
        state: found.state,
        artifact_key: found.artifact.map(|key| Sha256(key).to_string()),
        compiled: found.compiled,
        deferred: found.deferred,
        broken: found.broken,
        code: found.code,
        message: found.message,
        requested_by: found.requested_by,
        requested_at: moment(found.requested_at),
        finished_at: found.finished_at.map(moment),
        nodes: nodes.into_iter().map(NodeOutcome::from).collect(),
    }))
}

impl From<view::compilation::Node> for NodeOutcome {
    fn from(node: view::compilation::Node) -> Self {
        Self {
            place: Place::of_view(&node.place),
            unique_id: node.unique_id,
            state: node.state,
            code: node.code,
            message: node.message,
        }
    }
}
