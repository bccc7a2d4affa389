//! The shells of the artifact service's workers: one compiles, one publishes by its plan.

use std::time::Duration;

use dvt_bus::leases::{COMPILE, PUBLISH};
use dvt_dbt::tree::Sha256;
use dvt_domain::compilation::publishing::{self, Plan, Waiting};
use dvt_domain::compilation::{Command, Compiled, Progress, Publish, PublishSuperseded, Published};
use dvt_mutant::mutant;
use dvt_store::event::{Command as Append, Idempotency, Outcome, Recorded};
use uuid::Uuid;

use crate::appender::Appender;
use crate::db::Job;
use crate::git::Commit;
use crate::worker::{self, Lost};
use crate::world::{Down, Node, Stamp};

const ROUNDS: u32 = 5;

/// Runs one life of the artifact service's workers.
pub(crate) fn start(node: &Node) {
    let appender = Appender::start(node);
    let (compiling, outcomes) = (node.clone(), Outcomes { node: node.clone(), appender: appender.clone() });
    node.spawn(async move {
        let work = |job: Job, _: Lost| compile(outcomes.clone(), job);
        worker::run(compiling, ("compile", COMPILE), work).await;
    });
    let (publishing, outcomes) = (node.clone(), Outcomes { node: node.clone(), appender });
    node.spawn(async move {
        let work = |job: Job, lost: Lost| publish(outcomes.clone(), (job, lost));
        worker::run(publishing, ("publish", PUBLISH), work).await;
    });
}

#[derive(Clone)]
struct Outcomes {
    node: Node,
    appender: Appender,
}

impl Outcomes {
    /// Appends the outcome of a request once, however often it is repeated.
    async fn append(&self, request: &Recorded, outcome: &Command) -> Result<(), Down> {
        for _ in 0..ROUNDS {
            let at = self.node.db(|db, _| db.load(request.stream_id)).await?;
            let Ok(events) = at.compilation().decide(outcome.clone()) else { return Ok(()) };
            let events: Vec<_> = events.into_iter().map(dvt_domain::Event::Compilation).collect();
            let stamp = Stamp {
                project_id: request.project_id.unwrap_or_default(),
                stream_id: request.stream_id,
                actor: "service:artifact".to_owned(),
            };
            let key = Uuid::new_v5(&request.event_id, b"artifact/0");
            let idempotency = Some(Idempotency { key, request_sha256: request.payload_sha256 });
            let events = self.node.encode(&stamp, at.version, &events);
            match self.appender.append(Append { idempotency, events, reserve: false }).await.map_err(|_| Down)? {
                Outcome::Appended { .. } | Outcome::Duplicate { .. } => return Ok(()),
                Outcome::Conflict { .. } => {}
                Outcome::Reserved { stream_id, wait } => self.appender.turn_ended(stream_id, wait).await,
            }
        }
        Err(Down)
    }
}

async fn compile(outcomes: Outcomes, job: Job) -> Result<(), Down> {
    let node = &outcomes.node;
    let request = node.db(|db, _| db.find(job.id).cloned()).await?.ok_or(Down)?;
    node.sim.sleep(node.sim.between(Duration::from_millis(10), Duration::from_millis(800))).await;
    let artifact = Sha256::of(job.stream_id.as_bytes());
    let compiled = Compiled { artifact, compiled: 1, deferred: 0, broken: 0, nodes: Vec::new() };
    outcomes.append(&request, &Command::Finish(compiled)).await
}

async fn publish(outcomes: Outcomes, (job, lost): (Job, Lost)) -> Result<(), Down> {
    let node = &outcomes.node;
    let mut waiting = Vec::new();
    let queued: Vec<Job> = node
        .db(|db, _| db.jobs.values().filter(|other| other.lane == job.lane && !other.is_done).cloned().collect())
        .await?;
    let project_id = node.db(|db, _| db.find(job.id).and_then(|event| event.project_id)).await?.ok_or(Down)?;
    for queued in queued {
        let request = node.db(|db, _| db.find(queued.id).cloned()).await?.ok_or(Down)?;
        let compilation = node.db(|db, _| db.load(queued.stream_id)).await?.compilation();
        let (Publish::Requested(_), Some(asked)) = (&compilation.publish, &compilation.request) else { continue };
        let is_compiling = compilation.progress == Progress::Requested;
        if is_compiling && queued.id == job.id {
            return Err(Down);
        }
        let (branch_version, position) = (asked.branch_version, queued.position);
        waiting.push(Waiting { request, branch_version, position, is_compiling, is_pushed: false });
    }
    let history = standing(node, project_id).await?;
    for waiting in &mut waiting {
        waiting.is_pushed = history.iter().any(|commit| commit.compilation == waiting.request.stream_id);
    }
    waiting.sort_by_key(|waiting| waiting.position);
    let versions: std::collections::BTreeMap<Uuid, i64> =
        waiting.iter().map(|waiting| (waiting.request.stream_id, waiting.branch_version)).collect();
    let last = history.last().map(|commit| commit.version);
    let Plan { late, due } = publishing::plan(waiting, last);
    if let (Some(by_version), false) = (last, lost.get()) {
        for late in &late {
            outcomes.append(late, &Command::Supersede(PublishSuperseded { by_version })).await?;
        }
    }
    if lost.get() {
        return Err(Down);
    }
    node.nap(20);
    let commit = |due: &Recorded| Commit { version: versions[&due.stream_id], compilation: due.stream_id };
    push(node, (project_id, last), due.iter().map(commit).collect()).await?;
    for due in &due {
        let commit = due.stream_id.to_string();
        outcomes.append(due, &Command::Publish(Published { commit, artifacts_commit: None })).await?;
    }
    let done: Vec<Uuid> = late.iter().chain(&due).map(|done| done.event_id).collect();
    node.db(|db, _| {
        if db.claimed(&job).is_some() {
            for id in done {
                if let Some(job) = db.jobs.get_mut(&id) {
                    (job.is_done, job.worker) = (true, None);
                }
            }
        }
    })
    .await
}

async fn standing(node: &Node, project_id: Uuid) -> Result<Vec<Commit>, Down> {
    pause(node).await;
    node.world(|world| if world.git.is_down { Err(Down) } else { Ok(world.git.history(project_id)) })
}

/// Pushes the commits that are not there, on the branch as it is found, if that still ends in `last`.
async fn push(node: &Node, (project_id, last): (Uuid, Option<i64>), due: Vec<Commit>) -> Result<(), Down> {
    let found = standing(node, project_id).await?;
    if found.last().map(|commit| commit.version) != last && !mutant("publisher_pushes_on_any_head") {
        return Err(Down);
    }
    let is_new = |commit: &Commit| !found.iter().any(|known| known.compilation == commit.compilation);
    let new: Vec<Commit> = due.into_iter().filter(is_new).collect();
    pause(node).await;
    let pushed = node.world(|world| !world.git.is_down && world.git.push(project_id, found.len(), new));
    pause(node).await;
    match pushed && !node.sim.chance(3) {
        true => Ok(()),
        false => Err(Down),
    }
}

async fn pause(node: &Node) {
    let longest = Duration::from_millis(if node.world(|world| world.git.is_slow) { 3_000 } else { 100 });
    node.sim.sleep(node.sim.between(Duration::from_millis(1), longest)).await;
}
