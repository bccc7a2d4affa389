//! The one writer of the log in a process: batches commands of many callers into few calls, in order.
//!
//! [`machine`] decides; [`Worker`] only does what it is told, on a connection of its own. [`Turns`] lets callers decide
//! commands of one stream one after the other, each on the state that its predecessors leave, without waiting for
//! those to be committed.

mod line;
pub mod machine;
pub mod rounds;
mod turn;
mod worker;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use turn::Submitted;
pub use turn::{RunError, Tip, Turns};
pub use worker::Worker;

use crate::event::{self, Command, Outcome};
use crate::{Retry, Store};

/// How many commands may wait before callers are told that the log is busy.
const QUEUE: usize = 4_096;
/// How often one looks whether another process's turn has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Says why a command was not appended, or may not have been.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The database answered: nothing of the command is in the log.
    #[error("could not append")]
    Refused(#[source] Arc<crate::Error>),
    /// The database did not answer in time. The command may be in the log: repeat it with the same idempotency key.
    #[error("could not reach the log in time")]
    Unavailable,
    #[error("too many commands wait for the log")]
    Busy,
    #[error("the appender has stopped")]
    Stopped,
}

impl Error {
    /// Says whether the same command may be appended later.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Refused(error) => error.retry(),
            Self::Unavailable | Self::Busy | Self::Stopped => Retry::Transient,
        }
    }
}

/// What a caller hears about its command.
pub(crate) type Answer = Result<Outcome, Error>;

struct Submission {
    command: Arc<Command>,
    /// The generation of the stream that the command was decided in; None: decided without a turn.
    decided: Option<(Uuid, u64)>,
    answer: oneshot::Sender<Answer>,
}

/// Appends commands through the process's [`Worker`]. Cloning is cheap.
#[derive(Clone)]
pub struct Appender {
    queue: mpsc::Sender<Submission>,
    generations: Arc<Generations>,
    /// Asks whether turns have ended, and ends ours, beside the worker's calls.
    store: Store,
    process: Uuid,
}

impl Appender {
    /// Makes an appender and its worker, which the caller runs as a task of its own.
    pub fn new(store: &Store) -> (Self, Worker) {
        let (queue, submissions) = mpsc::channel(QUEUE);
        let generations = Arc::new(Generations::default());
        let process = Uuid::now_v7();
        let worker = Worker::new((store.clone(), process), submissions, generations.clone());
        (Self { queue, generations, store: store.clone(), process }, worker)
    }

    /// Appends a command: after those submitted before it, in one call with as many as wait.
    ///
    /// # Errors
    /// When the database refuses or does not answer.
    ///
    /// # Cancel safety
    /// Dropping the future takes nothing back: the command is appended all the same.
    pub async fn append(&self, command: Command) -> Answer {
        self.submit(command, None).await
    }

    /// Waits until another process's turn on a stream has ended: by what it appended, or after `wait`.
    pub async fn turn_ended(&self, stream_id: Uuid, wait: Duration) {
        let end = Instant::now() + wait;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            tokio::time::sleep(left.min(LOOK)).await;
            let reserved = match self.store.acquire().await {
                Ok(mut connection) => event::is_reserved(&mut connection, stream_id, self.process).await,
                Err(error) => Err(error),
            };
            match reserved {
                Ok(false) => return,
                Ok(true) => {}
                Err(error) => tracing::debug!(%error, "could not ask whether a turn has ended"),
            }
        }
    }

    /// Ends this process's turns on streams, soon.
    fn release(&self, streams: HashSet<Uuid>) {
        let (store, process) = (self.store.clone(), self.process);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            for stream_id in streams {
                let released = match store.acquire().await {
                    Ok(mut connection) => event::release_turn(&mut connection, process, stream_id).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = released {
                    tracing::debug!(%error, "could not end a turn; it will run out");
                }
            }
        });
    }

    fn submit(&self, command: Command, decided: Option<(Uuid, u64)>) -> Submitted {
        let (answer, answered) = oneshot::channel();
        match self.queue.try_send(Submission { command: Arc::new(command), decided, answer }) {
            Ok(()) => Submitted::Waiting(answered),
            Err(mpsc::error::TrySendError::Full(_)) => Submitted::Refused(Error::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Submitted::Refused(Error::Stopped),
        }
    }
}

impl std::fmt::Debug for Appender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Appender")
    }
}

/// Counts the losses of streams, so that what was decided before a loss can be told from what was decided after it.
#[derive(Debug, Default)]
struct Generations {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_stream: HashMap<Uuid, u64>,
    /// The generation of every stream that is not listed.
    floor: u64,
}

impl Generations {
    fn of(&self, stream_id: Uuid) -> u64 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_stream.get(&stream_id).copied().unwrap_or(known.floor)
    }

    fn raise(&self, lost: &machine::Lost) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match lost {
            machine::Lost::Stream { stream_id, generation } => {
                known.by_stream.insert(*stream_id, *generation);
            }
            machine::Lost::All { generation } => {
                known.by_stream.clear();
                known.floor = *generation;
            }
        }
    }
}
