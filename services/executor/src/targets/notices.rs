//! What a server says beside its answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most that is kept between two looks.
const MAX: usize = 200;

/// Is what the server of a session said since somebody last looked, who need not hold the session.
#[derive(Clone, Default)]
pub(crate) struct Notices(Arc<Mutex<Vec<String>>>);

impl Notices {
    /// Keeps what the server said, while there is room.
    pub(crate) fn keep(&self, said: String) {
        let mut kept = self.lock();
        if kept.len() < MAX {
            kept.push(said);
        }
    }

    /// Takes what was kept, oldest first.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
