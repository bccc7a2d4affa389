//! The log of a step: lines in order, none after the step's end.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use dvt_store::Store;
use dvt_store::step_log::{self, Line, Step};
use uuid::Uuid;

/// The longest line that is kept, in characters; the rest of it is cut.
const LINE_MAX: usize = 10_000;

/// Writes the log of one step.
#[derive(Clone)]
pub(crate) struct StepLog {
    store: Store,
    run_id: Uuid,
    node: Arc<str>,
    attempt: i32,
    waiting: Arc<Mutex<Vec<Waiting>>>,
}

/// Is a line that is not written yet.
struct Waiting {
    at: DateTime<Utc>,
    level: String,
    line: String,
}

impl StepLog {
    pub(crate) fn new(store: &Store, run_id: Uuid, node: &str, attempt: i32) -> Self {
        Self { store: store.clone(), run_id, node: node.into(), attempt, waiting: Arc::default() }
    }

    /// Adds a text, line by line.
    pub(crate) fn add(&self, level: &str, text: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Utc::now();
        // Postgres keeps no NUL in a text.
        let cut = |line: &str| line.chars().filter(|c| *c != '\0').take(LINE_MAX).collect::<String>();
        waiting.extend(text.lines().map(|line| Waiting { at: now, level: level.to_owned(), line: cut(line) }));
    }

    /// Writes what was added. A log that cannot be written does not stop a step.
    pub(crate) async fn flush(&self) {
        let lines = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if lines.is_empty() {
            return;
        }
        if let Err(error) = self.write(lines).await {
            tracing::warn!(run = %self.run_id, node = &*self.node, %error, "could not write a step's log");
        }
    }

    async fn write(&self, lines: Vec<Waiting>) -> Result<(), dvt_store::Error> {
        let step = Step { run_id: self.run_id, node: &self.node };
        let mut connection = self.store.acquire().await?;
        let last = step_log::last_seq(&mut connection, step).await?;
        let line = |(seq, Waiting { at, level, line })| Line { seq, attempt: self.attempt, at, level, line };
        let lines: Vec<Line> = (last + 1..).zip(lines).map(line).collect();
        step_log::append(&mut connection, step, &lines).await
    }
}
