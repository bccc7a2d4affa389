//! The endpoints for those who operate a service: is it alive, is it ready and if not why, and its numbers.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Health, metrics};

/// Serves `/livez`, `/readyz` and `/metrics` until shutdown.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve(address: SocketAddr, health: Health, shutdown: CancellationToken) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "serving health and metrics");
    axum::serve(listener, router(health)).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

/// Answers the endpoints, for a service that serves them itself.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(async || ([("content-type", "text/plain; version=0.0.4")], metrics::render())))
        .with_state(health)
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    let reasons = health.reasons();
    if reasons.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let lines: String = reasons.iter().map(|(part, reason)| format!("{part}: {reason}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn says_why_it_is_not_ready() {
        let health = Health::default();
        let signal = health.signal("database");
        let (status, body) = readyz(State(health.clone())).await;
        assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "database: starting\n"));
        signal.green();
        assert_eq!(readyz(State(health)).await.0, StatusCode::OK);
    }
}
