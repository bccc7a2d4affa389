//! Declares sources and their tables.

use serde_json::{Map, Value as Json, json};

use super::check::{Facet, Meant};
use super::properties::YamlEdit;
use super::{Code, DecideInput, DeclareSource, Plan, Refusal, Subject, home, layers};
use crate::node::{Node, ResourceType};
use crate::yaml::edit::Step;

/// Decides tables of a source, and the source itself where it is new.
pub(super) fn declare(input: &DecideInput<'_>, asked: &DeclareSource) -> Result<Plan, Refusal> {
    check_name(&asked.source, "/source")?;
    asked.tables.iter().try_for_each(|table| check_name(table, "/tables"))?;
    let package = input.project.name();
    let id = |table: &str| format!("source.{package}.{}.{table}", asked.source);
    let mut tables: Vec<&String> = Vec::new();
    for table in &asked.tables {
        if !input.project.nodes().contains_key(&id(table)) && !tables.contains(&table) {
            tables.push(table);
        }
    }
    let plan = Plan {
        summary: format!("declared {} of the source {}", listed(&asked.tables), asked.source),
        subjects: asked.tables.iter().map(|table| Subject { node: id(table), property: "name".to_owned() }).collect(),
        ..Plan::default()
    };
    let (mut yaml, steps) = match known(input, asked)? {
        Some(known) => known,
        None if tables.is_empty() => {
            return Err(Refusal::new(Code::EditNotExpressible, "name the tables of the source").at_field("/tables"));
        }
        None => begin(input, asked)?,
    };
    for (key, value) in [("database", &asked.database), ("schema", &asked.schema)] {
        let path: Vec<Step> = steps.iter().cloned().chain([key.into()]).collect();
        let is_usual = |value: &String| key == "schema" && *value == asked.source && yaml.at(&path).is_none();
        if let Some(value) = value.as_ref().filter(|value| !is_usual(value)) {
            yaml.set(&path, &json!(value))?;
        }
    }
    let list: Vec<Step> = steps.into_iter().chain(["tables".into()]).collect();
    for table in &tables {
        yaml.push(&list, &json!({"name": table}))?;
    }
    let of_source = input.project.nodes().values().filter(|node| is_of(node, package, &asked.source));
    let of_source =
        of_source.flat_map(|node| [Facet::Relation, Facet::Config].map(|facet| (node.unique_id.clone(), facet)));
    let meant = Meant {
        nodes: tables.iter().map(|table| id(table)).collect(),
        added: tables.iter().map(|table| id(table)).collect(),
        facets: of_source.collect(),
        ..Meant::default()
    };
    Ok(Plan { files: yaml.change().into_iter().collect(), meant: Some(meant), moved: Some(Vec::new()), ..plan })
}

fn is_of(node: &Node, package: &str, source: &str) -> bool {
    node.package_name == package && node.source_name.as_deref() == Some(source)
}

/// Finds the entry of a source that is declared already.
fn known<'a>(input: &DecideInput<'a>, asked: &DeclareSource) -> Result<Option<(YamlEdit<'a>, Vec<Step>)>, Refusal> {
    let package = input.project.name();
    let nodes = input.project.nodes().values().filter(|node| node.resource_type == ResourceType::Source);
    let Some(node) = nodes.into_iter().find(|node| is_of(node, package, &asked.source)) else { return Ok(None) };
    let yaml = YamlEdit::of(input, &node.original_file_path)?;
    let sources = [Step::from("sources")];
    let at = yaml.named(&sources, &asked.source);
    Ok(at.map(|at| (yaml, vec!["sources".into(), at.into()])))
}

/// Begins the entry of a source.
fn begin<'a>(input: &DecideInput<'a>, asked: &DeclareSource) -> Result<(YamlEdit<'a>, Vec<Step>), Refusal> {
    let folder = layers::folder(input, "staging", &asked.source);
    let mut yaml = home::of_source(input, &asked.source, &folder)?;
    let sources = [Step::from("sources")];
    if let Some(at) = yaml.named(&sources, &asked.source) {
        return Ok((yaml, vec!["sources".into(), at.into()]));
    }
    let entry = Map::from_iter([("name".to_owned(), json!(asked.source))]);
    yaml.push(&sources, &Json::Object(entry))?;
    let at = yaml.named(&sources, &asked.source).unwrap_or_default();
    Ok((yaml, vec!["sources".into(), at.into()]))
}

/// Checks the name of a source or a table: letters, digits and `_`, `-` or `$`; it stands in `source()` calls.
fn check_name(name: &str, field: &'static str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    let message = match name.char_indices().find(|(_, c)| !allowed(*c)) {
        Some((at, bad)) => {
            let place = name[..at].chars().count() + 1;
            format!("the name has {bad:?} at character {place}; allowed: letters, digits, _, - and $")
        }
        None if name.is_empty() => "the name is empty".to_owned(),
        None => return Ok(()),
    };
    let refusal = Refusal::new(Code::IdentifierInvalid, message).at_field(field);
    Err(Refusal { got: Some(name.to_owned()), ..refusal })
}

fn listed(tables: &[String]) -> String {
    match tables {
        [one] => one.clone(),
        _ => format!("{} tables", tables.len()),
    }
}
