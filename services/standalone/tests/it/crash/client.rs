//! The clients of a server that dies: each repeats what was not answered, with the same key, until it is.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::project::{MODELS, edited, unique_id};

/// How often the server is asked how far it is.
pub(super) const POLL: Duration = Duration::from_millis(50);

/// Sends requests to whichever life of the server there is.
pub(super) struct Http {
    client: Client,
    url: String,
}

impl Http {
    pub(super) fn new(url: &str) -> Self {
        Self { client: Client::new(), url: url.to_owned() }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, reqwest::Error> {
        self.client.get(format!("{}/api/v1/{path}", self.url)).send().await?.error_for_status()?.json().await
    }

    /// Reads what a server that lives answers, be it busy at first.
    pub(super) async fn read(&self, path: &str) -> Value {
        loop {
            match self.get(path).await {
                Ok(answer) => return answer,
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Posts with a key; an error if no answer came or the server says that it cannot now.
    pub(super) async fn post(&self, path: &str, (key, body): (Uuid, &Value)) -> Result<Value, reqwest::Error> {
        let request =
            self.client.post(format!("{}/api/v1/{path}", self.url)).header("idempotency-key", key.to_string());
        let answer = request.header("dvt-actor", "ada").json(body).send().await?;
        match answer.status() {
            StatusCode::SERVICE_UNAVAILABLE => answer.error_for_status()?.json().await,
            status => {
                let text = answer.text().await?;
                assert!(status.is_success(), "{path}: {status} {text}");
                Ok(serde_json::from_str(&text).unwrap())
            }
        }
    }

    /// Imports a zip; the server is not killed meanwhile.
    pub(super) async fn import(&self, zip: Vec<u8>) -> String {
        let request = self.client.post(format!("{}/api/v1/projects/import?source=grow.zip", self.url));
        let request = request.header("idempotency-key", Uuid::now_v7().to_string()).header("dvt-actor", "ada");
        let answer = request.header("content-type", "application/zip").body(zip).send().await.unwrap();
        let report: Value = answer.error_for_status().unwrap().json().await.unwrap();
        report["project_id"].as_str().unwrap().to_owned()
    }
}

/// Is one edit with the answer that acknowledged it.
#[derive(Clone)]
pub(super) struct Edit {
    body: Value,
    pub(super) answer: Option<Value>,
}

/// Edits one model after another, each edit of one node.
pub(super) struct Editor {
    project: String,
    version: i64,
    pub(super) edits: Vec<Edit>,
    goal: usize,
}

impl Editor {
    pub(super) fn new(project: &str, goal: usize) -> Self {
        Self { project: project.to_owned(), version: 1, edits: Vec::new(), goal }
    }

    pub(super) fn is_done(&self) -> bool {
        self.edits.len() == self.goal && self.edits.last().is_some_and(|edit| edit.answer.is_some())
    }

    /// Edits until the goal is reached or the server does not answer. Dropping this loses no edit that was sent.
    pub(super) async fn edit(&mut self, http: &Http) {
        while !self.is_done() {
            if self.edits.last().is_none_or(|edit| edit.answer.is_some()) {
                let number = self.edits.len();
                let command =
                    json!({"type": "set_sql", "unique_id": unique_id(number % MODELS), "sql": edited(number)});
                let item = json!({"idempotency_key": Uuid::now_v7(), "base_version": self.version, "command": command});
                self.edits.push(Edit { body: item, answer: None });
            }
            let edit = self.edits.last_mut().expect("invariant: one was just added");
            let Ok(answer) = send(http, &self.project, &edit.body).await else { return };
            self.version = answer["version"].as_i64().unwrap_or_else(|| panic!("an edit is refused: {answer}"));
            edit.answer = Some(answer);
        }
    }

    /// Repeats every edit; each must be answered as the first time.
    pub(super) async fn repeat(&self, http: &Http) {
        for edit in &self.edits {
            assert_eq!(send(http, &self.project, &edit.body).await.unwrap(), *edit.answer.as_ref().unwrap());
        }
    }

    /// Answers the SQL that each edited model has after the last edit.
    pub(super) fn expected(&self) -> BTreeMap<usize, String> {
        (0..self.edits.len()).map(|number| (number % MODELS, edited(number))).collect()
    }
}

async fn send(http: &Http, project: &str, item: &Value) -> Result<Value, reqwest::Error> {
    // The key of the request itself says nothing: each command has its own.
    let answer =
        http.post(&format!("projects/{project}/commands"), (Uuid::now_v7(), &json!({"commands": [item]}))).await?;
    Ok(answer["results"][0].clone())
}

/// Asks for one run after another and follows each to its end.
pub(super) struct Runner {
    project: String,
    key: Uuid,
    run_id: Option<String>,
    pub(super) finished: Vec<Value>,
}

impl Runner {
    pub(super) fn new(project: &str) -> Self {
        Self { project: project.to_owned(), key: Uuid::now_v7(), run_id: None, finished: Vec::new() }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.run_id.is_none()
    }

    /// Runs the project until the server does not answer.
    pub(super) async fn run(&mut self, http: &Http) {
        while self.run_once(http).await {}
    }

    /// Follows the run that is under way, or one that it asks for; false: the server did not answer.
    pub(super) async fn run_once(&mut self, http: &Http) -> bool {
        let path = format!("projects/{}/runs", self.project);
        if self.run_id.is_none() {
            let Ok(asked) = http.post(&path, (self.key, &json!({"command": "run"}))).await else { return false };
            self.run_id = Some(asked["run_id"].as_str().unwrap().to_owned());
        }
        let run_id = self.run_id.clone().unwrap_or_default();
        let mut tick = tokio::time::interval(POLL);
        loop {
            tick.tick().await;
            let Ok(run) = http.get(&format!("{path}/{run_id}")).await else { return false };
            if run["state"] == "finished" {
                self.finished.push(run);
                (self.key, self.run_id) = (Uuid::now_v7(), None);
                return true;
            }
        }
    }
}
