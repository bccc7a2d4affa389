//! The files of a project: the list, one of them, all as a zip.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use dvt_dbt::tree::{self, Mode};
use serde::Serialize;
use utoipa::ToSchema;

use super::scope::{Moment, Scope};
use crate::app::App;
use crate::archive;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;

/// Lists the files of a project.
#[derive(Serialize, ToSchema)]
#[schema(as = FileTree)]
pub(super) struct Tree {
    version: i64,
    files: Vec<Entry>,
}

/// Is one file of the list.
#[derive(Serialize, ToSchema)]
#[schema(as = FileEntry)]
struct Entry {
    path: String,
    /// `regular` or `executable`.
    #[schema(value_type = String)]
    mode: Mode,
    size: usize,
    sha256: String,
}

/// Is one file with its text.
#[derive(Serialize, ToSchema)]
pub(super) struct FileText {
    path: String,
    version: i64,
    sha256: String,
    /// `regular` or `executable`.
    #[schema(value_type = String)]
    mode: Mode,
    /// Null for a file that is not UTF-8.
    text: Option<String>,
}

impl Tree {
    /// Lists the files of a tree.
    pub(super) fn of(version: i64, tree: &tree::Tree) -> Self {
        let files = tree.iter().map(|(path, file)| Entry {
            path: path.to_string(),
            mode: file.mode,
            size: file.bytes.len(),
            sha256: file.sha256.to_string(),
        });
        Self { version, files: files.collect() }
    }
}

/// Lists the files.
#[utoipa::path(get, path = "/api/v1/projects/{project}/tree", tag = "files", params(("project" = String, Path), Moment), responses((status = OK, body = Tree)))]
pub(super) async fn tree(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(moment): Query<Moment>,
) -> Result<Json<Tree>, Problem> {
    let head = Scope::at(&app, &project, &moment).await?.head;
    Ok(Json(Tree::of(head.version, &head.state.tree)))
}

/// Answers one file.
#[utoipa::path(get, path = "/api/v1/projects/{project}/files/{path}", tag = "files", params(("project" = String, Path), ("path" = String, Path), Moment), responses((status = OK, body = FileText)))]
pub(super) async fn file(
    State(app): State<App>,
    Path((project, path)): Path<(String, String)>,
    Query(moment): Query<Moment>,
) -> Result<Json<FileText>, Problem> {
    let head = Scope::at(&app, &project, &moment).await?.head;
    let file = head.state.tree.find(&path).ok_or_else(Problem::not_found)?;
    let text = file.text().map(str::to_owned);
    Ok(Json(FileText { path, version: head.version, sha256: file.sha256.to_string(), mode: file.mode, text }))
}

/// Answers all files as a zip; the packages are not among them.
#[utoipa::path(get, path = "/api/v1/projects/{project}/download", tag = "files", params(("project" = String, Path), Moment), responses((status = OK, content_type = "application/zip", body = [u8])))]
pub(super) async fn download(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(moment): Query<Moment>,
) -> Result<Response, Problem> {
    let scope = Scope::at(&app, &project, &moment).await?;
    let zip = archive::write_zip(&scope.head.state.tree).map_err(|error| Problem::internal(&error))?;
    let name = format!("attachment; filename=\"{}.zip\"", scope.id);
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, [("dvt-version", scope.head.version.to_string())], zip).into_response())
}
