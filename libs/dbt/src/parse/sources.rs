//! Reads sources: each table of a source is a node.

use serde_json::{Map, Value as Json, json};

use super::columns;
use super::data_tests::{Reads, Target};
use super::properties::{Entry, object, objects, text, texts};
use super::read::{Reader, fqn};
use crate::node::{Node, ResourceType};

impl Reader<'_> {
    pub(super) fn source(&mut self, entry: &Entry) {
        if entry.value.contains_key("overrides") {
            let what = entry.broken("`overrides` of a package's source is not supported yet");
            let code = "MEMBER_NOT_SUPPORTED".to_owned();
            return self.project.diagnostics.push(crate::diagnostic::Diagnostic { code, ..what });
        }
        for table in objects(&entry.value, "tables") {
            let name = text(table, "name");
            if name.is_empty() {
                let message = format!("a table of the source {} has no name", entry.name);
                self.project.diagnostics.push(entry.broken(message));
                continue;
            }
            let node = self.source_node(entry, table);
            let target = target(entry, table, &node);
            self.tests_on(table, (None, &target));
            self.keep(node);
        }
    }

    fn source_node(&mut self, entry: &Entry, table: &Map<String, Json>) -> Node {
        let name = text(table, "name");
        let mut node = self.of_entry(entry, ResourceType::Source, name);
        node.unique_id = format!("source.{}.{}.{name}", node.package_name, entry.name);
        node.source_name = Some(entry.name.clone());
        node.path.clone_from(&entry.local);
        node.fqn = fqn(&node.package_name, &entry.relative, &[&entry.name, name]);
        node.description = text(table, "description").to_owned();
        node.columns = columns::of(table);
        let values = source_config(&entry.value, table);
        let place = |key: &str| entry.config_places.get(key).or(Some(&entry.place)).cloned();
        let config = self.layers(entry.at, &node, Some((&values, &place)), &[]);
        self.configure(&mut node, config);
        let given = |map: &Map<String, Json>, key: &str| map.get(key).and_then(Json::as_str).map(str::to_owned);
        let target = &self.project.engine.settings().environment;
        let set = |text: &String| !text.is_empty();
        node.database = given(&entry.value, "database").filter(set).unwrap_or_else(|| target.database.clone());
        node.schema = given(&entry.value, "schema").filter(set).unwrap_or_else(|| entry.name.clone());
        node.alias = given(table, "identifier").filter(set).unwrap_or_else(|| name.to_owned());
        node.properties = properties(entry, table, &node);
        node
    }
}

/// Answers what only a source shows.
fn properties(entry: &Entry, table: &Map<String, Json>, node: &Node) -> Map<String, Json> {
    let quoting = |key: &str| {
        let part =
            |holder: &Map<String, Json>| object(holder, "quoting").get(key).filter(|part| !part.is_null()).cloned();
        part(table).or_else(|| part(&entry.value)).unwrap_or(Json::Null)
    };
    let mut source_meta = object(&entry.value, "meta");
    source_meta.extend(object(&entry.config(), "meta"));
    let of_config = |key: &str| node.config.get(key).cloned().unwrap_or(Json::Null);
    let made = json!({
        "source_description": entry.text("description"),
        "loader": entry.text("loader"),
        "quoting": {
            "database": quoting("database"),
            "schema": quoting("schema"),
            "identifier": quoting("identifier"),
            "column": quoting("column"),
        },
        "loaded_at_field": of_config("loaded_at_field"),
        "loaded_at_query": of_config("loaded_at_query"),
        "freshness": of_config("freshness"),
        "external": table.get("external").map_or(Json::Null, external),
        "meta": of_config("meta"),
        "source_meta": source_meta,
        "unrendered_database": entry.value.get("unrendered_database").cloned().unwrap_or(Json::Null),
        "unrendered_schema": entry.value.get("unrendered_schema").cloned().unwrap_or(Json::Null),
    });
    made.as_object().cloned().unwrap_or_default()
}

/// Answers the `external` of a table with every key that dbt knows.
fn external(written: &Json) -> Json {
    let mut all = Map::new();
    for key in ["location", "file_format", "row_format", "tbl_properties", "partitions"] {
        all.insert(key.to_owned(), Json::Null);
    }
    let Json::Object(written) = written else { return written.clone() };
    all.extend(written.clone());
    Json::Object(all)
}

