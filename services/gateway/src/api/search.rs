//! Search in the texts of a project's files.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::scope::{Moment, Scope};
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, page_size};

/// How many lines an answer has unless it asks for fewer or more, and at most.
const LINES: (i64, i64) = (50, 500);
/// The shortest text that is searched for, in characters.
const TEXT_MIN: usize = 2;
/// The largest file that is searched, in bytes: larger ones are data.
const FILE_MAX_BYTES: usize = 256 * 1024;
/// The most characters of a line that are shown.
const SHOWN_MAX: usize = 200;

/// Asks where a text stands.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// At least two characters, in either case.
    text: String,
    /// How many lines, 1 to 500; 50 unless given.
    limit: Option<i64>,
}

/// Lists the lines in which a text stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Found {
    version: i64,
    lines: Vec<FoundLine>,
    /// There are more lines than were asked for.
    truncated: bool,
}

/// Is a line in which the text stands.
#[derive(Serialize, ToSchema)]
struct FoundLine {
    path: String,
    /// From 1.
    line: usize,
    text: String,
}

/// Searches the files of the branch's head, path by path.
#[utoipa::path(get, path = "/api/v1/projects/{project}/search", tag = "files", params(("project" = String, Path), Asked), responses((status = OK, body = Found)))]
pub(super) async fn search(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Found>, Problem> {
    let limit = page_size(asked.limit, LINES)? as usize;
    let wanted = asked.text.trim().to_lowercase();
    if wanted.chars().count() < TEXT_MIN {
        let problem = Problem::bad_request("PARAM_RANGE", format!("text must have at least {TEXT_MIN} characters"));
        return Err(problem.at("text").got(&asked.text));
    }
    let scope = Scope::at(&app, &project, &Moment::default()).await?;
    let version = scope.head.version;
    let look = move || {
        let files = scope.head.state.tree.iter().filter(|(_, file)| file.bytes.len() <= FILE_MAX_BYTES);
        let lines = files.flat_map(|(path, file)| {
            let numbered = file.text().unwrap_or_default().lines().enumerate();
            let fitting = numbered.filter(|(_, text)| text.to_lowercase().contains(&wanted));
            fitting.map(|(at, text)| FoundLine {
                path: path.to_string(),
                line: at + 1,
                text: text.trim().chars().take(SHOWN_MAX).collect(),
            })
        });
        lines.take(limit + 1).collect::<Vec<_>>()
    };
    let mut lines = tokio::task::spawn_blocking(look).await.map_err(|error| Problem::internal(&error))?;
    let truncated = lines.len() > limit;
    lines.truncate(limit);
    Ok(Json(Found { version, lines, truncated }))
}
