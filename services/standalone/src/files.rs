//! Reads the files of a folder: what an import sends, and what the folder commands read.
//!
//! Decides nothing about a project: what is left out of an import is `dvt_domain::import`'s to say.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Context;
use dvt_dbt::tree::Mode;
use dvt_domain::import::{Content, Entry};
use ignore::WalkBuilder;

/// The folder that dbt installs packages into; Git usually ignores it, and it belongs to the project all the same.
const PACKAGES_FOLDER: &str = "dbt_packages";
const PROJECT_FILE: &str = "dbt_project.yml";
/// The permission bit that makes a file executable for its owner.
pub(crate) const OWNER_EXECUTES: u32 = 0o100;

/// Reads what Git tracks or would track, and the `dbt_packages/` beside the project's dbt_project.yml: in the folder
/// `root`, where that is known. Without Git, everything but hidden folders' ignored files. Of `known`, the paths that a
/// project has already, also what Git ignores.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub(crate) fn read_tracked<'a>(
    dir: &Path,
    root: Option<&str>,
    known: impl Iterator<Item = &'a str>,
) -> anyhow::Result<Vec<Entry>> {
    let mut paths = match list_by_git(dir) {
        Some(paths) => paths,
        None => walk(dir, true)?,
    };
    paths.extend(known.map(PathBuf::from).filter(|path| dir.join(path).symlink_metadata().is_ok()));
    let root = root.or(paths.contains(Path::new(PROJECT_FILE)).then_some(""));
    let projects: Vec<PathBuf> = match root {
        Some(root) => vec![PathBuf::from(root)],
        None => {
            let files = paths.iter().filter(|path| path.file_name().is_some_and(|name| name == PROJECT_FILE));
            files.filter_map(|path| path.parent()).map(Path::to_owned).collect()
        }
    };
    for folder in projects.into_iter().map(|project| project.join(PACKAGES_FOLDER)) {
        if dir.join(&folder).is_dir() {
            paths.extend(walk(&dir.join(&folder), false)?.into_iter().map(|path| folder.join(path)));
        }
    }
    read_all(dir, &paths)
}

fn list_by_git(dir: &Path) -> Option<BTreeSet<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "-co", "--exclude-standard", "--full-name", "-z", "."])
        .current_dir(dir)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let top = Command::new("git").args(["rev-parse", "--show-prefix"]).current_dir(dir).output().ok()?;
    let prefix = String::from_utf8(top.stdout).ok()?.trim_end_matches('\n').to_owned();
    let listed = String::from_utf8(output.stdout).ok()?;
    let inside = listed.split('\0').filter_map(|path| path.strip_prefix(&prefix)).filter(|path| !path.is_empty());
    // A tracked file may have been deleted from the folder.
    Some(inside.map(PathBuf::from).filter(|path| dir.join(path).symlink_metadata().is_ok()).collect())
}

fn walk(dir: &Path, heed_ignore_files: bool) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut walk = WalkBuilder::new(dir);
    walk.hidden(false).parents(false).git_global(false).git_exclude(false).ignore(false);
    walk.git_ignore(heed_ignore_files).require_git(false);
    walk.filter_entry(|entry| {
        let at_top = entry.depth() == 1;
        let name = entry.file_name();
        name != ".git" && name != "node_modules" && !(at_top && (name == "target" || name == "logs" || name == ".venv"))
    });
    let mut paths = BTreeSet::new();
    for entry in walk.build() {
        let entry = entry.with_context(|| format!("could not read the folder {}", dir.display()))?;
        if entry.file_type().is_some_and(|kind| !kind.is_dir()) {
            paths.insert(entry.path().strip_prefix(dir).expect("invariant: a walk stays inside").to_owned());
        }
    }
    Ok(paths)
}

fn read_all(dir: &Path, paths: &BTreeSet<PathBuf>) -> anyhow::Result<Vec<Entry>> {
    paths.iter().filter_map(|path| read_one(dir, path).transpose()).collect()
}

