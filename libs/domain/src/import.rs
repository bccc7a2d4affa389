//! What an import takes of an archive or a folder, what it leaves out, and which of it are packages.
//!
//! Refuses only the container's faults: a path that escapes, a link, no dbt_project.yml. Everything else is taken as it
//! is and gets its diagnostics from the parser.

use std::collections::BTreeSet;
use std::sync::Arc;

use dvt_dbt::tree::{File, Mode, Tree};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::branch::LeftOut;

mod leave_out;
mod merge;

pub use merge::merge;

/// The folder that dbt installs packages into.
const PACKAGES_FOLDER: &str = "dbt_packages";
/// The file that makes a folder a dbt project.
const PROJECT_FILE: &str = "dbt_project.yml";
/// The longest path, in bytes.
pub const PATH_MAX_BYTES: usize = 1024;

/// Holds one entry of an archive or a folder. Folders themselves are no entries.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As the archive names it, with `/` between the parts.
    pub path: String,
    pub content: Content,
}

/// Holds what an entry is.
#[derive(Clone, Debug)]
pub enum Content {
    File {
        mode: Mode,
        bytes: Arc<[u8]>,
    },
    /// A symbolic link and where it points, as it is written.
    Link(String),
}

/// Says how to read the entries.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// The folder of dbt_project.yml, where the user chose one of several.
    pub root: Option<&'a str>,
    /// True if the files were chosen one by one, as those of a folder are: `.gitignore` has been heard already, and the
    /// top is the repository's.
    pub is_listed: bool,
}

/// Holds what was taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    pub tree: Tree,
    pub packages: Tree,
    /// The folder of dbt_project.yml in the tree; empty for the top.
    pub root: String,
    pub left_out: Vec<LeftOut>,
}

/// Says why nothing was taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the archive has no files")]
    Empty,
    #[error("entry `{0}` does not stay inside the project")]
    Path(String),
    #[error("entry `{0}` is a link; only links in dbt_packages/ to a folder that comes along are followed")]
    Link(String),
    #[error("there is no dbt_project.yml")]
    NoProject,
    #[error("there are several dbt_project.yml; choose the folder of one as the root")]
    Roots(Vec<String>),
    #[error("there is no dbt_project.yml in the folder `{0}`")]
    NoProjectAt(String),
}

impl Error {
    /// Answers the stable code; the same in API, command line and page.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "IMPORT_EMPTY",
            Self::Path(_) | Self::Link(_) => "IMPORT_PATH",
            Self::NoProject | Self::NoProjectAt(_) => "IMPORT_NO_PROJECT",
            Self::Roots(_) => "IMPORT_ROOT",
        }
    }
}

