//! The live stream of a project: its events in the log's order, as server-sent events that can be resumed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use dvt_bus::causes;
use dvt_domain::id::ProjectId;
use dvt_runtime::{metrics, trace};
use dvt_store::event;
use futures::{Stream, stream};
use serde::Deserialize;
use tracing::{Span, info_span};
use utoipa::IntoParams;

use super::history::HistoryEvent;
use super::scope::Scope;
use crate::app::App;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::live::Wake;

/// How many events are read from the log at once.
const BATCH: i64 = 200;
/// How long nothing is sent before a comment shows that the stream lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How soon the log is read again that did not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// Says from where a stream goes on; the header `Last-Event-ID` says the same and wins.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct From {
    /// A position; the end of the log unless given.
    after: Option<String>,
}

struct Tail {
    app: App,
    project: ProjectId,
    /// The last position that was read from the log.
    position: i64,
    ready: VecDeque<Ready>,
    _open: Open,
}

/// Is an event that is to be sent, and its place in a trace.
struct Ready {
    event: HistoryEvent,
    traceparent: Option<String>,
}

/// Counts a live stream as long as it is open.
struct Open;

impl Open {
    fn new() -> Self {
        metrics::SSE_CLIENTS.add([], 1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::SSE_CLIENTS.add([], -1.0);
    }
}

/// Streams the events after a position, then each new one as it is appended. `id` is the position.
#[utoipa::path(get, path = "/api/v1/projects/{project}/stream", tag = "history", params(("project" = String, Path), From), responses((status = OK, body = HistoryEvent, content_type = "text/event-stream")))]
pub(super) async fn stream(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    let scope = Scope::head(&app, &project).await?;
    let head = event::head(&mut *app.connection().await?).await?;
    let asked = match headers.get("last-event-id") {
        Some(value) => Some(value.to_str().unwrap_or("").to_owned()),
        None => from.after,
    };
    let position = asked.map(|asked| cursor(&asked, head)).transpose()?.unwrap_or(head);
    let tail = Tail { app, project: scope.id, position, ready: VecDeque::new(), _open: Open::new() };
    Ok(Sse::new(stream::unfold(tail, next)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn cursor(asked: &str, head: i64) -> Result<i64, Problem> {
    let invalid = || Problem::bad_request("CURSOR_INVALID", "expected a position").at("Last-Event-ID").got(asked);
    match asked.parse() {
        Ok(position) if position > head => {
            let detail = format!("the log ends at {head}");
            Err(Problem::conflict("CURSOR_AHEAD", detail).at("Last-Event-ID").limit(head).got(asked))
        }
        Ok(position) if position >= 0 => Ok(position),
        Ok(_) | Err(_) => Err(invalid()),
    }
}

async fn next(mut tail: Tail) -> Option<(Result<sse::Event, Infallible>, Tail)> {
    loop {
        if let Some(ready) = tail.ready.pop_front() {
            fail::fail_point!("gateway.streaming");
            let message = tail.span(&ready).in_scope(|| message(&ready.event));
            metrics::SSE_EVENTS.add([], 1);
            return Some((Ok(message), tail));
        }
        // Known before the log is read: what comes in between wakes the wait below at once.
        let head = tail.app.live.head();
        let patience = match tail.read().await {
            _ if !tail.ready.is_empty() => continue,
            Ok(()) => KEEP_ALIVE,
            Err(problem) if problem.may_pass() => AGAIN,
            Err(problem) => {
                // The client reconnects with its last id and misses nothing.
                tracing::warn!(code = problem.code(), "a live stream ends");
                return None;
            }
        };
        match tail.app.live.wait(head, patience).await {
            Wake::Longer | Wake::Patience => {}
            Wake::Closed => return None,
        }
    }
}

fn message(event: &HistoryEvent) -> sse::Event {
    let data = serde_json::to_string(event).expect("invariant: an event is JSON");
    sse::Event::default().id(event.position().to_string()).event("event").data(data)
}

impl Tail {
    async fn read(&mut self) -> Result<(), Problem> {
        let mut connection = self.app.connection().await?;
        let found = event::list_project_after(&mut connection, self.project.uuid(), self.position, BATCH).await?;
        for recorded in found {
            let position = recorded.position;
            let traceparent = causes(std::slice::from_ref(&recorded)).next().map(str::to_owned);
            let event = HistoryEvent::read(&self.app, &mut connection, recorded).await?;
            self.ready.push_back(Ready { event, traceparent });
            self.position = position;
        }
        Ok(())
    }

    /// Makes the span of an event that is sent: of the first client it goes to, as there may be thousands.
    fn span(&self, ready: &Ready) -> Span {
        let position = ready.event.position();
        match self.app.sent.fetch_max(position, Ordering::Relaxed) < position {
            true => trace::follow(ready.traceparent.as_deref(), || {
                info_span!("send", otel.name = "send event", otel.kind = "producer", position)
            }),
            false => Span::none(),
        }
    }
}
