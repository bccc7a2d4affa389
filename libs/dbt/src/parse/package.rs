//! One package and its files.

use crate::project::{Definition, Found};
use crate::tree::{File, Path, Tree};

/// Is one file of a package.
pub(super) struct SourceFile {
    pub(super) path: Path,
    /// From the folder of the package.
    pub(super) local: String,
}

/// Is one package with its files.
pub(super) struct Package<'a> {
    pub(super) definition: Definition,
    /// The folder of its dbt_project.yml, `""` or ending in `/`.
    pub(super) folder: String,
    pub(super) tree: &'a Tree,
    files: Vec<SourceFile>,
}

/// Is a file below one of the folders that were searched.
#[derive(Clone, Copy)]
pub(super) struct Below<'a> {
    pub(super) path: &'a Path,
    pub(super) local: &'a str,
    /// From the folder that was searched.
    pub(super) relative: &'a str,
    pub(super) file: &'a File,
}

impl<'a> Package<'a> {
    pub(super) fn new(found: Found<'a>) -> Self {
        let Found { definition, folder, tree } = found;
        let listed = tree.below(&folder).map(|(path, _)| {
            let local = path.strip_prefix(folder.as_str()).unwrap_or(path);
            SourceFile { path: path.clone(), local: local.to_owned() }
        });
        let files = listed.filter(|file| is_read(&file.local)).collect();
        Self { definition, folder, tree, files }
    }

    /// Lists the files below `folders` whose names end with one of `endings`, each once.
    pub(super) fn below<'s>(&'s self, folders: &[String], endings: &[&str]) -> Vec<Below<'s>> {
        let listed = self.files.iter().filter_map(|found| {
            let is_wanted = endings.iter().any(|ending| ends_with(&found.local, ending));
            let relative = folders.iter().find_map(|folder| relative(&found.local, folder)).filter(|_| is_wanted)?;
            let file = self.tree.find(&found.path)?;
            Some(Below { path: &found.path, local: &found.local, relative, file })
        });
        listed.collect()
    }
}

fn relative<'p>(local: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() { Some(local) } else { local.strip_prefix(folder)?.strip_prefix('/') }
}

fn ends_with(path: &str, ending: &str) -> bool {
    let start = path.len().saturating_sub(ending.len());
    path.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// Says whether dbt looks at a file of this name at all.
fn is_read(local: &str) -> bool {
    let name = local.rsplit('/').next().unwrap_or(local);
    !name.starts_with(['.', '#', '~'])
}
