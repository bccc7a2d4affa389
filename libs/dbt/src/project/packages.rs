//! Finds a project's packages: installed ones, and local ones that stand in the project's own tree.

use serde_json::Value as Json;

use super::{Definition, Renderer, clean, definition};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::jinja::{Engine, YamlScope};
use crate::tree::{Path, Tree};
use crate::yaml::{self, Lines};

/// Is a package that the project asks for and that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPackage {
    /// As packages.yml names it.
    pub name: String,
    /// What brings it.
    pub how: String,
    /// Where it is asked for.
    pub place: Place,
}

/// Is a package with the tree and the folder it stands in.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) definition: Definition,
    /// The folder of its dbt_project.yml, `""` or ending in `/`.
    pub(crate) folder: String,
    pub(crate) tree: &'a Tree,
}

/// One entry of packages.yml.
struct Wanted {
    name: String,
    local: Option<String>,
    place: Place,
}

/// Holds what was found while packages are collected.
struct Search<'a, 'e> {
    tree: &'a Tree,
    engine: &'e Engine,
    found: Vec<Found<'a>>,
    diagnostics: Vec<Diagnostic>,
}

/// Answers the packages in dbt's order: the root first, then the others by their folders.
pub(crate) fn find<'a>(
    root: Found<'a>,
    installed: &'a Tree,
    engine: &Engine,
) -> (Vec<Found<'a>>, Vec<MissingPackage>, Vec<Diagnostic>) {
    let (tree, folder, install_path) = (root.tree, root.folder.clone(), root.definition.install_path());
    let mut search = Search { tree, engine, found: vec![root], diagnostics: Vec::new() };
    search.installed(installed, "dbt_packages/");
    search.installed(tree, &format!("{folder}{install_path}/"));
    let wanted = search.wanted(tree, &folder);
    let mut missing = Vec::new();
    let mut claimed = Vec::new();
    for package in wanted {
        if !search.is_there(&package, &folder, &mut claimed) {
            missing.push(package);
        }
    }
    // A package of Git may be named otherwise than its repository: one that nobody asked for by name is taken for it.
    let unclaimed = search.found.iter().skip(1).filter(|found| !claimed.contains(&found.definition.name)).count();
    let missing = missing.into_iter().skip(unclaimed).map(|package| MissingPackage {
        how: how(&package),
        name: package.name,
        place: package.place,
    });
    (search.found, missing.collect(), search.diagnostics)
}

fn how(package: &Wanted) -> String {
    match &package.local {
        Some(path) => format!("bring the folder {path}, which holds it, or run `dbt deps` and import again"),
        None => "run `dbt deps` and import again together with dbt_packages/".to_owned(),
    }
}

