//! Appends what became of a request to its compilation's stream, once however often it is repeated.

use anyhow::{Context, bail};
use dvt_domain::Actor;
use dvt_domain::compilation::{Command, Compilation};
use dvt_domain::id::ProjectId;
use dvt_log::{At, Causation, Decided, Log, Stamp};
use dvt_runtime::{metrics, trace};
use dvt_store::event::{Command as Append, Idempotency, Outcome, Recorded};
use dvt_store::{Appender, Store};
use uuid::Uuid;

/// How often an outcome is decided again because someone else appended first.
const ROUNDS: u32 = 5;

/// Appends outcomes for this service.
#[derive(Clone)]
pub(crate) struct Outcomes {
    pub(crate) log: Log,
    pub(crate) store: Store,
    pub(crate) appender: Appender,
}

impl Outcomes {
    /// Appends the outcome of `request` to its stream; nothing, where the stream has it already.
    pub(crate) async fn append(&self, request: &Recorded, outcome: &Command) -> anyhow::Result<()> {
        for _ in 0..ROUNDS {
            let at: At<Compilation> = self.log.load(&mut *self.store.acquire().await?, request.stream_id).await?;
            let Ok(events) = at.state.decide(outcome.clone()) else { return Ok(()) };
            let events = events.into_iter().map(Into::into).collect();
            let decided = Decided { stream_id: request.stream_id, version: at.version, events };
            let key = Uuid::new_v5(&request.event_id, b"artifact/0");
            let stamp = stamp(request, key)?;
            let events = self.log.prepare(&self.store, &stamp, &[decided]).await?;
            let idempotency = Some(Idempotency { key, request_sha256: request.payload_sha256 });
            match self.appender.append(Append { idempotency, events, reserve: false }).await? {
                Outcome::Appended { .. } => {
                    count(outcome);
                    return Ok(());
                }
                Outcome::Duplicate { .. } => return Ok(()),
                Outcome::Conflict { .. } => {}
                Outcome::Reserved { stream_id, wait } => self.appender.turn_ended(stream_id, wait).await,
            }
        }
        bail!("could not append an outcome to {} in {ROUNDS} rounds", request.stream_id)
    }
}

fn count(outcome: &Command) {
    match outcome {
        Command::Publish(_) => metrics::PUBLISHES.add(["published"], 1),
        Command::Supersede(_) => metrics::PUBLISHES.add(["superseded"], 1),
        Command::Request(_) | Command::Finish(_) | Command::Fail(_) | Command::RequestPublish(_) => {}
    }
}

fn stamp(request: &Recorded, command_id: Uuid) -> anyhow::Result<Stamp> {
    let project_id = request.project_id.context("a compilation belongs to a project")?;
    Ok(Stamp {
        project_id: ProjectId::new(project_id),
        actor: Actor::service("artifact"),
        command_id,
        causation: Causation::Event { event_id: request.event_id, correlation_id: request.correlation_id },
        traceparent: trace::parent().or_else(|| request.traceparent.clone()),
        occurred_at: chrono::Utc::now(),
    })
}
