//! The sessions of one run: a step whose outcome is known leaves its session to the next, as opening one takes longer than
//! a small step does.

use std::sync::{Arc, Mutex, PoisonError};

use crate::targets::{Error, Session, Target};

/// Lends sessions of a target to the steps of a run; as many stay open as were lent at once.
pub(crate) struct Sessions {
    target: Arc<dyn Target>,
    left: Mutex<Vec<Box<dyn Session>>>,
}

impl Sessions {
    pub(crate) fn new(target: Arc<dyn Target>) -> Self {
        Self { target, left: Mutex::default() }
    }

    /// Takes a session that another step has left, as good as new, or opens one.
    ///
    /// # Errors
    /// When the target does not answer.
    pub(crate) async fn take(&self) -> Result<Box<dyn Session>, Error> {
        while let Some(mut session) = self.next() {
            match session.reset().await {
                Ok(()) => return Ok(session),
                Err(error) => tracing::debug!(%error, "a session that a step has left is lost"),
            }
        }
        self.target.connect().await
    }

    /// Leaves a session to another step. Not one that somebody may still cancel, nor one that may be in a transaction.
    pub(crate) fn leave(&self, session: Box<dyn Session>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).push(session);
    }

    fn next(&self) -> Option<Box<dyn Session>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}
