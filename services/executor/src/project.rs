//! A project as a run or a preview sees it: its files at a version, parsed for an environment, and the way from SQL back
//! to a file.

use std::sync::Arc;

use anyhow::Context;
use dvt_dbt::diagnostic::Place;
use dvt_dbt::jinja::{SourceSpan, copied};
use dvt_dbt::manifest;
use dvt_dbt::node::Node;
use dvt_dbt::parse::{ParseInput, Project as Parsed, parse};
use dvt_dbt::tree::{File, Tree};
use dvt_domain::id::{BranchId, ProjectId};
use dvt_domain::project::{Project, TargetEnvironment};
use dvt_log::Log;
use dvt_store::Connection;
use dvt_store::artifact::Span;

use crate::targets::{Fault, Name};

/// Names what is loaded: both streams' versions, and the environment.
pub(crate) struct Versions<'a> {
    pub(crate) project_id: ProjectId,
    pub(crate) project_version: i64,
    pub(crate) branch_id: BranchId,
    pub(crate) branch_version: i64,
    pub(crate) environment: &'a str,
}

/// Is a project at a version, parsed.
pub(crate) struct Loaded {
    pub(crate) parsed: Parsed,
    pub(crate) environment: TargetEnvironment,
    tree: Tree,
    packages: Tree,
}

/// Loads and parses a project.
///
/// # Errors
/// When the log cannot be read. The inner error: there is no such environment any more.
pub(crate) async fn load(
    log: &Log,
    c: &mut Connection,
    wanted: Versions<'_>,
) -> anyhow::Result<Result<Arc<Loaded>, Fault>> {
    let project = log.load_version::<Project>(c, wanted.project_id.uuid(), wanted.project_version).await?.state;
    let environment = match environment(&project, wanted.environment) {
        Ok(environment) => environment.clone(),
        Err(fault) => return Ok(Err(fault)),
    };
    let root = project.created.context("a project was created")?.root;
    let branch = log.load_branch_version(c, wanted.branch_id, wanted.branch_version).await?.state;
    let read = move || {
        let (tree, packages) = (branch.tree, branch.packages);
        let input = ParseInput { tree: &tree, root: &root, packages: &packages, environment: &environment.environment };
        let parsed = parse(input);
        Loaded { parsed, environment, tree, packages }
    };
    Ok(Ok(Arc::new(tokio::task::spawn_blocking(read).await?)))
}

/// Finds an environment of a project.
pub(crate) fn environment<'a>(project: &'a Project, name: &str) -> Result<&'a TargetEnvironment, Fault> {
    let missing = || Fault::new("ENVIRONMENT_UNKNOWN", format!("the project has no environment `{name}`"));
    project.environments.get(name).ok_or_else(missing)
}

impl Loaded {
    /// Answers a node's relation, folded as the project's quoting lets the database fold it.
    pub(crate) fn relation(&self, node: &Node) -> Name {
        let (schema, identifier) = manifest::stored_name(&self.parsed, node);
        Name::new(schema, identifier)
    }

    /// Finds a file of the project or of a package.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.tree.find(path).or_else(|| self.packages.find(path))
    }

    /// Answers where in a file a byte of a node's SQL comes from.
    pub(crate) fn place(&self, map: &Map, at: usize) -> Option<Place> {
        let (path, span) = map.span(at)?;
        let bytes = match &map.written {
            Some(written) if written.path == path => written.text.as_bytes(),
            Some(_) | None => &self.file(path)?.bytes,
        };
        // What is copied as it is leads to the very byte; what an expression made, to the expression.
        let (start, piece) = (span.source.0, bytes.get(span.source.0..span.source.1)?);
        let byte = start + copied(piece, span.output.1 - span.output.0, at - span.output.0).unwrap_or(0);
        let before = String::from_utf8_lossy(bytes.get(..byte)?);
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
        Some(Place { path: path.into(), line, column })
    }
}

/// Leads from a node's SQL back to the project's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    paths: Vec<String>,
    spans: Vec<Span>,
    /// What was rendered in the place of a file's own text.
    written: Option<Written>,
}

/// Is a text that stands for a file: what an editor holds. Without a node its path is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Map {
    /// Takes the map of an artifact.
    pub(crate) fn of_artifact(paths: &[String], spans: &[Span]) -> Self {
        Self { paths: paths.to_vec(), spans: spans.to_vec(), written: None }
    }

    /// Takes the map of a rendering, which may be that of another text than the file's.
    pub(crate) fn of_rendering(spans: &[SourceSpan], written: Option<Written>) -> Self {
        let mut map = Self { written, ..Self::default() };
        for SourceSpan { output, path, source } in spans {
            let known = map.paths.iter().position(|known| known.as_str() == &**path);
            let path = known.unwrap_or_else(|| {
                map.paths.push(path.to_string());
                map.paths.len() - 1
            });
            map.spans.push(Span { output: (output.start, output.end), path, source: (source.start, source.end) });
        }
        map
    }

    /// Finds the file and the piece that a byte of the SQL comes from.
    fn span(&self, at: usize) -> Option<(&str, &Span)> {
        let after = self.spans.partition_point(|span| span.output.0 <= at);
        let span = self.spans.get(after.checked_sub(1)?)?;
        Some((self.paths.get(span.path)?, span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_from_a_byte_of_the_sql_to_its_piece_of_the_file() {
        let spans = [
            Span { output: (0, 14), path: 0, source: (10, 24) },
            Span { output: (14, 30), path: 0, source: (24, 40) },
            Span { output: (30, 33), path: 1, source: (5, 50) },
        ];
        let map = Map::of_artifact(&["a.sql".into(), "m.sql".into()], &spans);
        assert_eq!(map.span(3), Some(("a.sql", &spans[0])));
        assert_eq!(map.span(31), Some(("m.sql", &spans[2])));
        assert_eq!(Map::default().span(0), None);
    }
}
