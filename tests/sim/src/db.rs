//! The simulated Postgres: the model of `append_events`, and what the services keep beside it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use dvt_bus::Slot;
use dvt_bus::relay::cursor::Mark;
use dvt_codec::Decoder;
use dvt_domain::{Event, Topic};
use dvt_store::event::{Command, Outcome, Recorded, partition_of};
use dvt_store::model::Model;
use uuid::Uuid;

use crate::fold::Folded;

/// After how long a transaction that says nothing is ended by the server.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Names a checkpoint: where, and whose.
pub(crate) type Key = (Slot, String);

/// The database.
#[derive(Default)]
pub(crate) struct Db {
    pub(crate) is_down: bool,
    /// Answers get lost.
    pub(crate) is_flaky: bool,
    pub(crate) log: Model,
    decoder: Decoder,
    blobs: dvt_codec::Blobs,
    by_partition: BTreeMap<Slot, Vec<i64>>,
    by_stream: HashMap<Uuid, Vec<i64>>,
    indexed: usize,
    pub(crate) checkpoints: BTreeMap<Key, i64>,
    locks: BTreeMap<Key, (u64, Duration)>,
    pub(crate) views: BTreeMap<Uuid, Folded>,
    /// How often each event was applied to the views.
    pub(crate) applied: BTreeMap<i64, u32>,
    pub(crate) lease: Lease,
    pub(crate) cursors: BTreeMap<(u64, Slot), (Mark, i64)>,
    pub(crate) registry_ids: BTreeSet<String>,
    pub(crate) jobs: BTreeMap<Uuid, Job>,
    pub(crate) projects: Vec<Uuid>,
}

/// The topics that have events here.
pub(crate) const TOPICS: [Topic; 3] = [Topic::Layout, Topic::Compilation, Topic::Run];

/// The relay's lease.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lease {
    pub(crate) holder: u64,
    pub(crate) epoch: i64,
    pub(crate) expires_at: Duration,
}

/// Long work.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: Uuid,
    pub(crate) kind: &'static str,
    pub(crate) lane: Option<String>,
    pub(crate) stream_id: Uuid,
    pub(crate) position: i64,
    pub(crate) is_done: bool,
    pub(crate) attempt: i32,
    pub(crate) worker: Option<u64>,
    pub(crate) due_at: Duration,
}

impl Db {
    pub(crate) fn append<C: std::borrow::Borrow<Command>>(
        &mut self,
        process: Uuid,
        commands: &[C],
        now: DateTime<Utc>,
    ) -> Vec<Outcome> {
        let outcomes = self.log.append(process, commands, now);
        for event in &self.log.events()[self.indexed..] {
            let slot = Slot { topic: event.topic.clone(), partition: event.partition };
            self.by_partition.entry(slot).or_default().push(event.position);
            self.by_stream.entry(event.stream_id).or_default().push(event.position);
        }
        self.indexed = self.log.events().len();
        outcomes
    }

    pub(crate) fn at(&self, position: i64) -> Option<&Recorded> {
        self.log.events().get(usize::try_from(position - 1).ok()?)
    }

    pub(crate) fn find(&self, event_id: Uuid) -> Option<&Recorded> {
        self.log.events().iter().find(|event| event.event_id == event_id)
    }

    pub(crate) fn put_blobs(&mut self, blobs: dvt_codec::Blobs) {
        self.blobs.extend(blobs);
    }

    pub(crate) fn decode(&self, recorded: &Recorded) -> Event {
        let payload = recorded.payload.as_deref().unwrap_or_default();
        let fingerprint = dvt_dbt::tree::Sha256(recorded.schema_fingerprint);
        let decoded = self.decoder.decode(&fingerprint, payload, &self.blobs);
        decoded.expect("invariant: the log holds what we encoded")
    }

    /// Lists the positions of a partition, in order.
    pub(crate) fn partition(&self, slot: &Slot) -> &[i64] {
        self.by_partition.get(slot).map_or(&[], Vec::as_slice)
    }

    /// Lists the slots that have events, with the position of their last.
    pub(crate) fn heads(&self) -> Vec<(Slot, i64)> {
        let head = |(slot, positions): (&Slot, &Vec<i64>)| positions.last().map(|head| (slot.clone(), *head));
        self.by_partition.iter().filter_map(head).collect()
    }

