//! What was done in a project, newest first.

use axum::Json;
use axum::extract::State;
use dvt_dbt::edit::Subject;
use dvt_dbt::tree::{Edit, FileChange, Tree};
use dvt_domain::{Event, Topic, branch, run};
use dvt_store::event::{self, Of, Recorded};
use dvt_store::{Connection, view};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::scope::{Scope, project_id};
use super::shapes::moment;
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, page_before, page_size};
use crate::views;

/// How many events a page has unless it asks for fewer or more, and at most.
const PAGE: (i64, i64) = (50, 200);

/// Asks for a page of a history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// How many events, 1 to 200; 50 unless given.
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<i64>,
    /// Waits up to 5 s until the page can show the event at this position.
    min_position: Option<i64>,
}

/// Asks for a page of a project's history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// How many events, 1 to 200; 50 unless given.
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<i64>,
    /// The page is read from the log: it shows every position that an answer named.
    min_position: Option<i64>,
    /// `project`, `branch`, `layout`, `compilation` or `run`; all unless given.
    category: Option<String>,
    /// False leaves out the steps of runs, which are many; true unless given.
    steps: Option<bool>,
}

/// Is a page of a history, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct HistoryPage {
    events: Vec<HistoryEvent>,
    /// Leads to older events; null on the last page.
    next_cursor: Option<i64>,
}

/// Is one event, as a person reads it.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct HistoryEvent {
    position: i64,
    event_id: String,
    /// `project`, `branch`, `layout`, `compilation` or `run`.
    category: String,
    stream_id: String,
    stream_version: i64,
    #[serde(rename = "type")]
    kind: String,
    actor: String,
    occurred_at: String,
    summary: String,
    /// What an edit is about; for an event of a run's step, the node.
    subjects: Vec<EventSubject>,
    files: Vec<ChangedFile>,
    correlation_id: String,
}

/// Names a node and a property of it.
#[derive(Clone, Serialize, ToSchema)]
struct EventSubject {
    node: String,
    property: String,
}

/// Counts the lines that an event changed in a file.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct ChangedFile {
    path: String,
    /// Where the file was moved to.
    moved_to: Option<String>,
    added: usize,
    removed: usize,
}

/// Is one event with the changes it made.
#[derive(Serialize, ToSchema)]
pub(super) struct EventDetail {
    #[serde(flatten)]
    event: HistoryEvent,
    diff: Vec<FileDiff>,
}

/// Is the change of one file as a unified diff.
#[derive(Serialize, ToSchema)]
pub(super) struct FileDiff {
    path: String,
    unified: String,
}

impl FileDiff {
    fn new(change: &FileChange, (before, after): (&Tree, &Tree)) -> Self {
        let old = change.path();
        let new = match change {
            FileChange::Moved { to, .. } => to,
            FileChange::Added { .. }
            | FileChange::Removed { .. }
            | FileChange::ModeChanged { .. }
            | FileChange::Edited { .. } => old,
        };
        let text = |tree: &Tree, path: &str| match tree.find(path) {
            Some(file) => file.text().map(str::to_owned),
            None => Some(String::new()),
        };
        let unified = match (text(before, old), text(after, new)) {
            (Some(old_text), Some(new_text)) => dvt_dbt::edit::unified(new, &old_text, &new_text),
            (Some(_) | None, None) | (None, Some(_)) => "binary files differ\n".to_owned(),
        };
        Self { path: new.to_string(), unified }
    }
}

impl HistoryEvent {
    /// Tells of a recorded event; its payload may have been erased by law.
    pub(super) fn new(recorded: &Recorded, event: Option<&Event>) -> Self {
        let changes = match event {
            Some(Event::Branch(event)) => event.files(),
            Some(_) | None => &[],
        };
        Self {
            position: recorded.position,
            event_id: recorded.event_id.to_string(),
            category: recorded.category.clone(),
            stream_id: recorded.stream_id.to_string(),
            stream_version: recorded.version,
            kind: recorded.event_type.clone(),
            actor: recorded.actor.clone(),
            occurred_at: moment(recorded.occurred_at),
            summary: event.map_or_else(|| "erased by law".to_owned(), summary),
            subjects: event.map(subjects).unwrap_or_default(),
            files: changes.iter().map(ChangedFile::from).collect(),
            correlation_id: recorded.correlation_id.to_string(),
        }
    }
}

impl From<&FileChange> for ChangedFile {
    fn from(change: &FileChange) -> Self {
        let path = change.path().to_string();
        let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').count();
        let (mut moved_to, mut added, mut removed) = (None, 0, 0);
        match change {
            FileChange::Added { bytes, .. } => added = lines(bytes),
            FileChange::Removed { bytes, .. } => removed = lines(bytes),
            FileChange::Moved { to, .. } => moved_to = Some(to.to_string()),
            FileChange::ModeChanged { .. } => {}
            FileChange::Edited { edits, .. } => {
                let sum = |side: fn(&Edit) -> &[u8]| edits.iter().map(|edit| lines(side(edit))).sum();
                (added, removed) = (sum(|edit| &edit.new), sum(|edit| &edit.old));
            }
        }
        Self { path, moved_to, added, removed }
    }
}

fn summary(event: &Event) -> String {
    match event {
        Event::Branch(event) => event.summary(),
        Event::Project(event) => event.summary(),
        Event::Run(event) => match event.step() {
            Some(unique_id) => format!("{unique_id}: {}", event_words(event_name(event))),
            None => event_words(event_name(event)),
        },
        Event::Layout(_) | Event::Compilation(_) => event_words(event.name()),
    }
}

