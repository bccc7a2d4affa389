//! Finds which nodes have another unique_id after an edit.

use std::collections::HashMap;

use super::Moved;
use crate::node::Node;
use crate::parse::Project;
use crate::tree::{FileChange, Path, Tree};

/// Is a project with its files.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub project: &'a Project,
    pub tree: &'a Tree,
}

/// Answers the nodes that moved: by a renamed project, by their file, or as one removal and one addition of equal
/// content. Generic tests are not listed: they follow the node that they stand on.
pub fn moved(before: Side<'_>, after: Side<'_>, changes: &[FileChange]) -> Vec<Moved> {
    let mut gone = missing(before.project, after.project);
    let mut come = missing(after.project, before.project);
    let mut found = Vec::new();
    let paths: HashMap<&Path, &Path> = changes
        .iter()
        .filter_map(|change| if let FileChange::Moved { from, to } = change { Some((from, to)) } else { None })
        .collect();
    let renamed = |node: &Node, package: &str| {
        let [kind, _, rest] = parts(&node.unique_id)?;
        Some(format!("{kind}.{package}.{rest}"))
    };
    pair(&mut gone, &mut come, &mut found, |old, new| {
        old.package_name == before.project.name() && renamed(old, after.project.name()).as_ref() == Some(&new.unique_id)
    });
    pair(&mut gone, &mut come, &mut found, |old, new| {
        old.resource_type == new.resource_type && paths.get(&old.original_file_path) == Some(&&new.original_file_path)
    });
    pair(&mut gone, &mut come, &mut found, |old, new| {
        old.resource_type == new.resource_type && content(old, before.tree) == content(new, after.tree)
    });
    found
}

fn parts(unique_id: &str) -> Option<[&str; 3]> {
    let mut parts = unique_id.splitn(3, '.');
    Some([parts.next()?, parts.next()?, parts.next()?])
}

/// Lists the nodes of one project that another does not have.
fn missing<'a>(here: &'a Project, there: &Project) -> Vec<&'a Node> {
    let known = |id: &str| there.nodes().contains_key(id) || there.disabled().contains_key(id);
    let all = here.nodes().values().chain(here.disabled().values());
    all.filter(|node| node.test.is_none() && !known(&node.unique_id)).collect()
}

/// Takes out each pair of nodes that fit each other and no one else.
fn pair(gone: &mut Vec<&Node>, come: &mut Vec<&Node>, found: &mut Vec<Moved>, fits: impl Fn(&Node, &Node) -> bool) {
    let mut taken = Vec::new();
    for old in gone.iter() {
        let mut fitting = come.iter().filter(|new| fits(old, new));
        let (Some(new), None) = (fitting.next(), fitting.next()) else { continue };
        if gone.iter().filter(|other| fits(other, new)).count() == 1 {
            taken.push((old.unique_id.clone(), new.unique_id.clone()));
        }
    }
    gone.retain(|node| !taken.iter().any(|(from, _)| *from == node.unique_id));
    come.retain(|node| !taken.iter().any(|(_, to)| *to == node.unique_id));
    found.extend(taken.into_iter().map(|(from, to)| Moved { from, to }));
}

/// Answers what a node is without its names; None where that is too little to know it again.
fn content(node: &Node, tree: &Tree) -> Option<String> {
    if !node.raw_code.trim().is_empty() {
        return Some(node.raw_code.clone());
    }
    if !node.original_file_path.ends_with(".yml") && !node.original_file_path.ends_with(".yaml") {
        return tree.find(&node.original_file_path).map(|file| file.sha256.to_string());
    }
    (!node.description.is_empty() || !node.columns.is_empty())
        .then(|| serde_json::to_string(&(&node.description, &node.columns, &node.alias)).ok())?
}
