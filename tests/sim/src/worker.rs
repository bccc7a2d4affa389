//! The shell of a worker: claims jobs, keeps each claim alive, and settles it.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use dvt_bus::leases::Lease;
use futures::future::{Either, select};

use crate::db::Job;
use crate::world::{Down, Node};

/// How often an idle worker looks for jobs.
const POLL: Duration = Duration::from_millis(100);
/// The pause after a failure.
const BACKOFF: Duration = Duration::from_millis(500);

/// Is set when a claim is no longer ours.
pub(crate) type Lost = Rc<Cell<bool>>;

/// Claims and works, one job of a kind at a time.
pub(crate) async fn run<F: Future<Output = Result<(), Down>>>(
    node: Node,
    (kind, lease): (&'static str, Lease),
    work: impl Fn(Job, Lost) -> F,
) {
    loop {
        let worker = node.process;
        let claimed = node.db(|db, now| db.claim(kind, worker, now, lease.ttl)).await;
        match claimed {
            Ok(Some(job)) => {
                node.trace(|| format!("claims {kind} {} as attempt {}", job.id, job.attempt));
                node.nap(5);
                attend(&node, lease, &job, |lost| work(job.clone(), lost)).await;
            }
            Ok(None) | Err(Down) => node.sim.sleep(POLL).await,
        }
    }
}

async fn attend<F: Future<Output = Result<(), Down>>>(
    node: &Node,
    lease: Lease,
    job: &Job,
    work: impl FnOnce(Lost) -> F,
) {
    let lost = Lost::default();
    let heart = async {
        loop {
            node.sim.sleep(lease.renew).await;
            let beat = |db: &mut crate::db::Db, now| match db.claimed(job) {
                Some(job) => {
                    job.due_at = now + lease.ttl;
                    true
                }
                None => false,
            };
            if node.db(beat).await == Ok(false) {
                lost.set(true);
                node.sim.sleep(lease.ttl).await;
                return;
            }
        }
    };
    let work = std::pin::pin!(work(lost.clone()));
    let heart = std::pin::pin!(heart);
    let Either::Left((done, _)) = select(work, heart).await else { return };
    node.trace(|| format!("ends job {} with {done:?}", job.id));
    let pause = if lost.get() { Duration::ZERO } else { BACKOFF };
    let settle = |db: &mut crate::db::Db, now| {
        if let Some(job) = db.claimed(job) {
            job.worker = None;
            match done {
                Ok(()) => job.is_done = true,
                Err(Down) => job.due_at = now + pause,
            }
        }
    };
    let _ = node.db(settle).await;
}
