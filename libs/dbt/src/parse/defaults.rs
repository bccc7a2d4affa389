//! What a config holds where nobody set anything, and how values of several places become one.

use std::sync::OnceLock;

use serde_json::{Map, Value as Json, json};

use crate::node::ResourceType;

/// Says how a value set nearer to the node meets one set further away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// The nearer one counts.
    Clobber,
    /// The nearer one's items come after the others.
    Append,
    /// The nearer one's keys count, the others stay.
    Update,
    /// As `Update`; a key that begins with `+` adds to the list of that key.
    AppendByKey,
}

/// Answers how the values of a key are merged.
pub(super) fn merge_of(kind: ResourceType, key: &str) -> Merge {
    let is_data = match kind {
        ResourceType::Model
        | ResourceType::Seed
        | ResourceType::Snapshot
        | ResourceType::Analysis
        | ResourceType::Operation => true,
        ResourceType::Test
        | ResourceType::UnitTest
        | ResourceType::Source
        | ResourceType::Exposure
        | ResourceType::Metric
        | ResourceType::SemanticModel
        | ResourceType::SavedQuery
        | ResourceType::Group => false,
    };
    let has_tags = is_data || matches!(kind, ResourceType::Test | ResourceType::UnitTest);
    match key {
        "tags" if has_tags => Merge::Append,
        "meta" if kind != ResourceType::Exposure => Merge::Update,
        "pre-hook" | "post-hook" | "packages" if is_data => Merge::Append,
        "quoting" | "column_types" | "docs" | "contract" if is_data => Merge::Update,
        "grants" if is_data => Merge::AppendByKey,
        _ => Merge::Clobber,
    }
}

/// Says whether what is set nearer to a node adds to what is set further away.
pub(crate) fn adds_up(kind: ResourceType, key: &str) -> bool {
    merge_of(kind, key) != Merge::Clobber
}

/// Answers how the values of several `config()` calls in one file are merged, whatever the node is.
pub(super) fn merge_of_calls(key: &str) -> Merge {
    match key {
        "pre-hook" | "post-hook" | "tags" | "packages" => Merge::Append,
        "quoting" | "column_types" | "meta" | "docs" | "contract" | "snapshot_meta_column_names" => Merge::Update,
        "grants" => Merge::AppendByKey,
        _ => Merge::Clobber,
    }
}

/// Answers the value that `over` makes of `under`.
pub(super) fn merged(merge: Merge, under: Json, over: Json) -> Json {
    match (merge, under, over) {
        (Merge::Append, under, over) => Json::Array(listed(under).into_iter().chain(listed(over)).collect()),
        (Merge::Update, Json::Object(mut under), Json::Object(over)) => {
            under.extend(over);
            Json::Object(under)
        }
        (Merge::AppendByKey, Json::Object(under), Json::Object(over)) => {
            let mut lists: Map<String, Json> =
                under.into_iter().map(|(key, value)| (key, Json::Array(listed(value)))).collect();
            for (key, value) in over {
                let added = listed(value);
                match key.strip_prefix('+').and_then(|bare| lists.get_mut(bare)?.as_array_mut()) {
                    Some(list) => list.extend(added),
                    None => {
                        lists.insert(key.trim_start_matches('+').to_owned(), Json::Array(added));
                    }
                }
            }
            Json::Object(lists)
        }
        (Merge::Clobber | Merge::Update | Merge::AppendByKey, _, over) => over,
    }
}

/// Answers a list as it is, and anything else as a list of one.
pub(super) fn listed(value: Json) -> Vec<Json> {
    match value {
        Json::Array(list) => list,
        other => vec![other],
    }
}

/// Answers the config of a kind of node, in dbt's order of keys.
pub(super) fn config(kind: ResourceType) -> &'static Map<String, Json> {
    static MADE: [OnceLock<Map<String, Json>>; ResourceType::COUNT] = [const { OnceLock::new() }; ResourceType::COUNT];
    MADE[kind as usize].get_or_init(|| make(kind))
}

fn make(kind: ResourceType) -> Map<String, Json> {
    let parts: Vec<Json> = match kind {
        ResourceType::Test => vec![head(), json!({"materialized": "test", "schema": "dbt_test__audit"}), test()],
        ResourceType::Model => vec![head(), json!({"materialized": "view"}), node(), model()],
        ResourceType::Seed => {
            vec![head(), json!({"materialized": "seed"}), node(), json!({"delimiter": ",", "quote_columns": null})]
        }
        ResourceType::Snapshot => vec![head(), json!({"materialized": "snapshot"}), node(), snapshot()],
        ResourceType::Source => vec![source()],
        ResourceType::UnitTest => vec![json!({"tags": [], "meta": {}, "enabled": true, "static_analysis": null})],
        ResourceType::Exposure => vec![json!({"enabled": true, "tags": [], "meta": {}})],
        ResourceType::Metric | ResourceType::SemanticModel => vec![json!({"enabled": true, "group": null, "meta": {}})],
        ResourceType::SavedQuery => vec![saved_query()],
        ResourceType::Group => vec![json!({"meta": {}})],
        ResourceType::Analysis | ResourceType::Operation => vec![head(), json!({"materialized": "view"}), node()],
    };
    parts.into_iter().flat_map(|part| part.as_object().cloned().unwrap_or_default()).collect()
}

fn head() -> Json {
    json!({
        "enabled": true,
        "alias": null,
        "schema": null,
        "database": null,
        "tags": [],
        "meta": {},
        "group": null,
        "static_analysis": null,
    })
}

fn node() -> Json {
    json!({
        "incremental_strategy": null,
        "batch_size": null,
        "lookback": 1,
        "begin": null,
        "persist_docs": {},
        "post-hook": [],
        "pre-hook": [],
        "quoting": {},
        "column_types": {},
        "full_refresh": null,
        "unique_key": null,
        "on_schema_change": "ignore",
        "on_configuration_change": "apply",
        "grants": {},
        "packages": [],
        "docs": {"show": true, "node_color": null},
        "contract": {"enforced": false, "alias_types": true},
        "event_time": null,
        "concurrent_batches": null,
    })
}

fn model() -> Json {
    json!({"access": "protected", "freshness": null})
}

fn snapshot() -> Json {
    json!({
        "strategy": null,
        "target_schema": null,
        "target_database": null,
        "updated_at": null,
        "check_cols": null,
        "snapshot_meta_column_names": {
            "dbt_valid_to": null,
            "dbt_valid_from": null,
            "dbt_scd_id": null,
            "dbt_updated_at": null,
            "dbt_is_deleted": null,
        },
        "dbt_valid_to_current": null,
    })
}

fn test() -> Json {
    json!({
        "severity": "ERROR",
        "store_failures": null,
        "store_failures_as": null,
        "where": null,
        "limit": null,
        "fail_calc": "count(*)",
        "warn_if": "!= 0",
        "error_if": "!= 0",
    })
}

fn source() -> Json {
    json!({
        "enabled": true,
        "event_time": null,
        "freshness": {"warn_after": {"count": null, "period": null}, "error_after": {"count": null, "period": null}, "filter": null},
        "loaded_at_field": null,
        "loaded_at_query": null,
        "meta": {},
        "tags": [],
        "static_analysis": null,
    })
}

fn saved_query() -> Json {
    json!({"enabled": true, "group": null, "meta": {}, "export_as": null, "schema": null, "cache": {"enabled": false}})
}
