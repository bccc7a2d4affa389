//! Turns requests of the log into job rows, in the transaction that moves the checkpoint: the handler of every service
//! with workers.

use dvt_domain::Event;
use dvt_log::Log;
use dvt_runtime::error::chain;
use dvt_store::event::Recorded;
use dvt_store::job::{self, Kind};
use dvt_store::{Connection, Tx};

use crate::{Handler, HandlerError};

/// Knows what the events that a service follows ask of its workers.
#[async_trait::async_trait]
pub trait Asked: Send + Sync {
    /// Enqueues what an event asks for, or wakes what waits for it.
    ///
    /// # Errors
    /// When the log cannot be read or the database does not answer.
    async fn apply(&self, c: &mut Connection, log: &Log, event: (&Recorded, Event)) -> Result<(), dvt_log::Error>;
}

/// Handles the events of one consumer by what [`Asked`] says.
pub struct Requests<A> {
    asked: A,
    log: Log,
}

impl<A: Asked> Requests<A> {
    /// Makes a handler that knows no schemas yet.
    pub fn new(asked: A) -> Self {
        Self { asked, log: Log::default() }
    }

    async fn apply(&self, c: &mut Connection, recorded: &Recorded) -> Result<(), dvt_log::Error> {
        match self.log.decode(c, recorded).await? {
            Some(event) => self.asked.apply(c, &self.log, (recorded, event)).await,
            None => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl<A: Asked> Handler for Requests<A> {
    async fn handle(&mut self, tx: &mut Tx, events: &[Recorded]) -> Result<(), HandlerError> {
        for recorded in events {
            self.apply(tx, recorded).await.map_err(|error| sorted(recorded, &error))?;
        }
        Ok(())
    }
}

/// Enqueues the job that an event of a project requests; nothing, where it belongs to none.
///
/// # Errors
/// When the database does.
pub async fn enqueue(
    c: &mut Connection,
    recorded: &Recorded,
    (kind, lane): (Kind, Option<String>),
) -> Result<(), dvt_store::Error> {
    let Some(project_id) = recorded.project_id else { return Ok(()) };
    let job = job::NewJob {
        job_id: recorded.event_id,
        kind,
        lane,
        project_id,
        stream_id: recorded.stream_id,
        position: recorded.position,
        request: Vec::new(),
    };
    job::enqueue(c, &job).await
}

/// Tells what the log's own bytes are the cause of from what may pass.
fn sorted(recorded: &Recorded, error: &dvt_log::Error) -> HandlerError {
    match error.is_corrupt() {
        true => HandlerError::Poison { stream: recorded.stream_id, error: chain(error) },
        false => HandlerError::Transient(chain(error)),
    }
}
