//! Logs: readable lines on a terminal, one JSON object a line elsewhere. Traces: see [`crate::trace`].

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, ensure};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, LevelFilter, dynamic_filter_fn, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::{metrics, trace};

/// What is logged; empty or missing: [`DEFAULT_FILTER`].
const FILTER: &str = "RUST_LOG";
/// Our own changes of state, and warnings of libraries.
const DEFAULT_FILTER: &str = "info,librdkafka=warn,rdkafka=warn,sqlx=warn,tokio_postgres=warn,hyper=warn";
/// Where traces go; empty or missing: nowhere.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// How many of the traces that nobody asked for are kept, unless `OTEL_TRACES_SAMPLER_ARG` says so.
const RATIO: f64 = 0.05;
/// How long one export may take, its repetitions included.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the end of a process waits for its last spans to go out.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// Holds what has to be ended after everything else has.
#[must_use = "the last spans go out when it is ended"]
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Starts logging to standard error, by `RUST_LOG` and `LOG_FORMAT` (`pretty` or `json`), and traces where
/// `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.
///
/// # Errors
/// When it was started before, or a variable has a bad value.
pub fn init(service: &'static str) -> anyhow::Result<Telemetry> {
    #[cfg(feature = "failpoints")]
    crate::failpoints::arm();
    let filter = filter(std::env::var(FILTER).ok())?;
    let is_json = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => true,
        Ok("pretty") => false,
        _ => !std::io::stderr().is_terminal(),
    };
    let provider = match std::env::var(ENDPOINT) {
        Ok(endpoint) if !endpoint.is_empty() => Some(provider(service)?),
        _ => None,
    };
    let logs = match is_json {
        true => json(std::io::stderr).boxed(),
        false => tracing_subscriber::fmt::layer().compact().with_writer(std::io::stderr).boxed(),
    };
    subscriber((logs, filter), provider.as_ref().map(|provider| provider.tracer("dvt"))).try_init()?;
    if provider.is_some() {
        trace::switch_on();
    }
    metrics::BUILD.set([service, env!("CARGO_PKG_VERSION")], 1.0);
    Ok(Telemetry(provider))
}

impl Telemetry {
    /// Sends the last spans, for a few seconds at most. Call it when everything else has ended.
    pub async fn end(self) {
        let Some(provider) = self.0 else { return };
        // It blocks.
        let ending = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(END_TIMEOUT));
        match tokio::time::timeout(END_TIMEOUT, ending).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "could not send the last spans"),
            Ok(Err(error)) => tracing::warn!(%error, "could not send the last spans"),
            Err(_) => tracing::warn!("could not send the last spans in time"),
        }
    }
}

fn filter(asked: Option<String>) -> anyhow::Result<EnvFilter> {
    match asked.filter(|asked| !asked.is_empty()) {
        Some(asked) => {
            EnvFilter::try_new(&asked).with_context(|| format!("{FILTER} is {asked:?}; e.g. info,sqlx=warn"))
        }
        None => Ok(EnvFilter::new(DEFAULT_FILTER)),
    }
}

/// Makes what batches spans and sends them, on a thread of its own.
fn provider(service: &'static str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_http().with_timeout(EXPORT_TIMEOUT).build();
    let exporter = exporter.with_context(|| format!("could not use {ENDPOINT}"))?;
    let resource = Resource::builder().with_service_name(format!("dvt-{service}")).with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("process.pid", i64::from(std::process::id())),
    ]);
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio()?))))
        .with_resource(resource.build())
        .build())
}

fn ratio() -> anyhow::Result<f64> {
    const VARIABLE: &str = "OTEL_TRACES_SAMPLER_ARG";
    let Some(text) = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty()) else { return Ok(RATIO) };
    let ratio: f64 = text.parse().with_context(|| format!("{VARIABLE} is {text:?}; it is a number from 0 to 1"))?;
    ensure!((0.0..=1.0).contains(&ratio), "{VARIABLE} is {text}; it is a number from 0 to 1");
    Ok(ratio)
}

/// Writes logs through their filter, and spans where there is a tracer.
fn subscriber<L>((logs, filter): (L, EnvFilter), tracer: Option<SdkTracer>) -> impl Subscriber + Send + Sync
where
    L: Layer<Registry> + Send + Sync,
{
    let spans = tracer.map(|tracer| spans(tracer).with_filter(anew(filter_fn(is_traced))));
    tracing_subscriber::registry().with(logs.with_filter(anew(filter))).with(spans)
}

/// Lets a filter be asked for each event: an answer that is kept would meet the mark that a question without an event left
/// (librdkafka's client asks one at its start, a `log` record is one), and the thread's next events would be lost.
fn anew<S>(filter: impl Filter<S>) -> impl Filter<S> {
    filter.and(dynamic_filter_fn(|_, _| true).with_max_level_hint(LevelFilter::TRACE))
}

/// Says what goes into traces: our own spans, and warnings inside of them.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    let least = if metadata.is_span() { Level::INFO } else { Level::WARN };
    metadata.target().starts_with("dvt_") && *metadata.level() <= least
}

pub(crate) fn spans<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
}

/// Writes one JSON object a line, with the id of the trace that it is of.
pub(crate) fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    W: for<'writer> tracing_subscriber::fmt::MakeWriter<'writer> + Send + Sync + 'static,
{
    let layer = json_subscriber::fmt::layer().with_writer(writer).flatten_event(true);
    let mut layer = layer.with_current_span(true).with_span_list(false);
    layer.inner_layer_mut().add_dynamic_field("trace_id", |_, _| trace::id());
    layer
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn logs_by_default_where_nothing_is_asked_and_says_what_it_cannot_read() {
        let default = EnvFilter::new(DEFAULT_FILTER).to_string();
        for nothing in [None, Some(String::new())] {
            assert_eq!(filter(nothing).expect("the default is read").to_string(), default);
        }
        let refused = filter(Some("dvt=loud".to_owned())).expect_err("it is no level");
        assert!(refused.to_string().starts_with("RUST_LOG is \"dvt=loud\""), "{refused}");
    }

    #[test]
    fn loses_no_event_after_a_question() {
        let lines = Lines::default();
        let written = lines.clone();
        let logs = json(move || written.clone());
        let _guard = subscriber((logs, EnvFilter::new(DEFAULT_FILTER)), None).set_default();
        for _ in 0..2 {
            let _ = tracing::enabled!(target: "librdkafka", Level::INFO);
            tracing::info!("kept");
            tracing::debug!("filtered");
        }
        let lines = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = String::from_utf8_lossy(&lines);
        assert_eq!((lines.matches("kept").count(), lines.matches("filtered").count()), (2, 0), "{lines}");
    }
}
