//! The hash chain over the log: its encoding, and the proof that nothing in it was changed.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256 as Hasher};
use uuid::Uuid;

use crate::event::{self, Recorded};
use crate::{Connection, Error, Sha256};

/// The hash before the first event.
pub const GENESIS: Sha256 = [0; 32];
/// What stands for the length of a null.
const NULL: u32 = u32::MAX;
/// The hash of the event that the tests here and of the SQL function share, as the first of a log.
#[doc(hidden)]
pub const VECTOR: &str = "459bb5ff2eba865970ed89c7f97701e4d0b70b7f0b672e5b68f248b78e287c94";
/// How many events a verification holds at a time.
const PAGE: i64 = 1_000;

/// Answers an event's hash: sha256(hash before ‖ metadata ‖ payload_sha256).
pub fn hash(before: &Sha256, event: &Recorded) -> Sha256 {
    let mut link = Link(Hasher::new());
    link.0.update(before);
    link.metadata(event);
    link.0.update(event.payload_sha256);
    link.0.finalize().into()
}

/// Encodes each value as its length (u32 big-endian) and its bytes, into a hasher.
struct Link(Hasher);

impl Link {
    /// All columns but payload and hash, in the order of the table.
    fn metadata(&mut self, event: &Recorded) {
        self.integer(event.position);
        self.id(Some(event.event_id));
        self.bytes(event.category.as_bytes());
        self.id(Some(event.stream_id));
        self.integer(event.version);
        self.id(Some(event.tenant_id));
        self.id(event.project_id);
        self.bytes(event.topic.as_bytes());
        self.integer(i64::from(event.partition));
        self.integer(event.partition_prev);
        self.bytes(event.event_type.as_bytes());
        self.bytes(&event.schema_fingerprint);
        self.bytes(&event.payload_sha256);
        self.bytes(event.actor.as_bytes());
        self.id(Some(event.command_id));
        self.id(Some(event.correlation_id));
        self.id(event.causation_id);
        self.id(event.idempotency_key);
        self.optional(event.request_sha256.as_ref().map(|hash| &hash[..]));
        self.optional(event.traceparent.as_ref().map(|text| text.as_bytes()));
        self.time(event.occurred_at);
        self.time(event.recorded_at);
    }

    fn bytes(&mut self, value: &[u8]) {
        self.0.update((value.len() as u32).to_be_bytes());
        self.0.update(value);
    }

    fn optional(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.bytes(value),
            None => self.0.update(NULL.to_be_bytes()),
        }
    }

    fn integer(&mut self, value: i64) {
        self.bytes(&value.to_be_bytes());
    }

    fn id(&mut self, value: Option<Uuid>) {
        self.optional(value.as_ref().map(|id| &id.as_bytes()[..]));
    }

    fn time(&mut self, value: DateTime<Utc>) {
        self.integer(value.timestamp_micros());
    }
}

/// Says what is wrong with an event of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Positions have no gap, so an event is missing before this one.
    #[error("an event is missing before it")]
    Gap,
    /// The payload is not the one whose hash was recorded.
    #[error("its payload was changed")]
    Payload,
    /// The hash does not follow from the event and the hash before.
    #[error("it, or its hash, was changed")]
    Hash,
}

/// Names the first event that does not fit the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {event_id} at position {position} does not fit the chain: {fault}")]
pub struct Broken {
    pub position: i64,
    pub event_id: Uuid,
    pub fault: Fault,
}

/// Walks the chain, event by event, in the order of positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    position: i64,
    hash: Sha256,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { position: 0, hash: GENESIS }
    }
}

impl Verifier {
    /// Answers the last position that fits, and its hash.
    pub fn tip(&self) -> (i64, Sha256) {
        (self.position, self.hash)
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn next(&mut self, event: &Recorded) -> Result<(), Broken> {
        let broken = |fault| Err(Broken { position: event.position, event_id: event.event_id, fault });
        if event.position != self.position + 1 {
            return broken(Fault::Gap);
        }
        let payload = event.payload.as_ref().map(|payload| Sha256::from(Hasher::digest(payload)));
        if payload.is_some_and(|hash| hash != event.payload_sha256) {
            return broken(Fault::Payload);
        }
        if hash(&self.hash, event) != event.hash {
            return broken(Fault::Hash);
        }
        *self = Self { position: event.position, hash: event.hash };
        Ok(())
    }
}

/// Verifies the log from its first event; answers the last position and its hash, or the first event that is broken.
///
/// # Errors
/// When the database does.
pub async fn verify(c: &mut Connection) -> Result<Result<(i64, Sha256), Broken>, Error> {
    let mut verifier = Verifier::default();
    loop {
        let events = event::list_after(c, verifier.tip().0, PAGE).await?;
        if events.is_empty() {
            return Ok(Ok(verifier.tip()));
        }
        for event in &events {
            if let Err(broken) = verifier.next(event) {
                return Ok(Err(broken));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> Uuid {
        Uuid::from_bytes([byte; 16])
    }

    /// The same event is hashed in SQL by `tests/it/append.rs`.
    fn vector() -> Recorded {
        let payload = b"payload".to_vec();
        Recorded {
            position: 1,
            event_id: id(1),
            category: "branch".to_owned(),
            stream_id: id(2),
            version: 1,
            tenant_id: id(3),
            project_id: Some(id(4)),
            topic: "dvt.project".to_owned(),
            partition: event::partition_of(id(4)),
            partition_prev: 0,
            event_type: "FileEdited".to_owned(),
            schema_fingerprint: [5; 32],
            payload_sha256: Hasher::digest(&payload).into(),
            payload: Some(payload),
            actor: "local:zoë".to_owned(),
            command_id: id(6),
            correlation_id: id(7),
            causation_id: None,
            idempotency_key: Some(id(8)),
            request_sha256: Some([9; 32]),
            traceparent: None,
            occurred_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("in range"),
            recorded_at: DateTime::from_timestamp_micros(1_700_000_001_000_000).expect("in range"),
            hash: GENESIS,
        }
    }

    #[test]
    fn hashes_the_test_vector() {
        assert_eq!(hex::encode(hash(&GENESIS, &vector())), VECTOR);
    }

    #[test]
    fn names_the_event_that_was_changed() {
        let mut event = vector();
        event.hash = hash(&GENESIS, &event);
        assert_eq!(Verifier::default().next(&event), Ok(()));
        event.actor = "local:mallory".to_owned();
        let broken = Verifier::default().next(&event).expect_err("the event was changed");
        assert_eq!((broken.position, broken.fault), (1, Fault::Hash));
    }

    #[test]
    fn verifies_after_a_payload_was_erased() {
        let mut event = vector();
        event.hash = hash(&GENESIS, &event);
        event.payload = None;
        assert_eq!(Verifier::default().next(&event), Ok(()));
        event.payload = Some(b"other".to_vec());
        let broken = Verifier::default().next(&event).expect_err("the payload was changed");
        assert_eq!(broken.fault, Fault::Payload);
    }
}
