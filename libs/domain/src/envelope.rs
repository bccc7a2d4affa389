//! What the log knows of an event beside its payload: who, when, in which stream, in which partition.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A moment as microseconds since the Unix epoch, as Postgres and Avro keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Names the user or the system that acted: `local:<name>` until there is sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(String);

/// The longest name of an actor, in bytes.
pub const ACTOR_MAX_BYTES: usize = 80;

impl Actor {
    /// Makes the actor of a name that a user gave; None if it is empty, too long or has control characters.
    pub fn local(name: &str) -> Option<Self> {
        let name = name.trim();
        let fits = !name.is_empty() && name.len() <= ACTOR_MAX_BYTES && !name.chars().any(char::is_control);
        fits.then(|| Self(format!("local:{name}")))
    }

    /// Makes the actor of one of our services.
    pub fn service(name: &str) -> Self {
        Self(format!("service:{name}"))
    }

    /// Takes an actor from the log.
    pub fn recorded(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Answers the whole text, prefix included.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names the kind of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    Project,
    Branch,
    Layout,
    Compilation,
    Run,
}

impl Category {
    /// Answers the name as the log keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Branch => "branch",
            Self::Layout => "layout",
            Self::Compilation => "compilation",
            Self::Run => "run",
        }
    }

    /// Answers the topic that carries the events of such streams.
    pub const fn topic(self) -> Topic {
        match self {
            Self::Project | Self::Branch => Topic::Project,
            Self::Layout => Topic::Layout,
            Self::Compilation => Topic::Compilation,
            Self::Run => Topic::Run,
        }
    }
}

/// Names a topic of the log, without the prefix that a broker may put before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    Project,
    Layout,
    Compilation,
    Run,
}

impl Topic {
    /// Every topic of the log.
    pub const ALL: [Self; 4] = [Self::Project, Self::Layout, Self::Compilation, Self::Run];

    /// Answers the name as the log keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "dvt.project",
            Self::Layout => "dvt.layout",
            Self::Compilation => "dvt.compilation",
            Self::Run => "dvt.run",
        }
    }
}

/// Says that a name in the log is not one that this release knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{name}`")]
pub struct Unknown {
    kind: &'static str,
    name: String,
}

impl FromStr for Category {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        [Self::Project, Self::Branch, Self::Layout, Self::Compilation, Self::Run]
            .into_iter()
            .find(|category| category.as_str() == name)
            .ok_or_else(|| Unknown { kind: "category", name: name.to_owned() })
    }
}

impl FromStr for Topic {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        let found = Self::ALL.into_iter().find(|topic| topic.as_str() == name);
        found.ok_or_else(|| Unknown { kind: "topic", name: name.to_owned() })
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The number of partitions of every topic, in every profile, for ever.
pub const PARTITIONS: u16 = 16;

/// Answers the partition of a key: the first 8 bytes of its sha256, big-endian, modulo [`PARTITIONS`].
///
/// The key is the project id, or the stream id where there is no project.
pub fn partition(key: Uuid) -> u16 {
    let digest = Sha256::digest(key.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(first) % u64::from(PARTITIONS)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_partition_of_a_key_for_ever() {
        let partitions: Vec<_> = (0..4).map(|n| partition(Uuid::from_u128(n))).collect();
        assert_eq!(partitions, [5, 11, 8, 6]);
    }

    #[test]
    fn refuses_an_empty_actor() {
        assert_eq!(Actor::local("  "), None);
        assert_eq!(Actor::local(" ada ").map(|actor| actor.as_str().to_owned()), Some("local:ada".to_owned()));
    }
}
