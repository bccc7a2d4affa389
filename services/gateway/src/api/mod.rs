//! The routes, one file per resource.

mod files;
mod history;
mod projects;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use dvt_domain::branch::Branch;
use dvt_domain::id::{self, ProjectId};
use dvt_domain::project::{BranchCreated, Project};
use dvt_log::At;
use std::sync::Arc;

use crate::app::App;
use crate::http::problem::Problem;

/// Answers the API's routes.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/api/v1/projects", get(projects::list))
        .route("/api/v1/projects/import", post(projects::import))
        .route("/api/v1/projects/{project}/tree", get(files::tree))
        .route("/api/v1/projects/{project}/files/{*path}", get(files::file))
        .route("/api/v1/projects/{project}/download", get(files::download))
        .route("/api/v1/projects/{project}/history", get(history::list))
        .layer(from_fn(in_a_task_of_its_own))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(app)
}

/// Runs the handler in a task, so that a client that disconnects cancels nothing.
async fn in_a_task_of_its_own(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => Problem::internal(&error).into_response(),
    }
}

async fn not_found() -> Problem {
    Problem::not_found()
}

async fn method_not_allowed() -> Problem {
    let detail = "this address does not have that method; see Allow";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail)
}

/// Parses a project's id and loads what the path names: the project and its main branch.
async fn load(app: &App, id: &str) -> Result<(ProjectId, BranchCreated, Arc<At<Branch>>), Problem> {
    let id: ProjectId = id.parse().map_err(|error: id::Error| Problem::bad_request("ID_INVALID", error.to_string()))?;
    let project: At<Project> = app.log.load(&mut *app.connection().await?, id.uuid()).await?;
    let branch = project.state.main_branch().cloned().ok_or_else(Problem::not_found)?;
    let head = app.branches.head(branch.branch_id).await?;
    Ok((id, branch, head))
}
