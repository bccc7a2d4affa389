//! Projects: the list, and how one comes to be from an archive.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use dvt_dbt::diagnostic::Diagnostic;
use dvt_dbt::parse::{ParseInput, parse};
use dvt_dbt::tree::Sha256;
use dvt_domain::branch::{self, LeftOut, ProjectImported};
use dvt_domain::id::{BranchId, LayoutId, ProjectId};
use dvt_domain::import::{self, Options};
use dvt_domain::project::{BranchCreated, Command, DEFAULT_ENVIRONMENT, EnvironmentDefined, Project, ProjectCreated};
use dvt_log::Decided;
use dvt_store::event::Recorded;
use dvt_store::view;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::{App, Write};
use crate::archive::{self, ARCHIVE_MAX_BYTES};
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::{check_content_type, read_body};
use crate::http::problem::Problem;

/// How many projects the list has at most.
const PROJECTS_MAX: i64 = 1_000;
/// How many diagnostics an answer shows.
const DIAGNOSTICS_MAX: usize = 100;
/// The statements at a time of a new project's environment.
const THREADS: i32 = 4;

#[derive(Serialize)]
pub(super) struct Projects {
    projects: Vec<Summary>,
}

#[derive(Serialize)]
struct Summary {
    project_id: String,
    name: String,
    root: String,
}

#[derive(Deserialize)]
pub(super) struct Import {
    name: Option<String>,
    root: Option<String>,
    source: Option<String>,
    #[serde(default)]
    listed: bool,
}

#[derive(Serialize)]
pub(super) struct Report {
    project_id: String,
    branch_id: String,
    name: String,
    version: i64,
    position: i64,
    taken: usize,
    left_out: Vec<LeftOut>,
    /// The first [`DIAGNOSTICS_MAX`]; `diagnostic_count` counts all.
    diagnostics: Vec<Diagnostic>,
    diagnostic_count: usize,
    /// How many nodes of each resource type.
    node_counts: BTreeMap<&'static str, usize>,
}

/// Lists the projects by name.
pub(super) async fn list(State(app): State<App>) -> Result<Json<Projects>, Problem> {
    let mut connection = app.connection().await?;
    let found = view::project::list(&mut connection, ("", Uuid::nil()), PROJECTS_MAX).await?;
    let summary = |project: view::project::Project| Summary {
        project_id: project.project_id.to_string(),
        name: project.name,
        root: project.root,
    };
    Ok(Json(Projects { projects: found.into_iter().map(summary).collect() }))
}

/// Makes a project of a zip or tar.gz.
pub(super) async fn import(
    State(app): State<App>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
    Query(parameters): Query<Import>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Report>), Problem> {
    check_content_type(request.headers(), &["application/zip", "application/gzip"])?;
    let address = format!("{} {}\n", request.method(), request.uri());
    let bytes = read_body(request.into_body(), ARCHIVE_MAX_BYTES).await?;
    let request_sha256 = Sha256::of(&[address.as_bytes(), &bytes].concat()).0;
    let write = Write { actor, key, request_sha256, project_id: ProjectId::new(Uuid::now_v7()) };
    let mut events = app.repeated(&write).await?;
    if events.is_empty() {
        let options = Options { root: parameters.root.as_deref(), listed_by_git: parameters.listed };
        let taken = archive::read(&bytes).map_err(archive_problem)?;
        let taken = import::take(taken, options).map_err(import_problem)?;
        events = app.append(&write, &decide(&app, &write, &parameters, taken)?).await?;
    }
    Ok((StatusCode::CREATED, Json(report(&app, &events).await?)))
}