impl<'a> Search<'a, '_> {
    fn installed(&mut self, tree: &'a Tree, folder: &str) {
        let definitions: Vec<String> =
            tree.below(folder).filter_map(|(path, _)| package_folder(path, folder)).collect();
        for folder in definitions {
            self.add(tree, folder);
        }
    }

    fn add(&mut self, tree: &'a Tree, folder: String) -> Option<String> {
        match definition(tree, &folder) {
            Ok(definition) => {
                let (definition, diagnostics) = definition.rendered(self.engine);
                self.diagnostics.extend(diagnostics);
                let name = definition.name.clone();
                if !self.found.iter().any(|found| found.definition.name == name) {
                    self.found.push(Found { definition, folder, tree });
                }
                Some(name)
            }
            Err(diagnostics) => {
                self.diagnostics.extend(diagnostics);
                None
            }
        }
    }

    /// Says whether a package is there; a local one is taken from the project's tree, with the local ones it asks for.
    fn is_there(&mut self, package: &Wanted, asking: &str, claimed: &mut Vec<String>) -> bool {
        let Some(local) = &package.local else {
            let matches = |found: &&Found<'_>| {
                let folder = found.folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                [found.definition.name.as_str(), folder].iter().any(|name| same_name(name, &package.name))
            };
            let found = self.found.iter().skip(1).find(matches).map(|found| found.definition.name.clone());
            claimed.extend(found.clone());
            return found.is_some();
        };
        let root = self.found[0].folder.clone();
        let folders = [asking, root.as_str()].into_iter().filter_map(|from| below(from, local));
        let Some(folder) =
            folders.into_iter().find(|folder| self.tree.find(&format!("{folder}dbt_project.yml")).is_some())
        else {
            let installed = clean(local);
            let last = installed.rsplit('/').next().unwrap_or_default();
            let found = self.found.iter().skip(1).find(|found| found.folder.ends_with(&format!("/{last}/")));
            claimed.extend(found.map(|found| found.definition.name.clone()));
            return found.is_some();
        };
        let known = self.found.len();
        let Some(name) = self.add(self.tree, folder.clone()) else { return true };
        // What is installed of it is a copy, or a link that was followed: edits go to the folder itself.
        let mut is_new = self.found.len() > known;
        let mut found = self.found.iter_mut().skip(1);
        if let Some(installed) = found.find(|found| found.definition.name == name && found.folder != folder) {
            (installed.tree, installed.folder) = (self.tree, folder.clone());
            is_new = true;
        }
        claimed.push(name);
        if is_new {
            for inner in self.wanted(self.tree, &folder) {
                self.is_there(&inner, &folder, claimed);
            }
        }
        true
    }

    /// Reads packages.yml, else the `packages` of dependencies.yml.
    fn wanted(&mut self, tree: &Tree, folder: &str) -> Vec<Wanted> {
        for file in ["packages.yml", "dependencies.yml"] {
            let path: Path = format!("{folder}{file}").into();
            let Some(text) = tree.find(&path).and_then(|file| file.text()) else { continue };
            let document = yaml::read(&path, text);
            self.diagnostics.extend(document.diagnostics);
            let Some(listed) = document.value.as_ref().and_then(|value| value.find("packages")) else { continue };
            let lines = Lines::of(text);
            let scope = YamlScope::Project { package: String::new() };
            let mut renderer = Renderer::new(self.engine, scope, (&path, text, &lines));
            let is_template = file == "packages.yml";
            let wanted = listed.items().iter().filter_map(|item| {
                let entry = renderer.render(item, &|_| !is_template);
                wanted(&entry, lines.place(&path, text, item.span.start))
            });
            let wanted = wanted.collect();
            self.diagnostics.extend(renderer.diagnostics);
            return wanted;
        }
        Vec::new()
    }
}

fn wanted(entry: &Json, place: Place) -> Option<Wanted> {
    let text = |key: &str| entry.get(key).and_then(Json::as_str).map(str::to_owned);
    let local = text("local");
    let name = text("package").or_else(|| text("git")).or_else(|| text("tarball")).or_else(|| text("private"));
    Some(Wanted { name: text("name").or(name).or_else(|| local.clone())?, local, place })
}

/// Answers the folder of a dbt_project.yml right below `folder`.
fn package_folder(path: &str, folder: &str) -> Option<String> {
    let name = path.strip_prefix(folder)?.strip_suffix("/dbt_project.yml")?;
    (!name.contains('/') && !name.starts_with("__")).then(|| format!("{folder}{name}/"))
}

/// Says whether a package's name is the last part of what packages.yml calls it.
fn same_name(name: &str, wanted: &str) -> bool {
    let last = wanted.trim_end_matches('/').trim_end_matches(".git").rsplit(['/', ':']).next().unwrap_or_default();
    let plain = |text: &str| text.replace('-', "_").to_lowercase();
    plain(name) == plain(last)
}

/// Answers the folder that a relative path names; None above the tree's top.
fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.iter().map(|part| format!("{part}/")).collect())
}

/// Says that a package is missing, where it is asked for.
impl From<&MissingPackage> for Diagnostic {
    fn from(missing: &MissingPackage) -> Self {
        Self {
            severity: Severity::Error,
            code: "PACKAGE_MISSING".to_owned(),
            message: format!("the package {} is not there: {}", missing.name, missing.how),
            place: Some(missing.place.clone()),
            unique_id: None,
        }
    }
}
