//! Describes nodes, describes and declares columns, in their YAML entries.

use serde_json::{Map, Value as Json, json};

use super::check::{Facet, Meant};
use super::properties::{Entry, YamlEdit};
use super::{Code, DecideInput, DeclareColumns, DeclaredColumn, DescribeColumn, DescribeNode, Plan, Refusal, Subject};
use crate::yaml::edit::Step;

/// Decides the description of a node.
pub(super) fn node(input: &DecideInput<'_>, asked: &DescribeNode) -> Result<Plan, Refusal> {
    let node = super::find(input, &asked.unique_id)?;
    let text = normal(&asked.text);
    let done = if text.is_empty() { "removed the description of" } else { "described" };
    let plan = Plan {
        summary: format!("{done} {}", node.name),
        subjects: vec![Subject { node: node.unique_id.clone(), property: "description".to_owned() }],
        ..Plan::default()
    };
    if node.description.trim_end() == text.trim_end() {
        return Ok(plan);
    }
    let mut entry = Entry::of(input, node)?;
    let steps = entry.path(["description".into()]);
    describe(&mut entry.yaml, &steps, &text)?;
    let meant = Meant { facets: vec![(node.unique_id.clone(), Facet::Description)], ..Meant::default() };
    Ok(Plan { files: entry.yaml.change().into_iter().collect(), meant: Some(meant), ..plan })
}

/// Decides the description of a column; one that is not declared yet is, with nothing but its name where there is no text.
pub(super) fn column(input: &DecideInput<'_>, asked: &DescribeColumn) -> Result<Plan, Refusal> {
    let node = super::find(input, &asked.unique_id)?;
    let (name, text) = (&asked.column, normal(&asked.text));
    let known = node.columns.get(name);
    let done = match (known, text.is_empty()) {
        (None, true) => "declared",
        (Some(_), true) => "removed the description of",
        (_, false) => "described",
    };
    let plan = Plan {
        summary: format!("{done} {}.{name}", node.name),
        subjects: vec![Subject { node: node.unique_id.clone(), property: format!("columns.{name}.description") }],
        ..Plan::default()
    };
    if known.is_some_and(|column| column.description.trim_end() == text.trim_end()) {
        return Ok(plan);
    }
    check_column(name, "/column")?;
    let mut entry = Entry::of(input, node)?;
    match entry.column(name) {
        Some(column) => {
            let steps: Vec<Step> = column.into_iter().chain(["description".into()]).collect();
            describe(&mut entry.yaml, &steps, &text)?;
        }
        None => {
            let columns = entry.path(["columns".into()]);
            let column =
                if text.is_empty() { json!({"name": name}) } else { json!({"name": name, "description": text}) };
            entry.yaml.push(&columns, &column)?;
        }
    }
    let meant = Meant { facets: vec![(node.unique_id.clone(), Facet::Columns)], ..Meant::default() };
    Ok(Plan { files: entry.yaml.change().into_iter().collect(), meant: Some(meant), ..plan })
}

/// Decides columns with their types, all in one edit.
pub(super) fn columns(input: &DecideInput<'_>, asked: &DeclareColumns) -> Result<Plan, Refusal> {
    let node = super::find(input, &asked.unique_id)?;
    if asked.columns.is_empty() {
        return Err(Refusal::new(Code::EditNotExpressible, "name the columns").at_field("/columns"));
    }
    let subject = |name: &str| Subject { node: node.unique_id.clone(), property: format!("columns.{name}.data_type") };
    let words = match asked.columns.as_slice() {
        [one] => format!("{}.{}", node.name, one.name),
        several => format!("{} columns of {}", several.len(), node.name),
    };
    let plan = Plan {
        summary: format!("declared {words}"),
        subjects: asked.columns.iter().map(|column| subject(&column.name)).collect(),
        ..Plan::default()
    };
    let is_new = |column: &&DeclaredColumn| {
        let known = node.columns.get(&column.name);
        known.is_none_or(|known| column.data_type.is_some() && known.data_type != column.data_type)
    };
    let wanted: Vec<&DeclaredColumn> = asked.columns.iter().filter(is_new).collect();
    if wanted.is_empty() {
        return Ok(plan);
    }
    let mut entry = Entry::of(input, node)?;
    for DeclaredColumn { name, data_type } in wanted {
        check_column(name, "/columns")?;
        match (entry.column(name), data_type) {
            (Some(column), Some(data_type)) => {
                let steps: Vec<Step> = column.into_iter().chain(["data_type".into()]).collect();
                entry.yaml.set(&steps, &json!(data_type))?;
            }
            (Some(_), None) => {}
            (None, data_type) => {
                let mut column = Map::from_iter([("name".to_owned(), json!(name))]);
                column.extend(data_type.as_ref().map(|data_type| ("data_type".to_owned(), json!(data_type))));
                let columns = entry.path(["columns".into()]);
                entry.yaml.push(&columns, &Json::Object(column))?;
            }
        }
    }
    let meant = Meant { facets: vec![(node.unique_id.clone(), Facet::Columns)], ..Meant::default() };
    Ok(Plan { files: entry.yaml.change().into_iter().collect(), meant: Some(meant), ..plan })
}

/// Checks that a column can have a name.
pub(super) fn check_column(name: &str, field: &'static str) -> Result<(), Refusal> {
    match name.trim().is_empty() || name.chars().any(char::is_control) {
        true => {
            let message = "the name of a column is empty or has a control character";
            Err(Refusal::new(Code::IdentifierInvalid, message).at_field(field))
        }
        false => Ok(()),
    }
}

/// Sets or removes a description. The line feed at the end of a block scalar is not the text's: it stays as it is.
fn describe(yaml: &mut YamlEdit<'_>, steps: &[Step], text: &str) -> Result<(), Refusal> {
    let old = yaml.at(steps);
    let old = old.as_ref().and_then(Json::as_str).unwrap_or_default();
    if text.is_empty() {
        return yaml.remove(steps);
    }
    let end = if old.ends_with('\n') && !text.ends_with('\n') { "\n" } else { "" };
    yaml.set(steps, &json!(format!("{text}{end}")))
}

fn normal(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    if text.trim().is_empty() { String::new() } else { text }
}
