//! Reads semantic models, metrics and saved queries: their names, their shape in the manifest, and their edges.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::exposures::properties;
use super::lookup::From;
use super::patch::{Reference, reference};
use super::properties::{Entry, object, objects, text, texts};
use super::read::Reader;
use crate::manifest;
use crate::node::{Node, ResourceType, UniqueId};

/// How deep metrics may be made of metrics.
const DEPTH_MAX: usize = 32;

impl Reader<'_> {
    /// Makes a node of an entry with its config.
    fn semantic(&mut self, entry: &Entry, kind: ResourceType) -> Node {
        let mut node = self.of_entry(entry, kind, &entry.name);
        let (values, place) = (entry.config(), |key: &str| entry.config_places.get(key).cloned());
        let config = self.layers(entry.at, &node, Some((&values, &place)), &[]);
        self.configure(&mut node, config);
        node
    }

    fn unsupported_part(&mut self, unique_id: &str, entry: &Entry, what: &str) {
        let message = format!("{what} are not supported yet");
        self.wrong(unique_id, "MEMBER_NOT_SUPPORTED", (message, Some(entry.place.clone())));
    }

    pub(super) fn semantic_model(&mut self, entry: &Entry) {
        let mut node = self.semantic(entry, ResourceType::SemanticModel);
        match reference(entry.text("model")) {
            Some(Reference::Ref(call)) => node.refs.push(call),
            Some(Reference::Source(_)) | None => {
                let message = "the model of a semantic model is a ref()".to_owned();
                self.wrong(&node.unique_id, "PROPERTIES_INVALID", (message, Some(entry.place.clone())));
            }
        }
        if objects(&entry.value, "measures").any(|measure| measure.get("create_metric") == Some(&json!(true))) {
            self.unsupported_part(&node.unique_id, entry, "measures with `create_metric`");
        }
        let part = |key: &str| entry.value.get(key).cloned().unwrap_or(Json::Null);
        let shown = |key: &str, defaults: Json| -> Json {
            objects(&entry.value, key).map(|written| over(&defaults, written)).collect()
        };
        node.properties = properties(&json!({
            "model": entry.text("model"),
            "label": part("label"),
            "defaults": part("defaults"),
            "entities": shown("entities", entity()),
            "measures": shown("measures", measure()),
            "dimensions": shown("dimensions", dimension()),
            "metadata": null,
            "primary_entity": part("primary_entity"),
        }));
        self.keep(node);
    }

    pub(super) fn metric(&mut self, entry: &Entry) {
        let mut node = self.semantic(entry, ResourceType::Metric);
        if entry.text("type") == "conversion" {
            self.unsupported_part(&node.unique_id, entry, "conversion metrics");
        }
        node.properties = properties(&json!({
            "label": entry.value.get("label"),
            "type": entry.text("type"),
            "type_params": type_params(&object(&entry.value, "type_params")),
            "filter": filter(entry.value.get("filter")),
            "metadata": null,
            "time_granularity": entry.value.get("time_granularity"),
        }));
        self.keep(node);
    }

    pub(super) fn saved_query(&mut self, entry: &Entry) {
        let mut node = self.semantic(entry, ResourceType::SavedQuery);
        let query = object(&entry.value, "query_params");
        let environment = self.project.engine.settings().environment.clone();
        let exports = objects(&entry.value, "exports").map(|export| {
            let config = object(export, "config");
            json!({
                "name": export.get("name"),
                "config": {
                    "export_as": config.get("export_as"),
                    "schema_name": config.get("schema").cloned().unwrap_or_else(|| json!(environment.schema)),
                    "alias": config.get("alias").or(export.get("name")),
                    "database": environment.database,
                },
                "unrendered_config": config,
            })
        });
        let exports: Vec<Json> = exports.collect();
        node.properties = properties(&json!({
            "query_params": {
                "metrics": texts(&query, "metrics"),
                "group_by": texts(&query, "group_by"),
                "where": filter(query.get("where")),
                "order_by": texts(&query, "order_by"),
                "limit": query.get("limit"),
            },
            "exports": exports,
            "description": entry.value.get("description"),
            "label": entry.value.get("label"),
            "metadata": null,
        }));
        self.keep(node);
    }

    /// Connects semantic models, metrics and saved queries once all of them are known.
    pub(super) fn semantic_edges(&mut self) {
        let mut measures: HashMap<String, UniqueId> = HashMap::new();
        for node in self.of_kind(ResourceType::SemanticModel) {
            for measure in node.properties.get("measures").and_then(Json::as_array).into_iter().flatten() {
                let name = measure["name"].as_str().unwrap_or_default();
                measures.entry(name.to_owned()).or_insert_with(|| node.unique_id.clone());
            }
        }
        let relations = self.of_kind(ResourceType::SemanticModel).filter_map(|node| self.relation_of(node));
        let relations: Vec<(UniqueId, Json)> = relations.collect();
        for (unique_id, relation) in relations {
            self.node_mut(&unique_id).properties.insert("node_relation".to_owned(), relation);
        }
        let ids = |kind| self.of_kind(kind).map(|node| node.unique_id.clone()).collect::<Vec<_>>();
        let (metrics, queries) = (ids(ResourceType::Metric), ids(ResourceType::SavedQuery));
        for unique_id in metrics {
            let inputs = self.input_measures(&unique_id, DEPTH_MAX);
            let params = self.project.nodes[&unique_id].properties["type_params"].clone();
            let own = params["measure"]["name"].as_str().map(str::to_owned);
            self.node_mut(&unique_id).properties["type_params"]["input_measures"] = json!(inputs);
            if let Some(name) = own {
                self.depend(&unique_id, (measures.get(&name).cloned(), "measure", &name));
            }
            for name in input_metrics(&params) {
                self.depend_on_metric(&unique_id, &name);
            }
        }
        for unique_id in queries {
            let names = self.project.nodes[&unique_id].properties["query_params"]["metrics"].clone();
            for name in names.as_array().into_iter().flatten().filter_map(Json::as_str) {
                self.depend_on_metric(&unique_id, name);
            }
        }
    }

    fn node_mut(&mut self, unique_id: &str) -> &mut Node {
        let node = self.project.nodes.shared_mut(unique_id);
        Arc::make_mut(node.expect("invariant: only nodes that are there are connected"))
    }

    fn of_kind(&self, kind: ResourceType) -> impl Iterator<Item = &Node> {
        self.project.nodes.values().filter(move |node| node.resource_type == kind)
    }

    fn relation_of(&self, node: &Node) -> Option<(UniqueId, Json)> {
        let from = From { root: &self.project.name, package: &node.package_name };
        let model = self.project.lookup.referred(from, node.refs.first()?).ok()?;
        let model = self.project.nodes.get(model)?;
        let relation = json!({
            "alias": model.alias,
            "schema_name": model.schema,
            "database": model.database,
            "relation_name": manifest::relation_name(&self.project, model),
        });
        Some((node.unique_id.clone(), relation))
    }

    fn metric_named(&self, from: &str, name: &str) -> Option<UniqueId> {
        let package = &self.project.nodes.get(from)?.package_name;
        self.project.lookup.metric(From { root: &self.project.name, package }, None, name).cloned()
    }

    fn depend_on_metric(&mut self, unique_id: &str, name: &str) {
        let found = self.metric_named(unique_id, name);
        self.depend(unique_id, (found, "metric", name));
    }

    fn depend(&mut self, unique_id: &str, (found, what, name): (Option<UniqueId>, &str, &str)) {
        let node = self.node_mut(unique_id);
        match found {
            Some(parent) if node.depends_on.nodes.contains(&parent) => {}
            Some(parent) => node.depends_on.nodes.push(parent),
            None => {
                let told = (format!("the {what} `{name}` does not exist"), node.patch.clone());
                self.wrong(unique_id, "REF_NOT_FOUND", told);
            }
        }
    }

    /// Lists the measures that a metric is made of in the end.
    fn input_measures(&self, unique_id: &str, depth: usize) -> Vec<Json> {
        let Some(node) = self.project.nodes.get(unique_id).filter(|_| depth > 0) else { return Vec::new() };
        let params = &node.properties["type_params"];
        let mut inputs: Vec<Json> = params["measure"].as_object().map(|own| json!(own)).into_iter().collect();
        for name in input_metrics(params) {
            let Some(metric) = self.metric_named(unique_id, &name) else { continue };
            for input in self.input_measures(&metric, depth - 1) {
                if !inputs.contains(&input) {
                    inputs.push(input);
                }
            }
        }
        inputs
    }
}

