//! What changed between two versions of the branch, file by file: what a publication would commit.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use dvt_dbt::edit::unified;
use dvt_dbt::tree::{self, File, Tree};
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
/// How much of a file must stay for it to be called renamed, as Git has it.
const KEPT_MIN: f64 = 0.5;
/// The most pairs of a file that went and one that came whose texts are compared; of more, only equal ones are paired.
const PAIRS_MAX: usize = 2_500;

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
    /// The path before, of a file that was renamed.
    moved_from: Option<String>,
    /// `added`, `removed`, `renamed`, `edited` or `mode` (executable or no longer).
    change: &'static str,
    added: usize,
    removed: usize,
    /// Null for a file that is no text, and once the answer is large.
    unified: Option<String>,
}

type Entry<'a> = (&'a tree::Path, &'a File);

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
    let gone: Vec<Entry<'_>> = before.iter().filter(|(path, _)| after.find(path).is_none()).collect();
    let come: Vec<Entry<'_>> = after.iter().filter(|(path, _)| before.find(path).is_none()).collect();
    let mut files = Vec::new();
    let (mut left, mut renamed) = (BTreeSet::new(), BTreeSet::new());
    for (old, new) in renames(&gone, &come) {
        left.insert(old.0);
        renamed.insert(new.0);
        let moved_from = Some(old.0.to_string());
        let compared = FileComparison::new(new.0, (Some(old.1), Some(new.1)));
        files.push(FileComparison { moved_from, change: "renamed", ..compared });
    }
    let gone = gone.iter().filter(|(path, _)| !left.contains(path));
    files.extend(gone.map(|(path, file)| FileComparison::new(path, (Some(file), None))));
    for (path, file) in after.iter().filter(|(path, _)| !renamed.contains(path)) {
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

/// Pairs files that went with files that came and say much the same, the most alike first.
fn renames<'a>(gone: &[Entry<'a>], come: &[Entry<'a>]) -> Vec<(Entry<'a>, Entry<'a>)> {
    let only_equal = gone.len() * come.len() > PAIRS_MAX;
    let mut alike: Vec<(f64, Entry<'a>, Entry<'a>)> = Vec::new();
    for old in gone {
        for new in come {
            let kept = match old.1.sha256 == new.1.sha256 {
                true => 1.0,
                false if only_equal => 0.0,
                false => kept(old.1, new.1),
            };
            if kept >= KEPT_MIN && !old.1.bytes.is_empty() {
                alike.push((kept, *old, *new));
            }
        }
    }
    alike.sort_by(|one, other| other.0.total_cmp(&one.0));
    let (mut left, mut taken) = (BTreeSet::new(), BTreeSet::new());
    let mut pairs = Vec::new();
    for (_, old, new) in alike {
        if !left.contains(old.0) && !taken.contains(new.0) {
            left.insert(old.0);
            taken.insert(new.0);
            pairs.push((old, new));
        }
    }
    pairs
}

/// Answers which part of the larger of two texts stands in both.
fn kept(old: &File, new: &File) -> f64 {
    let text = |file: &File| file.text().filter(|text| text.len() <= COMPARED_MAX_BYTES).map(str::to_owned);
    let (Some(old), Some(new)) = (text(old), text(new)) else { return 0.0 };
    let (shorter, longer) = (old.len().min(new.len()) as f64, old.len().max(new.len()) as f64);
    if shorter < KEPT_MIN * longer {
        return 0.0;
    }
    let replaced: usize = dvt_dbt::edit::diff(&old, &new).iter().map(|edit| edit.old.len()).sum();
    (old.len() - replaced) as f64 / longer
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
        Self { path: path.to_owned(), moved_from: None, change, added, removed, unified }
    }
}

#[cfg(test)]
mod tests {
    use dvt_dbt::tree::Mode;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| (path.to_string(), File::new(Mode::Regular, text.as_bytes()))).collect()
    }

    #[test]
    fn says_of_a_file_that_moved_and_changed_a_little_that_it_was_renamed() {
        let before = tree(&[("a.sql", "select 1 as id\nfrom t\nwhere x\n"), ("b.sql", "select 2\n"), ("c.sql", "c\n")]);
        let after =
            tree(&[("z.sql", "select 1 as id\nfrom t\nwhere y\n"), ("n.sql", "with other as (x)\n"), ("c.sql", "c\n")]);
        let files = compare(&before, &after);
        let said: Vec<_> = files.iter().map(|file| (&*file.path, file.change, file.moved_from.as_deref())).collect();
        assert_eq!(said, [("b.sql", "removed", None), ("n.sql", "added", None), ("z.sql", "renamed", Some("a.sql"))]);
        assert_eq!((files[2].added, files[2].removed), (1, 1));
    }
}
