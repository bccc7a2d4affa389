use std::io::Write;
use std::sync::{Arc, Mutex};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::{info, info_span};
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::telemetry;

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OTHER: &str = "00-aaaa2f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01";
const UNSAMPLED: &str = "00-bbbb2f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b9-00";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("never poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs work with logs, and traces where they are exported; answers the lines and the spans.
fn recorded(work: impl Future<Output = ()>) -> (String, Vec<SpanData>) {
    let (lines, exporter) = (Lines::default(), InMemorySpanExporter::default());
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::registry()
        .with(telemetry::json(move || writer.clone()))
        .with(is_on().then(|| telemetry::spans(provider.tracer("dvt"))));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    tracing::subscriber::with_default(subscriber, || runtime.block_on(work));
    let lines = String::from_utf8(lines.0.lock().expect("never poisoned").clone()).expect("text");
    (lines, exporter.get_finished_spans().expect("spans"))
}

fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).expect("a trace")
}

/// One test, as whether traces are exported is the process's.
#[test]
fn follows_one_request_through_what_it_causes() {
    while_nothing_is_exported();
    switch_on();
    what_one_request_causes_is_one_trace();
    a_batch_of_several_traces_links_to_them();
}

fn while_nothing_is_exported() {
    let (lines, _) = recorded(async {
        assert_eq!(parent(), None);
        assert!(follow([CALLER], || info_span!("never")).is_none());
        request(Some(CALLER), || info_span!("request"), async {
            assert!(child(|| info_span!("never")).is_none());
            assert_eq!(parent().as_deref(), Some(CALLER), "the caller's place is kept for others");
            info!("known");
        })
        .await;
        request(Some("no traceparent"), || info_span!("request"), async {
            assert_eq!(parent(), None);
            assert_eq!(id().expect("an id of its own").len(), 32);
            info!("made up");
        })
        .await;
    });
    let lines: Vec<_> = lines.lines().collect();
    assert!(lines[0].contains(&format!("\"trace_id\":\"{}\"", trace_id(CALLER))), "{lines:?}");
    assert!(lines[0].contains("\"message\":\"known\""), "{lines:?}");
    assert!(lines[1].contains("\"trace_id\":\""), "{lines:?}");
}

fn what_one_request_causes_is_one_trace() {
    let (lines, spans) = recorded(async {
        let stored = request(Some(CALLER), || info_span!("request"), async {
            child(|| info_span!("decide")).in_scope(|| info!("deciding"));
            let stored = carry(async { parent() });
            stored.await.expect("somebody follows it")
        })
        .await;
        follow([&*stored, &*stored, UNSAMPLED], || info_span!("apply")).in_scope(|| {});
        assert!(follow([UNSAMPLED, "nonsense"], || info_span!("never")).is_none());
    });
    let named = |name: &str| spans.iter().find(|span| span.name == name).expect("the span is exported");
    let (asked, decided, applied) = (named("request"), named("decide"), named("apply"));
    assert_eq!(asked.span_context.trace_id().to_string(), trace_id(CALLER));
    assert_eq!(asked.parent_span_id.to_string(), "00f067aa0ba902b7");
    for caused in [decided, applied] {
        assert_eq!(caused.span_context.trace_id(), asked.span_context.trace_id());
        assert_eq!(caused.parent_span_id, asked.span_context.span_id());
    }
    assert_eq!(spans.len(), 3);
    assert!(lines.contains(&format!("\"trace_id\":\"{}\"", trace_id(CALLER))), "{lines}");
}

fn a_batch_of_several_traces_links_to_them() {
    let (_, spans) = recorded(async {
        follow([CALLER, OTHER, CALLER, UNSAMPLED], || info_span!("publish")).in_scope(|| {});
    });
    let [published] = &spans[..] else { panic!("one span, got {spans:?}") };
    let linked: Vec<_> = published.links.iter().map(|link| link.span_context.trace_id().to_string()).collect();
    assert_eq!(linked, [trace_id(CALLER), trace_id(OTHER)]);
    assert!(!linked.contains(&published.span_context.trace_id().to_string()));
}
