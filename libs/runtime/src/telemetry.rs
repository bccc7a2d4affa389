//! Logs: readable lines on a terminal, one JSON object a line elsewhere.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

/// What is logged where `RUST_LOG` says nothing: our own changes of state, and warnings of libraries.
const DEFAULT_FILTER: &str = "info,librdkafka=warn,rdkafka=warn,sqlx=warn,tokio_postgres=warn,hyper=warn";

/// Starts logging to standard error, by `RUST_LOG` and `LOG_FORMAT` (`pretty` or `json`).
///
/// # Errors
/// When logging was started before.
pub fn init() -> Result<(), TryInitError> {
    use tracing_subscriber::util::SubscriberInitExt;

    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let is_json = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => true,
        Ok("pretty") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    match is_json {
        true => logs.json().flatten_event(true).with_current_span(true).with_span_list(false).finish().try_init(),
        false => logs.compact().finish().try_init(),
    }
}
