//! How a project comes to be: its first events, and the answer that is derived from them.

use std::collections::BTreeMap;

use dvt_dbt::edit::{self, MAX_NODES};
use dvt_dbt::node::ResourceType;
use dvt_dbt::tree::{FileChange, Sha256};
use dvt_domain::branch::{self, LeftOut, ProjectImported};
use dvt_domain::id::{BranchId, LayoutId, ProjectId};
use dvt_domain::import;
use dvt_domain::project::{BranchCreated, Command, DEFAULT_ENVIRONMENT, EnvironmentDefined, Project, ProjectCreated};
use dvt_domain::{Event, Topic};
use dvt_log::Decided;
use dvt_store::event;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::scope::Scope;
use super::shapes::Diagnostic;
use crate::app::{App, Logged, Write};
use crate::http::problem::Problem;
use crate::parsed::Reading;
use crate::views;

/// How many diagnostics an answer shows.
pub(super) const DIAGNOSTICS_MAX: usize = 100;
/// The statements at a time of a new project's environment.
const THREADS: i32 = 4;

/// Is what a new project starts from.
pub(super) struct NewProject {
    pub(super) name: String,
    /// What the user will recognise in the history, e.g. the archive's name.
    pub(super) source: String,
    pub(super) taken: import::Taken,
}

/// Says what was read of a new project.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportReport {
    project_id: String,
    branch_id: String,
    name: String,
    version: i64,
    position: i64,
    /// How many files the project has.
    taken: usize,
    /// What a working copy brought; empty for a new project, whose files are all new.
    changes: Vec<FileDifference>,
    left_out: Vec<FileLeftOut>,
    /// Packages that the project names and whose files did not come with it.
    packages_missing: Vec<MissingPackage>,
    /// The first 100; `diagnostic_count` counts all.
    diagnostics: Vec<Diagnostic>,
    diagnostic_count: usize,
    /// How many nodes of each resource type.
    node_counts: BTreeMap<&'static str, usize>,
}

/// Names a file that was not taken, and why.
#[derive(Serialize, ToSchema)]
struct FileLeftOut {
    path: String,
    reason: String,
}

/// Names a file that an import changed.
#[derive(Serialize, ToSchema)]
struct FileDifference {
    path: String,
    /// `added`, `changed` or `removed`.
    #[schema(value_type = String, example = "changed")]
    change: &'static str,
}

/// Names a package that is missing.
#[derive(Serialize, ToSchema)]
struct MissingPackage {
    name: String,
    /// How to get it.
    how: String,
}

impl From<&dvt_dbt::project::MissingPackage> for MissingPackage {
    fn from(missing: &dvt_dbt::project::MissingPackage) -> Self {
        Self { name: missing.name.clone(), how: missing.how.clone() }
    }
}

impl From<LeftOut> for FileLeftOut {
    fn from(LeftOut { path, reason }: LeftOut) -> Self {
        Self { path, reason }
    }
}

/// Decides the first events of a project, once its files are read.
///
/// # Errors
/// 422 where the name is none, or the files come to too large a graph.
pub(super) async fn decide(app: &App, write: &Write, new: NewProject) -> Result<Vec<Decided>, Problem> {
    let branch_id = BranchId::new(Uuid::now_v7());
    let command = Command::Create {
        created: ProjectCreated { name: new.name, root: new.taken.root },
        branch: BranchCreated {
            branch_id,
            layout_id: LayoutId::new(Uuid::now_v7()),
            name: "main".to_owned(),
            from: None,
        },
        environment: EnvironmentDefined {
            name: DEFAULT_ENVIRONMENT.to_owned(),
            target: app.default_target.name.clone(),
            adapter: "postgres".to_owned(),
            database: app.default_target.database.clone(),
            schema: DEFAULT_ENVIRONMENT.to_owned(),
            threads: THREADS,
            vars: "{}".to_owned(),
            env: Default::default(),
        },
    };
    let events = Project::default().decide(command);
    let events = events.map_err(|error| Problem::unprocessable("PROJECT_INVALID", error.to_string()).at("name"))?;
    let project = events.iter().fold(Project::default(), |project, event| project.apply(event));
    let branch = branch::Branch { tree: new.taken.tree.clone(), packages: new.taken.packages.clone() };
    check_size(app, &reading(project)?, &branch).await?;
    let imported = ProjectImported {
        source: new.source,
        tree: new.taken.tree,
        packages: new.taken.packages,
        left_out: new.taken.left_out,
        moved: Vec::new(),
        given: None,
    };
    let project = Decided {
        stream_id: write.project_id.uuid(),
        version: 0,
        events: events.into_iter().map(Into::into).collect(),
    };
    let branch = branch::Event::ProjectImported(imported);
    Ok(vec![project, Decided { stream_id: branch_id.uuid(), version: 0, events: vec![branch.into()] }])
}

