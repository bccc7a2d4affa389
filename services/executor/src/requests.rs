//! Which events ask for a run.

use dvt_bus::requests::{self, Asked};
use dvt_domain::{Event, run};
use dvt_log::Log;
use dvt_store::Connection;
use dvt_store::event::Recorded;
use dvt_store::job::Kind;

/// Enqueues a job for each request of a run.
pub(crate) struct Runs;

#[async_trait::async_trait]
impl Asked for Runs {
    async fn apply(
        &self,
        c: &mut Connection,
        _: &Log,
        (recorded, event): (&Recorded, Event),
    ) -> Result<(), dvt_log::Error> {
        let Event::Run(run::Event::RunRequested(_)) = event else { return Ok(()) };
        // No two runs build the same relation: the gateway accepts no such request.
        Ok(requests::enqueue(c, recorded, (Kind::Run, None)).await?)
    }
}
