//! Turns decided events into what the store appends: encoded, stamped, with their blobs stored first.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use dvt_dbt::tree::Sha256;
use dvt_domain::id::{ProjectId, TENANT};
use dvt_domain::{Actor, Event};
use dvt_store::event::NewEvent;
use dvt_store::{Connection, Store, blob, schema};
use uuid::Uuid;

use crate::read::{Error, Log};

/// Says who appends, for which project, caused by what; the same for all events of a command.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub project_id: ProjectId,
    pub actor: Actor,
    pub command_id: Uuid,
    pub causation: Causation,
    pub traceparent: Option<String>,
    pub occurred_at: DateTime<Utc>,
}

/// Says what caused a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Causation {
    /// A person; the command starts a chain of its own.
    Person,
    /// An event, whose chain goes on.
    Event { event_id: Uuid, correlation_id: Uuid },
}

/// Holds the events of one stream that a command decided, to follow `version`.
pub struct Decided {
    pub stream_id: Uuid,
    pub version: i64,
    pub events: Vec<Event>,
}

impl Log {
    /// Encodes decided events and stores the blobs that they name.
    ///
    /// # Errors
    /// When the blobs cannot be stored.
    pub async fn prepare(&self, store: &Store, stamp: &Stamp, decided: &[Decided]) -> Result<Vec<NewEvent>, Error> {
        let mut blobs = BTreeMap::new();
        let mut events = Vec::new();
        for stream in decided {
            for (version, event) in (stream.version + 1..).zip(&stream.events) {
                let encoded = dvt_codec::encode(event);
                blobs.extend(encoded.blobs);
                let head = Head { stream_id: stream.stream_id, version, fingerprint: encoded.fingerprint };
                events.push(new_event(stamp, head, event, encoded.payload));
            }
        }
        let bytes: Vec<&[u8]> = blobs.values().map(|bytes| &bytes[..]).collect();
        if !bytes.is_empty() {
            blob::put(&mut *store.acquire().await?, &bytes).await?;
        }
        Ok(events)
    }

    /// Stores every schema of this release beside its fingerprint, as a process does before it first appends.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn publish_schemas(&self, connection: &mut Connection) -> Result<(), Error> {
        let ours = dvt_codec::schema::all().iter();
        let schemas: Vec<_> = ours
            .map(|ours| schema::Schema {
                fingerprint: ours.fingerprint.0,
                name: ours.name.clone(),
                text: ours.text.to_owned(),
            })
            .collect();
        Ok(schema::put(connection, &schemas).await?)
    }
}

struct Head {
    stream_id: Uuid,
    version: i64,
    fingerprint: Sha256,
}

fn new_event(stamp: &Stamp, head: Head, event: &Event, payload: Vec<u8>) -> NewEvent {
    let category = event.category();
    let (correlation_id, causation_id) = match stamp.causation {
        Causation::Person => (stamp.command_id, None),
        Causation::Event { event_id, correlation_id } => (correlation_id, Some(event_id)),
    };
    NewEvent {
        event_id: Uuid::now_v7(),
        category: category.as_str().to_owned(),
        stream_id: head.stream_id,
        version: head.version,
        tenant_id: TENANT,
        project_id: Some(stamp.project_id.uuid()),
        topic: category.topic().as_str().to_owned(),
        event_type: event.name().to_owned(),
        schema_fingerprint: head.fingerprint.0,
        payload,
        actor: stamp.actor.as_str().to_owned(),
        command_id: stamp.command_id,
        correlation_id,
        causation_id,
        traceparent: stamp.traceparent.clone(),
        occurred_at: stamp.occurred_at,
    }
}
