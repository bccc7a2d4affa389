//! Views `graph`, `node`, `edge` and `diagnostic`: what the parser reads from a branch's files for `dev`.

use uuid::Uuid;

use super::Place;
use crate::{Connection, Error};

/// Says which version of its branch a graph shows.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Graph {
    pub branch_id: Uuid,
    pub version: i64,
    pub position: i64,
    pub errors: i32,
    pub warnings: i32,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Node {
    pub unique_id: String,
    pub node_key: String,
    pub name: String,
    pub resource_type: String,
    pub package: String,
    pub path: String,
    pub source_name: Option<String>,
    pub materialized: Option<String>,
    pub database: Option<String>,
    pub schema: Option<String>,
    pub alias: Option<String>,
    pub description: String,
    pub tags: Vec<String>,
    pub tests: i32,
    pub errors: i32,
    pub warnings: i32,
}

/// Joins two nodes, by their index in the list of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Edge {
    pub parent: i32,
    pub child: i32,
}

/// A problem in a project's files.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Diagnostic {
    /// `error` or `warning`.
    pub severity: String,
    pub code: String,
    pub message: String,
    #[sqlx(flatten)]
    pub place: Place,
    pub unique_id: Option<String>,
}

/// What the parser read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Names a branch whose graph is behind its files or its project's environments.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Stale {
    pub branch_id: Uuid,
    pub project_id: Uuid,
    /// Of the branch.
    pub version: i64,
    /// Of the project's own stream.
    pub project_version: i64,
    /// Of the later of the two streams' last events.
    pub position: i64,
}

/// Lists up to `limit` branches whose graph is behind, those that wait longest first.
///
/// # Errors
/// When the database does.
pub async fn list_stale(c: &mut Connection, limit: i64) -> Result<Vec<Stale>, Error> {
    Ok(sqlx::query_as(
        "select b.branch_id, b.project_id, b.version, p.version as project_version,
            greatest(b.position, p.position) as position
        from branch b
        join project p on p.project_id = b.project_id
        left join graph g on g.branch_id = b.branch_id
        where b.version > 0 and (g.position is null or g.position < greatest(b.position, p.position))
        order by greatest(b.position, p.position), b.branch_id
        limit $1",
    )
    .bind(limit)
    .fetch_all(c)
    .await?)
}

/// Replaces a branch's graph, unless it shows a later one; answers whether it did. Needs a transaction.
///
/// # Errors
/// When the database does.
pub async fn replace(c: &mut Connection, graph: &Graph, content: &Content) -> Result<bool, Error> {
    // Two that read the same branch write one after the other.
    sqlx::query("select from branch where branch_id = $1 for update").bind(graph.branch_id).execute(&mut *c).await?;
    if find(c, graph.branch_id).await?.is_some_and(|known| known.position > graph.position) {
        return Ok(false);
    }
    sqlx::query(
        "with
            old_node as (delete from node where branch_id = $1),
            old_edge as (delete from edge where branch_id = $1),
            old_diagnostic as (delete from diagnostic where branch_id = $1)
        insert into graph (branch_id, version, position, errors, warnings)
        values ($1, $2, $3, $4, $5)
        on conflict (branch_id) do update
            set version = excluded.version,
                position = excluded.position,
                errors = excluded.errors,
                warnings = excluded.warnings",
    )
    .bind(graph.branch_id)
    .bind(graph.version)
    .bind(graph.position)
    .bind(graph.errors)
    .bind(graph.warnings)
    .execute(&mut *c)
    .await?;
    insert_nodes(c, graph.branch_id, &content.nodes).await?;
    sqlx::query(
        "insert into edge (branch_id, parent, child)
        select $1, n.parent, n.child
        from unnest($2::integer[], $3::integer[]) as n (parent, child)
        on conflict do nothing",
    )
    .bind(graph.branch_id)
    .bind(content.edges.iter().map(|edge| edge.parent).collect::<Vec<_>>())
    .bind(content.edges.iter().map(|edge| edge.child).collect::<Vec<_>>())
    .execute(&mut *c)
    .await?;
    insert_diagnostics(c, graph.branch_id, &content.diagnostics).await?;
    Ok(true)
}

