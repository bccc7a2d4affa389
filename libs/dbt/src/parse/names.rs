//! Asks the project's macros how a node's relation is called.

use serde_json::Value as Json;

use super::graph::context_of;
use crate::jinja::{Engine, Error};
use crate::node::{Node, ResourceType};

/// Knows which of the three names a project makes in its own way; dbt's own way needs no macro.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    database: bool,
    schema: bool,
    alias: bool,
}

impl Names {
    pub(super) fn of(engine: &Engine, internal: &[&str]) -> Self {
        let own = |component: &str| {
            let name = format!("generate_{component}_name");
            engine.macros().iter().any(|known| {
                !internal.contains(&known.package.as_str())
                    && (known.name == name || known.name.ends_with(&format!("__{name}")))
            })
        };
        Self { database: own("database"), schema: own("schema"), alias: own("alias") }
    }

    /// Sets a node's database, schema and alias as its config asks.
    ///
    /// # Errors
    /// When one of the project's macros fails.
    pub(super) fn set(self, engine: &Engine, node: &mut Node) -> Result<(), Error> {
        let target = &engine.settings().environment;
        let custom = |key: &str| node.config.get(key).filter(|value| !value.is_null()).cloned();
        let plain = |key: &str| custom(key).map(|value| text(&value));
        let database = match self.database {
            true => ask(engine, node, "database")?,
            false => plain("database").unwrap_or_else(|| target.database.clone()),
        };
        let schema = match (self.schema, plain("schema")) {
            (true, _) => ask(engine, node, "schema")?,
            (false, Some(schema)) => format!("{}_{schema}", target.schema),
            (false, None) => target.schema.clone(),
        };
        let alias = match (self.alias, plain("alias").filter(|alias| !alias.is_empty()), &node.version) {
            (true, _, _) => ask(engine, node, "alias")?,
            (false, Some(alias), _) => alias,
            (false, None, Some(version)) => format!("{}_v{}", node.name, text(version).replace('.', "_")),
            (false, None, None) => node.name.clone(),
        };
        (node.database, node.schema, node.alias) = (database, schema, alias);
        if node.resource_type == ResourceType::Snapshot {
            let given = |key: &str| node.config.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
            let (database, schema) = (given("target_database"), given("target_schema"));
            let (database, schema) = (database.map(str::to_owned), schema.map(str::to_owned));
            node.database = database.unwrap_or_else(|| node.database.clone());
            node.schema = schema.unwrap_or_else(|| node.schema.clone());
        }
        Ok(())
    }
}

fn ask(engine: &Engine, node: &Node, component: &str) -> Result<String, Error> {
    let custom = node.config.get(component).cloned().unwrap_or(Json::Null);
    let context = context_of(node);
    let arguments = [custom, Json::Object(context.model.clone())];
    let answer = engine.call_macro(&format!("generate_{component}_name"), &arguments, &context)?;
    Ok(text(&answer))
}

/// Prints a name as Jinja does, trimmed.
pub(super) fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.trim().to_owned(),
        other => super::generic::text(other),
    }
}
