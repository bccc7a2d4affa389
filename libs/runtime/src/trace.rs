//! Traces: one request, edit or run, followed through every service.
//!
//! What runs now is OpenTelemetry's current context; entering a span makes it that of the span. It goes from service to
//! service as `traceparent` of an event in the log. Nothing here costs anything unless traces are exported, but that a
//! request has an id: that is in its log lines and its problem in any case.

use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of the header that carries a place in a trace.
pub const HEADER: &str = "traceparent";
/// How many traces one span links to.
const LINKS: usize = 32;

static IS_ON: AtomicBool = AtomicBool::new(false);

pub(crate) fn switch_on() {
    IS_ON.store(true, Ordering::Relaxed);
}

/// Says whether this process exports traces.
pub fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// Answers the id of the trace of what runs now.
pub fn id() -> Option<String> {
    let context = current();
    context.is_valid().then(|| context.trace_id().to_string())
}

/// Answers the place in a trace of what runs now, to be kept with what it causes; None where nobody follows it.
pub fn parent() -> Option<String> {
    let context = current();
    let is_followed = context.is_valid() && (is_on() || context.is_remote());
    is_followed.then(|| format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags()))
}

/// Does work that a request causes, in the span that is made here; `traceparent` is the request's header.
pub async fn request<F: Future>(traceparent: Option<&str>, span: impl FnOnce() -> Span, work: F) -> F::Output {
    let context = match traceparent.and_then(read) {
        Some(caller) => Context::new().with_remote_span_context(caller),
        // An exported span has an id of its own.
        None if is_on() => Context::new(),
        None => Context::new().with_remote_span_context(made_up()),
    };
    let span = within(&context, span);
    work.instrument(span).with_context(context).await
}

/// Keeps a future, which a task of its own will run, in the span and the trace of what runs now.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    work.in_current_span().with_current_context()
}

/// Makes a span inside of what runs now; none where that is not exported.
pub fn child(span: impl FnOnce() -> Span) -> Span {
    match is_on() && current().is_sampled() {
        true => span(),
        false => Span::none(),
    }
}

/// Makes a span of what events cause, by their `traceparent`: inside of their trace if they are all of one, else with links
/// to each; none where no trace of them is exported.
pub fn follow<'a>(traceparents: impl IntoIterator<Item = &'a str>, span: impl FnOnce() -> Span) -> Span {
    if !is_on() {
        return Span::none();
    }
    let mut causes: Vec<SpanContext> = Vec::new();
    let mut last = None;
    for text in traceparents {
        if last.replace(text) == Some(text) {
            continue;
        }
        let Some(cause) = read(text).filter(SpanContext::is_sampled) else { continue };
        if causes.len() < LINKS && causes.iter().all(|known| known.trace_id() != cause.trace_id()) {
            causes.push(cause);
        }
    }
    match causes.len() {
        0 => Span::none(),
        1 => within(&Context::new().with_remote_span_context(causes.remove(0)), span),
        _ => {
            let span = within(&Context::new(), span);
            causes.into_iter().for_each(|cause| span.add_link(cause));
            span
        }
    }
}

fn current() -> SpanContext {
    Context::map_current(|context| context.span().span_context().clone())
}

fn within(context: &Context, span: impl FnOnce() -> Span) -> Span {
    let _inside = context.clone().attach();
    span()
}

/// Makes an id that nobody else knows of.
fn made_up() -> SpanContext {
    let ids = RandomIdGenerator::default();
    SpanContext::new(ids.new_trace_id(), ids.new_span_id(), TraceFlags::NOT_SAMPLED, false, TraceState::NONE)
}

/// Reads a `traceparent`; None where it is not one.
fn read(text: &str) -> Option<SpanContext> {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Header(text));
    Some(context.span().span_context().clone()).filter(SpanContext::is_valid)
}

struct Header<'a>(&'a str);

impl Extractor for Header<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == HEADER).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![HEADER]
    }
}

#[cfg(test)]
mod tests;
