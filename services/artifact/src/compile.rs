//! The compile job: makes the artifact of one version of a branch, stores it, and says so in the log.
//!
//! An artifact that is stored already is not made again. A repetition is a no-op: blobs and artifacts are named by what
//! they hold, and the outcome is appended once.

mod files;
mod inputs;
mod made;

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use dvt_bus::worker::Work;
use dvt_domain::compilation::{Command, Compilation, CompileFailed, CompileRequested, Progress};
use dvt_domain::id::ProjectId;
use dvt_domain::project::Project;
use dvt_runtime::{CancellationToken, metrics};
use dvt_store::artifact::{self, Artifact, ArtifactFile};
use dvt_store::event;
use dvt_store::job::Job;
use dvt_store::{Connection, blob};

use crate::outcome::Outcomes;
use inputs::Inputs;
use made::{Made, finished};

/// Name and version of what compiles.
const COMPILER: &str = concat!("dvt ", env!("CARGO_PKG_VERSION"));
/// How many bytes of files one statement stores, unless a file is larger by itself.
const STORE_BYTES: usize = 4 << 20;

/// Compiles for this service.
pub(crate) struct Compiler {
    pub(crate) outcomes: Outcomes,
}

#[async_trait::async_trait]
impl Work for Compiler {
    async fn work(&self, job: &Job, lost: &CancellationToken) -> anyhow::Result<()> {
        let mut connection = self.outcomes.store.acquire().await?;
        let request = event::find(&mut connection, job.job_id).await?.context("a job's request is in the log")?;
        let state = self.outcomes.log.load::<Compilation>(&mut connection, request.stream_id).await?.state;
        if state.progress != Progress::Requested {
            return Ok(());
        }
        let asked = state.request.context("a compilation was requested")?;
        let inputs = self.inputs(&mut connection, &asked).await?;
        drop(connection);
        let outcome = match inputs {
            Ok(inputs) => self.measured(inputs).await?,
            Err(failed) => Command::Fail(failed),
        };
        ensure!(!lost.is_cancelled(), "the claim is lost");
        self.outcomes.append(&request, &outcome).await
    }
}

impl Compiler {
    /// Loads what is compiled: both streams at exactly the versions that were asked for.
    async fn inputs(
        &self,
        c: &mut Connection,
        asked: &CompileRequested,
    ) -> anyhow::Result<Result<Inputs, CompileFailed>> {
        let log = &self.outcomes.log;
        let project = log.load_version::<Project>(c, asked.project_id.uuid(), asked.project_version).await?.state;
        let branch = log.load_branch_version(c, asked.branch_id, asked.branch_version).await?.state;
        let Some(found) = project.environments.get(&asked.environment) else {
            return Ok(Err(unknown_environment(asked.project_id, &asked.environment)));
        };
        let root = project.created.map(|created| created.root).unwrap_or_default();
        let environment = found.environment.clone();
        Ok(Ok(Inputs { tree: branch.tree, packages: branch.packages, root, environment }))
    }

    async fn measured(&self, inputs: Inputs) -> anyhow::Result<Command> {
        let begun = Instant::now();
        let (how, outcome) = self.artifact(inputs).await?;
        metrics::COMPILE_SECONDS.observe([how], begun.elapsed());
        Ok(outcome)
    }

    /// Makes and stores the artifact of `inputs`, unless it is stored already; answers also which of these it was.
    async fn artifact(&self, inputs: Inputs) -> anyhow::Result<(&'static str, Command)> {
        let key = inputs.key();
        if let Some(index) = artifact::find_index(&mut *self.outcomes.store.acquire().await?, &key.0).await? {
            return Ok(("reused", finished(key, &index)));
        }
        let made = match tokio::task::spawn_blocking(move || made::make(&inputs, key)).await {
            Ok(made) => made,
            Err(error) if error.is_panic() => {
                tracing::error!(%key, "the compiler panicked");
                Made::Failed(panicked())
            }
            Err(error) => return Err(error.into()),
        };
        fail::fail_point!("artifact.compiled");
        match made {
            Made::Failed(failed) => Ok(("failed", Command::Fail(failed))),
            Made::Artifact { index, files } => {
                self.store(key.0, &files).await?;
                fail::fail_point!("artifact.stored");
                Ok(("compiled", finished(key, &index)))
            }
        }
    }

    async fn store(&self, key: dvt_store::Sha256, files: &[(String, Arc<[u8]>)]) -> anyhow::Result<()> {
        let mut stored = Vec::with_capacity(files.len());
        let mut connection = self.outcomes.store.acquire().await?;
        for part in parts(files) {
            let contents: Vec<&[u8]> = part.iter().map(|(_, bytes)| &bytes[..]).collect();
            let hashes = blob::put(&mut connection, &contents).await?;
            stored.extend(part.iter().zip(hashes).map(|((path, bytes), sha256)| ArtifactFile {
                path: path.clone(),
                sha256,
                size: bytes.len() as i64,
            }));
        }
        drop(connection);
        let mut tx = self.outcomes.store.begin().await?;
        let artifact = Artifact { key, compiler: COMPILER.to_owned(), files: stored };
        match artifact::put(&mut tx, &artifact).await {
            Ok(()) => Ok(tx.commit().await?),
            Err(error) => {
                tx.rollback().await?;
                Err(error.into())
            }
        }
    }
}

/// Cuts files into parts that one statement stores.
fn parts(files: &[(String, Arc<[u8]>)]) -> impl Iterator<Item = &[(String, Arc<[u8]>)]> {
    let mut rest = files;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |(_, content): &&(String, Arc<[u8]>)| {
            bytes += content.len();
            bytes <= STORE_BYTES
        };
        let count = rest.iter().take_while(fits).count().max(1).min(rest.len());
        let (part, after) = rest.split_at(count);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

fn unknown_environment(project: ProjectId, name: &str) -> CompileFailed {
    let message = format!("project {project} has no environment `{name}`");
    CompileFailed { code: "ENVIRONMENT_NOT_FOUND".to_owned(), message }
}

fn panicked() -> CompileFailed {
    let message = "the compiler stopped unexpectedly; this is a fault of DVT+, not of the project";
    CompileFailed { code: "INTERNAL".to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_files_in_parts_that_a_statement_can_hold() {
        let file = |size: usize| (String::new(), Arc::from(vec![0; size]));
        let files = [file(STORE_BYTES - 1), file(1), file(1), file(STORE_BYTES + 1), file(1)];
        let sizes: Vec<usize> = parts(&files).map(<[_]>::len).collect();
        assert_eq!(sizes, [2, 1, 1, 1]);
        assert_eq!(parts(&[]).count(), 0);
    }
}
