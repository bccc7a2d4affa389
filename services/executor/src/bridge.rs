//! Renders a node with the target at hand: `dvt_dbt` asks, a session answers.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use dvt_dbt::compile::{Compilation, Nodes, compile};
use dvt_dbt::diagnostic::{Diagnostic, Severity};
use dvt_dbt::jinja::{
    Before, Code, Database, Error, ExistingColumn, ExistingRelation, Graph, NodeContext, Overrides, QueryResult,
    RefCall, Resolved, RunValues,
};
use serde_json::{Value as Json, json};
use tokio::runtime::Handle;

use crate::project::{Loaded, Map, Written};
use crate::targets::{self, Name, Rows, Session};

/// Says what is rendered.
pub(crate) struct Rendering {
    pub(crate) project: Arc<Loaded>,
    pub(crate) unique_id: String,
    /// Renders this text of the node instead of its own: a hook, or what an editor holds.
    pub(crate) text: Option<Text>,
    pub(crate) values: RunValues,
    /// This relation counts as missing: a model that is built anew is not incremental.
    pub(crate) hidden: Option<Name>,
    /// What surrounds the node in a unit test.
    pub(crate) unit: Option<Unit>,
}

/// Is the surroundings of the model that a unit test renders under its own unique_id.
pub(crate) struct Unit {
    /// The model's.
    pub(crate) tested: String,
    pub(crate) given: Vec<Stand>,
    pub(crate) overrides: Arc<Overrides>,
}

/// Is what stands for a relation in a unit test: a CTE.
pub(crate) struct Stand {
    /// Of the node whose relation it stands for.
    pub(crate) unique_id: String,
    /// The CTE's name, without dbt's prefix.
    pub(crate) name: String,
    pub(crate) raw_code: String,
}

/// Is a text that is rendered in a node's place.
pub(crate) struct Text {
    pub(crate) sql: String,
    /// The text may only `ref()` what the node's own text refers to.
    pub(crate) strict: bool,
}

/// Is SQL with the way back to the files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) map: Map,
}

/// Renders with a session, and gives the session back.
pub(crate) async fn render(
    rendering: Rendering,
    session: Box<dyn Session>,
) -> anyhow::Result<(Box<dyn Session>, Result<Sql, Diagnostic>)> {
    let handle = Handle::current();
    let work = move || {
        let bridge = Bridge { session: RefCell::new(session), handle, rendering: &rendering };
        let rendered = catch_unwind(AssertUnwindSafe(|| bridge.render()));
        let rendered = rendered.unwrap_or_else(|_| Err(bridge.broken("INTERNAL", "the renderer stopped unexpectedly")));
        (bridge.session.into_inner(), rendered)
    };
    Ok(tokio::task::spawn_blocking(work).await?)
}

struct Bridge<'a> {
    session: RefCell<Box<dyn Session>>,
    handle: Handle,
    rendering: &'a Rendering,
}

impl Bridge<'_> {
    fn render(&self) -> Result<Sql, Diagnostic> {
        let Rendering { project, unique_id, .. } = self.rendering;
        let parsed = &project.parsed;
        let nodes = Replaced { nodes: parsed, rendering: self.rendering };
        let mut all = compile(parsed.engine(), &nodes, std::slice::from_ref(unique_id), Some(self));
        match all.swap_remove(unique_id).expect("invariant: every selected node is answered") {
            Compilation::Compiled(compiled) => {
                let path = || nodes.context(unique_id).map(|node| node.path.to_string()).unwrap_or_default();
                let written = self.rendering.text.as_ref();
                let written = written.map(|text| Written { path: path(), text: text.sql.clone() });
                Ok(Sql { map: Map::of_rendering(&compiled.source_map, written), text: compiled.sql })
            }
            Compilation::Broken(diagnostic) => Err(diagnostic),
            Compilation::Deferred(deferred) => {
                Err(self.broken("NODE_DEFERRED", &format!("the run cannot render it: {}", deferred.reason)))
            }
        }
    }

    fn broken(&self, code: &str, message: &str) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.to_owned(),
            place: None,
            unique_id: Some(self.rendering.unique_id.clone()),
        }
    }

    fn ask<T>(&self, question: impl AsyncFnOnce(&mut dyn Session) -> Result<T, targets::Error>) -> Result<T, Error> {
        let mut session = self.session.borrow_mut();
        let answer = self.handle.block_on(question(session.as_mut()));
        answer.map_err(|error| Error::new(Code::DatabaseError, error.to_string()))
    }

    fn database(&self) -> &str {
        &self.rendering.project.environment.environment.database
    }
}