/// Checks that the files do not come to too large a graph.
///
/// # Errors
/// 422 `GRAPH_TOO_LARGE`.
pub(super) async fn check_size(app: &App, reading: &Reading, branch: &branch::Branch) -> Result<(), Problem> {
    let read = app.parses.get(branch, reading).await.map_err(|error| Problem::internal(&error))?;
    let count = read.project.nodes().len();
    if count > MAX_NODES {
        let problem = Problem::unprocessable("GRAPH_TOO_LARGE", format!("a project may have {MAX_NODES} nodes"));
        return Err(problem.limit(MAX_NODES as i64).got(&count.to_string()));
    }
    Ok(())
}

/// Says how a project is read in its first environment.
fn reading(mut project: Project) -> Result<Reading, Problem> {
    let root = project.created.map(|created| created.root).unwrap_or_default();
    let target = project.environments.swap_remove(DEFAULT_ENVIRONMENT).ok_or_else(Problem::not_found)?;
    Ok(Reading { root, environment: target.environment })
}

/// Answers what was read, once the views show the project too or do not in time.
pub(super) async fn answer(app: &App, events: &[Logged]) -> Result<ImportReport, Problem> {
    if let Some((last, project_id)) = events.last().and_then(|last| Some((last, last.project_id?))) {
        views::reach(app, (Topic::Project, ProjectId::new(project_id)), last.position).await?;
    }
    report(app, events).await
}

/// Derives the answer from the command's events, so that a repetition gets the same one.
async fn report(app: &App, events: &[Logged]) -> Result<ImportReport, Problem> {
    let mut project = Project::default();
    for logged in events {
        if let Some(Event::Project(event)) = &logged.event {
            project = project.apply(event);
        }
    }
    let imported = events.iter().find(|logged| matches!(logged.event, Some(Event::Branch(_))));
    let imported = imported.ok_or_else(Problem::not_found)?;
    let name = project.created.as_ref().map(|created| created.name.clone()).unwrap_or_default();
    read(app, (name, imported.project_id), (imported, reading(project)?)).await
}

/// Answers what was read of a working copy; `imported` is None where it brought nothing new.
pub(super) async fn report_of(app: &App, scope: &Scope, imported: Option<&Logged>) -> Result<ImportReport, Problem> {
    let name = scope.project.state.created.as_ref().map_or(String::new(), |created| created.name.clone());
    let branch = scope.branch.branch_id;
    let logged = match imported {
        Some(imported) => imported.clone(),
        None => {
            let last = scope.head.version - 1;
            let mut connection = app.connection().await?;
            let events = event::list_stream(&mut connection, branch.uuid(), last, 1).await?;
            app.logged(&mut connection, events).await?.pop().ok_or_else(Problem::not_found)?
        }
    };
    let mut report = read(app, (name, Some(scope.id.uuid())), (&logged, scope.reading(None)?)).await?;
    if imported.is_some() {
        let before = app.branches.version(branch, logged.version - 1).await?;
        let after = app.branches.version(branch, logged.version).await?;
        report.changes =
            edit::between(&before.state.tree, &after.state.tree).iter().map(FileDifference::from).collect();
        report.changes.dedup_by(|a, b| a.path == b.path);
    }
    Ok(report)
}

impl From<&FileChange> for FileDifference {
    fn from(change: &FileChange) -> Self {
        let word = match change {
            FileChange::Added { .. } => "added",
            FileChange::Removed { .. } => "removed",
            FileChange::Edited { .. } | FileChange::Moved { .. } | FileChange::ModeChanged { .. } => "changed",
        };
        Self { path: change.path().to_string(), change: word }
    }
}

/// Reads the project as an event left it.
async fn read(
    app: &App,
    (name, project_id): (String, Option<Uuid>),
    (logged, reading): (&Logged, Reading),
) -> Result<ImportReport, Problem> {
    let left_out = match &logged.event {
        Some(Event::Branch(branch::Event::ProjectImported(imported))) => imported.left_out.clone(),
        Some(_) | None => Vec::new(),
    };
    let branch = app.branches.version(BranchId::new(logged.stream_id), logged.version).await?;
    let read = app.parses.get(&branch.state, &reading).await;
    let read = &read.map_err(|error| Problem::internal(&error))?.project;
    let mut node_counts = BTreeMap::new();
    for kind in read.nodes().values().map(|node| ResourceType::as_str(node.resource_type)) {
        *node_counts.entry(kind).or_default() += 1;
    }
    Ok(ImportReport {
        project_id: project_id.map(|id| id.to_string()).unwrap_or_default(),
        branch_id: logged.stream_id.to_string(),
        name,
        version: logged.version,
        position: logged.position,
        taken: branch.state.tree.len(),
        changes: Vec::new(),
        left_out: left_out.into_iter().map(FileLeftOut::from).collect(),
        packages_missing: read.packages_missing().iter().map(MissingPackage::from).collect(),
        diagnostics: read.diagnostics().iter().take(DIAGNOSTICS_MAX).map(Diagnostic::from).collect(),
        diagnostic_count: read.diagnostics().len(),
        node_counts,
    })
}

/// Hashes what a write asks for: the same key with another address or another body is another request.
pub(super) fn request_sha256(address: &str, body: &[u8]) -> [u8; 32] {
    Sha256::of(&[address.as_bytes(), b"\n", body].concat()).0
}
