//! Finds nodes by the names that `ref()`, `source()` and `metric()` use.

use std::collections::HashMap;

use super::Project;
use super::names::text;
use crate::jinja::{Code, Error, RefCall};
use crate::node::{Node, ResourceType, UniqueId};

/// How alike a name must be to be proposed, from 0 to 1.
const ALIKE_MIN: f64 = 0.85;
/// How many names are proposed.
const PROPOSALS_MAX: usize = 3;

/// Nodes of one name, each with its package.
type Named = HashMap<String, Vec<(String, UniqueId)>>;

/// Knows the nodes of a project by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookup {
    refs: Named,
    sources: Named,
    metrics: Named,
    disabled_refs: Named,
    disabled_sources: Named,
    /// Whether a package's node looks into its own package before the root's.
    own_first: bool,
}

/// Says from where a name is looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct From<'a> {
    pub(super) root: &'a str,
    pub(super) package: &'a str,
}

impl Lookup {
    pub(super) fn of(project: &Project, own_first: bool) -> Self {
        let Project { nodes, disabled, .. } = project;
        let mut lookup = Self { own_first, ..Self::default() };
        for node in nodes.values() {
            match (&node.source_name, node.resource_type) {
                (Some(source), _) => add(&mut lookup.sources, format!("{source}.{}", node.name), node),
                (None, ResourceType::Metric) => add(&mut lookup.metrics, node.name.clone(), node),
                (None, kind) if kind.is_referable() => add_referable(&mut lookup.refs, node),
                (None, _) => {}
            }
        }
        for node in disabled.values() {
            match &node.source_name {
                Some(source) => add(&mut lookup.disabled_sources, format!("{source}.{}", node.name), node),
                None if node.resource_type.is_referable() => add_referable(&mut lookup.disabled_refs, node),
                None => {}
            }
        }
        lookup
    }

    /// Finds the node that a `ref()` names.
    ///
    /// # Errors
    /// It does not exist, is disabled, or is named by several packages.
    pub(super) fn referred(&self, from: From<'_>, call: &RefCall) -> Result<&UniqueId, Error> {
        let version = call.version.as_ref().map(text).filter(|version| !version.is_empty());
        let key = version.map_or_else(|| call.name.clone(), |version| format!("{}.v{version}", call.name));
        let packages = self.packages(from, call.package.as_deref());
        if let Some(found) = search(&self.refs, &key, &packages)? {
            return Ok(found);
        }
        let is_off = search(&self.disabled_refs, &key, &packages).map_or(true, |found| found.is_some());
        let (code, why) =
            if is_off { (Code::NodeDisabled, "is disabled") } else { (Code::RefNotFound, "does not exist") };
        let meant = if is_off { String::new() } else { closest(&self.refs, &call.name) };
        Err(Error::new(code, format!("the node `{}` that ref() names {why}{meant}", shown(call))))
    }

    /// Finds what a test of `package` stands on: a node of that package, else a disabled one of any.
    pub(super) fn attached(&self, package: &str, call: &RefCall) -> Option<&UniqueId> {
        let key = call.version.as_ref().map_or_else(|| call.name.clone(), |v| format!("{}.v{}", call.name, text(v)));
        let find = |named, package| search(named, &key, &[package]).ok().flatten();
        find(&self.refs, Some(package)).or_else(|| find(&self.disabled_refs, None))
    }

    /// Finds the source that a `source()` names.
    ///
    /// # Errors
    /// It does not exist or is disabled.
    pub(super) fn sourced(&self, from: From<'_>, source: &str, table: &str) -> Result<&UniqueId, Error> {
        let (key, packages) = (format!("{source}.{table}"), self.packages(from, None));
        let first = |named: &Named| search(named, &key, &packages).map_or(true, |found| found.is_some());
        if let Some(found) = search(&self.sources, &key, &packages)? {
            return Ok(found);
        }
        let is_off = first(&self.disabled_sources);
        let (code, why) =
            if is_off { (Code::NodeDisabled, "is disabled") } else { (Code::SourceNotFound, "does not exist") };
        let meant = if is_off { String::new() } else { closest(&self.sources, &key) };
        Err(Error::new(code, format!("the source `{key}` {why}{meant}")))
    }

    /// Finds the metric of a name.
    pub(super) fn metric(&self, from: From<'_>, package: Option<&str>, name: &str) -> Option<&UniqueId> {
        search(&self.metrics, name, &self.packages(from, package)).ok().flatten()
    }

    /// Answers where dbt looks, in its order; None is any package.
    fn packages<'a>(&self, from: From<'a>, package: Option<&'a str>) -> Vec<Option<&'a str>> {
        match package {
            Some(package) => vec![Some(package)],
            None if from.root == from.package => vec![Some(from.root), None],
            None if self.own_first => vec![Some(from.package), Some(from.root), None],
            None => vec![Some(from.root), Some(from.package), None],
        }
    }
}

/// Proposes the names that are spelled most like `wanted`.
fn closest(named: &Named, wanted: &str) -> String {
    let alike = |name: &String| strsim::jaro_winkler(name, wanted);
    let mut names: Vec<(f64, &String)> = named.keys().map(|name| (alike(name), name)).collect();
    names.retain(|(alike, _)| *alike >= ALIKE_MIN);
    names.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.cmp(other)));
    let names: Vec<String> = names.into_iter().take(PROPOSALS_MAX).map(|(_, name)| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(" or ")) }
}

fn shown(call: &RefCall) -> String {
    let package = call.package.as_ref().map(|package| format!("{package}.")).unwrap_or_default();
    let version = call.version.as_ref().map(|version| format!(" version {}", text(version))).unwrap_or_default();
    format!("{package}{}{version}", call.name)
}

fn add(named: &mut Named, key: String, node: &Node) {
    named.entry(key).or_default().push((node.package_name.clone(), node.unique_id.clone()));
}

fn add_referable(named: &mut Named, node: &Node) {
    let Some(version) = &node.version else { return add(named, node.name.clone(), node) };
    add(named, format!("{}.v{}", node.name, text(version)), node);
    if node.version == node.latest_version {
        add(named, node.name.clone(), node);
    }
}

fn search<'n>(named: &'n Named, key: &str, packages: &[Option<&str>]) -> Result<Option<&'n UniqueId>, Error> {
    let Some(candidates) = named.get(key) else { return Ok(None) };
    for wanted in packages {
        let mut found = candidates.iter().filter(|(package, _)| wanted.is_none_or(|wanted| wanted == package));
        match (found.next(), found.next()) {
            (Some((_, found)), None) => return Ok(Some(found)),
            (Some((_, one)), Some((_, other))) => {
                let message = format!("the name `{key}` is used by {one} and by {other}; name the package too");
                return Err(Error::new(Code::RefAmbiguous, message));
            }
            (None, _) => {}
        }
    }
    Ok(None)
}
