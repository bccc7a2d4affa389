//! Signals: the first asks everything to end, the second ends the process at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit status of a process that a second signal ended, as shells report SIGINT.
const FORCED: i32 = 130;

/// Cancels the token it answers at the first SIGINT or SIGTERM; at the second, the process exits.
///
/// # Errors
/// When signals cannot be watched.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let shutdown = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let asked = shutdown.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            }
        };
        let signal = next().await;
        tracing::info!(signal, "shutting down");
        asked.cancel();
        let signal = next().await;
        tracing::warn!(signal, "exiting at once");
        std::process::exit(FORCED);
    });
    Ok(shutdown)
}
