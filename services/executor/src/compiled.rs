//! What a run's compilation gave: waits for it, and answers what became of each node.

use std::time::Duration;

use anyhow::Context;
use dvt_domain::compilation::{Compilation, Progress};
use dvt_domain::id::CompilationId;
use dvt_log::Log;
use dvt_runtime::CancellationToken;
use dvt_store::Store;
use dvt_store::artifact::{self, Index, Node, SourceMap};

use crate::bridge::Sql;
use crate::project::Map;
use crate::stream::Stream;

/// How often a compilation is asked for.
const POLL: Duration = Duration::from_millis(100);

/// Is how waiting for a compilation ended.
pub(crate) enum Waited {
    Compiled(Compiled),
    /// Nothing could be compiled, and why.
    Failed(String),
    /// The run was cancelled before.
    Cancelled,
}

/// Is the artifact of a compilation, as far as a run reads it at once.
pub(crate) struct Compiled {
    index: Index,
    map: SourceMap,
}

/// Is how a node comes to its SQL.
pub(crate) enum Source {
    /// The artifact has it.
    Final(Sql),
    /// The run renders it.
    Rendered,
}

/// Waits until a compilation has ended.
///
/// # Errors
/// When the log or the artifact cannot be read, or the claim is lost.
pub(crate) async fn wait(
    (log, store, stream): (&Log, &Store, &Stream),
    compilation: CompilationId,
    lost: &CancellationToken,
) -> anyhow::Result<Waited> {
    loop {
        let mut connection = store.acquire().await?;
        let state = log.load::<Compilation>(&mut connection, compilation.uuid()).await?.state;
        match state.progress {
            Progress::Compiled(compiled) => {
                let key = &compiled.artifact.0;
                let index = artifact::find_index(&mut connection, key).await?;
                let map = artifact::find_source_map(&mut connection, key).await?;
                let (index, map) = index.zip(map).context("an artifact is stored before the log says so")?;
                return Ok(Waited::Compiled(Compiled { index, map }));
            }
            Progress::Failed(failed) => {
                return Ok(Waited::Failed(format!(
                    "the project does not compile: {}: {}",
                    failed.code, failed.message
                )));
            }
            Progress::Requested => drop(connection),
        }
        if stream.refresh().await?.cancel.is_some() {
            return Ok(Waited::Cancelled);
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = lost.cancelled() => anyhow::bail!("the run is given back while it waits for its compilation"),
        }
    }
}

impl Compiled {
    /// Says why a node cannot be compiled; None where it can.
    pub(crate) fn broken(&self, unique_id: &str) -> Option<String> {
        let Some(Node::Broken(broken)) = self.index.nodes.get(unique_id) else { return None };
        let place = broken.place.as_ref();
        let place = place.map_or_else(String::new, |place| format!(" at {}:{}", place.path, place.line));
        Some(format!("is broken: {}{place}: {}", broken.code, broken.message))
    }

    /// Answers a node's SQL, or that the run is to render it.
    ///
    /// # Errors
    /// When the artifact cannot be read.
    pub(crate) async fn source(&self, store: &Store, unique_id: &str) -> anyhow::Result<Source> {
        let Some(Node::Compiled { sql }) = self.index.nodes.get(unique_id) else { return Ok(Source::Rendered) };
        let text = artifact::find_sql(&mut *store.acquire().await?, sql).await?;
        let text = text.with_context(|| format!("the artifact has no file {}", sql.path))?;
        let spans = self.map.nodes.get(unique_id).map(|spans| &spans.sql[..]).unwrap_or_default();
        Ok(Source::Final(Sql { text, map: Map::of_artifact(&self.map.paths, spans) }))
    }
}
