//! Files `index.json` and `source_map.json` of an artifact: what became of each node, and the way back to its files.
//!
//! Responsible for their shape. The executor plans and sends by them, so a field is only ever added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Sha256;

/// Says what became of each node, by its unique_id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Name and version of what compiled it.
    pub compiler: String,
    pub nodes: BTreeMap<String, Node>,
}

/// Says what became of one node. Nodes that are never compiled, as seeds and sources, are not listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Node {
    /// The SQL is final.
    Compiled { sql: File },
    /// Only a run can render the node; what is known already is here.
    Deferred {
        reason: String,
        /// The rendering where `is_incremental()` is false.
        sql: Option<File>,
        /// The rendering where `is_incremental()` is true.
        incremental: Option<File>,
    },
    /// The node cannot be compiled.
    Broken(Broken),
}

/// Says why a node cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// A stable code, e.g. `REF_NOT_FOUND`.
    pub code: String,
    pub message: String,
    pub place: Option<Place>,
}

/// Points into a file of the project. Line and column count from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub path: String,
    pub line: u32,
    pub column: u32,
}

/// Names a file of the artifact that holds SQL; its bytes are the blob of that hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub path: String,
    #[serde(with = "hexadecimal")]
    pub sha256: Sha256,
}

/// Leads from compiled SQL back to the project's files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMap {
    /// The files that spans name by their index in this list.
    pub paths: Vec<String>,
    pub nodes: BTreeMap<String, Spans>,
}

/// Holds the spans of one node's renderings, ascending by output, without overlaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spans {
    pub sql: Vec<Span>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incremental: Vec<Span>,
}

/// Says which bytes of a file produced which bytes of the SQL. Written as five numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[usize; 5]", into = "[usize; 5]")]
pub struct Span {
    pub output: (usize, usize),
    /// The index of the file in [`SourceMap::paths`].
    pub path: usize,
    pub source: (usize, usize),
}

impl From<[usize; 5]> for Span {
    fn from([output_start, output_end, path, source_start, source_end]: [usize; 5]) -> Self {
        Self { output: (output_start, output_end), path, source: (source_start, source_end) }
    }
}

impl From<Span> for [usize; 5] {
    fn from(span: Span) -> Self {
        [span.output.0, span.output.1, span.path, span.source.0, span.source.1]
    }
}

impl Index {
    /// Writes the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("invariant: an index is JSON")
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When the bytes are no index.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl SourceMap {
    /// Writes the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("invariant: a source map is JSON")
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When the bytes are no source map.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// Writes hashes in hexadecimal.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::Sha256;

    pub(super) fn serialize<S: Serializer>(hash: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = hex::decode(&text).map_err(D::Error::custom)?;
        bytes.try_into().map_err(|_| D::Error::custom("a sha256 is 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_as_it_was_written() {
        let file = |path: &str| File { path: path.to_owned(), sha256: [7; 32] };
        let broken = Broken { code: "REF_NOT_FOUND".to_owned(), message: "no node `x`".to_owned(), place: None };
        let deferred = Node::Deferred {
            reason: "is_incremental()".to_owned(),
            sql: Some(file("compiled/shop/models/b.sql")),
            incremental: None,
        };
        let nodes = [
            ("model.shop.a".to_owned(), Node::Compiled { sql: file("compiled/shop/models/a.sql") }),
            ("model.shop.b".to_owned(), deferred),
            ("model.shop.c".to_owned(), Node::Broken(broken)),
        ];
        let index = Index { compiler: "dvt 1".to_owned(), nodes: nodes.into() };
        assert_eq!(Index::from_bytes(&index.to_bytes()).expect("an index"), index);
    }

    #[test]
    fn a_span_is_five_numbers() {
        let span = Span { output: (0, 4), path: 0, source: (10, 14) };
        let spans = Spans { sql: vec![span], incremental: Vec::new() };
        let map =
            SourceMap { paths: vec!["models/a.sql".to_owned()], nodes: [("model.shop.a".to_owned(), spans)].into() };
        let text = r#"{"paths":["models/a.sql"],"nodes":{"model.shop.a":{"sql":[[0,4,0,10,14]]}}}"#;
        assert_eq!(map.to_bytes(), text.as_bytes());
        assert_eq!(SourceMap::from_bytes(text.as_bytes()).expect("a source map"), map);
    }
}
