//! Reads the columns and constraints of YAML entries.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::properties::{object, objects, text, texts};
use crate::node::Column;

/// The keys of a column that dbt knows.
const KNOWN: [&str; 12] = [
    "name",
    "description",
    "meta",
    "data_type",
    "constraints",
    "docs",
    "config",
    "quote",
    "tags",
    "granularity",
    "data_tests",
    "tests",
];

/// Answers the columns of an entry.
pub(super) fn of(holder: &Map<String, Json>) -> IndexMap<String, Column> {
    objects(holder, "columns").map(column).map(|column| (column.name.clone(), column)).collect()
}

/// Answers the columns of an entry for one of its versions: those it includes, then its own.
pub(super) fn of_version(holder: &Map<String, Json>, version: Option<&Map<String, Json>>) -> IndexMap<String, Column> {
    let written = written_of_version(holder, version);
    written.into_iter().map(column).map(|column| (column.name.clone(), column)).collect()
}

/// Answers the columns of [`of_version`] as they are written.
pub(super) fn written_of_version<'h>(
    holder: &'h Map<String, Json>,
    version: Option<&'h Map<String, Json>>,
) -> Vec<&'h Map<String, Json>> {
    let base = objects(holder, "columns").collect();
    let Some(version) = version else { return base };
    let is_choice = |column: &&Map<String, Json>| column.contains_key("include") || column.contains_key("exclude");
    let choice = objects(version, "columns").find(is_choice);
    let included = |name: &str| {
        let Some(choice) = choice else { return true };
        let include = texts(choice, "include");
        let all = include.iter().any(|text| text == "*" || text == "all");
        (all || include.iter().any(|text| text == name)) && !texts(choice, "exclude").iter().any(|text| text == name)
    };
    let own = objects(version, "columns").filter(|column| !is_choice(column));
    base.into_iter().filter(|column| included(text(column, "name"))).chain(own).collect()
}

fn column(written: &Map<String, Json>) -> Column {
    let config = object(written, "config");
    let mut meta = object(written, "meta");
    meta.extend(object(&config, "meta"));
    let mut tags = Vec::new();
    for tag in texts(written, "tags").into_iter().chain(texts(&config, "tags")) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let constraints = written.get("constraints").and_then(Json::as_array);
    let extra = written.iter().filter(|(key, _)| !KNOWN.contains(&key.as_str()));
    Column {
        name: text(written, "name").to_owned(),
        description: text(written, "description").to_owned(),
        data_type: written.get("data_type").and_then(Json::as_str).map(str::to_owned),
        meta,
        tags,
        constraints: constraints.map(|list| list.iter().filter_map(constraint).collect()).unwrap_or_default(),
        quote: written.get("quote").and_then(Json::as_bool),
        granularity: written.get("granularity").and_then(Json::as_str).map(str::to_owned),
        doc_blocks: Vec::new(),
        extra: extra.map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}

/// Answers a column's constraint with every key that dbt gives it.
fn constraint(written: &Json) -> Option<Json> {
    let part = |key: &str| written.get(key).cloned().unwrap_or(Json::Null);
    let switch = |key: &str| written.get(key).and_then(Json::as_bool).unwrap_or(true);
    let kind = written.get("type")?.as_str()?.to_lowercase();
    Some(json!({
        "type": kind,
        "name": part("name"),
        "expression": part("expression"),
        "warn_unenforced": switch("warn_unenforced"),
        "warn_unsupported": switch("warn_unsupported"),
        "to": part("to"),
        "to_columns": written.get("to_columns").cloned().unwrap_or(json!([])),
    }))
}

/// Answers a model's constraint with every key that dbt gives it.
pub(super) fn model_constraint(written: &Json) -> Option<Json> {
    let mut made = constraint(written)?;
    made["columns"] = written.get("columns").cloned().unwrap_or(json!([]));
    Some(made)
}
