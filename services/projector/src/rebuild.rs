//! Makes all views anew from the log alone, beside the old ones, and swaps them in one transaction.
//!
//! The live projector goes on meanwhile; only the last transaction, which catches up and swaps, holds it back.

use std::collections::{BTreeMap, HashSet};

use dvt_log::Log;
use dvt_store::checkpoint::{self, Key};
use dvt_store::event::{self, Recorded};
use dvt_store::view::rebuild;
use dvt_store::{Connection, Store, Tx};
use uuid::Uuid;

use crate::CONSUMER;
use crate::graph::{self, Graphs};
use crate::projection::{self, Projection, TOPICS};

/// How many events are applied in one transaction.
const PAGE: i64 = 5_000;

/// Says what a rebuild did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// How many events the log holds.
    pub events: i64,
    /// How many streams hold an event that cannot be decoded: their views stop there.
    pub broken: i64,
}

/// Says why the views could not be made anew; the old ones stay then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not swap the views")]
    Store(#[from] dvt_store::Error),
    #[error("could not apply the log")]
    Apply(#[from] projection::Error),
    #[error("could not make the graphs")]
    Graph(#[from] graph::Error),
}

/// Makes the views anew and swaps them in.
///
/// # Errors
/// When the database does not answer. The old views stay then.
pub async fn rebuild(store: &Store) -> Result<Rebuilt, Error> {
    rebuild::start(&mut *store.acquire().await?).await?;
    let mut work = Work {
        projection: Projection::default(),
        graphs: Graphs::new(Log::default()),
        position: 0,
        heads: BTreeMap::new(),
        broken: HashSet::new(),
    };
    while !work.page(store).await? {}
    // Before the old views are locked: a project may take seconds to parse.
    while work.graph(store).await? {}
    let mut tx = store.begin().await?;
    match work.swap(&mut tx).await {
        Ok(()) => tx.commit().await?,
        Err(error) => {
            tx.rollback().await?;
            return Err(error);
        }
    }
    Ok(Rebuilt { events: work.position, broken: work.broken.len() as i64 })
}

struct Work {
    projection: Projection,
    graphs: Graphs,
    position: i64,
    heads: BTreeMap<(String, i16), i64>,
    /// Streams that stop at an event that cannot be decoded.
    broken: HashSet<Uuid>,
}

impl Work {
    /// Applies one page of the log; true: it was the last.
    async fn page(&mut self, store: &Store) -> Result<bool, Error> {
        let mut tx = store.begin().await?;
        rebuild::use_new(&mut tx).await?;
        let events = event::list_after(&mut tx, self.position, PAGE).await?;
        self.apply(&mut tx, &events).await?;
        tx.commit().await?;
        Ok((events.len() as i64) < PAGE)
    }

    /// Makes one graph; false: all are there.
    async fn graph(&mut self, store: &Store) -> Result<bool, Error> {
        let mut tx = store.begin().await?;
        rebuild::use_new(&mut tx).await?;
        let found = self.graphs.write_next(&mut tx).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Catches up with the log while the live projector waits, and puts the new views in the place of the old ones. What
    /// is edited in these moments gets its graph from the live projector.
    async fn swap(&mut self, tx: &mut Tx) -> Result<(), Error> {
        rebuild::use_new(tx).await?;
        rebuild::lock_checkpoints(tx, CONSUMER).await?;
        loop {
            let events = event::list_after(tx, self.position, PAGE).await?;
            if events.is_empty() {
                break;
            }
            self.apply(tx, &events).await?;
        }
        for ((topic, partition), position) in &self.heads {
            let key = Key { consumer: CONSUMER.to_owned(), topic: topic.clone(), partition: *partition };
            checkpoint::reset(tx, &key, *position).await?;
        }
        fail::fail_point!("projector.rebuilt");
        rebuild::finish(tx).await?;
        Ok(())
    }

    async fn apply(&mut self, c: &mut Connection, events: &[Recorded]) -> Result<(), projection::Error> {
        let mut rest: Vec<Recorded> = Vec::with_capacity(events.len());
        for recorded in events {
            self.position = recorded.position;
            if TOPICS.iter().any(|topic| topic.as_str() == recorded.topic) {
                self.heads.insert((recorded.topic.clone(), recorded.partition), recorded.position);
                rest.push(recorded.clone());
            }
        }
        loop {
            rest.retain(|recorded| !self.broken.contains(&recorded.stream_id));
            match self.projection.apply(c, &rest).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let (Some(stream_id), Some(position)) = (error.corrupt_stream(), error.position()) else {
                        return Err(error);
                    };
                    tracing::error!(%error, %stream_id, position, "a stream's views stop here");
                    self.broken.insert(stream_id);
                    rest.retain(|recorded| recorded.position > position);
                }
            }
        }
    }
}
