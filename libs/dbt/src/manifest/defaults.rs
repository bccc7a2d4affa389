//! What dbt shows of a config where nobody set anything.

use serde_json::{Map, Value as Json, json};

/// Answers `docs` where nobody set it.
pub(super) fn docs() -> Json {
    json!({"show": true, "node_color": null})
}

/// Answers the config of a kind of node, in dbt's order of keys.
pub(super) fn config(resource_type: &str) -> Map<String, Json> {
    let parts: Vec<Json> = match resource_type {
        "test" => vec![head(), json!({"materialized": "test"}), test()],
        "model" => vec![head(), json!({"materialized": "view"}), node(), model()],
        "seed" => {
            vec![head(), json!({"materialized": "seed"}), node(), json!({"delimiter": ",", "quote_columns": null})]
        }
        "snapshot" => vec![head(), json!({"materialized": "snapshot"}), node(), snapshot()],
        "source" => vec![source()],
        "unit_test" => vec![json!({"tags": [], "meta": {}, "enabled": true, "static_analysis": null})],
        "exposure" => vec![json!({"enabled": true, "tags": [], "meta": {}})],
        "metric" => vec![json!({"enabled": true, "tags": [], "group": null, "meta": {}})],
        "semantic_model" => vec![json!({"enabled": true, "group": null, "meta": {}})],
        "group" => vec![json!({"meta": {}})],
        _ => vec![head(), json!({"materialized": "view"}), node()],
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
        "docs": docs(),
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

/// Answers how fresh a source has to be where nobody said so.
pub(super) fn freshness() -> Json {
    let never = json!({"count": null, "period": null});
    json!({"warn_after": never, "error_after": never, "filter": null})
}

fn source() -> Json {
    json!({
        "enabled": true,
        "event_time": null,
        "freshness": freshness(),
        "loaded_at_field": null,
        "loaded_at_query": null,
        "meta": {},
        "tags": [],
        "static_analysis": null,
    })
}
