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
        let read = axum::extract::Query::try_from_uri(&parts.uri);
        read.map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| Problem::bad_request("PARAM_INVALID", rejection.body_text()))
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
