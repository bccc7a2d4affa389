//! Shapes that several resources answer.

use chrono::{DateTime, SecondsFormat, Utc};
use dvt_dbt::diagnostic;
use dvt_store::view;
use serde::Serialize;
use utoipa::ToSchema;

use crate::parsed;

/// Points into a file. Line and column count from 1, the column in characters.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Place {
    path: String,
    line: u32,
    column: u32,
}

impl From<&diagnostic::Place> for Place {
    fn from(place: &diagnostic::Place) -> Self {
        Self { path: place.path.to_string(), line: place.line, column: place.column }
    }
}

impl Place {
    /// Answers the place that a view holds, where it holds one.
    pub(super) fn of_view(place: &view::Place) -> Option<Self> {
        let (line, column) = (place.line.unwrap_or(1).unsigned_abs(), place.column.unwrap_or(1).unsigned_abs());
        Some(Self { path: place.path.clone()?, line, column })
    }
}

/// Reports one problem in a project.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Diagnostic {
    /// `error` breaks its file or node; `warning` breaks nothing.
    #[schema(value_type = String, example = "error")]
    severity: diagnostic::Severity,
    /// Stable, e.g. `REF_NOT_FOUND`.
    code: String,
    message: String,
    place: Option<Place>,
    unique_id: Option<String>,
}

impl From<&diagnostic::Diagnostic> for Diagnostic {
    fn from(found: &diagnostic::Diagnostic) -> Self {
        Self {
            severity: found.severity,
            code: found.code.clone(),
            message: found.message.clone(),
            place: found.place.as_ref().map(Place::from),
            unique_id: found.unique_id.clone(),
        }
    }
}

/// Counts diagnostics.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct Problems {
    errors: usize,
    warnings: usize,
}

impl Problems {
    /// Answers the counts that a view holds.
    pub(super) fn counted(errors: i32, warnings: i32) -> Self {
        Self { errors: errors.unsigned_abs() as usize, warnings: warnings.unsigned_abs() as usize }
    }
}

impl From<parsed::Problems> for Problems {
    fn from(problems: parsed::Problems) -> Self {
        Self { errors: problems.errors, warnings: problems.warnings }
    }
}

/// Writes a time as RFC 3339 in UTC, to the microsecond.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
