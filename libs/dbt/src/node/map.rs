//! Nodes by their ids.

use std::ops::Index;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Node, UniqueId};

/// Holds nodes by their ids, in the order of reading. A node that two projects have alike may be one in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeMap(IndexMap<UniqueId, Arc<Node>>);

impl NodeMap {
    /// Finds a node.
    pub fn get(&self, unique_id: &str) -> Option<&Node> {
        self.0.get(unique_id).map(|node| &**node)
    }

    /// Says whether there is a node of that id.
    pub fn contains_key(&self, unique_id: &str) -> bool {
        self.0.contains_key(unique_id)
    }

    /// Finds the place of a node in the order.
    pub fn get_index_of(&self, unique_id: &str) -> Option<usize> {
        self.0.get_index_of(unique_id)
    }

    /// Lists the ids.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &UniqueId> + DoubleEndedIterator {
        self.0.keys()
    }

    /// Lists the nodes.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Node> + DoubleEndedIterator {
        self.shared().map(|node| &**node)
    }

    /// Lists the nodes to be shared.
    pub fn shared(&self) -> impl ExactSizeIterator<Item = &Arc<Node>> + DoubleEndedIterator {
        self.0.values()
    }

    /// Counts the nodes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&mut self, node: Arc<Node>) {
        self.0.insert(node.unique_id.clone(), node);
    }

    pub(crate) fn shared_mut(&mut self, unique_id: &str) -> Option<&mut Arc<Node>> {
        self.0.get_mut(unique_id)
    }

    /// Takes a node out; the others keep their order.
    pub(crate) fn remove(&mut self, unique_id: &str) -> Option<Arc<Node>> {
        self.0.shift_remove(unique_id)
    }
}

impl<Q: AsRef<str> + ?Sized> Index<&Q> for NodeMap {
    type Output = Node;

    /// # Panics
    /// When there is no node of that id.
    fn index(&self, unique_id: &Q) -> &Node {
        &self.0[unique_id.as_ref()]
    }
}