impl Database for Bridge<'_> {
    fn get_relation(&self, _: &str, schema: &str, identifier: &str) -> Result<Option<ExistingRelation>, Error> {
        let name = Name::new(schema, identifier);
        if self.rendering.hidden.as_ref() == Some(&name) {
            return Ok(None);
        }
        let kind = self.ask(async |session| session.relation(&name).await)?;
        Ok(kind.map(|kind| ExistingRelation {
            database: self.database().to_owned(),
            schema: schema.to_owned(),
            identifier: identifier.to_owned(),
            kind: kind.as_str().to_owned(),
        }))
    }

    fn columns(&self, _: &str, schema: &str, identifier: &str) -> Result<Vec<ExistingColumn>, Error> {
        let name = Name::new(schema, identifier);
        let columns = self.ask(async |session| session.columns(&name).await)?;
        let column = |column: targets::Column| ExistingColumn {
            name: column.name,
            data_type: column.data_type,
            char_size: column.char_size,
            numeric_precision: column.numeric_precision,
            numeric_scale: column.numeric_scale,
        };
        Ok(columns.into_iter().map(column).collect())
    }

    fn list_relations(&self, _: &str, schema: &str) -> Result<Vec<ExistingRelation>, Error> {
        let found = self.ask(async |session| session.relations(schema).await)?;
        let relation = |(identifier, kind): (String, targets::RelationKind)| ExistingRelation {
            database: self.database().to_owned(),
            schema: schema.to_owned(),
            identifier,
            kind: kind.as_str().to_owned(),
        };
        Ok(found.into_iter().map(relation).collect())
    }

    fn query(&self, sql: &str) -> Result<QueryResult, Error> {
        let Rows { columns, rows, .. } = self.ask(async |session| session.read(sql, None).await)?;
        let message = format!("SELECT {}", rows.len());
        let of_row = |row: Vec<Option<String>>| -> Vec<Json> {
            let kind = |index: usize| columns.get(index).map_or("text", |(_, kind)| kind.as_str());
            row.into_iter().enumerate().map(|(index, cell)| typed(cell, kind(index))).collect()
        };
        let rows = rows.into_iter().map(of_row).collect();
        Ok(QueryResult { columns: columns.iter().map(|(name, _)| name.clone()).collect(), rows, message })
    }

    fn run(&self) -> RunValues {
        self.rendering.values.clone()
    }
}

/// Gives a text of the database the type that templates see.
fn typed(cell: Option<String>, kind: &str) -> Json {
    let Some(text) = cell else { return Json::Null };
    let parsed = match kind {
        "bool" => Some(Json::Bool(text == "t")),
        "int2" | "int4" | "int8" | "oid" => text.parse::<i64>().ok().map(Json::from),
        "numeric" | "float4" | "float8" => {
            let whole = text.parse::<i64>().ok().map(Json::from);
            whole.or_else(|| text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Json::Number))
        }
        _ => None,
    };
    parsed.unwrap_or(Json::String(text))
}

/// Is a project one of whose nodes has another text.
struct Replaced<'a> {
    nodes: &'a dyn Nodes,
    rendering: &'a Rendering,
}