async fn insert_nodes(c: &mut Connection, branch_id: Uuid, nodes: &[Node]) -> Result<(), Error> {
    // Postgres has no arrays of arrays of different lengths, so the tags travel as one text a node.
    const SEPARATOR: &str = "\u{1f}";
    sqlx::query(
        "insert into node (
            branch_id, ordinal, unique_id, node_key, name, resource_type, package, path, source_name, materialized,
            database, schema, alias, description, tags, tests, errors, warnings
        )
        select
            $1, n.ordinal - 1, n.unique_id, n.node_key, n.name, n.resource_type, n.package, n.path, n.source_name,
            n.materialized, n.database, n.schema, n.alias, n.description, string_to_array(n.tags, chr(31)),
            n.tests, n.errors, n.warnings
        from unnest(
            $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::integer[], $16::integer[],
            $17::integer[]
        ) with ordinality as n (
            unique_id, node_key, name, resource_type, package, path, source_name, materialized,
            database, schema, alias, description, tags, tests, errors, warnings, ordinal
        )",
    )
    .bind(branch_id)
    .bind(texts(nodes, |node| &node.unique_id))
    .bind(texts(nodes, |node| &node.node_key))
    .bind(texts(nodes, |node| &node.name))
    .bind(texts(nodes, |node| &node.resource_type))
    .bind(texts(nodes, |node| &node.package))
    .bind(texts(nodes, |node| &node.path))
    .bind(nodes.iter().map(|node| node.source_name.as_deref()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.materialized.as_deref()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.database.as_deref()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.schema.as_deref()).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.alias.as_deref()).collect::<Vec<_>>())
    .bind(texts(nodes, |node| &node.description))
    .bind(nodes.iter().map(|node| node.tags.join(SEPARATOR)).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.tests).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.errors).collect::<Vec<_>>())
    .bind(nodes.iter().map(|node| node.warnings).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

async fn insert_diagnostics(c: &mut Connection, branch_id: Uuid, diagnostics: &[Diagnostic]) -> Result<(), Error> {
    sqlx::query(
        "insert into diagnostic (branch_id, ordinal, severity, code, message, path, line, \"column\", unique_id)
        select $1, n.ordinal - 1, n.severity, n.code, n.message, n.path, n.line, n.col, n.unique_id
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::integer[], $8::text[])
            with ordinality as n (severity, code, message, path, line, col, unique_id, ordinal)",
    )
    .bind(branch_id)
    .bind(texts(diagnostics, |diagnostic| &diagnostic.severity))
    .bind(texts(diagnostics, |diagnostic| &diagnostic.code))
    .bind(texts(diagnostics, |diagnostic| &diagnostic.message))
    .bind(diagnostics.iter().map(|diagnostic| diagnostic.place.path.as_deref()).collect::<Vec<_>>())
    .bind(diagnostics.iter().map(|diagnostic| diagnostic.place.line).collect::<Vec<_>>())
    .bind(diagnostics.iter().map(|diagnostic| diagnostic.place.column).collect::<Vec<_>>())
    .bind(diagnostics.iter().map(|diagnostic| diagnostic.unique_id.as_deref()).collect::<Vec<_>>())
    .execute(c)
    .await?;
    Ok(())
}

fn texts<T>(rows: &[T], column: impl Fn(&T) -> &String) -> Vec<&str> {
    rows.iter().map(|row| column(row).as_str()).collect()
}

/// Finds which version a branch's graph shows.
///
/// # Errors
/// When the database does.
pub async fn find(c: &mut Connection, branch_id: Uuid) -> Result<Option<Graph>, Error> {
    Ok(sqlx::query_as("select * from graph where branch_id = $1").bind(branch_id).fetch_optional(c).await?)
}

/// Lists what a branch's graph holds.
///
/// # Errors
/// When the database does.
pub async fn list(c: &mut Connection, branch_id: Uuid) -> Result<Content, Error> {
    let nodes = sqlx::query_as(
        "select unique_id, node_key, name, resource_type, package, path, source_name, materialized,
            database, schema, alias, description, tags, tests, errors, warnings
        from node
        where branch_id = $1
        order by ordinal",
    )
    .bind(branch_id)
    .fetch_all(&mut *c)
    .await?;
    let edges = sqlx::query_as("select parent, child from edge where branch_id = $1 order by parent, child")
        .bind(branch_id)
        .fetch_all(&mut *c)
        .await?;
    let diagnostics = sqlx::query_as(
        "select severity, code, message, path, line, \"column\", unique_id
        from diagnostic
        where branch_id = $1
        order by ordinal",
    )
    .bind(branch_id)
    .fetch_all(c)
    .await?;
    Ok(Content { nodes, edges, diagnostics })
}

/// A graph at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub version: i64,
    pub errors: i32,
    pub warnings: i32,
    /// How many nodes of each resource type.
    pub counts: Vec<(String, i64)>,
}

/// Finds a branch's graph at a glance.
///
/// # Errors
/// When the database does.
pub async fn summary(c: &mut Connection, branch_id: Uuid) -> Result<Option<Summary>, Error> {
    let Some(graph) = find(&mut *c, branch_id).await? else { return Ok(None) };
    let counts = sqlx::query_as(
        "select resource_type, count(*)
        from node
        where branch_id = $1
        group by resource_type
        order by resource_type",
    );
    let counts = counts.bind(branch_id).fetch_all(c).await?;
    Ok(Some(Summary { version: graph.version, errors: graph.errors, warnings: graph.warnings, counts }))
}
