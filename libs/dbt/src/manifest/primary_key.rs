//! The primary key that a model's constraints and tests tell of.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::node::{GenericTest, Node};
use crate::parse::Project;

/// The tests that make columns a key.
const UNIQUE: [&str; 2] = ["unique", "unique_combination_of_columns"];

/// Answers the columns of a model's key: as its constraints say; else those tested to be unique and not null; else those
/// tested to be unique; else those that a disabled test would.
pub(super) fn of(project: &Project, model: &Node) -> Vec<String> {
    if let Some(columns) = constrained(model) {
        return columns;
    }
    let (enabled, disabled) = (tests(project.nodes().values(), model), tests(project.disabled().values(), model));
    let all: Vec<&GenericTest> = enabled.iter().chain(&disabled).copied().collect();
    let not_null = columns(&all, &["not_null"]);
    let both: BTreeSet<&str> = columns(&all, &UNIQUE).intersection(&not_null).copied().collect();
    let found =
        [both, columns(&enabled, &UNIQUE), columns(&disabled, &UNIQUE)].into_iter().find(|columns| !columns.is_empty());
    found.unwrap_or_default().into_iter().map(str::to_owned).collect()
}

fn constrained(model: &Node) -> Option<Vec<String>> {
    let is_key = |constraint: &&Json| constraint["type"] == "primary_key";
    let of_model = model.properties.get("constraints").and_then(Json::as_array).into_iter().flatten().find(is_key);
    if let Some(constraint) = of_model {
        let columns = constraint["columns"].as_array().into_iter().flatten();
        return Some(columns.filter_map(Json::as_str).map(str::to_owned).collect());
    }
    let column = model.columns.values().find(|column| column.constraints.iter().any(|given| is_key(&given)));
    column.map(|column| vec![column.name.clone()])
}

fn tests<'a>(nodes: impl Iterator<Item = &'a Node>, model: &Node) -> Vec<&'a GenericTest> {
    nodes.filter_map(|node| node.test.as_ref()).filter(|test| test.attached_node == model.unique_id).collect()
}

fn columns<'a>(tests: &[&'a GenericTest], kinds: &[&str]) -> BTreeSet<&'a str> {
    let of_kind = tests.iter().filter(|test| kinds.contains(&test.name.as_str()));
    let named = of_kind.flat_map(|test| match test.kwargs.get("column_name").and_then(Json::as_str) {
        Some(column) => vec![column],
        None => {
            let listed = test.kwargs.get("combination_of_columns").and_then(Json::as_array);
            listed.into_iter().flatten().filter_map(Json::as_str).collect()
        }
    });
    named.collect()
}
