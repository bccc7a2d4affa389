//! Finds where the project is used to keeping the YAML entries of its nodes.

use std::collections::HashMap;

use super::properties::{self, YamlEdit};
use super::{DecideInput, Refusal, files};
use crate::node::{Node, ResourceType};
use crate::tree::Path;
use crate::yaml::usual_ending;

/// Answers the file that the entry of a node belongs into, which may be new.
pub(super) fn of_node<'a>(input: &DecideInput<'a>, node: &Node) -> Result<YamlEdit<'a>, Refusal> {
    let (folder, name) = (folder(&node.original_file_path), node.name.as_str());
    let section = properties::section(node).unwrap_or("models");
    let peers: Vec<Peer<'_>> = input.project.nodes().values().filter_map(|peer| Peer::of(input, node, peer)).collect();
    let same_folder: Vec<&Peer<'_>> = peers.iter().filter(|peer| peer.folder == folder).collect();
    let path = usual(input, &same_folder, (folder, name))
        .or_else(|| usual(input, &peers.iter().collect::<Vec<_>>(), (folder, name)))
        .or_else(|| there(input, folder, section))
        .unwrap_or_else(|| by_guide(folder, section));
    let like = input.files.tree.find(&node.original_file_path).and_then(|file| file.text());
    open(input, &path, (section, like.unwrap_or_default()))
}

/// Answers the file that a source belongs into, which may be new; `folder` is where it goes if there are no others.
pub(super) fn of_source<'a>(input: &DecideInput<'a>, source: &str, home: &str) -> Result<YamlEdit<'a>, Refusal> {
    let sources = input.project.nodes().values().filter(|node| node.resource_type == ResourceType::Source);
    let own = sources.filter(|node| input.files.tree.find(&node.original_file_path).is_some());
    let mut paths: HashMap<Path, Vec<&str>> = HashMap::new();
    for node in own {
        let known = paths.entry(node.original_file_path.clone()).or_default();
        known.extend(node.source_name.as_deref().filter(|name| !known.contains(name)));
    }
    let shared = paths.iter().filter(|(_, names)| names.len() > 1).map(|(path, _)| path).min();
    let only = paths.keys().min().filter(|_| paths.len() == 1);
    let generic = only.filter(|path| paths[*path].iter().all(|name| !path.contains(*name)));
    let like = paths.iter().filter_map(|(path, names)| {
        let (above, file) = path.rsplit_once('/').unwrap_or(("", path));
        let named = file.contains(names.first()?);
        let folder = above.rsplit_once('/').filter(|(_, last)| last == names.first().expect("invariant: it was found"));
        named.then(|| (folder.map(|(above, _)| above), above, file.replace(names[0], source), path))
    });
    let alike = like.min_by_key(|(.., path)| (*path).clone()).map(|(grouped, above, file, _)| match grouped {
        Some(above) => format!("{above}/{source}/{file}").into(),
        None => format!("{above}/{file}").into(),
    });
    let guide = || format!("{home}/_{source}__sources.yml").into();
    let path = shared.cloned().or(generic.cloned()).or(alike).unwrap_or_else(guide);
    open(input, &path, ("sources", ""))
}

/// Opens a file, or begins one as the project's others begin.
fn open<'a>(input: &DecideInput<'a>, path: &Path, (section, like): (&str, &str)) -> Result<YamlEdit<'a>, Refusal> {
    if input.files.tree.find(path).is_some() {
        return YamlEdit::of(input, path);
    }
    super::raw::vacant(input, path)?;
    let line_end = usual_ending(like);
    let version = if has_versions(input) { format!("version: 2{line_end}{line_end}") } else { String::new() };
    Ok(YamlEdit::new(path, &format!("{version}{section}: []{line_end}")))
}

