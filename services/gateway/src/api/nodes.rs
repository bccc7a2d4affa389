//! One node: what defines it, what it compiles to, what was done to it.

use axum::Json;
use axum::extract::State;
use dvt_dbt::compile::{Compilation, Compiled, compile};
use dvt_dbt::node::Node;
use dvt_dbt::parse::{Layer, Project};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::graph::{GraphNode, Surroundings};
use super::history::{self, HistoryPage, Page};
use super::scope::{Moment, Scope};
use super::shapes::{Diagnostic, Place};
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::parsed::{Parsed, is_badge};

/// Is one node with all that the files say of it.
#[derive(Serialize, ToSchema)]
pub(super) struct NodeDetail {
    #[serde(flatten)]
    node: GraphNode,
    version: i64,
    raw_code: String,
    file: Option<NodeFile>,
    /// Where its YAML entry stands.
    patch: Option<Place>,
    columns: Vec<Column>,
    /// The tests that belong to no column.
    node_tests: Vec<TestRef>,
    config: Vec<ConfigValue>,
    parents: Vec<String>,
    children: Vec<String>,
    exposures: Vec<String>,
    diagnostics: Vec<Diagnostic>,
}

/// Is the file that defines a node.
#[derive(Serialize, ToSchema)]
struct NodeFile {
    path: String,
    sha256: String,
    /// Null for a file that is not UTF-8, and for a seed.
    text: Option<String>,
}

/// Is one column as the YAML describes it.
#[derive(Serialize, ToSchema)]
#[schema(as = NodeColumn)]
struct Column {
    name: String,
    description: String,
    data_type: Option<String>,
    tests: Vec<TestRef>,
}

/// Names a test of a node.
#[derive(Serialize, ToSchema)]
struct TestRef {
    unique_id: String,
    /// As the YAML has it, e.g. `not_null`; a singular test's own name.
    name: String,
    column: Option<String>,
    #[schema(value_type = Object)]
    arguments: Value,
    severity: String,
}

/// Is a resolved config, and where its value was set last.
#[derive(Serialize, ToSchema)]
struct ConfigValue {
    key: String,
    value: Value,
    /// `default`, `dbt_project.yml`, `yaml` or `config()`.
    #[schema(value_type = String)]
    layer: Layer,
    place: Option<Place>,
    /// How many nodes have their value from that place; 1 where it is not dbt_project.yml's.
    nodes: usize,
}

impl ConfigValue {
    fn new(node: &Node, (key, value): (&String, &Value), project: &Project) -> Self {
        let origin = project.origin(&node.unique_id, key);
        let layer = origin.as_ref().map_or(Layer::Default, |origin| origin.layer);
        let place = origin.and_then(|origin| origin.place);
        let alike = |other: &Node| project.origin(&other.unique_id, key).is_some_and(|origin| origin.place == place);
        let nodes = match (layer, &place) {
            (Layer::Project, Some(_)) => project.nodes().values().filter(|other| alike(other)).count(),
            (Layer::Default | Layer::Project | Layer::Yaml | Layer::Call, _) => 1,
        };
        Self { key: key.clone(), value: value.clone(), layer, place: place.as_ref().map(Place::from), nodes }
    }
}

/// Is what a node compiles to, now.
#[derive(Serialize, ToSchema)]
pub(super) struct CompiledNode {
    /// `compiled`, `deferred` (only the run can render it) or `broken`.
    status: &'static str,
    sql: Option<String>,
    /// Why it is deferred.
    reason: Option<String>,
    /// For an incremental model: the rendering where the table exists already.
    incremental_sql: Option<String>,
    error: Option<Diagnostic>,
    /// Which piece of which file produced each piece of `sql`.
    source_map: Vec<MappedSpan>,
}

/// Maps bytes of the output to bytes of a file.
#[derive(Serialize, ToSchema)]
struct MappedSpan {
    output: [usize; 2],
    path: String,
    source: [usize; 2],
}

fn test_ref(node: &Node) -> TestRef {
    let test = node.test.as_ref();
    let name = test.map_or(&node.name, |test| &test.name).clone();
    let hidden = ["model", "column_name"];
    let arguments = test.map(|test| test.kwargs.iter().filter(|(key, _)| !hidden.contains(&key.as_str())));
    TestRef {
        unique_id: node.unique_id.clone(),
        name,
        column: test.and_then(|test| test.column_name.clone()),
        arguments: arguments.map_or_else(
            || Value::Object(Map::new()),
            |arguments| arguments.map(|(key, value)| (key.clone(), value.clone())).collect(),
        ),
        severity: node.config.get("severity").and_then(Value::as_str).unwrap_or("error").to_lowercase(),
    }
}

