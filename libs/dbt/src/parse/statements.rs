//! Judges the SQL of nodes as far as pass 1 knows it; what it does not know, compiling judges.

use super::read::Reader;
use crate::compile::BUILT_IN;
use crate::diagnostic::{Diagnostic, Severity};
use crate::jinja::{NodeContext, Parsed};
use crate::node::{Node, ResourceType};
use crate::sql::{self, Rules};

impl Reader<'_> {
    /// Notes what is wrong with a node's rendered SQL: an error where it is certain, a warning where only the grammar
    /// refuses it.
    pub(super) fn judge(&mut self, node: &Node, context: &NodeContext, parsed: &Parsed) {
        let is_query = match node.resource_type {
            ResourceType::Model | ResourceType::Snapshot => true,
            ResourceType::Test => node.test.is_none(),
            _ => false,
        };
        if !is_query || parsed.is_guess {
            return;
        }
        let engine = &self.project.engine;
        let rules = Rules { adapter: engine.settings().environment.adapter, is_script: false, asks_grammar: true };
        let Some(wrong) = sql::judge(&parsed.text, rules) else { return };
        let mapped = engine.parse_mapped(context).map(|mapped| mapped.source_map).unwrap_or_default();
        self.judged.push(Diagnostic {
            severity: if wrong.is_certain { Severity::Error } else { Severity::Warning },
            code: wrong.code.as_str().to_owned(),
            place: engine.place(&[context], &mapped, wrong.at).or_else(|| self.place_in_code(node, 0)),
            message: wrong.message,
            unique_id: Some(node.unique_id.clone()),
        });
    }

    /// Reports what was noted of the nodes that are switched on and built as dbt does: what a materialization of the
    /// project's own makes of a text is not known.
    pub(super) fn tell_judged(&mut self) {
        let nodes = &self.project.nodes;
        let is_built =
            |node: &Node| node.resource_type == ResourceType::Test || BUILT_IN.contains(&node.materialized());
        let is_on = |found: &Diagnostic| found.unique_id.as_ref().and_then(|id| nodes.get(id)).is_some_and(is_built);
        let judged = std::mem::take(&mut self.judged).into_iter().filter(is_on);
        self.project.diagnostics.extend(judged);
    }
}
