//! Problems as RFC 9457 has them: what every refused or failed request answers.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dvt_runtime::error::chain;
use dvt_runtime::trace;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The longest piece of the caller's input that a problem shows, in characters.
const GOT_MAX_CHARS: usize = 80;
/// The longest text of a problem, in characters: names of the caller's stand in it.
const DETAIL_MAX_CHARS: usize = 2_000;

/// Says what is wrong with a request, where, and what is allowed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(transparent)]
pub struct Problem(Box<Members>);

/// The members of a problem; each may have more of its own.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ProblemMembers)]
struct Members {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// Stable; the same in API, command line and page.
    code: &'static str,
    detail: String,
    /// A JSON pointer to the field, or the name of the header or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<String>,
    trace_id: String,
    docs: String,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    extra: Map<String, Value>,
    #[serde(skip)]
    retry_after: Option<u32>,
    #[serde(skip)]
    allow: Option<HeaderValue>,
}

impl Problem {
    /// Makes a problem. `code` is stable; `detail` says what is wrong and what to do.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Members {
            kind: format!("urn:dvt:problem:{}", code.to_lowercase().replace('_', "-")),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code,
            detail: shortened(detail.into()),
            pointer: None,
            limit: None,
            got: None,
            trace_id: trace::id().unwrap_or_else(|| uuid::Uuid::now_v7().simple().to_string()),
            docs: format!("/docs/errors#{}", code.to_lowercase()),
            extra: Map::new(),
            retry_after: None,
            allow: None,
        }))
    }

    /// Makes the problem of a malformed request.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// Makes the problem of a request that is well-formed but cannot be done.
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// Makes the problem of a request that meets another state than it expects.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// Makes the problem of a sender who is too fast.
    pub fn too_many(code: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail);
        problem.0.retry_after = Some(1);
        problem
    }

    /// Makes the problem of something that is not there, or not for this caller.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "there is nothing at this address")
    }

    /// Makes the problem of a fault of ours, logs it, and shows only its trace id.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        let problem = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "this is a fault of DVT+; its log says more under the trace id",
        );
        tracing::error!(error = chain(error), "request failed");
        problem
    }

    /// Makes the problem of a part that is not reachable now; the caller may repeat the request.
    pub fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        problem.0.retry_after = Some(1);
        problem
    }

    /// Names the field.
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into());
        self
    }

    /// Puts the pointer, where there is one, below the place of the part that it is about.
    pub fn below(mut self, place: &str) -> Self {
        self.0.pointer = Some(format!("{place}{}", self.0.pointer.unwrap_or_default()));
        self
    }

    /// Names the limit.
    pub fn limit(mut self, limit: i64) -> Self {
        self.0.limit = Some(limit);
        self
    }

    /// Shows the beginning of what was got, escaped.
    pub fn got(mut self, got: &str) -> Self {
        self.0.got = Some(got.escape_debug().take(GOT_MAX_CHARS).collect());
        self
    }

    /// Adds a member of its own.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Names the methods that the address has.
    pub fn allow(mut self, methods: HeaderValue) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// Says whether the same request may succeed a little later.
    pub fn may_pass(&self) -> bool {
        self.0.status == StatusCode::SERVICE_UNAVAILABLE.as_u16()
    }

    /// Answers the stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }
}

/// Leaves out the middle of a text that quotes too much of the caller's input.
fn shortened(text: String) -> String {
    let count = text.chars().count();
    if count <= DETAIL_MAX_CHARS {
        return text;
    }
    let half = DETAIL_MAX_CHARS / 2;
    let (start, end): (String, String) = (text.chars().take(half).collect(), text.chars().skip(count - half).collect());
    format!("{start} … {end}")
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        // It may have been made on a thread that knows of no request.
        if let Some(trace_id) = trace::id() {
            self.0.trace_id = trace_id;
        }
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, allow) = (self.0.retry_after, self.0.allow.clone());
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = allow {
            headers.insert(header::ALLOW, allow);
        }
        response
    }
}
