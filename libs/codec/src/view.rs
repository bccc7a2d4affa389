//! What travels on the topic `dvt.view`. It is not in the log, so it is no event of the domain.

use dvt_dbt::tree::Sha256;
use serde::Serialize;
use uuid::Uuid;

use crate::encode::write;

/// Says that a view holds a stream up to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewAdvanced {
    /// `events` or `graph`.
    pub projection: &'static str,
    pub stream_id: Uuid,
    pub version: i64,
}

#[derive(Serialize)]
struct Record<'a> {
    projection: &'a str,
    stream_id: String,
    version: i64,
}

impl ViewAdvanced {
    /// The record's name.
    pub const NAME: &'static str = "ViewAdvanced";

    /// Encodes it with the schema of this release; answers that schema's fingerprint, and the bytes.
    pub fn encode(&self) -> (Sha256, Vec<u8>) {
        let Self { projection, stream_id, version } = *self;
        write("view", Self::NAME, &Record { projection, stream_id: stream_id.to_string(), version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_its_schema() {
        let advanced = ViewAdvanced { projection: "graph", stream_id: Uuid::nil(), version: 3 };
        let expected = [&b"\x0agraph\x48"[..], Uuid::nil().to_string().as_bytes(), b"\x06"].concat();
        assert_eq!(advanced.encode().1, expected);
    }
}
