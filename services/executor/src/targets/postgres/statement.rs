//! A statement that carries a node's own SQL, and what an error in it means.

use std::ops::Range;

use dvt_runtime::error::chain;
use dvt_runtime::trace;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};
use tracing::{Span, info_span};

use crate::targets::{Error, Refusal};

/// Is a statement to send.
#[derive(Clone, Debug, Default)]
pub(super) struct Statement {
    pub(super) text: String,
    /// Where the node's own SQL stands in it, in bytes.
    own: Range<usize>,
}

impl Statement {
    /// Makes a statement of our own words only.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), own: 0..0 }
    }

    /// Makes a statement around a node's SQL, which keeps lines of its own: it may end in a comment.
    pub(super) fn around(before: &str, sql: &str, after: &str) -> Self {
        let start = before.len() + 1;
        Self { text: format!("{before}\n{sql}\n{after}"), own: start..start + sql.len() }
    }

    /// Makes the span of the statement. It says what kind of statement it is, never its text, which may hold data.
    pub(super) fn span(&self) -> Span {
        trace::child(|| {
            info_span!("statement", otel.name = self.kind(), otel.kind = "client", db.system.name = "postgresql")
        })
    }

    fn kind(&self) -> String {
        let words = self.text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(str::to_ascii_lowercase).take(2).collect();
        match words.first().map(String::as_str) {
            Some("create" | "alter" | "drop" | "insert") => words.join(" "),
            Some(word) => word.to_owned(),
            None => "statement".to_owned(),
        }
    }

    /// Sorts what the driver said by what is then known of the effect.
    pub(super) fn error(&self, error: &tokio_postgres::Error) -> Error {
        match error.as_db_error() {
            Some(said) => self.said(said),
            None => Error::Lost(chain(error)),
        }
    }

    fn said(&self, said: &DbError) -> Error {
        let refusal = Refusal {
            message: message(said),
            sqlstate: said.code().code().to_owned(),
            at: said.position().and_then(|position| self.at(position)),
            config: None,
        };
        match said.code() {
            &SqlState::QUERY_CANCELED if said.message().ends_with("due to user request") => Error::Cancelled,
            &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED | &SqlState::LOCK_NOT_AVAILABLE => {
                Error::Busy(refusal)
            }
            &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
                Error::Lost(refusal.message)
            }
            code if code.code().starts_with("08") => Error::Lost(refusal.message),
            _ => Error::Refused(refusal),
        }
    }

    /// Answers where in the node's SQL a position of the statement is.
    fn at(&self, position: &ErrorPosition) -> Option<usize> {
        // Postgres counts characters from 1.
        let ErrorPosition::Original(position) = position else { return None };
        let (byte, _) = self.text.char_indices().nth((*position as usize).checked_sub(1)?)?;
        self.own.contains(&byte).then(|| byte - self.own.start)
    }
}

/// Writes a database's message with its detail and hint.
pub(super) fn message(said: &DbError) -> String {
    let mut text = said.message().to_owned();
    for (label, more) in [("detail", said.detail()), ("hint", said.hint()), ("context", said.where_())] {
        if let Some(more) = more {
            text.push_str(&format!("\n{label}: {more}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_kind_of_a_statement_and_nothing_of_its_data() {
        let kind = |sql: &str| Statement::plain(sql).kind();
        assert_eq!(kind("Create  VIEW \"secret\" as (select 1)"), "create view");
        assert_eq!(kind("select secret from t"), "select");
        assert_eq!(kind("--\n;"), "statement");
    }

    #[test]
    fn finds_the_place_in_the_nodes_own_sql() {
        let statement = Statement::around("create view \"ö\" as (", "select ä, b", ")");
        let (at, _) = statement.text.char_indices().enumerate().find(|(_, (_, c))| *c == 'b').expect("b");
        assert_eq!(statement.at(&ErrorPosition::Original(at as u32 + 1)), Some("select ä, ".len()));
        assert_eq!(statement.at(&ErrorPosition::Original(1)), None);
        assert_eq!(statement.at(&ErrorPosition::Original(9_999)), None);
    }
}