impl Replaced<'_> {
    /// Puts what a unit test gives in the place of what a name means.
    fn given(&self, found: Resolved) -> Result<Resolved, Error> {
        let Some(unit) = &self.rendering.unit else { return Ok(found) };
        let stand = unit.given.iter().find(|stand| stand.unique_id == found.unique_id);
        let missing = || Error::new(Code::RefNotFound, format!("the unit test gives no rows for {}", found.unique_id));
        let identifier = stand.ok_or_else(missing)?.name.clone();
        Ok(Resolved { identifier, ephemeral: true, ..found })
    }
}

impl Graph for Replaced<'_> {
    fn resolve_ref(&self, from: &NodeContext, call: &RefCall) -> Result<Resolved, Error> {
        self.given(self.nodes.resolve_ref(from, call)?)
    }

    fn resolve_source(&self, from: &NodeContext, source: &str, table: &str) -> Result<Resolved, Error> {
        self.given(self.nodes.resolve_source(from, source, table)?)
    }

    fn flat_graph(&self) -> Json {
        self.nodes.flat_graph()
    }

    fn node(&self, unique_id: &str) -> Option<Json> {
        self.nodes.node(unique_id)
    }
}

impl Nodes for Replaced<'_> {
    fn context(&self, unique_id: &str) -> Option<NodeContext> {
        let Rendering { unique_id: replaced, text, project, unit, .. } = self.rendering;
        if let Some(unit) = unit {
            if let Some(stand) = unit.given.iter().find(|stand| stand.unique_id == unique_id) {
                let (raw_code, alias) = (Arc::from(stand.raw_code.as_str()), stand.name.clone());
                return Some(NodeContext { raw_code, alias, ..of_no_node(unique_id, project) });
            }
            let tested = self.nodes.context(&unit.tested).filter(|_| unique_id == replaced)?;
            return Some(in_unit_test(tested, unique_id, unit));
        }
        let known = self.nodes.context(unique_id);
        let Some(text) = text.as_ref().filter(|_| unique_id == replaced) else { return known };
        let mut context = known.unwrap_or_else(|| of_no_node(unique_id, project));
        context.raw_code = Arc::from(text.sql.as_str());
        (context.offset, context.before) = (0, Before::default());
        context.is_script = text.strict;
        context.test_kwargs = None;
        if !text.strict {
            context.depends_on = None;
        }
        Some(context)
    }
}

/// Answers the model of a unit test as that one renders it: under its own id, with none of the model's config.
fn in_unit_test(tested: NodeContext, unique_id: &str, unit: &Unit) -> NodeContext {
    let config = json!({"materialized": "unit"}).as_object().cloned().unwrap_or_default();
    let (unique_id, overrides) = (unique_id.to_owned(), Some(unit.overrides.clone()));
    NodeContext { unique_id, config, depends_on: None, unit_test: overrides, ..tested }
}

/// Answers what a text is rendered in that belongs to no node: as an analysis of the project.
fn of_no_node(unique_id: &str, project: &Loaded) -> NodeContext {
    let environment = &project.environment.environment;
    NodeContext {
        unique_id: unique_id.to_owned(),
        name: unique_id.rsplit('.').next().unwrap_or_default().to_owned(),
        package: project.parsed.name().to_owned(),
        resource_type: "analysis".to_owned(),
        database: environment.database.clone(),
        schema: environment.schema.clone(),
        ..NodeContext::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_templates_numbers_and_booleans_as_such() {
        let cell = |text: &str, kind| typed(Some(text.to_owned()), kind);
        assert_eq!(cell("t", "bool"), Json::Bool(true));
        assert_eq!(cell("42", "int8"), Json::from(42));
        assert_eq!(cell("1.5", "numeric"), Json::from(1.5));
        assert_eq!(cell("42", "text"), Json::from("42"));
        assert_eq!(typed(None, "int4"), Json::Null);
    }
}