fn input_metrics(params: &Json) -> Vec<String> {
    let listed = params["metrics"].as_array().into_iter().flatten();
    let all = [&params["numerator"], &params["denominator"]].into_iter().chain(listed);
    all.filter_map(|input| input["name"].as_str().map(str::to_owned)).collect()
}

fn type_params(written: &Map<String, Json>) -> Json {
    let input = |key: &str| written.get(key).map_or(Json::Null, metric_input);
    let metrics = written.get("metrics").and_then(Json::as_array).into_iter().flatten().map(metric_input);
    let cumulative = written.get("cumulative_type_params").and_then(Json::as_object).map(|params| {
        json!({
            "window": window(params.get("window")),
            "grain_to_date": params.get("grain_to_date"),
            "period_agg": params.get("period_agg").cloned().unwrap_or_else(|| json!("first")),
            "metric": null,
        })
    });
    json!({
        "measure": written.get("measure").map_or(Json::Null, measure_input),
        "input_measures": [],
        "numerator": input("numerator"),
        "denominator": input("denominator"),
        "expr": written.get("expr").map(as_text),
        "window": window(written.get("window")),
        "grain_to_date": written.get("grain_to_date"),
        "metrics": metrics.collect::<Vec<_>>(),
        "conversion_type_params": null,
        "cumulative_type_params": cumulative,
        "metric_aggregation_params": null,
    })
}

