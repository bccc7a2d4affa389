//! What changed between two versions of the branch, file by file: what a publication would commit.

use axum::Json;
use axum::extract::State;
use dvt_dbt::edit::unified;
use dvt_dbt::tree::{File, Tree};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::scope::{Moment, Scope};
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;

/// The most bytes of diffs that an answer holds; what comes after is only counted.
const UNIFIED_MAX_BYTES: usize = 512 * 1024;
/// The largest file, in bytes, whose lines are compared; a larger one is only named.
const COMPARED_MAX_BYTES: usize = 1024 * 1024;

/// Says which versions are compared.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Versions {
    /// The version to compare with; 0 for one without files.
    from_version: i64,
    /// The version that is compared; the newest unless given.
    at_version: Option<i64>,
    /// Waits up to 5 s until the branch has this version: read your own writes.
    min_version: Option<i64>,
}

/// Says what changed between two versions.
#[derive(Serialize, ToSchema)]
pub(super) struct Comparison {
    from_version: i64,
    version: i64,
    /// By path.
    files: Vec<FileComparison>,
}

/// Is a file that changed.
#[derive(Serialize, ToSchema)]
struct FileComparison {
    path: String,
    /// `added`, `removed`, `edited` or `mode` (executable or no longer).
    change: &'static str,
    added: usize,
    removed: usize,
    /// Null for a file that is no text, and once the answer is large.
    unified: Option<String>,
}

/// Compares two versions of the branch.
#[utoipa::path(get, path = "/api/v1/projects/{project}/diff", tag = "files", params(("project" = String, Path), Versions), responses((status = OK, body = Comparison)))]
pub(super) async fn diff(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(asked): Query<Versions>,
) -> Result<Json<Comparison>, Problem> {
    let Versions { from_version, at_version, min_version } = asked;
    let scope = Scope::at(&app, &project, &Moment { at_version, min_version, environment: None }).await?;
    let version = scope.head.version;
    if !(0..=version).contains(&from_version) {
        let problem = Problem::bad_request("PARAM_RANGE", format!("from_version must be 0 to {version}"));
        return Err(problem.at("from_version").limit(version).got(&from_version.to_string()));
    }
    let before = match from_version {
        0 => Tree::default(),
        version => app.branches.version(scope.branch.branch_id, version).await?.state.tree.clone(),
    };
    let compare = move || compare(&before, &scope.head.state.tree);
    let files = tokio::task::spawn_blocking(compare).await.map_err(|error| Problem::internal(&error))?;
    Ok(Json(Comparison { from_version, version, files }))
}

fn compare(before: &Tree, after: &Tree) -> Vec<FileComparison> {
    let gone = before.iter().filter(|(path, _)| after.find(path).is_none());
    let mut files: Vec<FileComparison> =
        gone.map(|(path, file)| FileComparison::new(path, (Some(file), None))).collect();
    for (path, file) in after.iter() {
        match before.find(path) {
            Some(old) if old.sha256 == file.sha256 && old.mode == file.mode => {}
            old => files.push(FileComparison::new(path, (old, Some(file)))),
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let mut left = UNIFIED_MAX_BYTES;
    for file in &mut files {
        let length = file.unified.as_ref().map_or(0, String::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => file.unified = None,
        }
    }
    files
}

impl FileComparison {
    fn new(path: &str, (old, new): (Option<&File>, Option<&File>)) -> Self {
        let change = match (old, new) {
            (None, _) => "added",
            (Some(_), None) => "removed",
            (Some(old), Some(new)) if old.sha256 == new.sha256 => "mode",
            (Some(_), Some(_)) => "edited",
        };
        let text = |file: Option<&File>| match file {
            Some(file) => file.text().filter(|text| text.len() <= COMPARED_MAX_BYTES).map(str::to_owned),
            None => Some(String::new()),
        };
        let unified = text(old).zip(text(new)).map(|(old, new)| unified(path, &old, &new));
        let lines = |sign: char| {
            let starts = |line: &&str| line.starts_with(sign) && !line.starts_with("+++ ") && !line.starts_with("--- ");
            unified.as_deref().unwrap_or_default().lines().filter(starts).count()
        };
        let (added, removed) = (lines('+'), lines('-'));
        Self { path: path.to_owned(), change, added, removed, unified }
    }
}
