//! Makes all views anew from the log alone, beside the old ones, and swaps them in one transaction.
//!
//! The live projector goes on meanwhile; only the last transaction, which catches up and swaps, holds it back.

use std::collections::BTreeMap;

use dvt_store::checkpoint::{self, Key};
use dvt_store::event::{self, Recorded};
use dvt_store::view::rebuild;
use dvt_store::{Connection, Store};

use crate::CONSUMER;
use crate::projection::{Error, Projection, TOPICS};

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

/// Makes the views anew and swaps them in.
///
/// # Errors
/// When the database does not answer. The old views stay then.
pub async fn rebuild(store: &Store) -> Result<Rebuilt, Error> {
    rebuild::start(&mut *store.acquire().await?).await?;
    let mut work = Work::default();
    loop {
        let mut tx = store.begin().await?;
        rebuild::use_new(&mut tx).await?;
        let events = event::list_after(&mut tx, work.position, PAGE).await?;
        let is_last = (events.len() as i64) < PAGE;
        work.apply(&mut tx, &events).await?;
        tx.commit().await?;
        if is_last {
            break;
        }
    }
    let mut tx = store.begin().await?;
    rebuild::use_new(&mut tx).await?;
    rebuild::lock_checkpoints(&mut tx, CONSUMER).await?;
    loop {
        let events = event::list_after(&mut tx, work.position, PAGE).await?;
        if events.is_empty() {
            break;
        }
        work.apply(&mut tx, &events).await?;
    }
    for ((topic, partition), position) in &work.heads {
        let key = Key { consumer: CONSUMER.to_owned(), topic: topic.clone(), partition: *partition };
        checkpoint::reset(&mut tx, &key, *position).await?;
    }
    rebuild::finish(&mut tx).await?;
    tx.commit().await?;
    Ok(Rebuilt { events: work.position, broken: work.broken.len() as i64 })
}

#[derive(Default)]
struct Work {
    projection: Projection,
    position: i64,
    heads: BTreeMap<(String, i16), i64>,
    /// Streams that stop at an event that cannot be decoded.
    broken: std::collections::HashSet<uuid::Uuid>,
}

impl Work {
    async fn apply(&mut self, c: &mut Connection, events: &[Recorded]) -> Result<(), Error> {
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
