//! Identifiers: UUIDv7, parsed at the edge, hyphenated as text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Says that a text is not a UUIDv7.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a UUIDv7, got `{0}`")]
pub struct Error(String);

macro_rules! id {
    ($(#[$doc:meta] $name:ident),* $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to be one of ours (from the log or just made).
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Answers the UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                match Uuid::try_parse(text) {
                    Ok(uuid) if uuid.get_version_num() == 7 && text.len() == 36 => Ok(Self(uuid)),
                    _ => Err(Error(text.chars().take(80).collect())),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

id! {
    /// Names a project; also its project stream.
    ProjectId,
    /// Names a branch of a project; also its branch stream.
    BranchId,
    /// Names the layout of a branch; also its layout stream.
    LayoutId,
    /// Names a compilation; also its stream.
    CompilationId,
    /// Names a run; also its stream.
    RunId,
}

/// The one tenant there is until there is sign-in.
pub const TENANT: Uuid = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_hyphenated_uuid_v7_only() {
        assert!("0198f6a0-0000-7000-8000-000000000001".parse::<RunId>().is_ok());
        assert!("0198f6a000007000800000000000000 1".parse::<RunId>().is_err());
        assert!("0198f6a0-0000-4000-8000-000000000001".parse::<RunId>().is_err());
        assert!("0198f6a0000070008000000000000001".parse::<RunId>().is_err());
    }
}