/// Lays a table's config over its source's; each may stand in `config` or beside it.
fn source_config(source: &Map<String, Json>, table: &Map<String, Json>) -> Map<String, Json> {
    let configs = [object(source, "config"), object(table, "config")];
    let mut config = configs[0].clone();
    config.extend(configs[1].clone());
    let levels = [source, &configs[0], table, &configs[1]];
    let mut meta = Map::new();
    levels.iter().for_each(|level| meta.extend(object(level, "meta")));
    config.insert("meta".to_owned(), Json::Object(meta));
    let mut tags: Vec<String> = levels.iter().flat_map(|level| texts(level, "tags")).collect();
    tags.sort();
    tags.dedup();
    config.insert("tags".to_owned(), json!(tags));
    match freshness(&levels) {
        Some(freshness) => config.insert("freshness".to_owned(), freshness),
        None => config.shift_remove("freshness"),
    };
    let (field, query) = loaded_at(&levels);
    config.insert("loaded_at_field".to_owned(), field);
    config.insert("loaded_at_query".to_owned(), query);
    config
}

/// Merges how fresh the levels want the data; null where one of them wants nothing, None where nobody says anything.
fn freshness(levels: &[&Map<String, Json>]) -> Option<Json> {
    let never = || json!({"count": null, "period": null});
    let is_set = |time: &Json| !time["count"].is_null() && !time["period"].is_null();
    let threshold = |level: &Map<String, Json>| match level.get("freshness") {
        Some(Json::Null) => Json::Null,
        Some(given) => {
            let time = |key: &str| match given.get(key) {
                Some(Json::Object(time)) => json!({"count": time.get("count"), "period": time.get("period")}),
                Some(_) => Json::Null,
                None => never(),
            };
            let filter = given.get("filter").cloned().unwrap_or(Json::Null);
            json!({"warn_after": time("warn_after"), "error_after": time("error_after"), "filter": filter})
        }
        None => json!({"warn_after": never(), "error_after": never(), "filter": null}),
    };
    let wants = |value: &Json| !value.is_null() && (is_set(&value["warn_after"]) || is_set(&value["error_after"]));
    let merged = levels.iter().map(|level| threshold(level)).reduce(|base, over| match (&base, &over) {
        (Json::Object(_), Json::Object(_)) => {
            let time = |key: &str| match (is_set(&base[key]), is_set(&over[key]), over[key].is_null()) {
                (_, _, true) => Json::Null,
                (_, true, _) | (false, false, _) => over[key].clone(),
                (true, false, _) => base[key].clone(),
            };
            let filter = if over["filter"].is_null() { &base["filter"] } else { &over["filter"] };
            json!({"warn_after": time("warn_after"), "error_after": time("error_after"), "filter": filter})
        }
        (Json::Null, over) if wants(over) => over.clone(),
        _ => Json::Null,
    });
    merged.filter(|merged| merged.is_null() || wants(merged))
}

/// Answers the column or the query that tells when the data was loaded.
fn loaded_at(levels: &[&Map<String, Json>]) -> (Json, Json) {
    let [source, source_config, table, table_config] = levels else { return (Json::Null, Json::Null) };
    let first = |one: &Map<String, Json>, other: &Map<String, Json>, key: &str| {
        let set = |level: &Map<String, Json>| level.get(key).filter(|value| !value.is_null()).cloned();
        set(one).or_else(|| set(other)).unwrap_or(Json::Null)
    };
    let own_field = table.contains_key("loaded_at_field")
        || table_config.get("loaded_at_field").is_some_and(|field| !field.is_null());
    let field = match own_field {
        true => first(table, table_config, "loaded_at_field"),
        false => first(source, source_config, "loaded_at_field"),
    };
    let query = match (first(table, table_config, "loaded_at_query"), own_field) {
        (Json::Null, true) => Json::Null,
        (Json::Null, false) => first(source, source_config, "loaded_at_query"),
        (query, _) => query,
    };
    (field, query)
}

fn target<'a>(entry: &'a Entry, table: &Map<String, Json>, node: &Node) -> Target<'a> {
    let (source, name) = (&entry.name, &node.name);
    let mut tags = texts(&entry.value, "tags");
    tags.extend(texts(table, "tags"));
    Target {
        name: format!("{source}_{name}"),
        relation: format!("{{{{ get_where_subquery(source('{source}', '{name}')) }}}}"),
        prefix: "source_",
        file_key: format!("sources.{source}"),
        reads: Reads::Source([source.clone(), name.clone()]),
        tags,
        entry,
    }
}
