//! What was done in a project, newest first.

use axum::Json;
use axum::extract::{Path, Query, State};
use dvt_store::event;
use serde::{Deserialize, Serialize};

use super::load;
use crate::app::App;
use crate::http::problem::Problem;

/// How many events a page has unless it asks for fewer or more.
const PAGE: i64 = 50;
/// The most events of a page.
const PAGE_MAX: i64 = 200;

#[derive(Deserialize)]
pub(super) struct Parameters {
    limit: Option<i64>,
    cursor: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct History {
    events: Vec<Entry>,
    next_cursor: Option<i64>,
}

#[derive(Serialize)]
struct Entry {
    position: i64,
    event_id: String,
    category: String,
    stream_version: i64,
    #[serde(rename = "type")]
    kind: String,
    actor: String,
    occurred_at: String,
    summary: String,
}

/// Lists a page of the project's events; `next_cursor` leads to the older ones.
pub(super) async fn list(
    State(app): State<App>,
    Path(project): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<History>, Problem> {
    let (id, _, _) = load(&app, &project).await?;
    let limit = parameters.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        let detail = format!("limit must be 1 to {PAGE_MAX}");
        return Err(Problem::bad_request("PARAM_RANGE", detail).at("limit").limit(PAGE_MAX).got(&limit.to_string()));
    }
    let mut connection = app.connection().await?;
    let before = parameters.cursor.unwrap_or(i64::MAX);
    let recorded = event::list_project_before(&mut connection, id.uuid(), before, limit).await?;
    let next_cursor = recorded.last().filter(|_| recorded.len() as i64 == limit).map(|event| event.position);
    let mut events = Vec::new();
    for event in recorded {
        let decoded = app.log.decode(&mut connection, &event).await?;
        let summary = match &decoded {
            Some(dvt_domain::Event::Branch(event)) => event.summary(),
            Some(event) => event.name().to_owned(),
            None => "erased".to_owned(),
        };
        events.push(Entry {
            position: event.position,
            event_id: event.event_id.to_string(),
            category: event.category,
            stream_version: event.version,
            kind: event.event_type,
            actor: event.actor,
            occurred_at: event.occurred_at.to_rfc3339(),
            summary,
        });
    }
    Ok(Json(History { events, next_cursor }))
}
