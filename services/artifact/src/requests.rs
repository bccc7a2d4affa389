//! Turns requests of the log into job rows, in the transaction that moves the checkpoint.

use dvt_bus::{Handler, HandlerError};
use dvt_domain::compilation::{Compilation, Event as CompilationEvent};
use dvt_domain::{Category, Event};
use dvt_log::Log;
use dvt_store::event::Recorded;
use dvt_store::job::{self, Kind, NewJob};
use dvt_store::{Connection, Tx};

/// Enqueues a job for each request to compile or publish.
#[derive(Default)]
pub(crate) struct Requests {
    log: Log,
}

#[async_trait::async_trait]
impl Handler for Requests {
    async fn handle(&mut self, tx: &mut Tx, events: &[Recorded]) -> Result<(), HandlerError> {
        for recorded in events.iter().filter(|event| event.category == Category::Compilation.as_str()) {
            self.apply(tx, recorded).await.map_err(|error| poison(recorded, &error))?;
        }
        Ok(())
    }
}

impl Requests {
    async fn apply(&self, c: &mut Connection, recorded: &Recorded) -> Result<(), dvt_log::Error> {
        let Some(Event::Compilation(event)) = self.log.decode(c, recorded).await? else { return Ok(()) };
        match event {
            CompilationEvent::CompileRequested(_) => self.enqueue(c, recorded, (Kind::Compile, None)).await,
            CompilationEvent::PublishRequested(_) => {
                let at = self.log.load_version::<Compilation>(c, recorded.stream_id, recorded.version).await?;
                let lane = at.state.request.map(|request| lane(&request.project_id.uuid()));
                self.enqueue(c, recorded, (Kind::Publish, lane)).await
            }
            // A publish waits for its compilation.
            CompilationEvent::Compiled(_) | CompilationEvent::CompileFailed(_) => {
                Ok(job::wake(c, Kind::Publish, recorded.stream_id).await?)
            }
            CompilationEvent::Published(_) | CompilationEvent::PublishSuperseded(_) => Ok(()),
        }
    }

    async fn enqueue(
        &self,
        c: &mut Connection,
        recorded: &Recorded,
        (kind, lane): (Kind, Option<String>),
    ) -> Result<(), dvt_log::Error> {
        let Some(project_id) = recorded.project_id else { return Ok(()) };
        let job = NewJob {
            job_id: recorded.event_id,
            kind,
            lane,
            project_id,
            stream_id: recorded.stream_id,
            position: recorded.position,
            request: Vec::new(),
        };
        Ok(job::enqueue(c, &job).await?)
    }
}

/// One publisher a repository: its jobs run one at a time, in the order of the log.
fn lane(project_id: &uuid::Uuid) -> String {
    format!("publish/{project_id}")
}

fn poison(recorded: &Recorded, error: &dvt_log::Error) -> HandlerError {
    let sources = std::iter::successors(std::error::Error::source(error), |source| source.source());
    let text = sources.fold(error.to_string(), |text, source| format!("{text}: {source}"));
    match error.is_corrupt() {
        true => HandlerError::Poison { stream: recorded.stream_id, error: text },
        false => HandlerError::Transient(text),
    }
}
