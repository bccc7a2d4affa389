//! The headers of writes and edits.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use dvt_domain::Actor;
use dvt_domain::envelope::ACTOR_MAX_BYTES;
use uuid::Uuid;

use super::problem::Problem;

/// Extracts who acts: the header `Dvt-Actor`, until there is sign-in.
pub struct Who(pub Actor);

/// Extracts the header `Idempotency-Key`, which every write has.
pub struct IdempotencyKey(pub Uuid);

/// Extracts the header `Base-Version`, which every edit has: the version that the user saw.
pub struct BaseVersion(pub i64);

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("dvt-actor") else { return Ok(Self(Actor::service("anonymous"))) };
        let name = std::str::from_utf8(value.as_bytes()).unwrap_or("");
        Actor::local(name).map(Self).ok_or_else(|| {
            let detail = format!("Dvt-Actor must be 1 to {ACTOR_MAX_BYTES} bytes of UTF-8 without control characters");
            Problem::bad_request("ACTOR_INVALID", detail).at("Dvt-Actor").limit(ACTOR_MAX_BYTES as i64)
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let detail = "send an Idempotency-Key: a UUID of your choice, the same one when you repeat the request";
        let required = || Problem::bad_request("IDEMPOTENCY_KEY_REQUIRED", detail).at("Idempotency-Key");
        let value = text(&parts.headers, "idempotency-key").ok_or_else(required)?;
        Uuid::try_parse(value).map(Self).map_err(|_| required().got(value))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BaseVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let detail = "send Base-Version: the version of the branch that the edit was made on";
        let required = || Problem::bad_request("BASE_VERSION_REQUIRED", detail).at("Base-Version");
        let value = text(&parts.headers, "base-version").ok_or_else(required)?;
        match value.parse() {
            Ok(version) if version >= 0 => Ok(Self(version)),
            Ok(_) | Err(_) => Err(required().got(value)),
        }
    }
}
