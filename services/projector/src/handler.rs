//! Joins the projection to the consumer loop.

use std::collections::BTreeMap;

use dvt_bus::view::Announcer;
use dvt_bus::{Handler, HandlerError};
use dvt_codec::ViewAdvanced;
use dvt_runtime::error::chain;
use dvt_store::Tx;
use dvt_store::event::Recorded;

use crate::projection::{Error, Projection};

/// Applies batches of the consumer loop to the views.
#[derive(Debug)]
pub(crate) struct Views {
    projection: Projection,
    announcer: Announcer,
}

impl Views {
    pub(crate) fn new(announcer: Announcer) -> Self {
        Self { projection: Projection::default(), announcer }
    }
}

#[async_trait::async_trait]
impl Handler for Views {
    async fn handle(&mut self, tx: &mut Tx, events: &[Recorded]) -> Result<(), HandlerError> {
        Ok(self.projection.apply(tx, events).await?)
    }

    fn committed(&mut self, events: &[Recorded]) {
        let streams: BTreeMap<_, _> = events.iter().map(|event| (event.stream_id, event)).collect();
        for (stream_id, last) in streams {
            let advanced = ViewAdvanced { projection: "events", stream_id, version: last.version };
            self.announcer.announce(last.project_id.unwrap_or(stream_id), advanced);
        }
    }
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        let stream = error.corrupt_stream();
        let error = chain(&error);
        match stream {
            Some(stream) => Self::Poison { stream, error },
            None => Self::Transient(error),
        }
    }
}
