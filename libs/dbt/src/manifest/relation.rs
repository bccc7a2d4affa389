//! A node's relation as SQL names it.

use serde_json::{Value as Json, json};

use crate::environment::Adapter;
use crate::jinja::Quoting;
use crate::node::{Node, ResourceType};
use crate::parse::Project;

/// Answers the relation's whole name; null for what is none.
pub(crate) fn name(project: &Project, node: &Node) -> Json {
    let is_relation = match node.resource_type {
        ResourceType::Test => node.config.get("store_failures") == Some(&Json::Bool(true)),
        _ => node.has_relation(),
    };
    if !is_relation {
        return Json::Null;
    }
    let quoting = quoting(project.engine().settings().quoting, node);
    let parts = [(&node.database, quoting.database), (&node.schema, quoting.schema), (&node.alias, quoting.identifier)];
    let shown = parts.into_iter().filter(|(part, _)| !part.is_empty());
    let quoted = shown.map(|(part, is_quoted)| if is_quoted { format!("\"{part}\"") } else { part.clone() });
    json!(quoted.collect::<Vec<_>>().join("."))
}

/// Answers which parts of a node's name are quoted: as it says itself, else as the project says.
pub fn quoting(project: Quoting, node: &Node) -> Quoting {
    let own = match node.resource_type {
        ResourceType::Source => node.properties.get("quoting"),
        _ => node.config.get("quoting"),
    };
    let part = |part: &str, default| own.and_then(|quoting| quoting.get(part)?.as_bool()).unwrap_or(default);
    Quoting {
        database: part("database", project.database),
        schema: part("schema", project.schema),
        identifier: part("identifier", project.identifier),
    }
}

/// Answers schema and name of a node's relation as the database keeps them: folded where they are not quoted.
pub fn stored_name(project: &Project, node: &Node) -> (String, String) {
    let settings = project.engine().settings();
    let quoting = quoting(settings.quoting, node);
    let part = |text: &str, quoted: bool| match settings.environment.adapter {
        _ if quoted => text.to_owned(),
        Adapter::Postgres => text.to_lowercase(),
        Adapter::Snowflake | Adapter::Oracle => text.to_uppercase(),
    };
    (part(&node.schema, quoting.schema), part(&node.alias, quoting.identifier))
}
