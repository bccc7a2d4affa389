//! Requests to a gateway. Nothing is sent twice: an answer that is no success ends the measurement.

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// Who sends the requests.
const ACTOR: &str = "bench";

/// Sends requests to one gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    url: String,
}

impl Http {
    pub(crate) fn new(url: &str) -> Self {
        Self { client: Client::new(), url: format!("{url}/api/v1") }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        answer(path, self.client.get(format!("{}/{path}", self.url))).await
    }

    /// Imports a zip and answers the new project's id.
    pub(crate) async fn import(&self, zip: Vec<u8>) -> Result<String> {
        let path = "projects/import?source=bench.zip";
        let request = self.client.post(format!("{}/{path}", self.url)).header("content-type", "application/zip");
        let key = Uuid::now_v7().to_string();
        let report = answer(path, request.header("idempotency-key", key).body(zip)).await?;
        Ok(report["project_id"].as_str().context("an import answers its project")?.to_owned())
    }

    /// Sends one command and answers what came of it.
    pub(crate) async fn command(&self, project: &str, base_version: i64, command: &Value) -> Result<Value> {
        let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": base_version, "command": command});
        let path = format!("projects/{project}/commands");
        let request = self.client.post(format!("{}/{path}", self.url)).json(&json!({"commands": [item]}));
        let mut results = answer(&path, request).await?;
        let result = results["results"][0].take();
        if !result["event_id"].is_string() {
            bail!("a command is refused: {result}");
        }
        Ok(result)
    }
}

async fn answer(path: &str, request: RequestBuilder) -> Result<Value> {
    let answer = request.header("dvt-actor", ACTOR).send().await?;
    let status = answer.status();
    let bytes = answer.bytes().await?;
    if !status.is_success() {
        bail!("{path}: {status} {}", String::from_utf8_lossy(&bytes));
    }
    Ok(serde_json::from_slice(&bytes)?)
}
