//! Which events ask for a compilation or a publish.

use dvt_bus::requests::{self, Asked};
use dvt_domain::Event;
use dvt_domain::compilation::{Compilation, Event as CompilationEvent};
use dvt_log::Log;
use dvt_store::Connection;
use dvt_store::event::Recorded;
use dvt_store::job::{self, Kind};

/// Enqueues a job for each request to compile or publish.
pub(crate) struct Compilations;

#[async_trait::async_trait]
impl Asked for Compilations {
    async fn apply(
        &self,
        c: &mut Connection,
        log: &Log,
        (recorded, event): (&Recorded, Event),
    ) -> Result<(), dvt_log::Error> {
        let Event::Compilation(event) = event else { return Ok(()) };
        match event {
            CompilationEvent::CompileRequested(_) => requests::enqueue(c, recorded, (Kind::Compile, None)).await?,
            CompilationEvent::PublishRequested(_) => {
                let at = log.load_version::<Compilation>(c, recorded.stream_id, recorded.version).await?;
                let lane = at.state.request.map(|request| lane(&request.project_id.uuid()));
                requests::enqueue(c, recorded, (Kind::Publish, lane)).await?;
            }
            // A publish waits for its compilation.
            CompilationEvent::Compiled(_) | CompilationEvent::CompileFailed(_) => {
                job::wake(c, Kind::Publish, recorded.stream_id).await?;
            }
            CompilationEvent::Published(_) | CompilationEvent::PublishSuperseded(_) => {}
        }
        Ok(())
    }
}

/// One publisher a repository: its jobs run one at a time, in the order of the log.
fn lane(project_id: &uuid::Uuid) -> String {
    format!("publish/{project_id}")
}
