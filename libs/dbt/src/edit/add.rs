//! Adds models, where dbt's style guide puts those of their layer.

use std::sync::Arc;

use super::check::{Facet, Meant};
use super::layers::{self, LAYERS};
use super::{AddNode, Code, DecideInput, Plan, Refusal, Subject, calls, identifier, raw};
use crate::SQL_BYTES_MAX;
use crate::node::Node;
use crate::tree::{FileChange, Mode};

/// Decides a new model.
pub(super) fn add(input: &DecideInput<'_>, asked: &AddNode) -> Result<Plan, Refusal> {
    let (project, name) = (input.project, asked.name.as_str());
    identifier::check(name, input.files.environment.adapter).map_err(|refusal| refusal.at_field("/name"))?;
    identifier::vacant(project, project.name(), name).map_err(|refusal| refusal.at_field("/name"))?;
    let missing = |id: &String| Refusal::new(Code::NodeNotFound, format!("there is no node {id}")).at_field("/from");
    let from: Result<Vec<&Node>, Refusal> =
        asked.from.iter().map(|id| project.find(id).ok_or_else(|| missing(id))).collect();
    let from = from?;
    let folder = folder(input, asked, &from)?;
    let sql = match &asked.sql {
        Some(sql) if sql.len() > SQL_BYTES_MAX => {
            let message = format!("the SQL has {} bytes, the limit is {SQL_BYTES_MAX}", sql.len());
            let refusal = Refusal::new(Code::SqlTooLarge, message).at_field("/sql");
            return Err(Refusal { limit: Some(SQL_BYTES_MAX), got: Some(sql.len().to_string()), ..refusal });
        }
        Some(sql) => sql.clone(),
        None => sql_of(input, &from)?,
    };
    let path = format!("{folder}/{name}.sql");
    raw::vacant(input, &path).map_err(|refusal| refusal.at_field("/folder"))?;
    let id = format!("model.{}.{name}", project.name());
    let parents = asked.sql.is_none().then(|| (id.clone(), asked.from.clone()));
    let meant = Meant {
        nodes: vec![id.clone()],
        added: vec![id.clone()],
        facets: vec![(id.clone(), Facet::Parents)],
        parents: parents.into_iter().collect(),
        sql: asked.sql.as_ref().map(|_| id.clone()),
        ..Meant::default()
    };
    Ok(Plan {
        summary: format!("added {name}"),
        files: vec![FileChange::Added { path: path.into(), mode: Mode::Regular, bytes: Arc::from(sql.as_bytes()) }],
        subjects: vec![Subject { node: id, property: "name".to_owned() }],
        moved: Some(Vec::new()),
        meant: Some(meant),
    })
}

/// Answers the folder: the one that is asked for, else that of the layer.
fn folder(input: &DecideInput<'_>, asked: &AddNode, from: &[&Node]) -> Result<String, Refusal> {
    if let Some(folder) = asked.folder.as_deref().map(|folder| folder.trim_end_matches('/')) {
        let root = input.files.root.trim_matches('/');
        return Ok(if root.is_empty() { folder.to_owned() } else { format!("{root}/{folder}") });
    }
    let layer = match asked.layer.as_deref() {
        Some(layer) if LAYERS.contains(&layer) => layer,
        Some(layer) => {
            let message = format!("there is no layer {layer}; use {}", LAYERS.join(", "));
            let refusal = Refusal::new(Code::EditNotExpressible, message).at_field("/layer");
            return Err(Refusal { got: Some(layer.to_owned()), ..refusal });
        }
        None if asked.name.starts_with("stg_") || asked.name.starts_with("base_") => "staging",
        None if asked.name.starts_with("int_") => "intermediate",
        None => "marts",
    };
    let named = asked.name.split_once('_').and_then(|(_, rest)| rest.split_once("__")).map(|(source, _)| source);
    let read = from.iter().find_map(|node| node.source_name.as_deref());
    let area = match layer {
        "staging" => named.or(read).unwrap_or_default().to_owned(),
        _ => area(input, layer, from).unwrap_or_default(),
    };
    Ok(layers::folder(input, layer, &area))
}

/// Answers the area in the layer that the first of the parents stands in.
fn area(input: &DecideInput<'_>, layer: &str, from: &[&Node]) -> Option<String> {
    let below = format!("{}/", layers::folder(input, layer, ""));
    let areas = from.iter().filter_map(|node| node.original_file_path.strip_prefix(&below)?.rsplit_once('/'));
    areas.map(|(area, _)| area.to_owned()).next()
}

/// Answers SQL that imports the parents and selects from the first, as dbt's style guide has it.
fn sql_of(input: &DecideInput<'_>, from: &[&Node]) -> Result<String, Refusal> {
    let Some(first) = from.first() else { return Ok("select 1 as id\n".to_owned()) };
    let mut names: Vec<String> = Vec::new();
    let mut sql = "with\n\n".to_owned();
    for node in from {
        let call = calls::reading(input, node, input.project.name())?;
        let name = calls::alias(node, |name| name == "final" || names.iter().any(|known| known == name));
        sql.push_str(&format!("{name} as (\n    select * from {{{{ {call} }}}}\n),\n\n"));
        names.push(name);
    }
    let name = names.first().unwrap_or(&first.name);
    sql.push_str(&format!("final as (\n    select * from {name}\n)\n\nselect * from final\n"));
    Ok(sql)
}
