//! What most reads name: a project, a moment of its main branch, an environment.

use std::sync::Arc;

use dvt_domain::id::{self, ProjectId};
use dvt_domain::project::{BranchCreated, DEFAULT_ENVIRONMENT, Project, TargetEnvironment};
use dvt_log::At;
use dvt_store::event;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::IntoParams;

use crate::app::App;
use crate::branches::Head;
use crate::http::problem::Problem;
use crate::parsed::{Parsed, Reading};
use crate::views::PATIENCE;

/// How many events of a project's own stream are read at once.
const PAGE: i64 = 500;

/// Says which moment of a project a read is about.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Moment {
    /// The environment that the files are read for; `dev` unless given.
    pub(super) environment: Option<String>,
    /// Waits up to 5 s until the branch has this version: read your own writes.
    pub(super) min_version: Option<i64>,
    /// Shows an earlier version of the branch.
    pub(super) at_version: Option<i64>,
}

/// Is what a read is about, loaded.
pub(super) struct Scope {
    pub(super) id: ProjectId,
    pub(super) project: At<Project>,
    pub(super) branch: BranchCreated,
    pub(super) head: Arc<Head>,
}

/// Parses a project's id.
pub(super) fn project_id(text: &str) -> Result<ProjectId, Problem> {
    text.parse().map_err(|error: id::Error| Problem::bad_request("ID_INVALID", error.to_string()).at("project"))
}

impl Scope {
    /// Loads the project and its main branch at its head.
    ///
    /// # Errors
    /// 400 for a malformed id, 404 where there is no such project.
    pub(super) async fn head(app: &App, id: &str) -> Result<Self, Problem> {
        let id = project_id(id)?;
        let project: At<Project> = app.log.load(&mut *app.connection().await?, id.uuid()).await?;
        let branch = project.state.main_branch().cloned().ok_or_else(Problem::not_found)?;
        let head = app.branches.head(branch.branch_id).await?;
        Ok(Self { id, project, branch, head })
    }

    /// Loads the project and its main branch at the moment that a read asks for.
    ///
    /// # Errors
    /// As [`Scope::head`]; 409 where the branch does not have the version.
    pub(super) async fn at(app: &App, id: &str, moment: &Moment) -> Result<Self, Problem> {
        let mut scope = Self::head(app, id).await?;
        let asked = moment.min_version.max(moment.at_version);
        if let Some(version) = asked {
            scope.wait(app, version).await?;
        }
        match moment.at_version {
            Some(version) if version < scope.head.version => scope.earlier(app, version).await,
            Some(_) | None => Ok(scope),
        }
    }

    async fn wait(&mut self, app: &App, version: i64) -> Result<(), Problem> {
        let patience = Instant::now() + PATIENCE;
        while self.head.version < version {
            let position = app.live.head();
            self.head = app.branches.head(self.branch.branch_id).await?;
            if self.head.version >= version {
                break;
            }
            if Instant::now() >= patience {
                let detail = format!("the branch is at version {}, not yet at {version}", self.head.version);
                return Err(Problem::conflict("VERSION_AHEAD", detail).limit(self.head.version));
            }
            app.live.wait(position, patience - Instant::now()).await;
        }
        Ok(())
    }

    /// Goes back to an earlier version of the branch, and to the project as it was then.
    async fn earlier(mut self, app: &App, version: i64) -> Result<Self, Problem> {
        if version < 1 {
            return Err(Problem::bad_request("PARAM_RANGE", "at_version must be at least 1").at("at_version"));
        }
        self.head = app.branches.version(self.branch.branch_id, version).await?;
        let mut connection = app.connection().await?;
        let event = event::list_stream(&mut connection, self.branch.branch_id.uuid(), version - 1, 1).await?;
        let position = event.first().ok_or_else(Problem::not_found)?.position;
        let of_project = event::list_stream(&mut connection, self.id.uuid(), 0, PAGE).await?;
        let then = of_project.iter().take_while(|event| event.position <= position).count() as i64;
        self.project = app.log.load_version(&mut connection, self.id.uuid(), then.max(1)).await?;
        Ok(self)
    }

    /// Finds an environment of the project; `dev` unless one is named.
    ///
    /// # Errors
    /// 404 where the project has none of that name.
    pub(super) fn environment(&self, name: Option<&str>) -> Result<&TargetEnvironment, Problem> {
        let name = name.unwrap_or(DEFAULT_ENVIRONMENT);
        self.project.state.environments.get(name).ok_or_else(|| {
            let known: Vec<_> = self.project.state.environments.keys().cloned().collect();
            let detail = format!("the project has no environment of that name; it has {}", known.join(", "));
            Problem::unprocessable("ENVIRONMENT_NOT_FOUND", detail).at("environment").got(name)
        })
    }

    /// Answers the folder of dbt_project.yml.
    pub(super) fn root(&self) -> &str {
        self.project.state.created.as_ref().map_or("", |created| &created.root)
    }

    /// Parses the files for an environment.
    ///
    /// # Errors
    /// As [`Scope::environment`].
    pub(super) async fn parsed(&self, app: &App, environment: Option<&str>) -> Result<Arc<Parsed>, Problem> {
        app.read(&self.head, &self.reading(environment)?).await
    }

    /// Says how the files are read in an environment.
    ///
    /// # Errors
    /// As [`Scope::environment`].
    pub(super) fn reading(&self, environment: Option<&str>) -> Result<Reading, Problem> {
        let environment = self.environment(environment)?.environment.clone();
        Ok(Reading { root: self.root().to_owned(), environment })
    }
}
