//! Turns the names that nodes call into edges.

use std::sync::Arc;

use serde_json::Value as Json;

use super::lookup::From;
use super::memory::Same;
use super::read::Reader;
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::jinja::references::{self, Function};
use crate::jinja::{Code, Error};
use crate::node::{Node, ResourceType, UniqueId};
use crate::yaml;

impl Reader<'_> {
    /// Finds what each node depends on: sources first, then nodes, then metrics. A test of what is switched off or
    /// missing becomes idle; any other node is broken by a name that is not there.
    pub(super) fn connect(&mut self) {
        for unique_id in self.project.nodes.keys().cloned().collect::<Vec<_>>() {
            let node = &self.project.nodes[&unique_id];
            if node.resource_type == ResourceType::Group {
                continue;
            }
            let (found, failures) = self.parents(node);
            let is_test = node.resource_type == ResourceType::Test;
            self.connect_to(&unique_id, found);
            if is_test && !failures.is_empty() {
                self.set_idle(&unique_id, failures);
                continue;
            }
            failures.into_iter().for_each(|error| self.report(&unique_id, error));
        }
    }

    /// Gives a node its parents; one that was given the same before is taken as it came out then.
    fn connect_to(&mut self, unique_id: &str, found: Vec<UniqueId>) {
        let Some(node) = self.project.nodes.shared_mut(unique_id) else { return };
        let mut parents = node.depends_on.nodes.clone();
        for parent in found {
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        if parents == node.depends_on.nodes {
            return;
        }
        let key = Same(node.clone());
        let known = self.before.connected.get(&key).filter(|known| known.depends_on.nodes == parents);
        match known {
            Some(known) => *node = known.clone(),
            None => Arc::make_mut(node).depends_on.nodes = parents,
        }
        self.memory.connected.insert(key, node.clone());
    }

    fn parents(&self, node: &Node) -> (Vec<UniqueId>, Vec<Error>) {
        let (lookup, from) = (&self.project.lookup, From { root: &self.project.name, package: &node.package_name });
        let sources = node.sources.iter().map(|[source, table]| {
            let found = lookup.sourced(from, source, table).cloned();
            found.map_err(|error| error.at(|| self.call_at(node, (Function::Source, Some(source), table))))
        });
        let refs = node.refs.iter().map(|call| {
            let found = lookup.referred(from, call).cloned();
            found.map_err(|error| error.at(|| self.call_at(node, (Function::Ref, call.package.as_ref(), &call.name))))
        });
        let metrics = node.metrics.iter().filter_map(|call| {
            let (package, name) = match call.as_slice() {
                [package, name] => (Some(package.as_str()), name),
                [name] => (None, name),
                _ => return None,
            };
            let missing = || Error::new(Code::RefNotFound, format!("the metric `{name}` does not exist"));
            Some(lookup.metric(from, package, name).cloned().ok_or_else(missing))
        });
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for parent in sources.chain(refs).chain(metrics) {
            match parent {
                Ok(parent) => found.push(parent),
                Err(error) => failures.push(error),
            }
        }
        (found, failures)
    }

    /// Finds the call that names what is missing; a call that is not written out is the node's own place.
    fn call_at(&self, node: &Node, (function, qualifier, name): (Function, Option<&String>, &str)) -> Option<Place> {
        let text = &node.raw_code;
        let call = references::in_template(text).into_iter().find(|call| {
            call.function == function
                && &text[call.name.clone()] == name
                && call.qualifier.as_ref().map(|at| &text[at.clone()]) == qualifier.map(String::as_str)
        });
        let at_call = call.and_then(|call| self.place_in_code(node, call.span.start));
        at_call.or_else(|| node.patch.clone()).or_else(|| Some(yaml::place_of(&node.original_file_path, "", 0)))
    }

    /// Puts a test aside as dbt does: it stands in the manifest, switched off, and never runs.
    fn set_idle(&mut self, unique_id: &str, failures: Vec<Error>) {
        let Some(mut node) = self.project.nodes.remove(unique_id) else { return };
        Arc::make_mut(&mut node).config.insert("enabled".to_owned(), Json::Bool(false));
        let missing = failures.into_iter().filter(|error| error.code != Code::NodeDisabled);
        let warnings = missing.map(|error| Diagnostic {
            severity: Severity::Warning,
            code: error.code.as_str().to_owned(),
            message: error.message,
            place: node.patch.clone(),
            unique_id: Some(node.unique_id.clone()),
        });
        let warnings: Vec<Diagnostic> = warnings.collect();
        self.project.diagnostics.extend(warnings);
        self.project.idle_tests.insert(node);
    }
}
