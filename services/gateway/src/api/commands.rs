//! Edits: 1 to 256 commands at once, each decided in the branch's turn and answered by itself.

use axum::Json;
use axum::extract::State;
use dvt_dbt::edit::Intent;
use dvt_dbt::tree::{FileChange, Path as FilePath};
use dvt_domain::id::ProjectId;
use dvt_domain::layout::{self, Layout, NodePlaced};
use dvt_domain::project::BranchCreated;
use dvt_domain::{Actor, Event};
use dvt_log::{At, Decided};
use futures::future::join_all;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::history::ChangedFile;
use super::new_project::{DIAGNOSTICS_MAX, request_sha256};
use super::scope::{Scope, project_id};
use super::shapes::Diagnostic;
use crate::app::{App, Logged, Write};
use crate::edits::{self, Edit};
use crate::http::headers::Who;
use crate::http::json;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::parsed::Reading;

/// The most commands of one request.
const COMMANDS_MAX: usize = 256;

/// Holds commands that are done in order, each whether or not the others are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Commands {
    /// 1 to 256.
    commands: Vec<Item>,
}

/// Holds one command.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    /// A UUID of your choice, the same one when the command is repeated.
    #[schema(value_type = String)]
    idempotency_key: Uuid,
    /// The version of the branch that the command was made on.
    base_version: Option<i64>,
    command: Command,
}

/// Says what is meant.
#[derive(Clone, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = EditCommand)]
enum Command {
    Edit(Intent),
    Place(PlaceNode),
}

/// Pins a node at a place of the graph. Pixels at zoom 1, x to the right, y down.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename = "place_node")]
struct PlaceNode {
    node_key: String,
    x: f64,
    y: f64,
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let read = match value["type"].as_str() {
            Some("place_node") => PlaceNode::deserialize(value).map(Self::Place),
            Some(_) | None => Intent::deserialize(value).map(Self::Edit),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// Answers commands, in their order.
#[derive(Serialize, ToSchema)]
pub(super) struct Results {
    results: Vec<Outcome>,
}

/// Is what came of one command.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Outcome {
    Done(CommandResult),
    Refused(Problem),
}

/// Is a command that is done.
#[derive(Serialize, ToSchema)]
struct CommandResult {
    /// The version of the branch (of the layout, for `place_node`) after the command.
    version: i64,
    /// Where its event stands in the log; null where the files already said what is meant.
    position: Option<i64>,
    event_id: Option<String>,
    summary: String,
    files: Vec<ChangedFile>,
    /// The nodes that have another unique_id now.
    moved: Vec<Moved>,
    /// What is wrong in these files after the command; the first 100.
    diagnostics: Vec<Diagnostic>,
}

/// Says that a node has another unique_id than before.
#[derive(Serialize, ToSchema)]
#[schema(as = MovedNode)]
struct Moved {
    from: String,
    to: String,
}

/// Edits the project. Whoever repeats a command with its key gets the first answer.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/commands", tag = "edits",
    params(("project" = String, Path), ("Dvt-Actor" = Option<String>, Header)),
    request_body = Commands, responses((status = OK, body = Results))
)]
pub(super) async fn apply(
    State(app): State<App>,
    Path(project): Path<String>,
    Who(actor): Who,
    json::Json(Commands { commands }): json::Json<Commands>,
) -> Result<Json<Results>, Problem> {
    if !(1..=COMMANDS_MAX).contains(&commands.len()) {
        let detail = format!("send 1 to {COMMANDS_MAX} commands");
        let problem = Problem::bad_request("PARAM_RANGE", detail).at("/commands").limit(COMMANDS_MAX as i64);
        return Err(problem.got(&commands.len().to_string()));
    }
    let about = About::find(&app, (&project, &commands)).await?;
    let mut results = Vec::with_capacity(commands.len());
    // Places say nothing of each other and are appended together; an edit is decided on what those before it have left.
    for together in commands.chunk_by(|a, b| a.places() && b.places()) {
        let done = join_all(together.iter().map(|item| apply_one(&app, &about, (item, actor.clone())))).await;
        for done in done {
            let at = results.len();
            let at_item = |problem: Problem| match problem.code() {
                "IDEMPOTENCY_KEY_REUSED" => problem.at(format!("/commands/{at}/idempotency_key")),
                _ => problem.below(&format!("/commands/{at}")),
            };
            results.push(done.map_or_else(|problem| Outcome::Refused(at_item(problem)), Outcome::Done));
        }
    }
    Ok(Json(Results { results }))
}

/// Is what the commands of a request are about.
struct About {
    id: ProjectId,
    branch: BranchCreated,
    /// How the files are read; None where no command is an edit.
    reading: Option<Reading>,
}