fn event_name(event: &run::Event) -> &'static str {
    Event::Run(event.clone()).name()
}

/// Answers an event's name in words: `RunRequested` as `run requested`.
fn event_words(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}

fn subjects(event: &Event) -> Vec<EventSubject> {
    let subject = |subject: &Subject| EventSubject { node: subject.node.clone(), property: subject.property.clone() };
    match event {
        Event::Branch(event) => branch::Event::subjects(event).iter().map(subject).collect(),
        Event::Run(event) => event
            .step()
            .map(|node| vec![EventSubject { node: node.to_owned(), property: "run".to_owned() }])
            .unwrap_or_default(),
        Event::Layout(dvt_domain::layout::Event::NodePlaced(placed)) => {
            vec![EventSubject { node: placed.node_key.clone(), property: "place".to_owned() }]
        }
        Event::Project(_) | Event::Compilation(_) => Vec::new(),
    }
}

/// Lists a page of the project's events.
#[utoipa::path(get, path = "/api/v1/projects/{project}/history", tag = "history", params(("project" = String, Path), Asked), responses((status = OK, body = HistoryPage)))]
pub(super) async fn list(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(page): Query<Asked>,
) -> Result<Json<HistoryPage>, Problem> {
    let scope = Scope::head(&app, &project).await?;
    let limit = page_size(page.limit, PAGE)?;
    let mut connection = app.connection().await?;
    let before = page_before(page.cursor)?;
    if let Some(position) = page.min_position.filter(|position| *position < 0) {
        let problem = Problem::bad_request("PARAM_RANGE", "min_position must be 0 or more").at("min_position");
        return Err(problem.got(&position.to_string()));
    }
    let without: &[&str] = if page.steps.unwrap_or(true) { &[] } else { &run::OF_STEPS };
    let of = Of { category: page.category.as_deref(), without };
    let recorded = event::list_project_before(&mut connection, (scope.id.uuid(), of), before, limit).await?;
    read_page(&app, &mut connection, recorded, limit).await.map(Json)
}

/// Lists a page of the events about a node, through all its renames.
pub(super) async fn of_node(app: &App, scope: &Scope, (unique_id, page): (&str, Page)) -> Result<HistoryPage, Problem> {
    let limit = page_size(page.limit, PAGE)?;
    if let Some(position) = page.min_position {
        views::reach(app, (Topic::Project, scope.id), position).await?;
    }
    let mut connection = app.connection().await?;
    let branch = scope.branch.branch_id.uuid();
    let key = view::subject::node_key(&mut connection, branch, unique_id).await?;
    let before = page_before(page.cursor)?;
    let positions = view::subject::list_before(&mut connection, (branch, &key), before, limit).await?;
    let mut recorded = event::list_at(&mut connection, &positions).await?;
    recorded.sort_by_key(|event| std::cmp::Reverse(event.position));
    read_page(app, &mut connection, recorded, limit).await
}

async fn read_page(app: &App, c: &mut Connection, found: Vec<Recorded>, limit: i64) -> Result<HistoryPage, Problem> {
    let next_cursor = found.last().filter(|_| found.len() as i64 == limit).map(|event| event.position);
    let mut events = Vec::with_capacity(found.len());
    for recorded in found {
        let event = app.log.decode(c, &recorded).await?;
        events.push(HistoryEvent::new(&recorded, event.as_ref()));
    }
    Ok(HistoryPage { events, next_cursor })
}

/// Answers one event with the changes it made.
#[utoipa::path(get, path = "/api/v1/projects/{project}/history/{event_id}", tag = "history", params(("project" = String, Path), ("event_id" = String, Path)), responses((status = OK, body = EventDetail)))]
pub(super) async fn detail(
    State(app): State<App>,
    Path((project, event_id)): Path<(String, String)>,
) -> Result<Json<EventDetail>, Problem> {
    let id = project_id(&project)?;
    let malformed = |_| Problem::bad_request("ID_INVALID", "expected a UUID").at("event_id").got(&event_id);
    let event_id = uuid::Uuid::try_parse(&event_id).map_err(malformed)?;
    let mut connection = app.connection().await?;
    let recorded = event::find(&mut connection, event_id).await?;
    let recorded = recorded.filter(|event| event.project_id == Some(id.uuid())).ok_or_else(Problem::not_found)?;
    let event = app.log.decode(&mut connection, &recorded).await?;
    let mut detail = HistoryEvent::new(&recorded, event.as_ref());
    let mut diff = Vec::new();
    // Of the first import, each file is new: the tree says it all.
    if let Some(Event::Branch(event)) = event.filter(|_| recorded.version > 1) {
        let branch = dvt_domain::id::BranchId::new(recorded.stream_id);
        let before = app.log.load_branch_version(&mut connection, branch, recorded.version - 1).await?.state;
        let after = before.apply(&event).map_err(|error| Problem::internal(&error))?;
        let changes = match event {
            branch::Event::Changed(changed) => changed.change.files,
            branch::Event::ProjectImported(_) => dvt_dbt::edit::between(&before.tree, &after.tree),
            branch::Event::ProjectExported(_) => Vec::new(),
        };
        diff = changes.iter().map(|change| FileDiff::new(change, (&before.tree, &after.tree))).collect();
        detail.files = changes.iter().map(ChangedFile::from).collect();
    }
    Ok(Json(EventDetail { event: detail, diff }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_an_events_name_in_words() {
        assert_eq!(event_words("RunRequested"), "run requested");
    }
}
