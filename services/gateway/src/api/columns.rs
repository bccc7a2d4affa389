//! The columns that the target has for a node, beside those that its YAML declares.

use axum::Json;
use axum::extract::State;
use dvt_dbt::node::{Node, ResourceType};
use dvt_domain::run::question::{Answer, ColumnsQuestion, Question, Relation};
use dvt_store::view;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::nodes::unknown_node;
use super::previews::{self, PreviewFailure, milliseconds};
use super::scope::Scope;
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;

/// Says in which environment a node's relation is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Of {
    /// `dev` unless given.
    environment: Option<String>,
}

/// Is what the target has under a node's name.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum NodeRelation {
    Found(FoundRelation),
    /// The target has no such relation.
    Missing(MissingRelation),
    /// The target could not be asked.
    Failed(PreviewFailure),
}

/// Is a relation of the target with its columns.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundRelation {
    schema: String,
    name: String,
    /// dbt's word: `table`, `view`, `materialized_view` or `external`.
    kind: String,
    columns: Vec<ActualColumn>,
    ms: f64,
}

/// Is a column that the target has.
#[derive(Serialize, ToSchema)]
struct ActualColumn {
    name: String,
    /// As DDL writes it, e.g. `numeric(10,2)`.
    #[serde(rename = "type")]
    kind: String,
    nullable: bool,
    /// From 1.
    ordinal: usize,
}

/// Names a relation that is not there.
#[derive(Serialize, ToSchema)]
pub(super) struct MissingRelation {
    schema: String,
    name: String,
    ms: f64,
}

/// Answers the columns that the target has for a node, by its unique_id or its key.
#[utoipa::path(get, path = "/api/v1/projects/{project}/nodes/{unique_id}/columns", tag = "nodes", params(("project" = String, Path), ("unique_id" = String, Path), Of), responses((status = OK, body = NodeRelation)))]
pub(super) async fn columns(
    State(app): State<App>,
    Path((project, node)): Path<(String, String)>,
    Query(Of { environment }): Query<Of>,
) -> Result<Json<NodeRelation>, Problem> {
    let scope = Scope::head(&app, &project).await?;
    let parsed = scope.parsed(&app, environment.as_deref()).await?;
    let unique_id = match parsed.project.find(&node) {
        Some(_) => node.clone(),
        None => by_key(&app, &scope, &node).await?,
    };
    let found = parsed.project.find(&unique_id).ok_or_else(|| unknown_node(&node))?;
    if !found.has_relation() {
        let detail = format!("a {} has no relation in the target", kind(found));
        return Err(Problem::unprocessable("NODE_WITHOUT_RELATION", detail).at("unique_id").got(&node));
    }
    let moment = previews::moment(&scope, environment.as_deref())?;
    let question = Question::Columns(ColumnsQuestion { moment, unique_id });
    match previews::ask_now(&app, scope.id.uuid(), &question).await? {
        Answer::Relation(relation) => Ok(Json(relation.into())),
        Answer::Failed(failure) => Ok(Json(NodeRelation::Failed(failure.into()))),
        Answer::Rows(_) | Answer::Connected { .. } => {
            Err(Problem::internal(&std::io::Error::other("a preview has the answer to another question")))
        }
    }
}

/// Finds the node that had a key first and may have another unique_id by now.
async fn by_key(app: &App, scope: &Scope, key: &str) -> Result<String, Problem> {
    let mut connection = app.connection().await?;
    let identities = view::subject::list_identities(&mut connection, scope.branch.branch_id.uuid()).await?;
    let found = identities.into_iter().find(|(_, known)| known == key);
    found.map(|(unique_id, _)| unique_id).ok_or_else(|| unknown_node(key))
}

fn kind(node: &Node) -> String {
    match node.resource_type {
        ResourceType::Model => format!("{} model", node.materialized()),
        other => other.as_str().replace('_', " "),
    }
}

impl From<Relation> for NodeRelation {
    fn from(Relation { schema, name, kind, columns, duration_us }: Relation) -> Self {
        let ms = milliseconds(duration_us);
        let Some(kind) = kind else { return Self::Missing(MissingRelation { schema, name, ms }) };
        let columns = columns.into_iter().zip(1..).map(|(column, ordinal)| ActualColumn {
            name: column.name,
            kind: column.r#type,
            nullable: column.is_nullable,
            ordinal,
        });
        Self::Found(FoundRelation { schema, name, kind, columns: columns.collect(), ms })
    }
}
