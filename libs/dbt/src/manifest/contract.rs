//! A model's contract and the sum that dbt compares it by: an SHA-256 over columns and constraints as Python prints them.

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::node::{Node, ResourceType};

/// Answers a node's contract; only an enforced one of a model has a sum.
pub(super) fn json(node: &Node) -> Json {
    let mut contract = json!({"enforced": false, "alias_types": true});
    if let (Some(shown), Some(Json::Object(set))) = (contract.as_object_mut(), node.config.get("contract")) {
        shown.extend(set.clone());
    }
    let is_enforced = node.resource_type == ResourceType::Model && contract["enforced"] == true;
    contract["checksum"] = if is_enforced { Json::from(sum(node)) } else { Json::Null };
    contract
}

fn sum(node: &Node) -> String {
    let mut columns: Vec<_> = node.columns.values().collect();
    columns.sort_by(|left, right| left.name.cmp(&right.name));
    let mut state = String::new();
    for column in columns {
        let data_type = column.data_type.as_deref().unwrap_or("None");
        let constraints = listed("ColumnLevelConstraint", &column.constraints);
        state.push_str(&format!("|{}{data_type}{constraints}", column.name));
    }
    if matches!(node.materialized(), "table" | "incremental") {
        let constraints = node.properties.get("constraints").and_then(Json::as_array);
        state.push_str(node.materialized());
        state.push_str(&listed("ModelLevelConstraint", constraints.map_or(&[], Vec::as_slice)));
    }
    hex::encode(Sha256::digest(state))
}

fn listed(class: &str, constraints: &[Json]) -> String {
    let shown = constraints.iter().filter_map(Json::as_object).map(|constraint| {
        let fields = constraint.iter().map(|(key, value)| match (key.as_str(), value) {
            ("type", Json::String(kind)) => format!("type=<ConstraintType.{kind}: '{kind}'>"),
            (key, value) => format!("{key}={}", repr(value)),
        });
        format!("{class}({})", fields.collect::<Vec<_>>().join(", "))
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

/// Prints a value as Python's `repr` does.
fn repr(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Json::String(text) => {
            let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
            match (text.contains('\''), text.contains('"')) {
                (true, false) => format!("\"{escaped}\""),
                (true, true) => format!("'{}'", escaped.replace('\'', "\\'")),
                (false, _) => format!("'{escaped}'"),
            }
        }
        Json::Number(_) | Json::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_print_as_in_python() {
        let constraint = json!({"type": "check", "name": null, "expression": "a != 'x'", "to_columns": ["b"]});
        assert_eq!(
            listed("ColumnLevelConstraint", &[constraint]),
            r#"[ColumnLevelConstraint(type=<ConstraintType.check: 'check'>, name=None, expression="a != 'x'", to_columns=['b'])]"#
        );
        assert_eq!(listed("ModelLevelConstraint", &[]), "[]");
    }
}
