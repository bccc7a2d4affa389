//! Materializations, and the macros below them, that a project brings itself: DVT+ does not run those.

use crate::jinja::{Code, Engine, Error, Macro, NodeContext};

use super::materialized;

/// The materializations that dbt itself has; since 1.8 a package may not replace them, a project may.
pub(crate) const BUILT_IN: [&str; 10] =
    ["view", "table", "incremental", "ephemeral", "materialized_view", "snapshot", "seed", "test", "clone", "unit"];

/// The macros that build a relation, by the materializations they are part of.
const BELOW: &[(&str, &[&str])] = &[
    ("create_table_as", &["table", "incremental", "snapshot"]),
    ("get_create_table_as_sql", &["table", "incremental", "snapshot"]),
    ("create_view_as", &["view"]),
    ("get_create_view_as_sql", &["view"]),
    ("get_merge_sql", &["incremental"]),
    ("get_delete_insert_merge_sql", &["incremental"]),
    ("get_incremental_append_sql", &["incremental"]),
    ("get_incremental_delete_insert_sql", &["incremental"]),
    ("get_incremental_merge_sql", &["incremental"]),
    ("get_incremental_default_sql", &["incremental"]),
    ("get_insert_into_sql", &["incremental"]),
    ("incremental_validate_on_schema_change", &["incremental"]),
    ("process_schema_changes", &["incremental"]),
    ("snapshot_merge_sql", &["snapshot"]),
    ("snapshot_staging_table", &["snapshot"]),
    ("snapshot_timestamp_strategy", &["snapshot"]),
    ("create_csv_table", &["seed"]),
    ("load_csv_rows", &["seed"]),
];

/// Finds the project's or a package's own macro that a node of this materialization would run.
pub fn custom_materialization<'a>(engine: &'a Engine, materialization: &str) -> Option<&'a Macro> {
    let settings = engine.settings();
    let adapter = settings.environment.adapter.as_str();
    engine.macros().iter().find(|candidate| {
        let root = candidate.package == settings.root_package;
        if !root && !settings.packages.contains(&candidate.package) {
            return false;
        }
        match &candidate.materialization {
            Some((name, of)) => {
                name == materialization
                    && (of == adapter || of == "default")
                    && (root || !BUILT_IN.contains(&name.as_str()))
            }
            None => root && is_below(&candidate.name, adapter, materialization),
        }
    })
}

fn is_below(name: &str, adapter: &str, materialization: &str) -> bool {
    let bare =
        name.strip_prefix("default__").or_else(|| name.strip_prefix(adapter)?.strip_prefix("__")).unwrap_or(name);
    BELOW.iter().any(|(below, of)| *below == bare && of.contains(&materialization))
}

/// Answers the error of a node whose materialization DVT+ would run differently.
pub(super) fn refused(engine: &Engine, node: &NodeContext) -> Option<Error> {
    if !matches!(node.resource_type.as_str(), "model" | "snapshot" | "seed") {
        return None;
    }
    let custom = custom_materialization(engine, materialized(node))?;
    let message = format!("{} is built by the project's own {} in {}", node.unique_id, custom.name, custom.path);
    Some(Error::new(Code::MaterializationCustom, message))
}
