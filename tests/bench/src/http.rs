//! Requests to a gateway. Nothing is sent twice: an answer that is no success ends the measurement.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// Who sends the requests.
const ACTOR: &str = "bench";
/// How long a run may take, and how often it is looked at: seldom enough not to slow it down.
const RUN: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

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

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.client.post(format!("{}/{path}", self.url)).header("idempotency-key", key());
        answer(path, request.json(body)).await
    }

    /// Imports a zip and answers the new project's id.
    pub(crate) async fn import(&self, zip: Vec<u8>) -> Result<String> {
        let path = "projects/import?source=bench.zip";
        let request = self.client.post(format!("{}/{path}", self.url)).header("content-type", "application/zip");
        let report = answer(path, request.header("idempotency-key", key()).body(zip)).await?;
        Ok(report["project_id"].as_str().context("an import answers its project")?.to_owned())
    }

    /// Answers the version of a project's files.
    pub(crate) async fn version(&self, project: &str) -> Result<i64> {
        let graph = self.get(&format!("projects/{project}/graph")).await?;
        graph["version"].as_i64().context("a graph has a version")
    }

    /// Sends commands that are made on a version of the branch, and answers what came of each.
    pub(crate) async fn commands(&self, project: &str, version: i64, commands: Vec<Value>) -> Result<Vec<Value>> {
        let count = commands.len();
        let item = |command| json!({"idempotency_key": key(), "base_version": version, "command": command});
        let items: Vec<_> = commands.into_iter().map(item).collect();
        let mut answer = self.post(&format!("projects/{project}/commands"), &json!({"commands": items})).await?;
        let Value::Array(results) = answer["results"].take() else { bail!("commands answer {answer}") };
        ensure!(results.len() == count, "{} of {count} commands are answered", results.len());
        match results.iter().find(|result| !result["event_id"].is_string()) {
            Some(refused) => bail!("a command is refused: {refused}"),
            None => Ok(results),
        }
    }

    /// Sends one command and answers what came of it.
    pub(crate) async fn command(&self, project: &str, version: i64, command: Value) -> Result<Value> {
        let mut results = self.commands(project, version, vec![command]).await?;
        Ok(results.remove(0))
    }

    /// Builds the whole project, and answers the run once it has succeeded.
    pub(crate) async fn build(&self, project: &str) -> Result<Value> {
        let began = Instant::now();
        let requested = self.post(&format!("projects/{project}/runs"), &json!({"command": "build"})).await?;
        let run = requested["run_id"].as_str().context("a run has an id")?;
        loop {
            // Not there yet, as long as the views are behind.
            if let Ok(run) = self.get(&format!("projects/{project}/runs/{run}")).await
                && run["state"] == "finished"
            {
                ensure!(run["outcome"] == "succeeded", "a run did not succeed: {run}");
                return Ok(run);
            }
            ensure!(began.elapsed() < RUN, "run {run} does not end");
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn key() -> String {
    Uuid::now_v7().to_string()
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
