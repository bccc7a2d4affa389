//! What can go wrong with a target, sorted by what is then known of the effect.

use dvt_domain::run::verdict::Known;

/// The database's code for a statement that was ended, by a limit or by someone.
const QUERY_CANCELED: &str = "57014";

/// Is a problem with a stable code that no repetition heals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Is what the database said of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Its message, with detail and hint on lines of their own.
    pub(crate) message: String,
    pub(crate) sqlstate: String,
    /// Where in the node's own SQL, in bytes.
    pub(crate) at: Option<usize>,
    /// The config that says what the statement holds beside the node's own SQL.
    pub(crate) config: Option<&'static str>,
}

impl Refusal {
    /// Says whether the statement took longer than it may.
    pub(crate) fn is_timeout(&self) -> bool {
        self.sqlstate == QUERY_CANCELED
    }
}

/// Says why work on a target did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The database refused a statement; its transaction had no effect.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The database refused for a moment; its transaction had no effect and can be tried again.
    #[error("{}", .0.message)]
    Busy(Refusal),
    /// A cancel was heard; the transaction had no effect.
    #[error("cancelled")]
    Cancelled,
    /// The session ended before its answer: the effect must be read from the target.
    #[error("the connection to the target was lost: {0}")]
    Lost(String),
    /// The ledger has the step already: its effect was committed by another attempt.
    #[error("the step was committed already")]
    Committed,
    /// The target did not answer at all; nothing was sent.
    #[error("could not reach the target: {0}")]
    Unreachable(String),
    /// What was asked cannot be done, now or later; nothing was sent, or the transaction had no effect.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Error {
    /// Says what is known of the effect of what was sent.
    pub(crate) fn known(&self) -> Known {
        match self {
            Self::Refused(_) | Self::Fault(_) => Known::Refused,
            Self::Busy(_) | Self::Unreachable(_) => Known::Busy,
            Self::Cancelled => Known::Cancelled,
            Self::Lost(_) | Self::Committed => Known::Nothing,
        }
    }
}