/// Says whether the project's properties files begin with their version; most do, and dbt no longer asks for it.
fn has_versions(input: &DecideInput<'_>) -> bool {
    let patched = input.project.nodes().values().filter_map(|node| node.patch.as_ref()).map(|place| &place.path);
    let mut texts = patched.filter_map(|path| input.files.tree.find(path)?.text()).peekable();
    texts.peek().is_none() || texts.any(|text| text.contains("version:"))
}

/// Is another node of the kind, and the file of its entry.
struct Peer<'a> {
    node: &'a Node,
    folder: &'a str,
    file: &'a Path,
}

impl<'a> Peer<'a> {
    fn of(input: &DecideInput<'_>, node: &Node, peer: &'a Node) -> Option<Self> {
        let file = &peer.patch.as_ref()?.path;
        let is_like =
            peer.resource_type == node.resource_type && peer.test.is_none() && peer.unique_id != node.unique_id;
        let is_own = peer.package_name == node.package_name && input.files.tree.find(file).is_some();
        let has_file = *file != peer.original_file_path;
        (is_like && is_own && has_file).then_some(Self { node: peer, folder: folder(&peer.original_file_path), file })
    }

    /// Answers the file that a node of `name` in `folder` has, if it is kept as this one is.
    fn alike(&self, is_alone: bool, (folder, name): (&str, &str)) -> Path {
        let (above, file) = self.file.rsplit_once('/').unwrap_or(("", self.file));
        if above != self.folder {
            return self.file.clone();
        }
        let last = |folder: &str| folder.rsplit('/').next().unwrap_or_default().to_owned();
        let file = match () {
            () if is_alone && file.contains(&self.node.name) => file.replace(&self.node.name, name),
            () if file.contains(&last(self.folder)) => file.replace(&last(self.folder), &last(folder)),
            () => file.to_owned(),
        };
        if folder.is_empty() { file.into() } else { format!("{folder}/{file}").into() }
    }
}

/// Answers the file that most of the peers speak for.
fn usual(input: &DecideInput<'_>, peers: &[&Peer<'_>], of: (&str, &str)) -> Option<Path> {
    let alone = |peer: &Peer<'_>| peers.iter().filter(|other| other.file == peer.file).count() == 1;
    let mut counts: HashMap<Path, usize> = HashMap::new();
    for peer in peers {
        *counts.entry(peer.alike(alone(peer), of)).or_default() += 1;
    }
    let is_there = |path: &Path| input.files.tree.find(path).is_some();
    counts
        .into_iter()
        .max_by_key(|(path, count)| (*count, is_there(path), std::cmp::Reverse(path.clone())))
        .map(|(path, _)| path)
}

/// Finds a file of the folder that has the section, or is named for it.
fn there(input: &DecideInput<'_>, folder: &str, section: &str) -> Option<Path> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let in_folder = |path: &&Path| {
        files::is_yaml(path) && !path[prefix.len()..].contains('/') && !path.ends_with("dbt_project.yml")
    };
    let candidates: Vec<&Path> = input.files.tree.below(&prefix).map(|(path, _)| path).filter(in_folder).collect();
    let text = |path: &Path| input.files.tree.find(path).and_then(|file| file.text()).unwrap_or_default();
    let has = |path: &&&Path| files::read(path, text(path)).is_some_and(|root| root.find(section).is_some());
    let is_sound = |path: &&&Path| text(path).trim().is_empty() || files::read(path, text(path)).is_some();
    let named = |path: &&&Path| {
        let name = path[prefix.len()..].trim_start_matches('_');
        is_sound(path) && (name.starts_with("schema.") || name.starts_with("properties.") || name.contains(section))
    };
    candidates.iter().find(has).or_else(|| candidates.iter().find(named)).map(|path| (*path).clone())
}

/// Answers the file that dbt's style guide names.
fn by_guide(folder: &str, section: &str) -> Path {
    match folder.rsplit_once('/') {
        Some((_, area)) => format!("{folder}/_{area}__{section}.yml").into(),
        None if folder.is_empty() => format!("_{section}.yml").into(),
        None => format!("{folder}/_{section}.yml").into(),
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
