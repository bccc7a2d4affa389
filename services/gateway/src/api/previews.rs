//! Previews: what a rename would change, before it is made.

use axum::extract::{Path, State};
use dvt_dbt::edit::{self, DecideInput, RenamePreview};
use dvt_dbt::parse::ParseInput;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scope::Scope;
use crate::app::App;
use crate::edits;
use crate::http::json::Json;
use crate::http::problem::Problem;
use crate::parsed::Reading;

/// Asks what a rename would change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rename {
    unique_id: String,
    to: String,
}

/// Says what a rename would change.
#[derive(Serialize, ToSchema)]
#[schema(as = RenamePreview)]
pub(super) struct Renamed {
    /// The version of the branch that was looked at.
    version: i64,
    files: Vec<FilePreview>,
    /// What may name the node too and stays as it is.
    mentions: Vec<Mention>,
    /// What happens in the target.
    target: String,
}

/// Is what the rename does to one file.
#[derive(Serialize, ToSchema)]
struct FilePreview {
    path: String,
    moved_to: Option<String>,
    hunks: Vec<Hunk>,
}

/// Is one stretch of changed lines.
#[derive(Serialize, ToSchema)]
struct Hunk {
    /// Where it starts, from 1.
    line: u32,
    before: String,
    after: String,
}

/// Is a line that may name the node.
#[derive(Serialize, ToSchema)]
struct Mention {
    path: String,
    line: u32,
    text: String,
}

/// Shows a rename without making it.
#[utoipa::path(post, path = "/api/v1/projects/{project}/preview/rename", tag = "edits", params(("project" = String, Path)), request_body = Rename, responses((status = OK, body = Renamed)))]
pub(super) async fn rename(
    State(app): State<App>,
    Path(project): Path<String>,
    Json(asked): Json<Rename>,
) -> Result<axum::Json<Renamed>, Problem> {
    let scope = Scope::head(&app, &project).await?;
    let (reading, parsed) = (scope.reading(None)?, scope.parsed(&app, None).await?);
    let (version, files) = (scope.head.version, scope.head.state.clone());
    let look = move || {
        let Reading { root, environment } = &reading;
        let input = ParseInput { tree: &files.tree, root, packages: &files.packages, environment };
        edit::preview_rename(&DecideInput { files: input, project: &parsed.project }, &asked.unique_id, &asked.to)
    };
    let found = tokio::task::spawn_blocking(look).await.map_err(|error| Problem::internal(&error))?;
    let RenamePreview { files, mentions, target } = found.map_err(|refusal| edits::refused(refusal, ""))?;
    Ok(axum::Json(Renamed {
        version,
        files: files.into_iter().map(FilePreview::from).collect(),
        mentions: mentions.into_iter().map(Mention::from).collect(),
        target,
    }))
}

impl From<edit::FilePreview> for FilePreview {
    fn from(edit::FilePreview { path, moved_to, hunks }: edit::FilePreview) -> Self {
        let hunk = |edit::Hunk { line, before, after }: edit::Hunk| Hunk { line, before, after };
        let moved_to = moved_to.map(|path| path.to_string());
        Self { path: path.to_string(), moved_to, hunks: hunks.into_iter().map(hunk).collect() }
    }
}

impl From<edit::Mention> for Mention {
    fn from(edit::Mention { path, line, text }: edit::Mention) -> Self {
        Self { path: path.to_string(), line, text }
    }
}
