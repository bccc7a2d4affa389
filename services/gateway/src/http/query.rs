//! Reads query parameters; what does not parse is a problem.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Extracts the query parameters.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if let Some(part) = query.split('&').find(|part| part.contains("%00")) {
            let name = part.split('=').next().unwrap_or_default();
            return Err(Problem::bad_request("TEXT_INVALID", "a parameter holds a NUL").at(name));
        }
        let read = axum::extract::Query::try_from_uri(&parts.uri);
        read.map(|axum::extract::Query(value)| Self(value)).map_err(|rejection| invalid(&rejection.body_text()))
    }
}

/// Turns what is said of the parameters, `<what failed>: <parameter>: <why>`, into a problem.
fn invalid(said: &str) -> Problem {
    let said = said.split_once(": ").map_or(said, |(_, rest)| rest);
    match said.split_once(": ") {
        Some(("cursor", _)) => cursor_invalid(),
        Some((name, why)) => Problem::bad_request("PARAM_INVALID", why).at(name),
        None => Problem::bad_request("PARAM_INVALID", said),
    }
}

fn cursor_invalid() -> Problem {
    let detail = "this is no cursor of an earlier page; take its next_cursor, or none for the first page";
    Problem::bad_request("CURSOR_INVALID", detail).at("cursor")
}

/// Checks where a page starts: before the position or number that a cursor is; from the newest without one.
///
/// # Errors
/// 400 where no page can have given the cursor.
pub fn page_before(cursor: Option<i64>) -> Result<i64, Problem> {
    match cursor {
        Some(cursor) if cursor < 1 => Err(cursor_invalid().got(&cursor.to_string())),
        cursor => Ok(cursor.unwrap_or(i64::MAX)),
    }
}

/// Checks a page's size.
///
/// # Errors
/// 400 where it is not 1 to `max`.
pub fn page_size(limit: Option<i64>, (usual, max): (i64, i64)) -> Result<i64, Problem> {
    let limit = limit.unwrap_or(usual);
    match (1..=max).contains(&limit) {
        true => Ok(limit),
        false => {
            let detail = format!("limit must be 1 to {max}");
            Err(Problem::bad_request("PARAM_RANGE", detail).at("limit").limit(max).got(&limit.to_string()))
        }
    }
}