impl NodeDetail {
    fn new(node: &Node, scope: &Scope, (parsed, surroundings): (&Parsed, &Surroundings)) -> Self {
        let children = parsed.project.children();
        let of = |unique_id: &str| children.get(unique_id).cloned().unwrap_or_default();
        let kind = |id: &str| parsed.project.find(id).map(|node| node.resource_type.as_str());
        let (exposures, children): (Vec<_>, Vec<_>) = of(&node.unique_id)
            .into_iter()
            .filter(|id| parsed.project.find(id).is_some_and(|node| !is_badge(node)))
            .map(str::to_owned)
            .partition(|id| kind(id) == Some("exposure"));
        let tests = parsed.tests.get(&node.unique_id).into_iter().flatten();
        let tests: Vec<_> = tests.filter_map(|id| parsed.project.find(id)).map(test_ref).collect();
        let mut columns: Vec<Column> = node
            .columns
            .values()
            .map(|column| Column {
                name: column.name.clone(),
                description: column.description.clone(),
                data_type: column.data_type.clone(),
                tests: Vec::new(),
            })
            .collect();
        let mut node_tests = Vec::new();
        for test in tests {
            match columns.iter_mut().find(|column| Some(&column.name) == test.column.as_ref()) {
                Some(column) => column.tests.push(test),
                None => node_tests.push(test),
            }
        }
        let concerns = |id: &Option<String>| id.as_deref() == Some(&node.unique_id);
        let diagnostics = parsed.project.diagnostics().iter().filter(|found| concerns(&found.unique_id));
        Self {
            node: GraphNode::new(node, parsed, surroundings),
            version: scope.head.version,
            raw_code: node.raw_code.clone(),
            file: node_file(node, scope),
            patch: node.patch.as_ref().map(Place::from),
            columns,
            node_tests,
            config: node.config.iter().map(|config| ConfigValue::new(node, config, &parsed.project)).collect(),
            parents: node.depends_on.nodes.clone(),
            children,
            exposures,
            diagnostics: diagnostics.map(Diagnostic::from).collect(),
        }
    }
}

fn node_file(node: &Node, scope: &Scope) -> Option<NodeFile> {
    let path = &node.original_file_path;
    let branch = &scope.head.state;
    let file = branch.tree.find(path).or_else(|| branch.packages.find(path))?;
    let is_seed = node.resource_type.as_str() == "seed";
    let text = file.text().filter(|_| !is_seed).map(str::to_owned);
    Some(NodeFile { path: path.to_string(), sha256: file.sha256.to_string(), text })
}

pub(super) fn unknown_node(unique_id: &str) -> Problem {
    let detail = "the project has no node of that unique_id at this version";
    Problem::new(axum::http::StatusCode::NOT_FOUND, "NODE_NOT_FOUND", detail).at("unique_id").got(unique_id)
}

/// Answers one node.
#[utoipa::path(get, path = "/api/v1/projects/{project}/nodes/{unique_id}", tag = "nodes", params(("project" = String, Path), ("unique_id" = String, Path), Moment), responses((status = OK, body = NodeDetail)))]
pub(super) async fn node(
    State(app): State<App>,
    Path((project, unique_id)): Path<(String, String)>,
    Query(moment): Query<Moment>,
) -> Result<Json<NodeDetail>, Problem> {
    let scope = Scope::at(&app, &project, &moment).await?;
    let parsed = scope.parsed(&app, moment.environment.as_deref()).await?;
    let node = parsed.project.find(&unique_id).ok_or_else(|| unknown_node(&unique_id))?;
    let surroundings = Surroundings::load(&app, &scope, &moment).await?;
    Ok(Json(NodeDetail::new(node, &scope, (&parsed, &surroundings))))
}

/// Compiles one node as it is at this version.
#[utoipa::path(get, path = "/api/v1/projects/{project}/nodes/{unique_id}/compiled", tag = "nodes", params(("project" = String, Path), ("unique_id" = String, Path), Moment), responses((status = OK, body = CompiledNode)))]
pub(super) async fn compiled(
    State(app): State<App>,
    Path((project, unique_id)): Path<(String, String)>,
    Query(moment): Query<Moment>,
) -> Result<Json<CompiledNode>, Problem> {
    let scope = Scope::at(&app, &project, &moment).await?;
    let parsed = scope.parsed(&app, moment.environment.as_deref()).await?;
    parsed.project.find(&unique_id).ok_or_else(|| unknown_node(&unique_id))?;
    let id = unique_id.clone();
    let work =
        move || compile(parsed.project.engine(), &parsed.project, std::slice::from_ref(&id), None).swap_remove(&id);
    let outcome = tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))?;
    outcome.map(|outcome| Json(CompiledNode::from(outcome))).ok_or_else(|| unknown_node(&unique_id))
}

impl From<Compilation> for CompiledNode {
    fn from(outcome: Compilation) -> Self {
        let empty = Self {
            status: "compiled",
            sql: None,
            reason: None,
            incremental_sql: None,
            error: None,
            source_map: Vec::new(),
        };
        match outcome {
            Compilation::Compiled(compiled) => {
                Self { source_map: source_map(&compiled), sql: Some(compiled.sql), ..empty }
            }
            Compilation::Deferred(deferred) => Self {
                status: "deferred",
                reason: Some(deferred.reason),
                source_map: deferred.full.as_ref().map(source_map).unwrap_or_default(),
                sql: deferred.full.map(|full| full.sql),
                incremental_sql: deferred.incremental.map(|incremental| incremental.sql),
                ..empty
            },
            Compilation::Broken(error) => Self { status: "broken", error: Some(Diagnostic::from(&error)), ..empty },
        }
    }
}

fn source_map(compiled: &Compiled) -> Vec<MappedSpan> {
    let spans = compiled.source_map.iter().map(|span| MappedSpan {
        output: [span.output.start, span.output.end],
        path: span.path.to_string(),
        source: [span.source.start, span.source.end],
    });
    spans.collect()
}

/// Lists what was done to a node, through all its renames, newest first.
#[utoipa::path(get, path = "/api/v1/projects/{project}/nodes/{unique_id}/history", tag = "nodes", params(("project" = String, Path), ("unique_id" = String, Path), Page), responses((status = OK, body = HistoryPage)))]
pub(super) async fn node_history(
    State(app): State<App>,
    Path((project, unique_id)): Path<(String, String)>,
    Query(page): Query<Page>,
) -> Result<Json<HistoryPage>, Problem> {
    let scope = Scope::head(&app, &project).await?;
    history::of_node(&app, &scope, (&unique_id, page)).await.map(Json)
}
