//! Publications: a version of a project as Git commits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::Utc;
use dvt_domain::Topic;
use dvt_domain::compilation::{Command, Compilation, Error, PublishRequested};
use dvt_log::Decided;
use dvt_store::view;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::compilations::Needed;
use super::scope::{Scope, project_id};
use super::shapes::moment;
use crate::app::{App, Logged, Write};
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::HashedJson;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::views;

/// How many publications the list has at most.
const PUBLISHES_MAX: i64 = 100;
/// The longest commit message, in bytes.
const MESSAGE_MAX_BYTES: usize = 10_000;

/// Asks for a publication of the branch's head.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPublish {
    /// The commit message; one that names the version unless given.
    message: Option<String>,
    /// The environment that the artifacts are compiled for; `dev` unless given.
    environment: Option<String>,
}

/// Names a publication.
#[derive(Serialize, ToSchema)]
pub(super) struct PublishRef {
    publish_id: String,
    version: i64,
}

/// Lists publications, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Publishes {
    publishes: Vec<Publish>,
}

/// Is a publication and how far it is.
#[derive(Serialize, ToSchema)]
pub(super) struct Publish {
    publish_id: String,
    /// The version of the branch.
    version: i64,
    environment: String,
    message: String,
    /// `pending`, `published`, `superseded` or `failed` (nothing to publish: it does not compile).
    state: String,
    commit: Option<String>,
    artifacts_commit: Option<String>,
    superseded_by: Option<i64>,
    requested_by: String,
    requested_at: String,
    published_at: Option<String>,
    /// How long it has been waiting; null once it is not.
    age_ms: Option<i64>,
    /// Why it failed.
    error: Option<String>,
}

impl From<view::compilation::Compilation> for Publish {
    fn from(found: view::compilation::Compilation) -> Self {
        let requested_at = found.publish_requested_at.unwrap_or(found.requested_at);
        let state = match (found.publish_state.as_deref(), found.state.as_str()) {
            (Some("pending") | None, "failed") => "failed",
            (Some(state), _) => state,
            (None, _) => "pending",
        };
        Self {
            publish_id: found.compilation_id.to_string(),
            version: found.branch_version,
            environment: found.environment,
            message: found.publish_message.unwrap_or_default(),
            age_ms: (state == "pending").then(|| (Utc::now() - requested_at).num_milliseconds()),
            state: state.to_owned(),
            commit: found.commit,
            artifacts_commit: found.artifacts_commit,
            superseded_by: found.superseded_by,
            requested_by: found.requested_by,
            requested_at: moment(requested_at),
            published_at: found.published_at.map(moment),
            error: found.message.filter(|_| found.state == "failed"),
        }
    }
}

/// Publishes the branch's head as a Git commit, with its artifacts. A version that was published keeps its commit.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/publish", tag = "publishes",
    params(("project" = String, Path), ("Idempotency-Key" = String, Header), ("Dvt-Actor" = Option<String>, Header)),
    request_body = NewPublish, responses((status = ACCEPTED, body = PublishRef))
)]
pub(super) async fn request(
    State(app): State<App>,
    Path(project): Path<String>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
    HashedJson { value, sha256 }: HashedJson<NewPublish>,
) -> Result<(StatusCode, Json<PublishRef>), Problem> {
    let scope = Scope::head(&app, &project).await?;
    let needed = Needed::find(&app, &scope, value.environment.as_deref()).await?;
    let version = needed.request.branch_version;
    let message = message(value.message, version)?;
    let write = Write { actor, key, request_sha256: sha256, project_id: scope.id };
    let events = match app.repeated(&write).await? {
        events if events.is_empty() => append(&app, &write, (&needed, message)).await?,
        events => events,
    };
    let id = events.first().map_or(needed.id.uuid(), |event| event.stream_id);
    let position = events.last().map_or(0, |event| event.position);
    views::reach(&app, (Topic::Compilation, scope.id), position).await?;
    Ok((StatusCode::ACCEPTED, Json(PublishRef { publish_id: id.to_string(), version })))
}

fn message(asked: Option<String>, version: i64) -> Result<String, Problem> {
    let message = asked.filter(|message| !message.trim().is_empty());
    let message = message.unwrap_or_else(|| format!("Publish version {version}"));
    match message.len() > MESSAGE_MAX_BYTES {
        true => {
            let detail = format!("the message is longer than {MESSAGE_MAX_BYTES} bytes");
            Err(Problem::unprocessable("FIELD_INVALID", detail).at("/message").limit(MESSAGE_MAX_BYTES as i64))
        }
        false => Ok(message),
    }
}

async fn append(app: &App, write: &Write, (needed, message): (&Needed, String)) -> Result<Vec<Logged>, Problem> {
    let command = Command::RequestPublish(PublishRequested { message });
    if let Some(decided) = needed.decide(std::slice::from_ref(&command))? {
        return app.append(write, vec![decided]).await;
    }
    let stream_id = needed.id.uuid();
    let decide = |at: &dvt_log::At<Compilation>| match at.state.decide(command.clone()) {
        Ok(events) => {
            Ok(vec![Decided { stream_id, version: at.version, events: events.into_iter().map(Into::into).collect() }])
        }
        // Whoever asked first has asked for everyone.
        Err(Error::PublishRequested) => Ok(Vec::new()),
        Err(error) => Err(Problem::internal(&error)),
    };
    app.append_in_turn(&app.compilation_turns, (write, stream_id), decide).await
}

/// Lists publications, the newest first.
#[utoipa::path(get, path = "/api/v1/projects/{project}/publishes", tag = "publishes", params(("project" = String, Path)), responses((status = OK, body = Publishes)))]
pub(super) async fn list(State(app): State<App>, Path(project): Path<String>) -> Result<Json<Publishes>, Problem> {
    let id = project_id(&project)?;
    let found = view::compilation::list_publishes(&mut *app.connection().await?, id.uuid(), PUBLISHES_MAX).await?;
    Ok(Json(Publishes { publishes: found.into_iter().map(Publish::from).collect() }))
}
