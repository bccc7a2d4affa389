//! Projects: the list and one.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use dvt_store::{Connection, view};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::environments::Environment;
use super::publishes::Publish;
use super::runs::RunSummary;
use super::scope::project_id;
use super::shapes::{Problems, moment};
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;

/// How many publications are looked at for one that made the repository.
const RECENT_PUBLISHES: i64 = 20;
/// The branch that a project is published to where none is linked.
const PUBLISHED_BRANCH: &str = "main";
/// How many projects the list has at most.
const PROJECTS_MAX: i64 = 1_000;

/// Lists projects by name.
#[derive(Serialize, ToSchema)]
pub(super) struct Projects {
    projects: Vec<ProjectSummary>,
}

/// Is a project at a glance.
#[derive(Serialize, ToSchema)]
struct ProjectSummary {
    project_id: String,
    name: String,
    /// The folder of dbt_project.yml, from the top of the repository; empty for the top itself.
    root: String,
    branch_id: String,
    branch: String,
    /// The version of the branch.
    version: i64,
    /// How many nodes of each resource type; null until the graph has been read.
    counts: Option<BTreeMap<String, i64>>,
    problems: Option<Problems>,
    last_edit: Option<LastEdit>,
    last_run: Option<RunSummary>,
    published: Option<Publish>,
}

/// Says who edited last, and what.
#[derive(Serialize, ToSchema)]
struct LastEdit {
    at: String,
    actor: String,
    summary: String,
}

/// Is a project with its settings.
#[derive(Serialize, ToSchema)]
pub(super) struct ProjectDetail {
    #[serde(flatten)]
    summary: ProjectSummary,
    environments: Vec<Environment>,
    /// Where publishing pushes to; null until the first publication made it.
    repository: Option<Repository>,
}

/// Is the Git repository that a project is published to.
#[derive(Serialize, ToSchema)]
struct Repository {
    url: String,
    branch: String,
}

impl ProjectSummary {
    /// Reads the project's summary; None while its main branch is on its way into the views.
    async fn read(c: &mut Connection, project: &view::project::Project) -> Result<Option<Self>, Problem> {
        let branches = view::project::list_branches(c, project.project_id).await?;
        let Some(branch) = branches.into_iter().next() else { return Ok(None) };
        let graph = view::graph::summary(c, branch.branch_id).await?;
        let run = view::run::list_before(c, project.project_id, i64::MAX, 1).await?.pop();
        let last_run = match run {
            Some(run) => Some(RunSummary::read(c, run).await?),
            None => None,
        };
        let published = view::compilation::list_publishes(c, project.project_id, 1).await?.pop();
        Ok(Some(Self {
            project_id: project.project_id.to_string(),
            name: project.name.clone(),
            root: project.root.clone(),
            branch_id: branch.branch_id.to_string(),
            branch: branch.name,
            version: branch.version,
            problems: graph.as_ref().map(|graph| Problems::counted(graph.errors, graph.warnings)),
            counts: graph.map(|graph| graph.counts.into_iter().collect()),
            last_edit: branch.edited_at.map(|at| LastEdit {
                at: moment(at),
                actor: branch.edited_by.unwrap_or_default(),
                summary: branch.edit_summary.unwrap_or_default(),
            }),
            last_run,
            published: published.map(Publish::from),
        }))
    }
}

/// Lists the projects by name.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", responses((status = OK, body = Projects)))]
pub(super) async fn list(State(app): State<App>) -> Result<Json<Projects>, Problem> {
    let mut connection = app.connection().await?;
    let found = view::project::list(&mut connection, ("", Uuid::nil()), PROJECTS_MAX).await?;
    let mut projects = Vec::with_capacity(found.len());
    for project in &found {
        projects.extend(ProjectSummary::read(&mut connection, project).await?);
    }
    Ok(Json(Projects { projects }))
}

/// Answers one project.
#[utoipa::path(get, path = "/api/v1/projects/{project}", tag = "projects", params(("project" = String, Path)), responses((status = OK, body = ProjectDetail)))]
pub(super) async fn detail(
    State(app): State<App>,
    Path(project): Path<String>,
) -> Result<Json<ProjectDetail>, Problem> {
    let id = project_id(&project)?;
    let mut connection = app.connection().await?;
    let found = view::project::find(&mut connection, id.uuid()).await?.ok_or_else(Problem::not_found)?;
    let summary = ProjectSummary::read(&mut connection, &found).await?.ok_or_else(Problem::not_found)?;
    let environments = view::project::list_environments(&mut connection, id.uuid()).await?;
    let publishes = view::compilation::list_publishes(&mut connection, id.uuid(), RECENT_PUBLISHES).await?;
    let is_published = publishes.iter().any(|publish| publish.commit.is_some());
    let own = || {
        is_published.then_some(())?;
        Some((format!("{}/{id}.git", app.clone_url.as_deref()?.trim_end_matches('/')), PUBLISHED_BRANCH.to_owned()))
    };
    let repository = found.repository_url.zip(found.repository_branch).or_else(own);
    Ok(Json(ProjectDetail {
        summary,
        environments: environments.into_iter().map(Environment::from).collect(),
        repository: repository.map(|(url, branch)| Repository { url, branch }),
    }))
}
