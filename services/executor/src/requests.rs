//! Turns requests of the log into job rows, in the transaction that moves the checkpoint.

use dvt_bus::{Handler, HandlerError};
use dvt_domain::{Event, run};
use dvt_log::Log;
use dvt_store::event::Recorded;
use dvt_store::job::{self, Kind, NewJob};
use dvt_store::{Connection, Tx};

/// Enqueues a job for each request of a run.
#[derive(Default)]
pub(crate) struct Requests {
    log: Log,
}

#[async_trait::async_trait]
impl Handler for Requests {
    async fn handle(&mut self, tx: &mut Tx, events: &[Recorded]) -> Result<(), HandlerError> {
        for recorded in events {
            if let Some(job) = self.job(tx, recorded).await.map_err(|error| sorted(recorded, &error))? {
                job::enqueue(tx, &job).await?;
            }
        }
        Ok(())
    }
}

impl Requests {
    async fn job(&self, c: &mut Connection, recorded: &Recorded) -> Result<Option<NewJob>, dvt_log::Error> {
        let Some(Event::Run(run::Event::RunRequested(request))) = self.log.decode(c, recorded).await? else {
            return Ok(None);
        };
        Ok(Some(NewJob {
            job_id: recorded.event_id,
            kind: Kind::Run,
            // No two runs build the same relation: the gateway accepts no such request.
            lane: None,
            project_id: request.project_id.uuid(),
            stream_id: recorded.stream_id,
            position: recorded.position,
            request: Vec::new(),
        }))
    }
}

fn sorted(recorded: &Recorded, error: &dvt_log::Error) -> HandlerError {
    let sources = std::iter::successors(std::error::Error::source(error), |source| source.source());
    let text = sources.fold(error.to_string(), |text, source| format!("{text}: {source}"));
    match error.is_corrupt() {
        true => HandlerError::Poison { stream: recorded.stream_id, error: text },
        false => HandlerError::Transient(text),
    }
}