    /// Lists events of a partition after a position.
    pub(crate) fn list(&self, slot: &Slot, after: i64, through: i64, limit: usize) -> Vec<Recorded> {
        let positions = self.partition(slot);
        let from = positions.partition_point(|position| *position <= after);
        let wanted = positions[from..].iter().take_while(|position| **position <= through).take(limit);
        wanted.filter_map(|position| self.at(*position).cloned()).collect()
    }

    /// Folds a stream.
    pub(crate) fn load(&self, stream_id: Uuid) -> Folded {
        let positions = self.by_stream.get(&stream_id).map_or(&[][..], Vec::as_slice);
        positions
            .iter()
            .filter_map(|position| self.at(*position))
            .fold(Folded::default(), |folded, recorded| folded.after(recorded.version, &self.decode(recorded)))
    }

    /// Lists the partitions of all topics that can have events.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let partitions: BTreeSet<i16> = self.projects.iter().map(|project| partition_of(*project)).collect();
        let slot = |topic: Topic, partition: &i16| Slot { topic: topic.as_str().to_owned(), partition: *partition };
        TOPICS.iter().flat_map(|topic| partitions.iter().map(|partition| slot(*topic, partition))).collect()
    }

    pub(crate) fn lowest(&self, slot: &Slot) -> i64 {
        let from = self.checkpoints.range((slot.clone(), String::new())..);
        let of_slot = from.take_while(|((of, _), _)| of == slot);
        of_slot.map(|(_, position)| *position).min().unwrap_or_default()
    }

    /// Locks a checkpoint for a transaction, unless another has it.
    pub(crate) fn lock(&mut self, key: &Key, transaction: u64, now: Duration) -> Option<i64> {
        let is_free = self.locks.get(key).is_none_or(|(holder, at)| *holder == transaction || now > *at + IDLE_TIMEOUT);
        if !is_free {
            return None;
        }
        self.locks.insert(key.clone(), (transaction, now));
        Some(*self.checkpoints.entry(key.clone()).or_default())
    }

    /// Says whether a transaction still has its lock: the server ends one that says nothing for too long.
    pub(crate) fn has_lock(&self, key: &Key, transaction: u64, now: Duration) -> bool {
        self.locks.get(key).is_some_and(|(holder, at)| *holder == transaction && now <= *at + IDLE_TIMEOUT)
    }

    pub(crate) fn unlock(&mut self, key: &Key, transaction: u64) {
        if self.locks.get(key).is_some_and(|(holder, _)| *holder == transaction) {
            self.locks.remove(key);
        }
    }

    /// Takes the relay's lease if it is free, expired or ours.
    pub(crate) fn lead(&mut self, holder: u64, now: Duration, ttl: Duration) -> Option<i64> {
        let lease = &mut self.lease;
        if lease.holder != holder {
            if now < lease.expires_at {
                return None;
            }
            lease.epoch += 1;
        }
        (lease.holder, lease.expires_at) = (holder, now + ttl);
        Some(lease.epoch)
    }

    pub(crate) fn claim(&mut self, kind: &str, worker: u64, now: Duration, ttl: Duration) -> Option<Job> {
        let is_first = |job: &Job| {
            let before = |other: &&Job| other.lane == job.lane && !other.is_done && other.position < job.position;
            job.lane.is_none() || !self.jobs.values().any(|other| before(&other))
        };
        let due = self.jobs.values().filter(|job| job.kind == kind && !job.is_done && job.due_at <= now);
        let id = due.filter(|job| is_first(job)).min_by_key(|job| job.position)?.id;
        let job = self.jobs.get_mut(&id)?;
        (job.attempt, job.worker, job.due_at) = (job.attempt + 1, Some(worker), now + ttl);
        Some(job.clone())
    }

    /// Finds a job that is still claimed as it was.
    pub(crate) fn claimed(&mut self, claim: &Job) -> Option<&mut Job> {
        let is_ours = |job: &&mut Job| !job.is_done && job.worker == claim.worker && job.attempt == claim.attempt;
        self.jobs.get_mut(&claim.id).filter(is_ours)
    }
}
