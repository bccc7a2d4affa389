//! The views: what the projector makes of the log, and readers ask for. One file per aggregate that they show.
//!
//! Statements name views without their schema, so that a rebuild writes to others by its search path alone.

pub mod compilation;
pub mod graph;
pub mod project;
pub mod rebuild;
pub mod run;
pub mod subject;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The consumer that writes the views.
pub const WRITER: &str = "projector";

/// Says which event a view's row follows, and who did it when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub stream_id: Uuid,
    pub project_id: Uuid,
    pub version: i64,
    pub position: i64,
    pub actor: String,
    pub at: DateTime<Utc>,
}

/// Points into a file; the columns of a view are null where there is none.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Place {
    pub path: Option<String>,
    pub line: Option<i32>,
    pub column: Option<i32>,
}

impl Place {
    /// No place.
    pub const NONE: Self = Self { path: None, line: None, column: None };
}
