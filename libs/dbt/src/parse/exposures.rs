//! Reads exposures and groups.

use serde_json::{Map, Value as Json, json};

use super::properties::{Entry, object, texts};
use super::read::Reader;
use crate::node::ResourceType;

impl Reader<'_> {
    pub(super) fn exposure(&mut self, entry: &Entry) {
        let mut node = self.of_entry(entry, ResourceType::Exposure, &entry.name);
        let (values, place) = (entry.config(), |key: &str| entry.config_places.get(key).cloned());
        let config = self.layers(entry.at, &node, Some((&values, &place)), &[]);
        self.configure(&mut node, config);
        node.tags.extend(texts(&entry.value, "tags"));
        node.tags.sort();
        node.tags.dedup();
        let mut meta = object(&entry.value, "meta");
        meta.extend(object(&node.config, "meta"));
        node.config.insert("tags".to_owned(), json!(node.tags));
        node.config.insert("meta".to_owned(), Json::Object(meta.clone()));
        let part = |key: &str| entry.value.get(key).cloned().unwrap_or(Json::Null);
        let owner = object(&entry.value, "owner");
        if owner.get("name").or(owner.get("email")).is_none_or(Json::is_null) {
            let message = format!("the owner of the exposure {} has a name or an email", entry.name);
            self.wrong(&node.unique_id, "PROPERTIES_INVALID", (message, Some(entry.place.clone())));
        }
        node.properties = properties(&json!({
            "type": part("type"),
            "owner": owned_by(&owner),
            "label": part("label"),
            "maturity": part("maturity"),
            "url": part("url"),
            "meta": meta,
        }));
        let calls = texts(&entry.value, "depends_on");
        node.raw_code = calls.iter().map(|call| format!("{{{{ {call}}}}}")).collect::<Vec<_>>().join("\n");
        self.parse_code(&mut node);
        node.raw_code.clear();
        self.keep(node);
    }

    pub(super) fn group(&mut self, entry: &Entry) {
        let mut node = self.of_entry(entry, ResourceType::Group, &entry.name);
        let mut values = entry.config();
        if let Some(meta) = entry.value.get("meta") {
            values.entry("meta").or_insert_with(|| meta.clone());
        }
        let place = |key: &str| entry.config_places.get(key).cloned();
        let config = self.layers(entry.at, &node, Some((&values, &place)), &[]);
        self.configure(&mut node, config);
        node.config.retain(|key, _| values.contains_key(key) || key == "meta");
        let description = entry.value.get("description").cloned().unwrap_or(Json::Null);
        let owner = owned_by(&object(&entry.value, "owner"));
        node.properties = properties(&json!({"owner": owner, "description": description}));
        self.keep(node);
    }
}

/// Answers an owner as dbt shows it: email and name first, then what else is said.
fn owned_by(owner: &Map<String, Json>) -> Json {
    let mut shown = properties(&json!({"email": owner.get("email"), "name": owner.get("name")}));
    shown.extend(owner.clone());
    Json::Object(shown)
}

/// Answers a JSON mapping as such.
pub(super) fn properties(value: &Json) -> Map<String, Json> {
    value.as_object().cloned().unwrap_or_default()
}
