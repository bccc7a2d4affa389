//! I6: content is what its hash names, and the repository holds exactly what was published.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, ensure};
use tokio::process::Command;
use tokio_postgres::Client;
use uuid::Uuid;

use super::Verdict;
use crate::client::Burst;

const CONTENT: &str = "
    select format('blob %s holds other bytes', encode(sha256, 'hex')) from dvt.blob where sha256 <> sha256(bytes)
    union all
    select format('artifact %s has no files', encode(artifact_key, 'hex'))
    from dvt.artifact
    where not exists (select from dvt.artifact_file f where f.artifact_key = artifact.artifact_key)";

/// Checks the repository of a project against what the views say was published.
pub(super) async fn check(
    verdict: &mut Verdict,
    database: &Client,
    (repositories, burst): (&Path, &Burst),
) -> Result<()> {
    let project = &burst.project;
    verdict.none(database, "I6", CONTENT).await?;
    let folder = repositories.join(format!("{project}.git"));
    let rows = database
        .query(
            "select commit, artifacts_commit, branch_version
            from views.compilation
            where project_id = $1 and publish_state = 'published'
            order by branch_version",
            &[&project.parse::<Uuid>()?],
        )
        .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let fsck = git(&folder, &["fsck", "--strict", "--no-dangling"]).await;
    if let Err(error) = fsck {
        verdict.find("I6", format!("the repository is broken: {error}"));
    }
    let text = git(&folder, &["log", "--first-parent", "--format=%H %T %P", "main"]).await?;
    let commits: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    let trees: BTreeMap<&str, &str> = commits.iter().map(|commit| (commit[0], commit[1])).collect();
    for commit in &commits {
        if commit.get(2).and_then(|parent| trees.get(parent)) == Some(&commit[1]) {
            verdict.doubled += 1;
            verdict.find("I6", format!("commit {} changes nothing", commit[0]));
        }
    }
    let published: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let artifacts = git(&folder, &["log", "--first-parent", "--format=%H", "dvt-artifacts"]).await?;
    let artifacts: BTreeSet<&str> = artifacts.lines().collect();
    for row in &rows {
        let (commit, artifact): (String, Option<String>) = (row.get(0), row.get(1));
        if !trees.contains_key(&*commit) {
            verdict.lost += 1;
            verdict.find("I6", format!("commit {commit} of version {} is not on main", row.get::<_, i64>(2)));
        }
        if artifact.as_deref().is_some_and(|artifact| !artifacts.contains(artifact)) {
            verdict.find("I6", format!("artifacts {artifact:?} of commit {commit} are not there"));
        }
    }
    if let Some(last) = rows.last() {
        let commit: String = last.get(0);
        content(verdict, &folder, burst, (&commit, last.get(2))).await?;
    }
    for commit in trees.keys().filter(|commit| !published.contains(**commit)) {
        verdict.doubled += 1;
        verdict.find("I6", format!("commit {commit} is on main, and nobody published it"));
    }
    Ok(())
}

/// Answers the text of every file of a commit, by path.
async fn files(folder: &Path, commit: &str) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for path in git(folder, &["ls-tree", "-r", "--name-only", commit]).await?.lines() {
        files.insert(path.to_owned(), git(folder, &["show", &format!("{commit}:{path}")]).await?);
    }
    Ok(files)
}

/// The last commit holds exactly the files of the version that it publishes.
async fn content(verdict: &mut Verdict, folder: &Path, burst: &Burst, (commit, version): (&str, i64)) -> Result<()> {
    let held = files(folder, commit).await?;
    let tree = burst.http.get(&format!("projects/{}/tree?at_version={version}", burst.project)).await?;
    let paths: Vec<&str> =
        tree["files"].as_array().into_iter().flatten().filter_map(|file| file["path"].as_str()).collect();
    if !held.keys().map(String::as_str).eq(paths.iter().copied()) {
        verdict.find("I6", format!("commit {commit} holds other files than version {version}"));
        return Ok(());
    }
    for path in paths {
        let file = burst.http.get(&format!("projects/{}/files/{path}?at_version={version}", burst.project)).await?;
        if file["text"].as_str() != held.get(path).map(String::as_str) {
            verdict.find("I6", format!("commit {commit} holds another {path} than version {version}"));
        }
    }
    Ok(())
}

async fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(folder).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let done = command.output().await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(done.status.success(), "git {arguments:?}: {}{}", text(&done.stdout), text(&done.stderr));
    Ok(text(&done.stdout))
}
