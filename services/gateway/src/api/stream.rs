//! The live stream of a project: its events in the log's order, as server-sent events that can be resumed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use dvt_bus::causes;
use dvt_domain::id::ProjectId;
use dvt_runtime::{metrics, trace};
use dvt_store::event::{self, Recorded};
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
use crate::live::{Feed, News};

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
    feed: Feed,
    /// All events of the project up to here were sent or are ready.
    position: i64,
    ready: VecDeque<Arc<News>>,
    _open: Open,
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
    let feed = app.live.feed(scope.id.uuid());
    let tail = Tail { app, project: scope.id, feed, position, ready: VecDeque::new(), _open: Open::new() };
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
        match tail.message().await {
            Ok(message) => return Some((Ok(message?), tail)),
            Err(problem) if problem.may_pass() => {
                if let Ok(false) = tokio::time::timeout(AGAIN, tail.feed.changed()).await {
                    return None;
                }
            }
            Err(problem) => {
                // The client reconnects with its last id and misses nothing.
                tracing::warn!(code = problem.code(), "a live stream ends");
                return None;
            }
        }
    }
}

impl Tail {
    /// Answers the next message, once there is one; None: this process is stopping. What is done for it is boxed: a
    /// stream that waits, and there may be thousands, keeps no room for it.
    async fn message(&mut self) -> Result<Option<sse::Event>, Problem> {
        loop {
            if let Some(news) = self.ready.front().cloned() {
                fail::fail_point!("gateway.streaming");
                let message = Box::pin(self.write(&news)).await?;
                self.ready.pop_front();
                metrics::SSE_EVENTS.add([], 1);
                return Ok(Some(message));
            }
            match self.feed.since(self.position) {
                Some(news) => self.take(news),
                None => Box::pin(self.read()).await?,
            }
            if self.ready.is_empty() && !self.feed.changed().await {
                return Ok(None);
            }
        }
    }

    /// Reads what the feed does not have from the log.
    async fn read(&mut self) -> Result<(), Problem> {
        // Known before the log is read, so that nothing up to it is missed.
        let head = self.app.live.head();
        let mut connection = self.app.connection().await?;
        let found = event::list_project_after(&mut connection, self.project.uuid(), self.position, BATCH).await?;
        let is_all = (found.len() as i64) < BATCH;
        self.take(found.into_iter().map(News::new).collect());
        if is_all {
            self.position = self.position.max(head);
        }
        Ok(())
    }

    fn take(&mut self, news: Vec<Arc<News>>) {
        self.position = news.last().map_or(self.position, |last| last.recorded.position);
        self.ready.extend(news);
    }

    /// Writes an event as a message.
    async fn write(&self, news: &News) -> Result<sse::Event, Problem> {
        let make = || async {
            let event = self.app.log.decode_from(&self.app.store, &news.recorded).await?;
            let event = HistoryEvent::new(&news.recorded, event.as_ref());
            Ok::<_, Problem>(serde_json::to_string(&event).expect("invariant: an event is JSON"))
        };
        let data = news.message.get_or_try_init(make).await?;
        let position = news.recorded.position;
        let message = || sse::Event::default().id(position.to_string()).event("event").data(data);
        Ok(self.span(&news.recorded).in_scope(message))
    }

    /// Makes the span of an event that is sent: of the first client it goes to, as there may be thousands.
    fn span(&self, recorded: &Recorded) -> Span {
        let position = recorded.position;
        match self.app.sent.fetch_max(position, Ordering::Relaxed) < position {
            true => trace::follow(causes(std::slice::from_ref(recorded)).next(), || {
                info_span!("send", otel.name = "send event", otel.kind = "producer", position)
            }),
            false => Span::none(),
        }
    }
}
