//! `dvt publish`: asks for a Git commit of the current version and waits for it.

use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use super::http::Client;
use crate::output;

/// How often the publication is asked for news.
const POLL: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
struct Requested {
    publish_id: String,
}

/// Publishes a project and prints its commit.
///
/// # Errors
/// When the gateway refuses or goes away.
pub(super) async fn publish(gateway: &Gateway, project: &str, message: Option<String>) -> anyhow::Result<ExitCode> {
    let client = Client::new(gateway)?;
    let project = client.project(project).await?;
    let path = format!("projects/{}/publish", project.project_id);
    let body = message.map_or_else(|| json!({}), |message| json!({"message": message}));
    let Requested { publish_id } = client.json(client.post(&path)?.json(&body)).await?;
    let path = format!("projects/{}/publishes", project.project_id);
    let mut tick = tokio::time::interval(POLL);
    let mut told = String::new();
    loop {
        tick.tick().await;
        let answer: Value = client.json(client.get(&path)?).await?;
        let list = answer.as_array().or_else(|| answer["publishes"].as_array());
        let ours = list.into_iter().flatten().find(|publish| publish["publish_id"] == *publish_id);
        let Some(ours) = ours else { continue };
        let text = |key: &str| ours[key].as_str().unwrap_or_default().to_owned();
        match &*text("state") {
            "pending" if text("error") != told => {
                told = text("error");
                eprintln!("dvt: still trying: {told}");
            }
            "pending" => {}
            state if gateway.json => {
                output::print_json(ours)?;
                return Ok(exit(state));
            }
            state => {
                output::print_line(format!("{state} {}", text("commit")).trim_end())?;
                if let Some(repository) = client.repository(&project) {
                    output::print_line(&format!("git clone {}", repository.display()))?;
                }
                return Ok(exit(state));
            }
        }
    }
}

fn exit(state: &str) -> ExitCode {
    match state {
        "published" | "superseded" => ExitCode::SUCCESS,
        _ => ExitCode::from(output::FAILED),
    }
}
