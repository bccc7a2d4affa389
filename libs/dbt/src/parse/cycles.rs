//! Finds nodes that depend on themselves.

use std::collections::HashMap;

use super::read::Reader;
use crate::node::UniqueId;

/// Says how far the search has come with a node.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Done,
}

impl Reader<'_> {
    /// Reports each cycle once, with its path.
    pub(super) fn check_cycles(&mut self) {
        let mut states: HashMap<UniqueId, State> = HashMap::new();
        let starts: Vec<UniqueId> = self.project.nodes.keys().cloned().collect();
        let mut cycles = Vec::new();
        for start in starts {
            self.search(start, &mut states, &mut cycles);
        }
        for cycle in cycles {
            let (Some(unique_id), path) = (cycle.first().cloned(), cycle.join(" -> ")) else { continue };
            let node = self.project.nodes.get(&unique_id);
            let place = node.and_then(|node| self.place_in_code(node, 0).or_else(|| node.patch.clone()));
            self.wrong(&unique_id, "GRAPH_CYCLE", (format!("{path} depends on itself"), place));
        }
    }

    fn search(&self, start: UniqueId, states: &mut HashMap<UniqueId, State>, cycles: &mut Vec<Vec<UniqueId>>) {
        if states.contains_key(&start) {
            return;
        }
        states.insert(start.clone(), State::Open);
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let parent = self.project.nodes.get(at).and_then(|node| node.depends_on.nodes.get(*next)).cloned();
            *next += 1;
            let Some(parent) = parent else {
                states.insert(at.clone(), State::Done);
                path.pop();
                continue;
            };
            match states.get(&parent) {
                Some(State::Done) => {}
                Some(State::Open) => {
                    let open = path.iter().map(|(node, _)| node.clone()).skip_while(|node| *node != parent);
                    cycles.push(open.chain([parent.clone()]).collect());
                }
                None => {
                    states.insert(parent.clone(), State::Open);
                    path.push((parent, 0));
                }
            }
        }
    }
}
