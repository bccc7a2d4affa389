//! The tail of the log: reads what is new once, for all who wait for it. A notification is a hint, a poll every 100 ms is
//! the way.

mod feed;

use std::time::Duration;

use dvt_runtime::{Pace, Signal, metrics};
use dvt_store::{Store, event};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use feed::{Feed, News};

use feed::Feeds;

/// How often the head of the log is read where no notification comes.
const POLL: Duration = Duration::from_millis(100);
/// How far apart it is read where notifications come close behind each other.
const APART: Duration = Duration::from_millis(5);
/// How many new events are read at once.
const BATCH: i64 = 200;

/// Tells how long the log is, and what is new in projects that somebody follows. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Live {
    head: watch::Receiver<i64>,
    feeds: Feeds,
}

impl Live {
    /// Makes the tail, and the task that keeps it going until `stop`; `signal` shows whether the log answers.
    pub fn new(
        store: Store,
        signal: Signal,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = anyhow::Result<()>> + Send) {
        let (sender, head) = watch::channel(0);
        let feeds = Feeds::default();
        let tail = Tail { store, head: sender, feeds: feeds.clone() };
        (Self { head, feeds }, tail.follow(signal, stop))
    }

    /// Answers the position of the last event that this process knows of.
    pub fn head(&self) -> i64 {
        *self.head.borrow()
    }

    /// Follows a project from now on.
    pub fn feed(&self, project: Uuid) -> Feed {
        self.feeds.open(project)
    }

    /// Waits until the log is longer than `position`, or `patience` is over.
    pub async fn wait(&self, position: i64, patience: Duration) -> Wake {
        let mut head = self.head.clone();
        let longer = head.wait_for(|head| *head > position);
        match tokio::time::timeout(patience, longer).await {
            Ok(Ok(_)) => Wake::Longer,
            Ok(Err(_)) => Wake::Closed,
            Err(_) => Wake::Patience,
        }
    }
}

/// Says why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// There are new events.
    Longer,
    /// The time is over.
    Patience,
    /// This process is stopping.
    Closed,
}

/// Is the task that reads the end of the log.
struct Tail {
    store: Store,
    head: watch::Sender<i64>,
    feeds: Feeds,
}

impl Tail {
    async fn follow(self, signal: Signal, stop: CancellationToken) -> anyhow::Result<()> {
        let mut listener = self.store.listen();
        let mut known = None;
        let mut pace = Pace::new(APART);
        loop {
            pace.begin();
            listener.connect().await;
            match self.read(&mut known).await {
                Ok(position) => {
                    metrics::LOG_POSITION.set([], position as f64);
                    self.head.send_if_modified(|head| std::mem::replace(head, position) != position);
                    signal.green();
                }
                Err(error) => signal.red(format!("could not read the head of the log: {error}")),
            }
            let woken = async {
                pace.next().await;
                listener.woken().await;
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        self.feeds.close();
        Ok(())
    }

    /// Reads on from what is known, and answers where the log ends.
    async fn read(&self, known: &mut Option<i64>) -> Result<i64, dvt_store::Error> {
        let mut connection = self.store.acquire().await?;
        let head = event::head(&mut connection).await?;
        let known = known.get_or_insert(head);
        let projects = self.feeds.begin(*known);
        while *known < head && !projects.is_empty() {
            let read = event::list_projects(&mut connection, &projects, (*known, head), BATCH).await?;
            *known = read.last().filter(|_| read.len() as i64 == BATCH).map_or(head, |last| last.position);
            self.feeds.push(read);
        }
        *known = head;
        Ok(head)
    }
}
