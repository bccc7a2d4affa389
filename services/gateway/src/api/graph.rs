//! The graph of a project: nodes, edges, where users pinned them.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use dvt_dbt::node::Node;
use dvt_domain::Topic;
use dvt_domain::layout::Layout;
use dvt_log::At;
use dvt_store::{event, view};
use serde::Serialize;
use utoipa::ToSchema;

use super::scope::{Moment, Scope};
use super::shapes::{Diagnostic, Problems};
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::parsed::{Parsed, is_badge};
use crate::views;

/// Is a project's graph in one environment. Tests are not nodes here: each node names its own.
#[derive(Serialize, ToSchema)]
pub(super) struct Graph {
    version: i64,
    environment: String,
    nodes: Vec<GraphNode>,
    /// From parent to child, as indices into `nodes`.
    edges: Vec<[usize; 2]>,
    problems: Problems,
}

/// Is one node of the graph.
#[derive(Serialize, ToSchema)]
pub(super) struct GraphNode {
    unique_id: String,
    /// Stays the same through renames.
    node_key: String,
    name: String,
    resource_type: String,
    package: String,
    /// The file that defines it.
    path: String,
    /// The folder inside the project's model (seed, …) path, e.g. `marts/core`.
    folder: String,
    materialized: Option<String>,
    database: String,
    schema: String,
    alias: String,
    tags: Vec<String>,
    description: String,
    /// The unique_ids of its tests.
    tests: Vec<String>,
    problems: Problems,
    source_name: Option<String>,
    /// Pixels at zoom 1, where a user pinned the node.
    x: Option<f64>,
    y: Option<f64>,
}

/// Lists what is wrong in the files.
#[derive(Serialize, ToSchema)]
pub(super) struct Diagnostics {
    version: i64,
    diagnostics: Vec<Diagnostic>,
}

/// What is known of nodes beside the files: identities and pins.
pub(super) struct Surroundings {
    keys: HashMap<String, String>,
    layout: Layout,
}

impl Surroundings {
    /// Loads them; whoever waits for a version of the branch gets the identities of that version.
    pub(super) async fn load(app: &App, scope: &Scope, moment: &Moment) -> Result<Self, Problem> {
        let mut connection = app.connection().await?;
        if let Some(version) = moment.min_version {
            let branch = scope.branch.branch_id.uuid();
            if let Some(event) = event::list_stream(&mut connection, branch, version - 1, 1).await?.first() {
                views::reach(app, (Topic::Project, scope.id), event.position).await?;
            }
        }
        let keys = view::subject::list_identities(&mut connection, scope.branch.branch_id.uuid()).await?;
        let layout: At<Layout> = app.log.load(&mut connection, scope.branch.layout_id.uuid()).await?;
        Ok(Self { keys: keys.into_iter().collect(), layout: layout.state })
    }
}

impl GraphNode {
    pub(super) fn new(node: &Node, parsed: &Parsed, surroundings: &Surroundings) -> Self {
        let node_key = surroundings.keys.get(&node.unique_id).unwrap_or(&node.unique_id).clone();
        let pin = surroundings.layout.pins.get(&node_key);
        let folders = node.fqn.iter().skip(1).take(node.fqn.len().saturating_sub(2));
        let has_relation = matches!(node.resource_type.as_str(), "model" | "seed" | "snapshot");
        Self {
            unique_id: node.unique_id.clone(),
            name: node.name.clone(),
            resource_type: node.resource_type.as_str().to_owned(),
            package: node.package_name.clone(),
            path: node.original_file_path.to_string(),
            folder: folders.cloned().collect::<Vec<_>>().join("/"),
            materialized: has_relation.then(|| node.materialized().to_owned()),
            database: node.database.clone(),
            schema: node.schema.clone(),
            alias: node.alias.clone(),
            tags: node.tags.clone(),
            description: node.description.clone(),
            tests: parsed.tests.get(&node.unique_id).cloned().unwrap_or_default(),
            problems: parsed.problems.get(&node.unique_id).copied().unwrap_or_default().into(),
            source_name: node.source_name.clone(),
            x: pin.map(|pin| pin.0),
            y: pin.map(|pin| pin.1),
            node_key,
        }
    }
}

/// Answers the graph.
#[utoipa::path(get, path = "/api/v1/projects/{project}/graph", tag = "graph", params(("project" = String, Path), Moment), responses((status = OK, body = Graph)))]
pub(super) async fn graph(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(moment): Query<Moment>,
) -> Result<Json<Graph>, Problem> {
    let scope = Scope::at(&app, &project, &moment).await?;
    let environment = scope.environment(moment.environment.as_deref())?.environment.name.clone();
    let parsed = scope.parsed(&app, moment.environment.as_deref()).await?;
    let surroundings = Surroundings::load(&app, &scope, &moment).await?;
    let shown: Vec<&Node> = parsed.project.nodes().values().filter(|node| !is_badge(node)).collect();
    let places: HashMap<&str, usize> =
        shown.iter().enumerate().map(|(at, node)| (node.unique_id.as_str(), at)).collect();
    let into = |(child, node): (usize, &&Node)| {
        let parents = node.depends_on.nodes.iter().filter_map(|parent| places.get(parent.as_str()));
        parents.map(|parent| [*parent, child]).collect::<Vec<_>>()
    };
    let edges = shown.iter().enumerate().flat_map(into).collect();
    let nodes = shown.iter().map(|node| GraphNode::new(node, &parsed, &surroundings)).collect();
    Ok(Json(Graph { version: scope.head.version, environment, nodes, edges, problems: parsed.total.into() }))
}

/// Lists what is wrong in the files, in the order of reading.
#[utoipa::path(get, path = "/api/v1/projects/{project}/diagnostics", tag = "graph", params(("project" = String, Path), Moment), responses((status = OK, body = Diagnostics)))]
pub(super) async fn diagnostics(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(moment): Query<Moment>,
) -> Result<Json<Diagnostics>, Problem> {
    let scope = Scope::at(&app, &project, &moment).await?;
    let parsed = scope.parsed(&app, moment.environment.as_deref()).await?;
    let diagnostics = parsed.project.diagnostics().iter().map(Diagnostic::from).collect();
    Ok(Json(Diagnostics { version: scope.head.version, diagnostics }))
}