fn named(written: &Json) -> Map<String, Json> {
    match written {
        Json::Object(map) => map.clone(),
        other => properties(&json!({"name": other})),
    }
}

fn metric_input(written: &Json) -> Json {
    let written = named(written);
    json!({
        "name": text(&written, "name"),
        "filter": filter(written.get("filter")),
        "alias": written.get("alias"),
        "offset_window": window(written.get("offset_window")),
        "offset_to_grain": written.get("offset_to_grain"),
    })
}

fn measure_input(written: &Json) -> Json {
    let written = named(written);
    json!({
        "name": text(&written, "name"),
        "filter": filter(written.get("filter")),
        "alias": written.get("alias"),
        "join_to_timespine": written.get("join_to_timespine").and_then(Json::as_bool).unwrap_or(false),
        "fill_nulls_with": written.get("fill_nulls_with"),
    })
}

/// Reads `7 days`.
fn window(written: Option<&Json>) -> Json {
    let Some((count, unit)) = written.and_then(Json::as_str).and_then(|text| text.trim().split_once(' ')) else {
        return Json::Null;
    };
    let unit = unit.trim().to_lowercase();
    json!({"count": count.parse::<i64>().ok(), "granularity": unit.strip_suffix('s').unwrap_or(&unit)})
}

fn filter(written: Option<&Json>) -> Json {
    let templates: Vec<&str> = match written {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).collect(),
        _ => return Json::Null,
    };
    let shown: Vec<Json> = templates.iter().map(|template| json!({"where_sql_template": template})).collect();
    json!({"where_filters": shown})
}

fn as_text(value: &Json) -> Json {
    if value.is_number() { json!(value.to_string()) } else { value.clone() }
}

/// Lays what is written over the defaults, in the order of the defaults.
fn over(defaults: &Json, written: &Map<String, Json>) -> Json {
    let mut shown = properties(defaults);
    for (key, value) in written {
        let value = if key == "expr" { as_text(value) } else { value.clone() };
        match (shown.get_mut(key), value) {
            (Some(Json::Object(under)), Json::Object(value)) => under.extend(value),
            (_, value) => {
                shown.insert(key.clone(), value);
            }
        }
    }
    if let Some(params) = shown.get_mut("type_params").and_then(Json::as_object_mut) {
        params.entry("validity_params").or_insert(Json::Null);
    }
    Json::Object(shown)
}

fn entity() -> Json {
    json!({"name": null, "type": null, "description": null, "label": null, "role": null, "expr": null, "config": {"meta": {}}})
}

fn measure() -> Json {
    json!({
        "name": null,
        "agg": null,
        "description": null,
        "label": null,
        "create_metric": false,
        "expr": null,
        "agg_params": null,
        "non_additive_dimension": null,
        "agg_time_dimension": null,
        "config": {"meta": {}},
    })
}

fn dimension() -> Json {
    json!({
        "name": null,
        "type": null,
        "description": null,
        "label": null,
        "is_partition": false,
        "type_params": null,
        "expr": null,
        "metadata": null,
        "config": {"meta": {}},
    })
}