fn decide(app: &App, write: &Write, parameters: &Import, taken: import::Taken) -> Result<Vec<Decided>, Problem> {
    let branch_id = BranchId::new(Uuid::now_v7());
    let name = parameters.name.clone().unwrap_or_else(|| project_name(&taken));
    let command = Command::Create {
        created: ProjectCreated { name, root: taken.root },
        branch: BranchCreated {
            branch_id,
            layout_id: LayoutId::new(Uuid::now_v7()),
            name: "main".to_owned(),
            from: None,
        },
        environment: EnvironmentDefined {
            name: DEFAULT_ENVIRONMENT.to_owned(),
            target: app.default_target.clone(),
            adapter: "postgres".to_owned(),
            database: app.default_target.clone(),
            schema: DEFAULT_ENVIRONMENT.to_owned(),
            threads: THREADS,
            vars: "{}".to_owned(),
            env: Default::default(),
        },
    };
    let events = Project::default().decide(command);
    let events = events.map_err(|error| Problem::unprocessable("PROJECT_INVALID", error.to_string()).at("name"))?;
    let imported = ProjectImported {
        source: parameters.source.clone().unwrap_or_else(|| "an archive".to_owned()),
        tree: taken.tree,
        packages: taken.packages,
        left_out: taken.left_out,
        moved: Vec::new(),
    };
    let project = Decided {
        stream_id: write.project_id.uuid(),
        version: 0,
        events: events.into_iter().map(Into::into).collect(),
    };
    let branch = branch::Event::ProjectImported(imported);
    Ok(vec![project, Decided { stream_id: branch_id.uuid(), version: 0, events: vec![branch.into()] }])
}

/// Reads the name in dbt_project.yml, where no other is given.
fn project_name(taken: &import::Taken) -> String {
    let folder = if taken.root.is_empty() { String::new() } else { format!("{}/", taken.root) };
    match dvt_dbt::project::definition(&taken.tree, &folder) {
        Ok(definition) => definition.name,
        Err(_) => "unnamed".to_owned(),
    }
}

/// Derives the answer from the command's events, so that a repetition gets the same one.
async fn report(app: &App, events: &[Recorded]) -> Result<Report, Problem> {
    let mut connection = app.connection().await?;
    let (mut project, mut found) = (Project::default(), None);
    for recorded in events {
        match app.log.decode(&mut connection, recorded).await? {
            Some(dvt_domain::Event::Project(event)) => project = project.apply(&event),
            Some(dvt_domain::Event::Branch(branch::Event::ProjectImported(imported))) => {
                found = Some((recorded, imported));
            }
            Some(_) | None => {}
        }
    }
    let (recorded, imported) = found.ok_or_else(Problem::not_found)?;
    let (created, environment) = match (project.created, project.environments.swap_remove(DEFAULT_ENVIRONMENT)) {
        (Some(created), Some(target)) => (created, target.environment),
        (Some(_) | None, Some(_) | None) => return Err(Problem::not_found()),
    };
    let (name, taken, left_out) = (created.name, imported.tree.len(), imported.left_out.clone());
    let read = tokio::task::spawn_blocking(move || {
        let (tree, packages) = (&imported.tree, &imported.packages);
        parse(ParseInput { tree, root: &created.root, packages, environment: &environment })
    });
    let read = read.await.map_err(|error| Problem::internal(&error))?;
    let mut node_counts = BTreeMap::new();
    for node in read.nodes().values() {
        *node_counts.entry(node.resource_type.as_str()).or_default() += 1;
    }
    Ok(Report {
        project_id: recorded.project_id.map(|id| id.to_string()).unwrap_or_default(),
        branch_id: recorded.stream_id.to_string(),
        name,
        version: recorded.version,
        position: recorded.position,
        taken,
        left_out,
        diagnostics: read.diagnostics().iter().take(DIAGNOSTICS_MAX).cloned().collect(),
        diagnostic_count: read.diagnostics().len(),
        node_counts,
    })
}

fn archive_problem(error: archive::Error) -> Problem {
    use archive::Error;
    let code = match &error {
        Error::Format(_) => "IMPORT_FORMAT",
        Error::Encrypted(_) => "IMPORT_ENCRYPTED",
        Error::Entries | Error::Content(_) => "IMPORT_TOO_LARGE",
        Error::Kind(_) => "IMPORT_PATH",
    };
    Problem::unprocessable(code, error.to_string())
}

fn import_problem(error: import::Error) -> Problem {
    use import::Error;
    let code = match &error {
        Error::Empty => "IMPORT_EMPTY",
        Error::Path(_) | Error::Link(_) => "IMPORT_PATH",
        Error::NoProject | Error::NoProjectAt(_) => "IMPORT_NO_PROJECT",
        Error::Roots(_) => "IMPORT_ROOT",
    };
    let problem = Problem::unprocessable(code, error.to_string());
    match error {
        Error::Roots(roots) => problem.at("root").with("roots", roots),
        Error::Empty | Error::Path(_) | Error::Link(_) | Error::NoProject | Error::NoProjectAt(_) => problem,
    }
}
