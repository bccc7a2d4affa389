//! Reads the parts of an address that it names; what is no text is a problem.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Extracts the named parts of the address.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let invalid = || Problem::bad_request("TEXT_INVALID", "a part of the address is not UTF-8");
        let named = RawPathParams::from_request_parts(parts, state).await.map_err(|_| invalid())?;
        if let Some((name, _)) = named.iter().find(|(_, value)| value.contains('\0')) {
            return Err(Problem::bad_request("TEXT_INVALID", "a part of the address holds a NUL").at(name));
        }
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|_| Problem::not_found())
    }
}
