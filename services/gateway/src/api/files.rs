//! The files of a project: the list, one of them, all as a zip.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use dvt_dbt::tree::Mode;
use serde::Serialize;

use super::load;
use crate::app::App;
use crate::archive;
use crate::http::problem::Problem;

#[derive(Serialize)]
pub(super) struct Tree {
    version: i64,
    files: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    path: String,
    mode: Mode,
    size: usize,
    sha256: String,
}

#[derive(Serialize)]
pub(super) struct FileText {
    path: String,
    version: i64,
    sha256: String,
    mode: Mode,
    /// Null for a file that is not UTF-8.
    text: Option<String>,
}

/// Lists the files at the head of the branch.
pub(super) async fn tree(State(app): State<App>, Path(project): Path<String>) -> Result<Json<Tree>, Problem> {
    let (_, _, head) = load(&app, &project).await?;
    let files = head.state.tree.iter().map(|(path, file)| Entry {
        path: path.to_string(),
        mode: file.mode,
        size: file.bytes.len(),
        sha256: file.sha256.to_string(),
    });
    Ok(Json(Tree { version: head.version, files: files.collect() }))
}

/// Answers one file.
pub(super) async fn file(
    State(app): State<App>,
    Path((project, path)): Path<(String, String)>,
) -> Result<Json<FileText>, Problem> {
    let (_, _, head) = load(&app, &project).await?;
    let file = head.state.tree.find(&path).ok_or_else(Problem::not_found)?;
    let text = file.text().map(str::to_owned);
    Ok(Json(FileText { path, version: head.version, sha256: file.sha256.to_string(), mode: file.mode, text }))
}

/// Answers all files as a zip; the packages are not among them.
pub(super) async fn download(State(app): State<App>, Path(project): Path<String>) -> Result<Response, Problem> {
    let (id, _, head) = load(&app, &project).await?;
    let zip = archive::write_zip(&head.state.tree).map_err(|error| Problem::internal(&error))?;
    let name = format!("attachment; filename=\"{id}.zip\"");
    let headers = [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, zip).into_response())
}