fn read_one(dir: &Path, path: &Path) -> anyhow::Result<Option<Entry>> {
    let full = dir.join(path);
    let could_not = || format!("could not read {}", full.display());
    let name = path.to_str().with_context(|| format!("the name of {} is not UTF-8", full.display()))?.to_owned();
    let metadata = full.symlink_metadata().with_context(could_not)?;
    if metadata.is_symlink() {
        let to = fs::read_link(&full).with_context(could_not)?;
        return Ok(Some(Entry { path: name, content: Content::Link(relative_link(dir, path, &to)) }));
    }
    if !metadata.is_file() {
        return Ok(None); // A submodule, a socket: nothing that a project holds.
    }
    let executable = metadata.permissions().mode() & OWNER_EXECUTES != 0;
    let mode = if executable { Mode::Executable } else { Mode::Regular };
    let bytes = Arc::from(fs::read(&full).with_context(could_not)?);
    Ok(Some(Entry { path: name, content: Content::File { mode, bytes } }))
}

/// Rewrites a link of `dbt deps`, which is absolute, so that it stays true where the folder is unpacked.
fn relative_link(dir: &Path, path: &Path, to: &Path) -> String {
    let inside = to.is_absolute().then(|| Some((dir.canonicalize().ok()?, to.canonicalize().ok()?))).flatten();
    let inside = inside.and_then(|(top, to)| Some(to.strip_prefix(top).ok()?.to_owned()));
    let Some(inside) = inside else { return to.to_string_lossy().into_owned() };
    let depth = path.components().filter(|part| matches!(part, Component::Normal(_))).count();
    let up = "../".repeat(depth.saturating_sub(1));
    format!("{up}{}", inside.display())
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder can be made");
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder can be made");
            fs::write(path, text).expect("the file can be written");
        }
        dir
    }

    fn git(dir: &Path, args: &[&str]) {
        assert!(Command::new("git").args(args).current_dir(dir).status().expect("git runs").success());
    }

    fn paths(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| &*entry.path).collect()
    }

    #[test]
    fn takes_what_git_tracks_or_would_track_and_the_packages() {
        let dir = folder(&[
            ("dbt_project.yml", "name: x"),
            (".gitignore", "dbt_packages/\nscratch/\n"),
            ("models/a.sql", "select 1"),
            ("scratch/b.sql", "select 2"),
            ("dbt_packages/p/dbt_project.yml", "name: p"),
            ("tests/dbt_project.yml", "name: tests"),
            ("tests/dbt_packages/q/dbt_project.yml", "name: q"),
        ]);
        git(dir.path(), &["init", "-q"]);
        git(dir.path(), &["add", "models"]);
        let entries = read_tracked(dir.path(), None, iter::empty()).expect("the folder can be read");
        let taken = [
            ".gitignore",
            "dbt_packages/p/dbt_project.yml",
            "dbt_project.yml",
            "models/a.sql",
            "tests/dbt_project.yml",
        ];
        assert_eq!(paths(&entries), taken);
        let known = ["scratch/b.sql", "scratch/gone.sql"].into_iter();
        let entries = read_tracked(dir.path(), None, known).expect("the folder can be read");
        assert_eq!(paths(&entries), [&taken[..4], &["scratch/b.sql"], &taken[4..]].concat());
    }

    #[test]
    fn takes_a_subfolder_of_a_repository_as_if_it_were_the_top() {
        let dir = folder(&[("warehouse/dbt_project.yml", "name: x"), ("other.txt", "")]);
        git(dir.path(), &["init", "-q"]);
        let entries = read_tracked(&dir.path().join("warehouse"), None, iter::empty()).expect("the folder can be read");
        assert_eq!(paths(&entries), ["dbt_project.yml"]);
    }

    #[test]
    fn keeps_the_executable_bit() {
        let dir = folder(&[("run.sh", "#!/bin/sh")]);
        fs::set_permissions(dir.path().join("run.sh"), fs::Permissions::from_mode(0o755)).expect("the mode can be set");
        let entries = read_tracked(dir.path(), None, iter::empty()).expect("the folder can be read");
        assert!(matches!(entries[0].content, Content::File { mode: Mode::Executable, .. }));
    }

    #[test]
    fn makes_an_absolute_link_inside_the_folder_relative() {
        let dir = folder(&[("dbt_project.yml", "name: x"), ("packages/p/dbt_project.yml", "name: p")]);
        fs::create_dir(dir.path().join("dbt_packages")).expect("the folder can be made");
        std::os::unix::fs::symlink(dir.path().join("packages/p"), dir.path().join("dbt_packages/p"))
            .expect("the link can be made");
        let entries = read_tracked(dir.path(), None, iter::empty()).expect("the folder can be read");
        let link = entries.iter().find(|entry| entry.path == "dbt_packages/p").expect("the link is listed");
        assert!(matches!(&link.content, Content::Link(to) if to == "../packages/p"));
    }
}
