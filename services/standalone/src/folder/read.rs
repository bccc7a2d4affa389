//! Reads the files of a folder as dbt finds them: ignored or not, links followed.

use std::fs;
use std::path::Path;

use anyhow::Context;
use dvt_dbt::tree::{File, Mode, Tree};
use ignore::WalkBuilder;

/// The folder that dbt installs packages into.
const PACKAGES_FOLDER: &str = "dbt_packages";
/// What dbt and its neighbours write beside a project.
const SKIPPED: [&str; 5] = [".git", ".venv", "logs", "node_modules", "target"];
/// The endings of the files that dbt reads.
const ENDINGS: [&str; 6] = ["csv", "md", "py", "sql", "yaml", "yml"];

/// Holds a project's files and those of its installed packages.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) tree: Tree,
    /// Paths `dbt_packages/NAME/…`.
    pub(crate) packages: Tree,
}

/// Reads the project in `dir`.
///
/// # Errors
/// When the folder or a file in it cannot be read, or a path is not UTF-8.
pub(crate) fn read(dir: &Path) -> anyhow::Result<Files> {
    let mut files = Files::default();
    let mut walk = WalkBuilder::new(dir);
    walk.standard_filters(false).follow_links(true);
    walk.filter_entry(|entry| {
        let is_skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
        !(is_skipped && entry.depth() == 1)
    });
    for entry in walk.build() {
        let entry = entry.with_context(|| format!("could not read the folder {}", dir.display()))?;
        let path = entry.path();
        let is_read = path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
        if !is_read || !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let inside = path.strip_prefix(dir).expect("invariant: a walk stays inside");
        let name = inside.to_str().with_context(|| format!("the name of {} is not UTF-8", path.display()))?;
        let bytes = fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
        let into = if inside.starts_with(PACKAGES_FOLDER) { &mut files.packages } else { &mut files.tree };
        into.insert(name, File::new(Mode::Regular, bytes));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_through_their_links() {
        let dir = tempfile::tempdir().expect("a folder can be made");
        for path in ["dbt_project.yml", "shared/p/dbt_project.yml", "target/old.sql", "image.png"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder can be made");
            fs::write(path, "name: x").expect("the file can be written");
        }
        fs::create_dir(dir.path().join(PACKAGES_FOLDER)).expect("the folder can be made");
        std::os::unix::fs::symlink("../shared/p", dir.path().join("dbt_packages/p")).expect("the link can be made");
        let files = read(dir.path()).expect("the folder can be read");
        let paths = |tree: &Tree| tree.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>();
        assert_eq!(paths(&files.tree), ["dbt_project.yml", "shared/p/dbt_project.yml"]);
        assert_eq!(paths(&files.packages), ["dbt_packages/p/dbt_project.yml"]);
    }
}
