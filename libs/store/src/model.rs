//! What `append_events` does, in memory: the log that simulation runs on. A test compares the two on random batches.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use dvt_mutant::mutant;
use sha2::{Digest, Sha256 as Hasher};
use uuid::Uuid;

use crate::Sha256;
use crate::chain;
use crate::event::{Command, NewEvent, Outcome, Recorded, partition_of};

/// How long a stream's turn is reserved at most.
const TURN: chrono::TimeDelta = chrono::TimeDelta::seconds(3);
/// What Postgres keeps of a second.
const MICROSECONDS: u16 = 6;

/// A log in memory.
#[derive(Clone, Debug, Default)]
pub struct Model {
    events: Vec<Recorded>,
    by_id: HashMap<Uuid, i64>,
    by_key: HashMap<(String, Uuid), (i64, Sha256)>,
    versions: HashMap<Uuid, i64>,
    turns: HashMap<Uuid, (Uuid, DateTime<Utc>)>,
    partition_heads: HashMap<(String, i16), i64>,
}

impl Model {
    /// Lists the events in the order of their positions.
    pub fn events(&self) -> &[Recorded] {
        &self.events
    }

    /// Appends commands in order, each by itself, at the moment `now`. No two of them may have the same event ids or
    /// the same idempotency key of the same actor.
    pub fn append<C: Borrow<Command>>(&mut self, process: Uuid, commands: &[C], now: DateTime<Utc>) -> Vec<Outcome> {
        let (mut lost, mut reserved) = (HashSet::new(), HashSet::new());
        let known = self.events.len();
        let outcomes = commands
            .iter()
            .map(|command| {
                let outcome = self.append_one(process, command.borrow(), now, &mut lost);
                if let (true, Outcome::Conflict { stream_id, .. }) = (command.borrow().reserve, &outcome) {
                    reserved.insert(*stream_id);
                }
                outcome
            })
            .collect();
        // A turn ends with an append, also with one of the same call.
        let appended: HashSet<_> = self.events[known..].iter().map(|event| event.stream_id).collect();
        for stream_id in reserved.difference(&appended).filter(|stream_id| self.versions.contains_key(stream_id)) {
            self.turns.insert(*stream_id, (process, now + TURN));
        }
        outcomes
    }

    /// Ends a process's turn on a stream, as `release_turn` does.
    pub fn release(&mut self, process: Uuid, stream_id: Uuid) {
        if self.turns.get(&stream_id).is_some_and(|(holder, _)| *holder == process) {
            self.turns.remove(&stream_id);
        }
    }

    /// Says whether another process than `process` has a stream's turn at the moment `now`.
    pub fn is_reserved(&self, stream_id: Uuid, process: Uuid, now: DateTime<Utc>) -> bool {
        self.turns.get(&stream_id).is_some_and(|(holder, until)| *holder != process && *until > now)
    }

    fn append_one(
        &mut self,
        process: Uuid,
        command: &Command,
        now: DateTime<Utc>,
        lost: &mut HashSet<Uuid>,
    ) -> Outcome {
        let count = command.events.len() as i64;
        if let Some(&first) = command.events.first().and_then(|event| self.by_id.get(&event.event_id)) {
            return Outcome::Appended { first, last: first + count - 1 };
        }
        let outcome = match self.find_duplicate(command) {
            Some(duplicate) => duplicate,
            None => match self.find_loser(process, command, now, lost) {
                Some(loss) => loss,
                None => {
                    let first = self.events.len() as i64 + 1;
                    self.record(command, now);
                    return Outcome::Appended { first, last: first + count - 1 };
                }
            },
        };
        lost.extend(command.events.iter().map(|event| event.stream_id));
        outcome
    }

