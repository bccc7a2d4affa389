//! `dvt log`: what happened to a project.

use std::process::ExitCode;

use serde_json::Value;

use super::Gateway;
use super::http::Client;
use crate::output;

/// The most events that the gateway answers at once.
const PAGE: usize = 100;

/// Prints a project's events, newest first.
///
/// # Errors
/// When the gateway refuses or goes away.
pub(super) async fn log(gateway: &Gateway, project: &str, limit: usize) -> anyhow::Result<ExitCode> {
    let client = Client::new(gateway)?;
    let project = client.project(project).await?;
    let path = format!("projects/{}/history", project.project_id);
    let mut cursor: Option<String> = None;
    let mut left = limit;
    while left > 0 {
        let mut request = client.get(&path)?.query(&[("limit", left.min(PAGE))]);
        if let Some(cursor) = &cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        let page: Value = client.json(request).await?;
        let events = page["events"].as_array().map_or(&[][..], Vec::as_slice);
        for event in events.iter().take(left) {
            show(event, gateway.json)?;
        }
        left = left.saturating_sub(events.len());
        cursor = match &page["next_cursor"] {
            Value::String(text) if !events.is_empty() => Some(text.clone()),
            Value::Number(number) if !events.is_empty() => Some(number.to_string()),
            _ => break,
        };
    }
    Ok(ExitCode::SUCCESS)
}

fn show(event: &Value, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return output::print_json(event);
    }
    let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    output::print_line(&format!(
        "{}  {:<16}  {:<20}  {}",
        text("occurred_at"),
        text("actor"),
        text("type"),
        text("summary")
    ))
}
