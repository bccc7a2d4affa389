//! Checks that config values have the types that dbt gives them.

use serde_json::{Map, Value as Json};

/// Says what a config value may be.
#[derive(Clone, Copy)]
enum Type {
    Bool,
    BoolOrNull,
    Text,
    TextOrNull,
    Mapping,
    TextOrList,
}

/// The keys of dbt's own configs and what they hold; an adapter's or a user's own keys may hold anything.
const TYPES: [(&str, Type); 22] = [
    ("enabled", Type::Bool),
    ("materialized", Type::Text),
    ("tags", Type::TextOrList),
    ("meta", Type::Mapping),
    ("database", Type::TextOrNull),
    ("schema", Type::TextOrNull),
    ("alias", Type::TextOrNull),
    ("group", Type::TextOrNull),
    ("access", Type::TextOrNull),
    ("full_refresh", Type::BoolOrNull),
    ("quote_columns", Type::BoolOrNull),
    ("store_failures", Type::BoolOrNull),
    ("unique_key", Type::TextOrList),
    ("incremental_strategy", Type::TextOrNull),
    ("on_schema_change", Type::TextOrNull),
    ("persist_docs", Type::Mapping),
    ("column_types", Type::Mapping),
    ("grants", Type::Mapping),
    ("contract", Type::Mapping),
    ("docs", Type::Mapping),
    ("severity", Type::Text),
    ("where", Type::TextOrNull),
];

impl Type {
    fn takes(self, value: &Json) -> bool {
        match self {
            Self::Bool => value.is_boolean(),
            Self::BoolOrNull => value.is_boolean() || value.is_null(),
            Self::Text => value.is_string(),
            Self::TextOrNull => value.is_string() || value.is_null(),
            Self::Mapping => value.is_object(),
            Self::TextOrList => value.is_string() || value.is_array() || value.is_null(),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Bool | Self::BoolOrNull => "true or false",
            Self::Text | Self::TextOrNull => "a text",
            Self::Mapping => "a mapping",
            Self::TextOrList => "a text or a list of texts",
        }
    }
}

/// Lists the keys whose value has another type, each with what it must be.
pub(super) fn wrong(config: &Map<String, Json>) -> Vec<(&'static str, &'static str)> {
    let wrong = TYPES.into_iter().filter(|(key, kind)| config.get(*key).is_some_and(|value| !kind.takes(value)));
    wrong.map(|(key, kind)| (key, kind.expected())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_keys_whose_value_has_another_type() {
        let config = json!({"enabled": "maybe", "tags": ["a"], "meta": [], "schema": null, "own": 1});
        let expected = [("enabled", "true or false"), ("meta", "a mapping")];
        assert_eq!(wrong(config.as_object().expect("a mapping")), expected);
    }
}