impl About {
    async fn find(app: &App, (project, commands): (&str, &[Item])) -> Result<Self, Problem> {
        if commands.iter().all(Item::places) {
            let id = project_id(project)?;
            let branch = app.branches.main(id).await?.ok_or_else(Problem::not_found)?;
            return Ok(Self { id, branch, reading: None });
        }
        let scope = Scope::head(app, project).await?;
        let reading = Some(scope.reading(None)?);
        Ok(Self { id: scope.id, branch: scope.branch, reading })
    }

    fn reading(&self) -> Reading {
        self.reading.clone().expect("invariant: a request with edits has it")
    }
}

impl Item {
    fn places(&self) -> bool {
        matches!(self.command, Command::Place(_))
    }
}

async fn apply_one(app: &App, about: &About, (item, actor): (&Item, Actor)) -> Result<CommandResult, Problem> {
    let body = serde_json::to_vec(item).map_err(|error| Problem::internal(&error))?;
    let request_sha256 = request_sha256(&format!("POST projects/{}/commands", about.id), &body);
    let write = Write { actor, key: item.idempotency_key, request_sha256, project_id: about.id };
    let events = match item.command.clone() {
        Command::Edit(intent) => {
            let base_version = item.base_version.ok_or_else(base_version_required)?;
            // To decide an edit costs more than to ask whether it was made already.
            match app.repeated(&write).await? {
                events if events.is_empty() => {
                    let edit = Edit { write, base_version, intent, reading: about.reading() };
                    edits::apply(app, about.branch.branch_id, edit).await?
                }
                events => events,
            }
        }
        Command::Place(place) => place_node(app, about, (&write, place)).await?,
    };
    match events.first() {
        Some(event) => result(app, about, event).await,
        None => Ok(nothing(app.branches.head(about.branch.branch_id).await?.version)),
    }
}

fn base_version_required() -> Problem {
    let detail = "send base_version: the version of the branch that the edit was made on";
    Problem::bad_request("BASE_VERSION_REQUIRED", detail).at("/base_version")
}

async fn place_node(app: &App, about: &About, (write, place): (&Write, PlaceNode)) -> Result<Vec<Logged>, Problem> {
    let stream_id = about.branch.layout_id.uuid();
    let placed = NodePlaced { node_key: place.node_key, x: place.x, y: place.y };
    let decide = |at: &At<Layout>| {
        let command = layout::Command::PlaceNode(placed.clone());
        let events = at.state.decide(command).map_err(|error| {
            let layout::Error::Coordinate { field, .. } = &error;
            let pointer = format!("/command/{field}");
            Problem::unprocessable("NUMBER_RANGE", error.to_string()).at(pointer)
        })?;
        Ok(vec![Decided { stream_id, version: at.version, events: events.into_iter().map(Into::into).collect() }])
    };
    app.append_in_turn(&app.layout_turns, (write, stream_id), decide).await
}

/// Derives the answer from the command's event, so that a repetition gets the same one.
async fn result(app: &App, about: &About, logged: &Logged) -> Result<CommandResult, Problem> {
    let (summary, files, moved) = match &logged.event {
        Some(Event::Branch(event)) => (event.summary(), event.files(), event.moved()),
        Some(_) | None => (String::new(), [].as_slice(), [].as_slice()),
    };
    Ok(CommandResult {
        version: logged.version,
        position: Some(logged.position),
        event_id: Some(logged.event_id.to_string()),
        summary,
        files: files.iter().map(ChangedFile::from).collect(),
        moved: moved.iter().map(|moved| Moved { from: moved.from.clone(), to: moved.to.clone() }).collect(),
        diagnostics: diagnostics(app, about, (logged.version, files)).await?,
    })
}

/// Lists what is wrong in the files that a command changed, as they were after it.
async fn diagnostics(
    app: &App,
    about: &About,
    (version, files): (i64, &[FileChange]),
) -> Result<Vec<Diagnostic>, Problem> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let after = app.branches.version(about.branch.branch_id, version).await?;
    let parsed = app.read(&after, &about.reading()).await?;
    let is_changed = |path: &FilePath| {
        files.iter().any(|file| match file {
            FileChange::Moved { to, .. } => to == path,
            file => file.path() == path,
        })
    };
    let found = parsed.project.diagnostics().iter();
    let found = found.filter(|found| found.place.as_ref().is_some_and(|place| is_changed(&place.path)));
    Ok(found.take(DIAGNOSTICS_MAX).map(Diagnostic::from).collect())
}

fn nothing(version: i64) -> CommandResult {
    let summary = "nothing to change".to_owned();
    let (files, moved, diagnostics) = (Vec::new(), Vec::new(), Vec::new());
    CommandResult { version, position: None, event_id: None, summary, files, moved, diagnostics }
}
