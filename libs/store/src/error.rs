//! What can go wrong between us and our Postgres, and whether trying again may help.

/// Says whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    Transient,
    Permanent,
}

/// Says why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not reach the database")]
    Unreachable(#[source] sqlx::Error),
    #[error("the database is busy or restarting")]
    Busy(#[source] sqlx::Error),
    /// A named rule of the database; the name is stable and says which.
    #[error("the database refused to break its rule {constraint}")]
    Constraint {
        constraint: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("could not run a statement")]
    Statement(#[source] sqlx::Error),
    #[error("could not migrate the database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("could not read the database's address")]
    Address(#[source] sqlx::Error),
    #[error("a command has no event")]
    EmptyCommand,
    #[error("could not understand what append_events answered: {0}")]
    Answer(String),
    #[error("could not read {path} of an artifact: {reason}")]
    Artifact { path: String, reason: String },
}

impl Error {
    /// Makes the error of a database that does not answer, for those who did not ask it, and for simulation.
    pub fn unreachable() -> Self {
        Self::Unreachable(sqlx::Error::PoolTimedOut)
    }

    /// Says whether the same call may succeed later.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unreachable(_) | Self::Busy(_) => Retry::Transient,
            Self::Constraint { .. }
            | Self::Statement(_)
            | Self::Migrate(_)
            | Self::Address(_)
            | Self::EmptyCommand
            | Self::Answer(_)
            | Self::Artifact { .. } => Retry::Permanent,
        }
    }

    /// Says what keeps the database from answering, where it said so itself: the rest of a sentence about it.
    pub fn cause(&self) -> &'static str {
        let (Self::Unreachable(error) | Self::Busy(error)) = self else { return "does not answer" };
        match error.as_database_error().and_then(|error| error.code()).as_deref() {
            Some("53100") => "has no room left on its disk",
            Some("53200") => "has no memory left",
            Some("53300") => "has no connection left",
            Some("55P03") => "waits for a lock that another session holds",
            Some("57014") => "took too long",
            Some("57P01" | "57P02" | "57P03") => "is restarting",
            Some(_) | None => "does not answer",
        }
    }

    /// Names the database's rule that the call would have broken.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Constraint { constraint, .. } => Some(constraint),
            Self::Unreachable(_)
            | Self::Busy(_)
            | Self::Statement(_)
            | Self::Migrate(_)
            | Self::Address(_)
            | Self::EmptyCommand
            | Self::Answer(_)
            | Self::Artifact { .. } => None,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Self::Unreachable(error),
                _ => Self::Statement(error),
            };
        };
        let code = database.code().unwrap_or_default().into_owned();
        if let Some(constraint) = database.constraint() {
            return Self::Constraint { constraint: constraint.to_owned(), source: error };
        }
        if code == "57014" {
            return Self::Busy(error); // cancelled by statement_timeout
        }
        match &code[..code.len().min(2)] {
            // Connection exception; operator intervention (shutdown, crash).
            "08" | "57" => Self::Unreachable(error),
            // Transaction rollback; insufficient resources; lock not available; idle-in-transaction timeout.
            "40" | "53" | "55" | "25" => Self::Busy(error),
            _ => Self::Statement(error),
        }
    }
}
