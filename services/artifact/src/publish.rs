//! The publish job: brings every waiting version of a project to Git in one push, for ever if need be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use dvt_bus::worker::Work;
use dvt_dbt::tree::{Sha256, Tree};
use dvt_domain::compilation::publishing::{self, Plan};
use dvt_domain::compilation::{
    Command, Compilation, CompileRequested, Progress, Publish, PublishRequested, PublishSuperseded, Published,
};
use dvt_domain::project::Project;
use dvt_runtime::{CancellationToken, metrics, trace};
use dvt_store::event::{self, Recorded};
use dvt_store::job::{self, Job};
use dvt_store::{Connection, artifact, blob};
use tracing::{Instrument, info_span};

use crate::outcome::Outcomes;
use crate::repository::{Base, Commits, Files, Publication, Repository, Standing, Target};

/// The branch that a project publishes to unless it says otherwise.
const DEFAULT_BRANCH: &str = "main";

/// Publishes for this service.
pub(crate) struct Publisher {
    pub(crate) outcomes: Outcomes,
    pub(crate) repository: Arc<dyn Repository>,
}

/// One request that waits.
struct Waiting {
    request: Recorded,
    compiled: CompileRequested,
    asked: PublishRequested,
    progress: Progress,
}

impl Waiting {
    fn is_compiling(&self) -> bool {
        self.progress == Progress::Requested
    }
}

#[async_trait::async_trait]
impl Work for Publisher {
    async fn work(&self, job: &Job, lost: &CancellationToken) -> anyhow::Result<()> {
        let (target, waiting) = self.waiting(job).await?;
        let is_early = |waiting: &Waiting| waiting.request.event_id == job.job_id && waiting.is_compiling();
        anyhow::ensure!(!waiting.iter().any(is_early), "the compilation has not ended yet");
        let Standing { last_version: last, pushed } = self.standing(&target).await?;
        let waiting = waiting.into_iter().map(|waiting| publishing::Waiting {
            branch_version: waiting.compiled.branch_version,
            position: waiting.request.position,
            is_compiling: waiting.is_compiling(),
            is_pushed: pushed.contains(&waiting.request.stream_id),
            request: waiting,
        });
        let Plan { late, due } = publishing::plan(waiting.collect(), last);
        if let (Some(by_version), false) = (last, lost.is_cancelled()) {
            for late in &late {
                let superseded = Command::Supersede(PublishSuperseded { by_version });
                self.outcomes.append(&late.request, &superseded).await?;
            }
        }
        if lost.is_cancelled() {
            bail!("the claim is lost");
        }
        let commits = self.publish(&target, last, &due).await?;
        fail::fail_point!("artifact.pushed");
        for (due, commits) in due.iter().zip(commits) {
            let published = Published { commit: commits.project, artifacts_commit: commits.artifacts };
            self.outcomes.append(&due.request, &Command::Publish(published)).await?;
        }
        let done: Vec<_> = late.iter().chain(&due).map(|done| done.request.event_id).collect();
        let mut connection = self.outcomes.store.acquire().await?;
        job::finish_with(&mut connection, job, &done).await?;
        Ok(())
    }
}

impl Publisher {
    /// Loads the requests of the job's lane that are not answered yet.
    async fn waiting(&self, job: &Job) -> anyhow::Result<(Target, Vec<Waiting>)> {
        let lane = job.lane.as_deref().context("a publish job has a lane")?;
        let mut connection = self.outcomes.store.acquire().await?;
        let mut waiting = Vec::new();
        for queued in job::list_lane(&mut connection, lane).await? {
            waiting.extend(self.load(&mut connection, queued.job_id).await?);
        }
        let project = self.outcomes.log.load::<Project>(&mut connection, job.project_id).await?;
        let branch = project.state.repository.map(|repository| repository.branch);
        let branch = branch.filter(|branch| !branch.is_empty()).unwrap_or_else(|| DEFAULT_BRANCH.to_owned());
        Ok((Target { project_id: job.project_id, branch }, waiting))
    }

    /// Loads one request; None where its stream is finished.
    async fn load(&self, c: &mut Connection, event_id: uuid::Uuid) -> anyhow::Result<Option<Waiting>> {
        let request = event::find(c, event_id).await?.context("a job's request is in the log")?;
        let state = self.outcomes.log.load::<Compilation>(c, request.stream_id).await?.state;
        let Publish::Requested(asked) = state.publish else { return Ok(None) };
        let compiled = state.request.context("a compilation was requested")?;
        Ok(Some(Waiting { request, compiled, asked, progress: state.progress }))
    }

    async fn standing(&self, target: &Target) -> anyhow::Result<Standing> {
        let (repository, target) = (self.repository.clone(), target.clone());
        Ok(tokio::task::spawn_blocking(move || repository.standing(&target)).await??)
    }

    async fn publish(&self, target: &Target, last: Option<i64>, due: &[Waiting]) -> anyhow::Result<Vec<Commits>> {
        let Some(first) = due.first() else { return Ok(Vec::new()) };
        let mut connection = self.outcomes.store.acquire().await?;
        let tree = match last {
            Some(version) => {
                let branch = first.compiled.branch_id;
                self.outcomes.log.load_branch_version(&mut connection, branch, version).await?.state.tree
            }
            None => Tree::default(),
        };
        let base = Base { version: last, tree };
        let mut publications = Vec::new();
        for due in due {
            publications.push(self.publication(&mut connection, due).await?);
        }
        drop(connection);
        let (repository, target) = (self.repository.clone(), target.clone());
        let publish = move || repository.publish(&target, &base, &publications);
        let begun = Instant::now();
        let pushed = tokio::task::spawn_blocking(publish).instrument(trace::child(|| info_span!("push"))).await??;
        metrics::PUSH_SECONDS.observe([], begun.elapsed());
        Ok(pushed)
    }

    async fn publication(&self, c: &mut Connection, due: &Waiting) -> anyhow::Result<Publication> {
        let (branch, version) = (due.compiled.branch_id, due.compiled.branch_version);
        let artifact = match &due.progress {
            Progress::Compiled(compiled) => Some(files(c, compiled.artifact).await?),
            Progress::Failed(_) | Progress::Requested => None,
        };
        Ok(Publication {
            compilation_id: due.request.stream_id,
            version,
            tree: self.outcomes.log.load_branch_version(c, branch, version).await?.state.tree,
            message: due.asked.message.clone(),
            author: due.request.actor.split_once(':').map_or(&*due.request.actor, |(_, name)| name).to_owned(),
            requested_at: due.request.occurred_at,
            artifact,
        })
    }
}

/// Loads the files of an artifact.
async fn files(c: &mut Connection, key: Sha256) -> anyhow::Result<Files> {
    let found = artifact::find(c, &key.0).await?.with_context(|| format!("artifact {key} is not stored"))?;
    let mut files = BTreeMap::new();
    for file in found.files {
        let bytes = blob::find(c, &file.sha256).await?;
        files.insert(file.path, bytes.context("a file of an artifact is stored")?);
    }
    Ok(Files { key, files })
}
