//! Before the first step of a run: whether the target can be used, and what must be there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use dvt_dbt::node::{Node, ResourceType};
use dvt_domain::run::{Attempt, Run};

use crate::project::Loaded;
use crate::targets::{Error, Target, Targets};
use crate::work;

/// How often a target that does not answer is tried.
const TRIES: u32 = 3;
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Is a target that is ready for a run, or why every step is blocked.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(crate) target: Option<Arc<dyn Target>>,
    pub(crate) blocked: BTreeMap<String, String>,
    /// What the end of the run says of it.
    pub(crate) message: Option<String>,
}

/// Makes sure of a run's target: that it answers, is the environment's database, and has the ledger and the schemas.
///
/// # Errors
/// When it cannot be used and an attempt is open: what became of that one can only be read there, so the run waits.
pub(crate) async fn prepare(targets: &Targets, project: &Loaded, run: &Run) -> anyhow::Result<Prepared> {
    let error = match ready(targets, project, run).await {
        Ok(target) => return Ok(Prepared { target: Some(target), ..Prepared::default() }),
        Err(error) => error,
    };
    let is_open = |id: &&String| matches!(run.steps[*id].state, Attempt::Started(_) | Attempt::Unknown(_));
    if let Some(open) = run.order.iter().find(is_open) {
        bail!("what became of {open} can only be read from its target: {error}");
    }
    let message = format!("the target `{}` cannot be used: {error}", project.environment.target);
    let blocked = run.order.iter().map(|id| (id.clone(), message.clone())).collect();
    Ok(Prepared { target: None, blocked, message: Some(message) })
}

async fn ready(targets: &Targets, project: &Loaded, run: &Run) -> Result<Arc<dyn Target>, Error> {
    let target = targets.find(&project.environment.target)?;
    let mut tries = 1;
    loop {
        match made(&*target, project, run).await {
            Ok(()) => return Ok(target),
            Err(Error::Unreachable(_) | Error::Lost(_) | Error::Busy(_)) if tries < TRIES => {
                tokio::time::sleep(PAUSE * tries).await;
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn made(target: &dyn Target, project: &Loaded, run: &Run) -> Result<(), Error> {
    let server = target.connect().await?.describe().await?;
    server.check_database(&project.environment.environment.database)?;
    let is_relation = |id: &str| run.steps[id].planned.relation.is_some();
    let is_kept = |node: &Node| node.resource_type == ResourceType::Test && matches!(work::stored(node), Ok(Some(_)));
    let nodes = run.order.iter().filter_map(|id| project.parsed.find(id));
    let nodes = nodes.filter(|node| is_relation(&node.unique_id) || is_kept(node));
    let schemas: BTreeSet<String> = nodes.map(|node: &Node| project.relation(node).schema).collect();
    target.prepare(&schemas.into_iter().collect::<Vec<_>>()).await
}
