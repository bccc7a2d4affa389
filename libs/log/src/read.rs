//! Decodes recorded events, fetching the schemas and blobs that they need.

use std::sync::{Arc, RwLock};

use dvt_codec::{Blobs, Decoder};
use dvt_dbt::tree::Sha256;
use dvt_domain::{Corrupt, Event};
use dvt_store::event::Recorded;
use dvt_store::{Connection, Store, blob, schema};
use uuid::Uuid;

/// Says why events could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read the log")]
    Store(#[from] dvt_store::Error),
    #[error("could not decode event {position}")]
    Decode { position: i64, source: dvt_codec::Error },
    #[error("blob {0} is not stored")]
    MissingBlob(Sha256),
    #[error("schema {0} is not stored")]
    MissingSchema(Sha256),
    #[error("could not read the tree {list}")]
    Tree { list: Sha256, source: dvt_codec::Error },
    #[error("the snapshot of version {version} of stream {stream_id} is not one")]
    Snapshot { stream_id: Uuid, version: i64 },
    #[error("could not apply event {position}")]
    Apply { position: i64, source: Corrupt },
    #[error("the payload of event {position} was erased by law, and its stream needs it")]
    Erased { position: i64 },
    #[error("stream {stream_id} has no version {version}")]
    NoVersion { stream_id: Uuid, version: i64 },
}

impl Error {
    /// Says whether the log itself holds what cannot be read, so that trying again is of no use.
    pub fn is_corrupt(&self) -> bool {
        match self {
            Self::Store(_) => false,
            Self::Decode { .. }
            | Self::MissingBlob(_)
            | Self::MissingSchema(_)
            | Self::Tree { .. }
            | Self::Snapshot { .. }
            | Self::Apply { .. }
            | Self::Erased { .. }
            | Self::NoVersion { .. } => true,
        }
    }
}

/// Reads the log as events of the domain. Cheap to clone; remembers the schemas it has met.
#[derive(Clone, Default)]
pub struct Log {
    decoder: Arc<RwLock<Decoder>>,
}

impl Log {
    /// Decodes one recorded event; None if its payload was erased by law.
    ///
    /// # Errors
    /// When the store cannot be read, or the event cannot be decoded with what the store holds.
    pub async fn decode(&self, connection: &mut Connection, recorded: &Recorded) -> Result<Option<Event>, Error> {
        let position = recorded.position;
        let mut blobs = Blobs::new();
        loop {
            match self.known(recorded, &blobs) {
                Ok(event) => return Ok(event),
                // Every round fetches all that is missing or fails, so the loop ends.
                Err(dvt_codec::Error::MissingBlobs(names)) => fetch(connection, &names, &mut blobs).await?,
                Err(dvt_codec::Error::UnknownSchema(name)) => self.learn(connection, position, name).await?,
                Err(source) => return Err(Error::Decode { position, source }),
            }
        }
    }

    /// Decodes as [`Log::decode`]; takes a connection only where something has to be fetched.
    ///
    /// # Errors
    /// As [`Log::decode`].
    pub async fn decode_from(&self, store: &Store, recorded: &Recorded) -> Result<Option<Event>, Error> {
        match self.known(recorded, &Blobs::new()) {
            Ok(event) => Ok(event),
            Err(_) => self.decode(&mut *store.acquire().await?, recorded).await,
        }
    }

    fn known(&self, recorded: &Recorded, blobs: &Blobs) -> Result<Option<Event>, dvt_codec::Error> {
        let Some(payload) = &recorded.payload else { return Ok(None) };
        let decoder = self.decoder.read().expect("invariant: never poisoned");
        decoder.decode(&Sha256(recorded.schema_fingerprint), payload, blobs).map(Some)
    }

    async fn learn(&self, connection: &mut Connection, position: i64, fingerprint: Sha256) -> Result<(), Error> {
        let found = schema::find(connection, &fingerprint.0).await?;
        let found = found.ok_or(Error::MissingSchema(fingerprint))?;
        let mut decoder = self.decoder.write().expect("invariant: never poisoned");
        decoder.learn(fingerprint, &found.text).map_err(|source| Error::Decode { position, source })
    }
}

/// Adds the named blobs to `blobs`.
pub(crate) async fn fetch(connection: &mut Connection, names: &[Sha256], blobs: &mut Blobs) -> Result<(), Error> {
    let hashes: Vec<_> = names.iter().map(|name| name.0).collect();
    let found = blob::list(connection, &hashes).await?;
    for name in names {
        let bytes = found.get(&name.0).ok_or(Error::MissingBlob(*name))?;
        blobs.insert(*name, bytes.as_slice().into());
    }
    Ok(())
}
