//! What an event looks like on Kafka: CloudEvents headers (binary mode), and the payload behind the registry's prefix.
//!
//! The headers hold all that the log knows, so that a record gives back the very row it was made of.

use chrono::{DateTime, SecondsFormat, Utc};
use dvt_store::Sha256;
use dvt_store::event::Recorded;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use sha2::Digest;
use uuid::Uuid;

/// The registry's prefix: a zero, and the schema's id as u32, big-endian.
const PREFIX_BYTES: usize = 5;
/// Names the hash over all other headers: a position that lies would take the checkpoint with it.
const CHECK: &str = "ce_headerssha256";
/// Who sends, as CloudEvents names it.
pub(crate) const SOURCE: &str = "/dvt";

/// Says why a record is not an event of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    #[error("header {0} is missing")]
    Missing(&'static str),
    #[error("header {0} cannot be read")]
    Header(&'static str),
    #[error("the payload has no registry prefix")]
    Prefix,
    #[error("the payload is not the one that its hash names")]
    Payload,
    #[error("the headers are not those that were sent")]
    Headers,
    /// Only the log knows whether it was erased by law.
    #[error("the payload is missing")]
    NoPayload,
}

/// Answers a record's headers.
pub fn headers(event: &Recorded) -> OwnedHeaders {
    let time = |time: &DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    let required = [
        ("ce_specversion", "1.0".to_owned()),
        ("ce_id", event.event_id.to_string()),
        ("ce_type", event.event_type.clone()),
        ("ce_source", SOURCE.to_owned()),
        ("ce_time", time(&event.occurred_at)),
        ("ce_subject", format!("{}/{}", event.category, event.stream_id)),
        ("ce_streamversion", event.version.to_string()),
        ("ce_position", event.position.to_string()),
        ("ce_partitionprev", event.partition_prev.to_string()),
        ("ce_fingerprint", hex::encode(event.schema_fingerprint)),
        ("ce_correlationid", event.correlation_id.to_string()),
        ("ce_actor", event.actor.clone()),
        ("ce_commandid", event.command_id.to_string()),
        ("ce_tenantid", event.tenant_id.to_string()),
        ("ce_recordedtime", time(&event.recorded_at)),
        ("ce_payloadsha256", hex::encode(event.payload_sha256)),
        ("ce_hash", hex::encode(event.hash)),
        ("content-type", "application/avro".to_owned()),
    ];
    let optional = [
        ("ce_projectid", event.project_id.map(|id| id.to_string())),
        ("ce_causationid", event.causation_id.map(|id| id.to_string())),
        ("ce_idempotencykey", event.idempotency_key.map(|id| id.to_string())),
        ("ce_requestsha256", event.request_sha256.map(hex::encode)),
        ("ce_traceparent", event.traceparent.clone()),
    ];
    let optional = optional.into_iter().filter_map(|(key, value)| value.map(|value| (key, value)));
    let insert = |headers: OwnedHeaders, (key, value): (&str, String)| {
        headers.insert(Header { key, value: Some(value.as_bytes()) })
    };
    let headers = required.into_iter().chain(optional).fold(OwnedHeaders::new(), insert);
    let check = hex::encode(checked(&headers));
    insert(headers, (CHECK, check))
}

/// Hashes every header but the hash itself, in their order: each name and value behind its length.
fn checked<H: Headers>(headers: &H) -> Sha256 {
    let mut hash = sha2::Sha256::new();
    for header in headers.iter().filter(|header| header.key != CHECK) {
        for part in [header.key.as_bytes(), header.value.unwrap_or_default()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().into()
}

/// Answers a record's payload: the event's Avro behind the schema's id in the registry. None: erased by law.
pub fn payload(event: &Recorded, schema_id: i32) -> Option<Vec<u8>> {
    event.payload.as_ref().map(|payload| prefixed(payload, schema_id))
}

/// Puts the registry's prefix before a payload.
pub(crate) fn prefixed(payload: &[u8], schema_id: i32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + payload.len());
    bytes.push(0);
    bytes.extend(schema_id.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Answers a record's key: the project, or the stream where there is none.
pub fn key(event: &Recorded) -> Uuid {
    event.project_id.unwrap_or(event.stream_id)
}

/// A record as it came, with the log's name of its topic.
pub struct Incoming<'a, H> {
    pub topic: &'a str,
    pub partition: i16,
    pub headers: Option<&'a H>,
    pub payload: Option<&'a [u8]>,
}

/// Reads the position of a record.
///
/// # Errors
/// When the header is missing or no number.
pub fn position<H: Headers>(headers: Option<&H>) -> Result<i64, Undecodable> {
    Read(headers).parsed("ce_position")
}

/// Reads a record back into the event it was made of.
///
/// # Errors
/// When a header is missing or wrong, or the payload is not the one that was appended.
pub fn decode<H: Headers>(record: &Incoming<'_, H>) -> Result<Recorded, Undecodable> {
    let read = Read(record.headers);
    if record.headers.map(checked) != Some(read.hash(CHECK)?) {
        return Err(Undecodable::Headers);
    }
    let payload_sha256 = read.hash("ce_payloadsha256")?;
    let payload = match record.payload {
        None => return Err(Undecodable::NoPayload),
        Some([0, _, _, _, _, payload @ ..]) if sha2::Sha256::digest(payload)[..] == payload_sha256 => {
            Some(payload.to_vec())
        }
        Some([0, _, _, _, _, ..]) => return Err(Undecodable::Payload),
        Some(_) => return Err(Undecodable::Prefix),
    };
    let subject = read.text("ce_subject")?;
    let (category, stream_id) = subject.split_once('/').ok_or(Undecodable::Header("ce_subject"))?;
    Ok(Recorded {
        position: read.parsed("ce_position")?,
        event_id: read.parsed("ce_id")?,
        category: category.to_owned(),
        stream_id: stream_id.parse().map_err(|_| Undecodable::Header("ce_subject"))?,
        version: read.parsed("ce_streamversion")?,
        tenant_id: read.parsed("ce_tenantid")?,
        project_id: read.optional("ce_projectid", Read::parsed)?,
        topic: record.topic.to_owned(),
        partition: record.partition,
        partition_prev: read.parsed("ce_partitionprev")?,
        event_type: read.text("ce_type")?.to_owned(),
        schema_fingerprint: read.hash("ce_fingerprint")?,
        payload,
        payload_sha256,
        actor: read.text("ce_actor")?.to_owned(),
        command_id: read.parsed("ce_commandid")?,
        correlation_id: read.parsed("ce_correlationid")?,
        causation_id: read.optional("ce_causationid", Read::parsed)?,
        idempotency_key: read.optional("ce_idempotencykey", Read::parsed)?,
        request_sha256: read.optional("ce_requestsha256", Read::hash)?,
        traceparent: read.optional("ce_traceparent", |read, key| read.text(key).map(str::to_owned))?,
        occurred_at: read.parsed("ce_time")?,
        recorded_at: read.parsed("ce_recordedtime")?,
        hash: read.hash("ce_hash")?,
    })
}

struct Read<'a, H>(Option<&'a H>);

impl<'a, H: Headers> Read<'a, H> {
    fn text(&self, key: &'static str) -> Result<&'a str, Undecodable> {
        let found = self.0.and_then(|headers| headers.iter().find(|header| header.key == key));
        let value = found.and_then(|header| header.value).ok_or(Undecodable::Missing(key))?;
        std::str::from_utf8(value).map_err(|_| Undecodable::Header(key))
    }

    fn parsed<T: std::str::FromStr>(&self, key: &'static str) -> Result<T, Undecodable> {
        self.text(key)?.parse().map_err(|_| Undecodable::Header(key))
    }

    fn hash(&self, key: &'static str) -> Result<Sha256, Undecodable> {
        let mut hash = [0; 32];
        hex::decode_to_slice(self.text(key)?, &mut hash).map_err(|_| Undecodable::Header(key))?;
        Ok(hash)
    }

    fn optional<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Self, &'static str) -> Result<T, Undecodable>,
    ) -> Result<Option<T>, Undecodable> {
        match read(self, key) {
            Err(Undecodable::Missing(_)) => Ok(None),
            other => other.map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Recorded {
        let payload = b"avro".to_vec();
        let time = "2026-01-02T03:04:05.000006Z".parse().expect("a time");
        Recorded {
            position: 9,
            event_id: Uuid::now_v7(),
            category: "branch".into(),
            stream_id: Uuid::now_v7(),
            version: 2,
            tenant_id: Uuid::now_v7(),
            project_id: Some(Uuid::now_v7()),
            topic: "dvt.project".into(),
            partition: 3,
            partition_prev: 7,
            event_type: "FileEdited".into(),
            schema_fingerprint: [1; 32],
            payload_sha256: sha2::Sha256::digest(&payload).into(),
            payload: Some(payload),
            actor: "local:Ånn".into(),
            command_id: Uuid::now_v7(),
            correlation_id: Uuid::now_v7(),
            causation_id: None,
            idempotency_key: Some(Uuid::now_v7()),
            request_sha256: Some([2; 32]),
            traceparent: None,
            occurred_at: time,
            recorded_at: time,
            hash: [3; 32],
        }
    }

    fn read_back(headers: &OwnedHeaders, payload: Option<&[u8]>) -> Result<Recorded, Undecodable> {
        decode(&Incoming { topic: "dvt.project", partition: 3, headers: Some(headers), payload })
    }

    #[test]
    fn gives_back_the_row_it_was_made_of() {
        let event = event();
        let bytes = payload(&event, 41).expect("a payload");
        assert_eq!(bytes[..5], [0, 0, 0, 0, 41]);
        assert_eq!(read_back(&headers(&event), Some(&bytes)), Ok(event));
    }

    #[test]
    fn leaves_an_erased_payload_to_the_log() {
        let event = Recorded { payload: None, ..event() };
        assert_eq!(payload(&event, 41), None);
        assert_eq!(read_back(&headers(&event), None), Err(Undecodable::NoPayload));
    }

    #[test]
    fn refuses_headers_that_were_not_sent() {
        let event = event();
        let bytes = payload(&event, 41).expect("a payload");
        let mut lies = OwnedHeaders::new();
        for header in headers(&event).iter() {
            let value = if header.key == "ce_position" { Some(&b"79"[..]) } else { header.value };
            lies = lies.insert(Header { key: header.key, value });
        }
        assert_eq!(read_back(&lies, Some(&bytes)), Err(Undecodable::Headers));
    }

    #[test]
    fn refuses_what_is_not_what_was_appended() {
        let event = event();
        let mut bytes = payload(&event, 41).expect("a payload");
        *bytes.last_mut().expect("a byte") ^= 1;
        assert_eq!(read_back(&headers(&event), Some(&bytes)), Err(Undecodable::Payload));
        assert_eq!(read_back(&headers(&event), Some(b"avro")), Err(Undecodable::Prefix));
        let missing = read_back(&OwnedHeaders::new(), Some(&bytes));
        assert_eq!(missing, Err(Undecodable::Missing(CHECK)));
    }
}
