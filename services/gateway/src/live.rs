//! The tail of the log: wakes whoever waits for new events. A notification is a hint, a poll every 100 ms is the way.

use std::time::Duration;

use dvt_runtime::{Signal, metrics};
use dvt_store::{Store, event};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often the head of the log is read where no notification comes.
const POLL: Duration = Duration::from_millis(100);

/// Tells how long the log is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Live {
    head: watch::Receiver<i64>,
}

impl Live {
    /// Makes the tail, and the task that keeps it going until `stop`; `signal` shows whether the log answers.
    pub fn new(
        store: Store,
        signal: Signal,
        stop: CancellationToken,
    ) -> (Self, impl Future<Output = anyhow::Result<()>> + Send) {
        let (sender, head) = watch::channel(0);
        (Self { head }, follow(store, (sender, signal), stop))
    }

    /// Answers the position of the last event that this process knows of.
    pub fn head(&self) -> i64 {
        *self.head.borrow()
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

async fn follow(
    store: Store,
    (head, signal): (watch::Sender<i64>, Signal),
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut listener = None;
    loop {
        if listener.is_none() {
            listener = store.listen().await.ok();
        }
        match read_head(&store).await {
            Ok(position) => {
                metrics::LOG_POSITION.set([], position as f64);
                head.send_if_modified(|known| std::mem::replace(known, position) != position);
                signal.green();
            }
            Err(error) => signal.red(format!("could not read the head of the log: {error}")),
        }
        let woken = async {
            match &mut listener {
                Some(listener) => listener.woken().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = woken => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn read_head(store: &Store) -> Result<i64, dvt_store::Error> {
    event::head(&mut *store.acquire().await?).await
}
