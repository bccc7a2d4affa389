//! Joins the projection to the consumer loop.

use dvt_bus::{Handler, HandlerError};
use dvt_store::Tx;
use dvt_store::event::Recorded;

use crate::projection::{Error, Projection};

/// Applies batches of the consumer loop to the views.
#[derive(Debug, Default)]
pub(crate) struct Views {
    projection: Projection,
}

#[async_trait::async_trait]
impl Handler for Views {
    async fn handle(&mut self, tx: &mut Tx, events: &[Recorded]) -> Result<(), HandlerError> {
        Ok(self.projection.apply(tx, events).await?)
    }
}

impl From<Error> for HandlerError {
    fn from(error: Error) -> Self {
        let stream = error.corrupt_stream();
        let mut reasons = vec![error.to_string()];
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            reasons.push(cause.to_string());
            source = cause.source();
        }
        let error = reasons.join(": ");
        match stream {
            Some(stream) => Self::Poison { stream, error },
            None => Self::Transient(error),
        }
    }
}
