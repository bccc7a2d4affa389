//! Checks what the relations of nodes are called: no two alike, and each as its database takes it.

use std::collections::HashMap;

use super::read::Reader;
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::edit::identifier_fault;
use crate::environment::Adapter;
use crate::manifest::stored_name;
use crate::node::{Node, UniqueId};
use crate::sql;

impl Reader<'_> {
    /// Reports relations that two nodes make, which dbt refuses too, and warns of names that need care.
    pub(super) fn check_relations(&mut self) {
        let adapter = self.project.engine.settings().environment.adapter;
        let mut makers: HashMap<(&str, String, String), &Node> = HashMap::new();
        let mut found = Vec::new();
        for node in self.project.nodes.values().filter(|node| node.is_relational()) {
            let (schema, name) = stored_name(&self.project, node);
            if let Some((code, message)) = warning(&node.alias, adapter) {
                let place = self.named_at(node);
                found.push(diagnostic((Severity::Warning, code), &node.unique_id, (message, place)));
            }
            let relation = format!("{}.{schema}.{name}", node.database);
            if let Some(other) = makers.insert((&node.database, schema, name), node) {
                let message =
                    format!("{} and {} both make {relation}{}", other.unique_id, node.unique_id, folds(adapter));
                for node in [other, node] {
                    let told = (message.clone(), self.named_at(node));
                    found.push(diagnostic((Severity::Error, "RELATION_CLASH"), &node.unique_id, told));
                }
            }
        }
        self.project.diagnostics.extend(found);
    }

    /// Answers where a node's relation gets its name: where its alias is set, else its file.
    fn named_at(&self, node: &Node) -> Option<Place> {
        let origin = self.project.origin(&node.unique_id, "alias").and_then(|origin| origin.place);
        let of_file = || Place { path: node.original_file_path.clone(), line: 1, column: 1 };
        origin.or_else(|| self.place_in_code(node, 0)).or_else(|| Some(of_file()))
    }
}

fn warning(name: &str, adapter: Adapter) -> Option<(&'static str, String)> {
    if sql::is_reserved(name, adapter) {
        let message = format!(
            "`{name}` is a reserved word of {}: it is quoted as dbt does; quote it wherever SQL names it",
            adapter.as_str()
        );
        return Some(("IDENTIFIER_QUOTED", message));
    }
    identifier_fault(name, adapter)
}

fn folds(adapter: Adapter) -> &'static str {
    match adapter {
        Adapter::Postgres => "; postgres folds unquoted names to lower case",
        Adapter::Snowflake => "; snowflake folds unquoted names to upper case",
        Adapter::Oracle => "; oracle folds unquoted names to upper case",
    }
}

fn diagnostic(
    (severity, code): (Severity, &str),
    unique_id: &UniqueId,
    (message, place): (String, Option<Place>),
) -> Diagnostic {
    Diagnostic { severity, code: code.to_owned(), message, place, unique_id: Some(unique_id.clone()) }
}
