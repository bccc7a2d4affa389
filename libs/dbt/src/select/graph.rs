//! The graph that `+`, `@` and indirect selection walk.

use crate::node::{Node, ResourceType};
use crate::parse::Project;

use super::Set;
use super::spec::Reach;

/// Knows the neighbours of each node by their places in [`Project::nodes`].
pub(super) struct Graph<'a> {
    nodes: Vec<&'a Node>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    pub(super) fn of(project: &'a Project) -> Self {
        let nodes: Vec<&Node> = project.nodes().values().collect();
        let place = |unique_id: &String| project.nodes().get_index_of(unique_id);
        let parents: Vec<Vec<usize>> =
            nodes.iter().map(|node| node.depends_on.nodes.iter().filter_map(place).collect()).collect();
        let mut children = vec![Vec::new(); nodes.len()];
        for (child, parents) in parents.iter().enumerate() {
            for parent in parents {
                children[*parent].push(child);
            }
        }
        Self { nodes, parents, children }
    }

    /// Lists what `from` depends on, `reach` levels deep.
    pub(super) fn ancestors(&self, from: &Set, reach: Reach) -> Set {
        walk(&self.parents, from, reach)
    }

    /// Lists what depends on `from`, `reach` levels deep.
    pub(super) fn descendants(&self, from: &Set, reach: Reach) -> Set {
        walk(&self.children, from, reach)
    }

    /// Lists the tests that stand on one of `nodes` at least.
    pub(super) fn tests_on(&self, nodes: &Set) -> Set {
        let is_test = |at: &usize| matches!(self.nodes[*at].resource_type, ResourceType::Test | ResourceType::UnitTest);
        nodes.iter().flat_map(|node| self.children[*node].iter().copied()).filter(is_test).collect()
    }

    /// Says whether all parents of a node are among `nodes`; a parent that does not exist is not.
    pub(super) fn stands_on(&self, node: usize, nodes: &Set) -> bool {
        let known = self.parents[node].len() == self.nodes[node].depends_on.nodes.len();
        known && self.parents[node].iter().all(|parent| nodes.contains(parent))
    }

    pub(super) fn sources(&self) -> Set {
        let is_source = |at: &usize| self.nodes[*at].resource_type == ResourceType::Source;
        (0..self.nodes.len()).filter(is_source).collect()
    }

    /// Says whether a node stands in the manifest's `nodes`.
    pub(super) fn is_data(&self, node: usize) -> bool {
        is_data(self.nodes[node])
    }
}

/// Says whether a node stands in the manifest's `nodes`, and not in a map of its own kind.
pub(super) fn is_data(node: &Node) -> bool {
    match node.resource_type {
        ResourceType::Model
        | ResourceType::Seed
        | ResourceType::Snapshot
        | ResourceType::Test
        | ResourceType::Analysis
        | ResourceType::Operation => true,
        ResourceType::Source
        | ResourceType::UnitTest
        | ResourceType::Exposure
        | ResourceType::Metric
        | ResourceType::SemanticModel
        | ResourceType::SavedQuery
        | ResourceType::Group => false,
    }
}

fn walk(next: &[Vec<usize>], from: &Set, reach: Reach) -> Set {
    let mut found = Set::new();
    let mut layer = from.clone();
    let mut levels = 0;
    while !layer.is_empty() && reach.covers(levels) {
        let beyond = layer.iter().flat_map(|node| next[*node].iter().copied());
        layer = beyond.filter(|node| !found.contains(node)).collect();
        found.extend(&layer);
        levels += 1;
    }
    found
}
