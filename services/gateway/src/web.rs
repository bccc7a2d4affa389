//! The web app: its built files, from memory. Any other address of the browser is the app's own.

use axum::http::{HeaderValue, Method, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::http::problem::Problem;

/// Files with a hash in their name never change.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// Nothing comes from elsewhere; the styles that the graph and the editor set on elements are inline.
pub(crate) const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; worker-src 'self' blob:; \
     frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Dist;

/// Answers what no route of the API does.
pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let is_page = !path.starts_with("api/") && !path.contains("//") && !path.contains('%');
    if !is_page || !matches!(method, Method::GET | Method::HEAD) {
        return Problem::not_found().into_response();
    }
    match (Dist::get(path), path.rsplit('/').next().is_some_and(|name| name.contains('.'))) {
        (Some(file), _) => {
            let caching = if path.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN };
            let kind = HeaderValue::from_str(file.metadata.mimetype());
            let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
            let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, caching)];
            (headers, file.data.into_owned()).into_response()
        }
        (None, true) => Problem::not_found().into_response(),
        (None, false) => index(),
    }
}

fn index() -> Response {
    let Some(file) = Dist::get("index.html") else {
        return Html("<!doctype html><title>DVT+</title><p>The web app is not built; run <code>make up</code>.")
            .into_response();
    };
    let page = Html(file.data.into_owned());
    ([(header::CACHE_CONTROL, ASK_AGAIN), (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))], page)
        .into_response()
}
