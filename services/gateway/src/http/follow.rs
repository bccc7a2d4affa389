//! What every request leaves behind: a span of its trace, its duration and its outcome.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use dvt_runtime::{metrics, trace};
use tracing::field::Empty;
use tracing::{Span, info_span};

/// What is no route of the API: the page, and addresses that nothing has.
const PAGE: &str = "page";

/// Follows a request until its answer begins, in the trace that its `traceparent` names or in one of its own.
pub async fn follow(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or(PAGE, MatchedPath::as_str).to_owned();
    let method = known(request.method());
    let traceparent = request.headers().get(trace::HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let span = || {
        info_span!(
            "request",
            otel.name = format!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = Empty,
            trace_id = Empty,
        )
    };
    let answer = async {
        let begun = Instant::now();
        let span = Span::current();
        span.record("trace_id", trace::id());
        let response = next.run(request).await;
        let status = response.status();
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "error");
        }
        metrics::HTTP_SECONDS.observe([method, &route], begun.elapsed());
        metrics::HTTP_REQUESTS.add([method, &route, status.as_str()], 1);
        response
    };
    trace::request(traceparent.as_deref(), span, answer).await
}

/// Names a method; all that HTTP does not define have one name, as anybody can make more of them.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
