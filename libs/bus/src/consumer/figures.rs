//! What a consumer says about itself beside its work: how far it is behind the log, and what it has parked.

use std::time::{Duration, Instant};

use dvt_runtime::metrics;
use dvt_store::{Store, checkpoint, parked_stream};

use super::Options;

/// How often the database is asked.
const EVERY: Duration = Duration::from_secs(5);

/// Reports in its time. Every replica reports the whole: checkpoints are everybody's.
#[derive(Debug)]
pub(super) struct Figures {
    next: Instant,
}

impl Default for Figures {
    fn default() -> Self {
        Self { next: Instant::now() }
    }
}

impl Figures {
    /// Reports where it is time to.
    pub(super) async fn report(&mut self, store: &Store, options: &Options) {
        if Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + EVERY;
        // The loop notices by itself that the database does not answer.
        if let Err(error) = report(store, options).await {
            tracing::debug!(consumer = options.name, %error, "could not look how far the log is ahead");
        }
    }
}

async fn report(store: &Store, options: &Options) -> Result<(), dvt_store::Error> {
    let topics: Vec<_> = options.topics.iter().map(|topic| topic.as_str().to_owned()).collect();
    let mut connection = store.acquire().await?;
    for lag in checkpoint::list_lag(&mut connection, &options.name, &topics).await? {
        let partition = lag.partition.to_string();
        metrics::CONSUMER_LAG.set([&options.name, &lag.topic, &partition], lag.events as f64);
    }
    let parked = parked_stream::list(&mut connection, &options.name).await?;
    metrics::PARKED_STREAMS.set([&options.name], parked.len() as f64);
    Ok(())
}
