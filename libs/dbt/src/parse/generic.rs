//! Names generic tests exactly as dbt does: full name, alias and hash.

use std::sync::LazyLock;

use md5::{Digest, Md5};
use regex::Regex;
use serde_json::{Map, Value as Json};

use crate::node::GenericTest;

/// From this length on dbt shortens the alias.
const LONG_NAME: usize = 64;

static UNCLEAN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[^0-9a-zA-Z_]+").expect("invariant: the pattern is written here"));

/// Answers the full name and the alias of a test of `kind` (namespace included) on `target`.
pub(super) fn names(kind: &str, target: &str, kwargs: &Map<String, Json>) -> (String, String) {
    let mut sorted: Vec<_> = kwargs.iter().filter(|(name, _)| *name != "model").collect();
    sorted.sort_by_key(|(name, _)| name.as_str());
    let parts = sorted.into_iter().flat_map(|(_, value)| match value {
        Json::Object(map) => map.values().map(text).collect(),
        Json::Array(list) => list.iter().map(text).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => vec![text(value)],
    });
    let clean: Vec<String> = parts.map(|part| UNCLEAN.replace_all(&part, "_").into_owned()).collect();
    let identifier = format!("{kind}_{target}");
    let full = format!("{identifier}_{}", clean.join("__"));
    if full.chars().count() < LONG_NAME {
        return (full.clone(), full);
    }
    let head: String = identifier.chars().take(30).collect();
    let alias = format!("{head}_{}", md5(&full));
    (full, alias)
}

/// Answers the last part of a test's `unique_id`.
pub(super) fn hash(full: &str, test: &GenericTest) -> String {
    let kwargs = hashable(&Json::Object(test.kwargs.clone()));
    let namespace = repr(test.namespace.as_deref().unwrap_or("None"));
    let metadata = format!("{{'kwargs': {kwargs}, 'name': {}, 'namespace': {namespace}}}", repr(&test.name));
    let digest = md5(&format!("{full}{metadata}"));
    digest[digest.len() - 10..].to_owned()
}

/// Answers the call that dbt writes behind a test's own for its config.
pub(super) fn config_call(config: &Map<String, Json>) -> String {
    if config.is_empty() {
        return String::new();
    }
    let shown = config.iter().map(|(key, value)| match value {
        Json::String(text) => format!("{key}=\"{}\"", text.replace('"', "\\\"")),
        other => format!("{key}={}", text(other)),
    });
    format!("{{{{ config({}) }}}}", shown.collect::<Vec<_>>().join(","))
}

fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

/// Prints a value as Python's `repr` does once all its scalars are strings and its keys are sorted.
fn hashable(value: &Json) -> String {
    match value {
        Json::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let entries: Vec<String> =
                keys.iter().map(|key| format!("{}: {}", repr(key), hashable(&map[*key]))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Json::Array(list) => format!("[{}]", list.iter().map(hashable).collect::<Vec<_>>().join(", ")),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => repr(&text(value)),
    }
}

/// Prints a value as Python's `str` does.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Array(list) => format!("[{}]", list.iter().map(inner).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", repr(key), inner(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn inner(value: &Json) -> String {
    value.as_str().map_or_else(|| text(value), repr)
}

pub(super) fn repr(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t").replace('\r', "\\r");
    match (text.contains('\''), text.contains('"')) {
        (true, false) => format!("\"{escaped}\""),
        (true, true) => format!("'{}'", escaped.replace('\'', "\\'")),
        (false, _) => format!("'{escaped}'"),
    }
}