    fn find_duplicate(&self, command: &Command) -> Option<Outcome> {
        let idempotency = command.idempotency.as_ref().filter(|_| !mutant("append_ignores_keys"))?;
        let actor = command.events.first()?.actor.clone();
        let (first, request_sha256) = self.by_key.get(&(actor, idempotency.key))?;
        Some(Outcome::Duplicate { first: *first, same_request: *request_sha256 == idempotency.request_sha256 })
    }

    fn find_loser(
        &self,
        process: Uuid,
        command: &Command,
        now: DateTime<Utc>,
        lost: &HashSet<Uuid>,
    ) -> Option<Outcome> {
        let mut versions: HashMap<Uuid, i64> = HashMap::new();
        for event in &command.events {
            let stream_id = event.stream_id;
            let actual = self.versions.get(&stream_id).copied().unwrap_or(0);
            let version = versions.entry(stream_id).or_insert(actual);
            let turn = self.turns.get(&stream_id).filter(|(holder, until)| *holder != process && *until > now);
            if let Some((_, until)) = turn {
                let millis = (*until - now).num_microseconds().unwrap_or(0).cast_unsigned().div_ceil(1_000);
                return Some(Outcome::Reserved { stream_id, wait: Duration::from_millis(millis) });
            }
            let fits = event.version == *version + 1 || mutant("append_ignores_versions");
            if lost.contains(&stream_id) || !fits {
                let of_stream = command.events.iter().filter(|event| event.stream_id == stream_id);
                let expected = of_stream.map(|event| event.version).min().map_or(0, |version| version - 1);
                let actual = if lost.contains(&stream_id) { expected } else { actual };
                return Some(Outcome::Conflict { stream_id, expected, actual });
            }
            *version += 1;
        }
        None
    }

    fn record(&mut self, command: &Command, now: DateTime<Utc>) {
        for (ordinal, event) in command.events.iter().enumerate() {
            let position = self.events.len() as i64 + 1;
            let partition = partition_of(event.project_id.unwrap_or(event.stream_id));
            let head = self.partition_heads.entry((event.topic.clone(), partition)).or_default();
            let partition_prev = std::mem::replace(head, position);
            let mut recorded = recorded(event, now);
            recorded.position = position;
            recorded.partition = partition;
            recorded.partition_prev =
                if mutant("append_forgets_the_partition_before") { position - 1 } else { partition_prev };
            if let (0, Some(idempotency)) = (ordinal, &command.idempotency) {
                recorded.idempotency_key = Some(idempotency.key);
                recorded.request_sha256 = Some(idempotency.request_sha256);
                let key = (event.actor.clone(), idempotency.key);
                self.by_key.insert(key, (position, idempotency.request_sha256));
            }
            let last = self.events.last().filter(|_| !mutant("append_hashes_each_event_alone"));
            let before = last.map_or(chain::GENESIS, |last| last.hash);
            recorded.hash = chain::hash(&before, &recorded);
            self.by_id.insert(event.event_id, position);
            self.versions.insert(event.stream_id, event.version);
            self.turns.remove(&event.stream_id);
            self.events.push(recorded);
        }
    }
}

fn recorded(event: &NewEvent, now: DateTime<Utc>) -> Recorded {
    let event = event.clone();
    Recorded {
        position: 0,
        event_id: event.event_id,
        category: event.category,
        stream_id: event.stream_id,
        version: event.version,
        tenant_id: event.tenant_id,
        project_id: event.project_id,
        topic: event.topic,
        partition: 0,
        partition_prev: 0,
        event_type: event.event_type,
        schema_fingerprint: event.schema_fingerprint,
        payload_sha256: Hasher::digest(&event.payload).into(),
        payload: Some(event.payload),
        actor: event.actor,
        command_id: event.command_id,
        correlation_id: event.correlation_id,
        causation_id: event.causation_id,
        idempotency_key: None,
        request_sha256: None,
        traceparent: event.traceparent,
        occurred_at: event.occurred_at.trunc_subsecs(MICROSECONDS),
        recorded_at: now.trunc_subsecs(MICROSECONDS),
        hash: chain::GENESIS,
    }
}
