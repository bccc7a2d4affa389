//! The named selectors as a manifest shows them: criteria taken apart, selectors that build on others written out.

use serde_json::{Map, Value as Json, json};

use super::spec;

/// Answers the selectors of selectors.yml by their names.
pub(crate) fn normalized(file: &Json) -> Map<String, Json> {
    let mut known = Map::new();
    for selector in file.get("selectors").and_then(Json::as_array).into_iter().flatten() {
        let (Some(name), Some(definition)) = (selector.get("name").and_then(Json::as_str), selector.get("definition"))
        else {
            continue;
        };
        let definition = plain(definition, &known);
        let mut shown = selector.clone();
        shown["definition"] = definition;
        known.insert(name.to_owned(), shown);
    }
    known
}

fn plain(definition: &Json, known: &Map<String, Json>) -> Json {
    let all = |list: &Json| -> Json {
        list.as_array().into_iter().flatten().map(|definition| plain(definition, known)).collect()
    };
    match definition {
        Json::String(text) => criterion(text),
        Json::Object(map) => match (map.get("union"), map.get("intersection"), map.iter().next()) {
            (Some(parts), _, _) => json!({"union": all(parts)}),
            (None, Some(parts), _) => json!({"intersection": all(parts)}),
            (None, None, Some((key, value))) if key == "exclude" => json!({"exclude": all(value)}),
            (None, None, Some((method, value))) if map.len() == 1 => {
                json!({"method": method, "value": if value.is_array() { all(value) } else { value.clone() }})
            }
            (None, None, Some((key, method))) if key == "method" && method == "selector" => {
                let named = map.get("value").and_then(Json::as_str).and_then(|name| known.get(name));
                named.map_or(Json::Null, |selector| selector["definition"].clone())
            }
            (None, None, _) => definition.clone(),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => definition.clone(),
    }
}

fn criterion(text: &str) -> Json {
    let parts = spec::parts(text);
    let mut shown = Map::new();
    let mut put = |key: &str, value: Json| shown.insert(key.to_owned(), value);
    if parts.is_at {
        put("childrens_parents", json!(true));
    }
    put_reach(&mut put, "parents", parts.parents);
    put("method", json!(parts.method));
    put("value", json!(parts.value));
    put_reach(&mut put, "children", parts.children);
    Json::Object(shown)
}

fn put_reach(put: &mut impl FnMut(&str, Json) -> Option<Json>, key: &str, depth: Option<&str>) {
    let Some(depth) = depth else { return };
    put(key, json!(true));
    if !depth.is_empty() {
        put(&format!("{key}_depth"), json!(depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_written_out() {
        let file = json!({"selectors": [
            {"name": "a", "description": "d", "definition": "2+tag:x+"},
            {"name": "b", "definition": {"union": [{"method": "selector", "value": "a"}, "@y", {"exclude": ["z.sql"]}]}},
            {"name": "c", "definition": {"tag": "x"}},
        ]});
        let shown = normalized(&file);
        let a = json!({"parents": true, "parents_depth": "2", "method": "tag", "value": "x", "children": true});
        assert_eq!(shown["a"], json!({"name": "a", "description": "d", "definition": a}));
        let y = json!({"childrens_parents": true, "method": "fqn", "value": "y"});
        let z = json!({"method": "file", "value": "z.sql"});
        assert_eq!(shown["b"]["definition"], json!({"union": [a, y, {"exclude": [z]}]}));
        assert_eq!(shown["c"]["definition"], json!({"method": "tag", "value": "x"}));
    }
}
