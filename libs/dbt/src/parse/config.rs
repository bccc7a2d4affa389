//! Makes a node's config of its layers, and remembers where each value comes from.
//!
//! The layers are, from the farthest to the nearest: dbt's defaults, the package's dbt_project.yml, the YAML entry, the
//! `config()` calls, and for a package's node the root's dbt_project.yml.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::defaults::{self, Merge, listed, merge_of, merge_of_calls, merged};
use crate::diagnostic::Place;
use crate::node::ResourceType;
use crate::project::Configs;

/// Names the layer that a config value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layer {
    #[serde(rename = "default")]
    Default,
    #[serde(rename = "dbt_project.yml")]
    Project,
    #[serde(rename = "yaml")]
    Yaml,
    #[serde(rename = "config()")]
    Call,
}

/// Says where a config value was set last. Of values that add up, the nearest to the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub layer: Layer,
    /// None where nobody set it.
    pub place: Option<Place>,
}

/// Is a config in the making.
pub(super) struct Layers {
    kind: ResourceType,
    config: Map<String, Json>,
    written: Map<String, Json>,
    origins: HashMap<String, Origin>,
}

/// Is a node's config with all that is known of it.
pub(super) struct Config {
    pub(super) values: Map<String, Json>,
    /// As it was written, before its Jinja was rendered.
    pub(super) written: Map<String, Json>,
    /// Only of values that somebody set.
    pub(super) origins: HashMap<String, Origin>,
}

impl Layers {
    pub(super) fn new(kind: ResourceType) -> Self {
        Self { kind, config: defaults::config(kind).clone(), written: Map::new(), origins: HashMap::new() }
    }

    /// Lays a level of dbt_project.yml over it.
    pub(super) fn project(&mut self, level: &Configs) {
        self.lay(&level.values, Layer::Project, &|key| level.places.get(key).cloned());
        self.written.extend(level.written.clone());
    }

    /// Lays a YAML entry's config over it.
    pub(super) fn yaml(&mut self, values: &Map<String, Json>, place: &dyn Fn(&str) -> Option<Place>) {
        self.lay(values, Layer::Yaml, place);
        self.written.extend(values.clone());
    }

    /// Lays the `config()` calls of a file over it.
    pub(super) fn calls(&mut self, calls: &[Map<String, Json>], place: &dyn Fn(&str) -> Option<Place>) {
        let mut all = Map::new();
        for (key, value) in calls.iter().flatten() {
            lay_one(&mut all, key, (merge_of_calls(key), value));
        }
        self.lay(&all, Layer::Call, place);
        self.written.extend(all);
    }

    fn lay(&mut self, values: &Map<String, Json>, layer: Layer, place: &dyn Fn(&str) -> Option<Place>) {
        for (key, value) in values {
            let name = renamed(key);
            lay_one(&mut self.config, name, (merge_of(self.kind, name), value));
            self.origins.insert(name.to_owned(), Origin { layer, place: place(key) });
        }
    }

    /// Answers the config as dbt's types shape it.
    pub(super) fn finish(mut self) -> Config {
        for key in ["pre-hook", "post-hook"] {
            if let Some(hooks) = self.config.get_mut(key) {
                *hooks = Json::Array(listed(hooks.take()).into_iter().map(hook).collect());
            }
        }
        if let Some(Json::Bool(on)) = self.config.get("static_analysis") {
            let text = if *on { "on" } else { "off" };
            self.config.insert("static_analysis".to_owned(), json!(text));
        }
        let defaults = defaults::config(self.kind);
        if let (Some(Json::Object(names)), Some(Json::Object(given))) =
            (defaults.get("snapshot_meta_column_names"), self.config.get_mut("snapshot_meta_column_names"))
        {
            let set = std::mem::replace(given, names.clone());
            given.extend(set);
        }
        if self.kind == ResourceType::Test {
            self.finish_test();
        }
        Config { values: self.config, written: self.written, origins: self.origins }
    }

    /// `store_failures_as` wins over `store_failures` wherever either was set.
    fn finish_test(&mut self) {
        let way = self.config.get("store_failures_as").and_then(Json::as_str).map(str::to_owned);
        let stores = self.config.get("store_failures").and_then(Json::as_bool);
        let (stores, way) = match (way, stores) {
            (Some(way), _) => (json!(way != "ephemeral"), json!(way)),
            (None, Some(true)) => (json!(true), json!("table")),
            (None, Some(false)) => (json!(false), json!("ephemeral")),
            (None, None) => (Json::Null, Json::Null),
        };
        self.config.insert("store_failures".to_owned(), stores);
        self.config.insert("store_failures_as".to_owned(), way);
    }
}

fn lay_one(config: &mut Map<String, Json>, key: &str, (merge, value): (Merge, &Json)) {
    match config.get_mut(key) {
        Some(under) => *under = merged(merge, under.take(), value.clone()),
        None => {
            config.insert(key.to_owned(), value.clone());
        }
    }
}

/// Answers dbt's own name of a config key.
fn renamed(key: &str) -> &str {
    match key {
        "pre_hook" => "pre-hook",
        "post_hook" => "post-hook",
        "dbname" => "database",
        other => other,
    }
}

/// Answers a hook as dbt keeps it: a text may hold JSON.
fn hook(written: Json) -> Json {
    let given = match &written {
        Json::String(text) => serde_json::from_str(text).ok().filter(Json::is_object).unwrap_or(json!({"sql": text})),
        _ => written,
    };
    let part = |key: &str, default: Json| given.get(key).cloned().unwrap_or(default);
    json!({"sql": part("sql", Json::Null), "transaction": part("transaction", json!(true)), "index": part("index", Json::Null)})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layered(kind: ResourceType, layers: &[Json]) -> Map<String, Json> {
        let mut config = Layers::new(kind);
        for layer in layers {
            config.yaml(layer.as_object().expect("a mapping"), &|_| None);
        }
        config.finish().values
    }

    #[test]
    fn tags_add_up_meta_is_updated_and_grants_are_merged_by_key() {
        let config = layered(
            ResourceType::Model,
            &[
                json!({"tags": "a", "meta": {"x": 1, "y": 1}, "grants": {"select": "u"}, "alias": "far"}),
                json!({"tags": ["b", "a"], "meta": {"y": 2}, "grants": {"+select": ["v"], "insert": "w"}, "alias": "near"}),
            ],
        );
        assert_eq!(config["tags"], json!(["a", "b", "a"]));
        assert_eq!(config["meta"], json!({"x": 1, "y": 2}));
        assert_eq!(config["grants"], json!({"select": ["u", "v"], "insert": ["w"]}));
        assert_eq!(config["alias"], "near");
    }

    #[test]
    fn hooks_add_up_and_a_text_may_hold_json() {
        let config = layered(
            ResourceType::Model,
            &[json!({"pre_hook": "one"}), json!({"pre-hook": [r#"{"sql": "two", "transaction": false}"#]})],
        );
        let expected = json!([
            {"sql": "one", "transaction": true, "index": null},
            {"sql": "two", "transaction": false, "index": null},
        ]);
        assert_eq!(config["pre-hook"], expected);
    }

    #[test]
    fn the_way_failures_are_stored_wins_over_the_older_switch() {
        let config = layered(ResourceType::Test, &[json!({"store_failures": true})]);
        assert_eq!((&config["store_failures"], &config["store_failures_as"]), (&json!(true), &json!("table")));
        let config = layered(ResourceType::Test, &[json!({"store_failures": true, "store_failures_as": "ephemeral"})]);
        assert_eq!(config["store_failures"], json!(false));
    }
}
