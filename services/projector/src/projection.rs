//! Applies events of the log to the views. One file per aggregate; a view is a function of the events of one topic.

mod branch;
mod compilation;
mod project;
mod run;

use dvt_domain::Event;
use dvt_domain::envelope::Topic;
use dvt_log::Log;
use dvt_store::Connection;
use dvt_store::event::Recorded;
use dvt_store::view::{Moment, Place};
use uuid::Uuid;

/// The topics that the views are made of.
pub const TOPICS: [Topic; 3] = [Topic::Project, Topic::Compilation, Topic::Run];

/// Says why an event could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not write the views")]
    Store(#[from] dvt_store::Error),
    #[error("could not read event {position}")]
    Read { position: i64, stream_id: Uuid, source: dvt_log::Error },
}

impl Error {
    /// Answers the stream that cannot go on, where the log's own bytes are why.
    pub fn corrupt_stream(&self) -> Option<Uuid> {
        match self {
            Self::Read { stream_id, source, .. } if source.is_corrupt() => Some(*stream_id),
            Self::Read { .. } | Self::Store(_) => None,
        }
    }

    /// Answers the event that could not be read.
    pub fn position(&self) -> Option<i64> {
        match self {
            Self::Read { position, .. } => Some(*position),
            Self::Store(_) => None,
        }
    }
}

/// Applies events to the views that the connection's search path names.
#[derive(Clone, Default)]
pub struct Projection {
    log: Log,
}

impl Projection {
    /// Applies events, each of which follows all those before it of its topic and partition.
    ///
    /// # Errors
    /// When the database does not answer, or an event cannot be decoded: then those before it are applied.
    pub async fn apply(&self, c: &mut Connection, events: &[Recorded]) -> Result<(), Error> {
        let mut waiting = Waiting::default();
        for recorded in events {
            let (position, stream_id) = (recorded.position, recorded.stream_id);
            let event = match self.log.decode(c, recorded).await {
                Ok(Some(event)) => event,
                // Erased by law: nothing is left to show but that it was.
                Ok(None) => continue,
                Err(source) => {
                    waiting.write(c).await?;
                    return Err(Error::Read { position, stream_id, source });
                }
            };
            let moment = moment(recorded);
            match &event {
                Event::Project(event) => waiting.projects.add(c, moment, event).await?,
                Event::Branch(event) => waiting.edits.add(c, moment, event).await?,
                Event::Compilation(event) => compilation::apply(c, &moment, event).await?,
                Event::Run(event) => waiting.runs.add(c, moment, event).await?,
                Event::Layout(_) => {} // the gateway folds a layout where it shows one
            }
        }
        Ok(waiting.write(c).await?)
    }
}

/// Is what is written together: once a batch, not once an event.
#[derive(Default)]
struct Waiting {
    projects: project::Projects,
    edits: branch::Edits,
    runs: run::Runs,
}

impl Waiting {
    async fn write(&mut self, c: &mut Connection) -> Result<(), dvt_store::Error> {
        self.projects.write(c).await?;
        self.edits.write(c).await?;
        self.runs.write(c).await
    }
}

impl std::fmt::Debug for Projection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Projection")
    }
}

fn moment(recorded: &Recorded) -> Moment {
    Moment {
        stream_id: recorded.stream_id,
        project_id: recorded.project_id.unwrap_or(recorded.stream_id),
        version: recorded.version,
        position: recorded.position,
        actor: recorded.actor.clone(),
        at: recorded.occurred_at,
    }
}

pub(crate) fn place(place: Option<&dvt_dbt::diagnostic::Place>) -> Place {
    place.map_or(Place::NONE, |place| Place {
        path: Some(place.path.to_string()),
        line: i32::try_from(place.line).ok(),
        column: i32::try_from(place.column).ok(),
    })
}