/// Sorts entries into the project's tree, its packages and what is left out.
///
/// # Errors
/// When a path escapes, something is a link, or no single project is found. Nothing is taken then.
pub fn take(entries: Vec<Entry>, options: Options) -> Result<Taken, Error> {
    let mut entries = check_paths(entries)?;
    if !options.is_listed {
        entries = strip_top_folder(entries);
    }
    if entries.is_empty() {
        return Err(Error::Empty);
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let root = find_root(&entries, options.root)?;
    let ignored = if options.is_listed { None } else { Some(gitignores(&entries)) };
    let projects: BTreeSet<String> = project_folders(&entries).map(prefix).collect();
    let packages = format!("{}{PACKAGES_FOLDER}/", prefix(&root));
    let (entries, left_out) = without_foreign_packages(entries, &packages);
    let mut taken = Taken { root, left_out, ..Taken::default() };
    for entry in resolve_links(entries, &packages)? {
        let Content::File { mode, bytes } = entry.content else { return Err(Error::Link(entry.path)) };
        let file = File::new(mode, bytes);
        if let Some(inside) = entry.path.strip_prefix(&packages) {
            taken.packages.insert(format!("{PACKAGES_FOLDER}/{inside}"), file);
        } else if let Some(reason) = leave_out::reason(&entry.path, &file, &projects) {
            taken.left_out.push(LeftOut { path: entry.path, reason: reason.to_owned() });
        } else if ignored.as_ref().is_some_and(|ignored| is_ignored(ignored, &entry.path)) {
            taken.left_out.push(LeftOut { path: entry.path, reason: "ignored by .gitignore".to_owned() });
        } else {
            taken.tree.insert(entry.path, file);
        }
    }
    Ok(taken)
}

fn prefix(root: &str) -> String {
    if root.is_empty() { String::new() } else { format!("{root}/") }
}

fn check_paths(entries: Vec<Entry>) -> Result<Vec<Entry>, Error> {
    for entry in &entries {
        let is_plain = |part: &str| !matches!(part, "" | "." | "..");
        let fits = entry.path.len() <= PATH_MAX_BYTES
            && entry.path.split('/').all(is_plain)
            && !entry.path.contains(|c: char| c == '\\' || c == ':' || c.is_control());
        if !fits {
            return Err(Error::Path(entry.path.chars().take(PATH_MAX_BYTES).collect()));
        }
    }
    Ok(entries)
}

/// Strips the one folder that an archive is often made of, as GitHub's are; only if no project stands beside it.
fn strip_top_folder(entries: Vec<Entry>) -> Vec<Entry> {
    let Some((top, _)) = entries.first().and_then(|entry| entry.path.split_once('/')) else { return entries };
    let top = format!("{top}/");
    let is_single = entries.iter().all(|entry| entry.path.starts_with(&top));
    // A dbt project whose archive holds only its models folder has no file at the top to show what it is.
    if !is_single || matches!(top.as_str(), "models/" | "dbt_packages/") {
        return entries;
    }
    let strip = |mut entry: Entry| {
        entry.path = entry.path.split_off(top.len());
        entry
    };
    entries.into_iter().map(strip).collect()
}

/// Lists the folders of the dbt_project.yml.
fn project_folders(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries.iter().filter_map(|entry| match entry.path.rsplit_once('/') {
        Some((folder, PROJECT_FILE)) => Some(folder),
        None if entry.path == PROJECT_FILE => Some(""),
        Some(_) | None => None,
    })
}

fn find_root(entries: &[Entry], chosen: Option<&str>) -> Result<String, Error> {
    let inside_packages = |folder: &str| folder.split('/').any(|part| part == PACKAGES_FOLDER);
    let folders: Vec<&str> = project_folders(entries).filter(|folder| !inside_packages(folder)).collect();
    if let Some(chosen) = chosen {
        let chosen = chosen.trim_matches('/');
        return match folders.contains(&chosen) {
            true => Ok(chosen.to_owned()),
            false => Err(Error::NoProjectAt(chosen.to_owned())),
        };
    }
    match folders.as_slice() {
        [] => Err(Error::NoProject),
        // A project at the top owns the ones in its subfolders: they are its local packages or its tests.
        folders if folders.contains(&"") => Ok(String::new()),
        [folder] => Ok((*folder).to_owned()),
        folders => Err(Error::Roots(folders.iter().map(|folder| (*folder).to_owned()).collect())),
    }
}

/// Leaves out what is installed for other projects of the repository, as one line a folder.
fn without_foreign_packages(entries: Vec<Entry>, packages: &str) -> (Vec<Entry>, Vec<LeftOut>) {
    let inner = format!("/{PACKAGES_FOLDER}/");
    let foreign = |path: &str| path.find(&inner).map(|at| path[..at + inner.len()].to_owned());
    let (mut own, mut folders) = (Vec::with_capacity(entries.len()), BTreeSet::new());
    for entry in entries {
        match foreign(&entry.path).filter(|_| !entry.path.starts_with(packages)) {
            Some(folder) => drop(folders.insert(folder)),
            None => own.push(entry),
        }
    }
    let reason = "packages of another project".to_owned();
    (own, folders.into_iter().map(|path| LeftOut { path, reason: reason.clone() }).collect())
}

/// Follows a link in dbt_packages/ to a folder inside the archive as that local package; refuses any other link.
fn resolve_links(entries: Vec<Entry>, packages: &str) -> Result<Vec<Entry>, Error> {
    let mut followed = Vec::new();
    for entry in &entries {
        let Content::Link(to) = &entry.content else { continue };
        let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let target = entry.path.starts_with(packages).then(|| join(folder, to)).flatten();
        let target = prefix(&target.ok_or_else(|| Error::Link(entry.path.clone()))?);
        // A project in a subfolder may use the repository itself as a package: then the packages are inside, too.
        let inside = entries
            .iter()
            .filter(|other| other.path.starts_with(&target) && !other.path.starts_with(packages))
            .map(|other| Entry {
                path: format!("{}/{}", entry.path, &other.path[target.len()..]),
                content: other.content.clone(),
            });
        let copies: Vec<_> = inside.collect();
        if copies.is_empty() {
            return Err(Error::Link(entry.path.clone()));
        }
        followed.extend(copies);
    }
    let files = entries.into_iter().filter(|entry| !matches!(entry.content, Content::Link(_)));
    Ok(files.chain(followed).collect())
}

/// Joins a relative path to a folder; None if it leaves the top.
fn join(folder: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn gitignores(entries: &[Entry]) -> Vec<(String, Gitignore)> {
    let of = |entry: &Entry| {
        let folder = match entry.path.rsplit_once('/') {
            Some((folder, ".gitignore")) => format!("{folder}/"),
            None if entry.path == ".gitignore" => String::new(),
            Some(_) | None => return None,
        };
        let Content::File { bytes, .. } = &entry.content else { return None };
        let mut builder = GitignoreBuilder::new("");
        for line in String::from_utf8_lossy(bytes).lines() {
            // A line that is no pattern ignores nothing, as with Git.
            let _ = builder.add_line(None, line);
        }
        Some((folder, builder.build().ok()?))
    };
    entries.iter().filter_map(of).collect()
}

/// Asks the .gitignore nearest to the file first, as Git does.
fn is_ignored(gitignores: &[(String, Gitignore)], path: &str) -> bool {
    let mut above: Vec<_> = gitignores.iter().filter(|(folder, _)| path.starts_with(folder.as_str())).collect();
    above.sort_by_key(|(folder, _)| std::cmp::Reverse(folder.len()));
    for (folder, gitignore) in above {
        let found = gitignore.matched_path_or_any_parents(&path[folder.len()..], false);
        if !found.is_none() {
            return found.is_ignore();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Entry {
        let bytes = Arc::from(text.as_bytes());
        Entry { path: path.into(), content: Content::File { mode: Mode::Regular, bytes } }
    }

    fn link(path: &str, to: &str) -> Entry {
        Entry { path: path.into(), content: Content::Link(to.into()) }
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.iter().map(|(path, _)| &**path).collect()
    }

    fn take_all(entries: Vec<Entry>) -> Result<Taken, Error> {
        take(entries, Options::default())
    }

    #[test]
    fn strips_the_single_top_folder_and_sorts_out_packages() {
        let taken = take_all(vec![
            file("shop-main/dbt_project.yml", "name: shop"),
            file("shop-main/models/a.sql", "select 1"),
            file("shop-main/dbt_packages/utils/macros/x.sql", ""),
            file("shop-main/.github/ci.yml", ""),
            file("shop-main/target/manifest.json", "{}"),
            file("shop-main/.env.local", "SECRET=1"),
        ])
        .expect("a project");
        assert_eq!(paths(&taken.tree), [".github/ci.yml", "dbt_project.yml", "models/a.sql"]);
        assert_eq!(paths(&taken.packages), ["dbt_packages/utils/macros/x.sql"]);
        let left_out: Vec<_> = taken.left_out.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(left_out, [".env.local", "target/manifest.json"]);
    }

    #[test]
    fn keeps_the_top_of_a_folder_and_what_only_looks_generated() {
        let files = || {
            vec![
                file("shop/dbt_project.yml", "name: shop"),
                file("shop/models/logs/a.sql", "select 1"),
                file("shop/logs/dbt.log", ""),
            ]
        };
        let taken = take(files(), Options { root: None, is_listed: true }).expect("a project");
        assert_eq!(paths(&taken.tree), ["shop/dbt_project.yml", "shop/models/logs/a.sql"]);
        assert_eq!(taken.root, "shop");
        assert_eq!(paths(&take_all(files()).expect("a project").tree), ["dbt_project.yml", "models/logs/a.sql"]);
    }

    #[test]
    fn finds_the_project_in_a_subfolder_and_asks_which_of_several() {
        let two = vec![file("a/dbt_project.yml", ""), file("b/c/dbt_project.yml", ""), file("readme", "")];
        assert_eq!(take_all(two.clone()), Err(Error::Roots(vec!["a".into(), "b/c".into()])));
        let chosen = take(two, Options { root: Some("b/c"), is_listed: false }).expect("one was chosen");
        assert_eq!(chosen.root, "b/c");
        assert_eq!(take_all(vec![file("readme", "")]), Err(Error::NoProject));
        assert_eq!(take_all(vec![]), Err(Error::Empty));
    }

    #[test]
    fn refuses_paths_that_escape() {
        for path in ["../x", "/etc/passwd", "a/../../b", "a//b", "c:\\x", "a\nb"] {
            assert_eq!(take_all(vec![file(path, "")]), Err(Error::Path(path.into())), "{path}");
        }
    }

    #[test]
    fn follows_a_link_to_a_local_package_only() {
        let project = || vec![file("dbt_project.yml", ""), file("local/utils/dbt_project.yml", "name: utils")];
        let with = |entry| take_all([project(), vec![entry]].concat());
        let taken = with(link("dbt_packages/utils", "../local/utils")).expect("a local package");
        assert_eq!(paths(&taken.packages), ["dbt_packages/utils/dbt_project.yml"]);
        let below = ["it/dbt_project.yml", "it/dbt_packages/y/z.sql"].map(|path| file(path, "")).to_vec();
        let files = [project(), below, vec![link("it/dbt_packages/top", "../../")]].concat();
        let at_top =
            take([files.clone(), vec![file("it/x.sql", "")]].concat(), Options { root: Some(""), is_listed: true });
        let at_top = at_top.expect("the links of another project are not followed");
        assert_eq!((at_top.left_out[0].path.as_str(), at_top.packages.len()), ("it/dbt_packages/", 0));
        let taken = take(files, Options { root: Some("it"), is_listed: true }).expect("the top is a package");
        let top = ["dbt_project.yml", "it/dbt_project.yml", "local/utils/dbt_project.yml"];
        let copied = top.map(|path| format!("dbt_packages/top/{path}"));
        assert_eq!(
            paths(&taken.packages),
            [copied.each_ref().map(|path| path.as_str()).as_slice(), &["dbt_packages/y/z.sql"]].concat()
        );
        assert_eq!(with(link("dbt_packages/x", "../../etc")), Err(Error::Link("dbt_packages/x".into())));
        assert_eq!(with(link("models/x.sql", "a.sql")), Err(Error::Link("models/x.sql".into())));
    }

    #[test]
    fn hears_gitignore_unless_git_listed_the_files() {
        let entries = || {
            vec![
                file("dbt_project.yml", ""),
                file(".gitignore", "*.log\n!keep.log\n"),
                file("a/x.log", ""),
                file("keep.log", ""),
            ]
        };
        let taken = take_all(entries()).expect("a project");
        assert_eq!(paths(&taken.tree), [".gitignore", "dbt_project.yml", "keep.log"]);
        let listed = take(entries(), Options { root: None, is_listed: true }).expect("a project");
        assert_eq!(listed.tree.len(), 4);
    }
}
