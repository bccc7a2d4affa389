//! Requests to whichever gateway answers, until one does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use uuid::Uuid;

/// How long a client waits for one answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long a client goes on asking.
const PATIENCE: Duration = Duration::from_secs(180);
/// The pause before a request is sent again.
const PAUSE: Duration = Duration::from_millis(30);

/// Sends requests and notes what is against the promises.
pub(crate) struct Http {
    client: Client,
    urls: Vec<String>,
    turn: AtomicUsize,
    wrong: Mutex<Vec<String>>,
    refusals: Mutex<Refusals>,
}

/// What told clients to come again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    pub(crate) count: usize,
    /// What the last one said.
    pub(crate) last: String,
}

impl Http {
    pub(crate) fn new(urls: Vec<String>) -> Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { client, urls, turn: AtomicUsize::new(0), wrong: Mutex::default(), refusals: Mutex::default() })
    }

    /// Answers what was against the promises, and forgets it.
    pub(crate) fn wrong(&self) -> Vec<String> {
        std::mem::take(&mut self.wrong.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers what told clients to come again.
    pub(crate) fn refusals(&self) -> Refusals {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes an answer that told a client to come again.
    pub(crate) fn note_refusal(&self, what: &str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals = Refusals { count: refusals.count + 1, last: what.to_owned() };
    }

    fn note(&self, what: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// Answers the next gateway's address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        let turn = self.turn.load(Ordering::Relaxed);
        format!("{}/api/v1/{path}", self.urls[turn % self.urls.len()])
    }

    /// Goes on with the next gateway.
    pub(crate) fn turn(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.until_answered(path, |url| self.client.get(url)).await
    }

    /// Posts JSON with a key.
    pub(crate) async fn post(&self, path: &str, (key, body): (Uuid, &Value)) -> Result<Value> {
        self.until_answered(path, |url| {
            let request = self.client.post(url).header("idempotency-key", key.to_string());
            request.header("dvt-actor", "ada").json(body)
        })
        .await
    }

    pub(crate) async fn import(&self, zip: &[u8]) -> Result<Value> {
        let key = Uuid::now_v7().to_string();
        self.until_answered("projects/import?source=faults.zip", |url| {
            let request = self.client.post(url).header("idempotency-key", &key).header("dvt-actor", "ada");
            request.header("content-type", "application/zip").body(zip.to_vec())
        })
        .await
    }

    async fn until_answered(&self, path: &str, request: impl Fn(String) -> RequestBuilder) -> Result<Value> {
        let patience = Instant::now() + PATIENCE;
        let mut last = String::new();
        while Instant::now() < patience {
            match self.once(path, request(self.url(path))).await? {
                Ok(value) => return Ok(value),
                Err(why) => last = why,
            }
            self.turn();
            tokio::time::sleep(PAUSE).await;
        }
        bail!("no answer to {path} in {PATIENCE:?}: {last}")
    }

    /// Sends one request. The inner error says why it is to be repeated.
    async fn once(&self, path: &str, request: RequestBuilder) -> Result<Result<Value, String>> {
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(format!("{error:?}"))),
        };
        let (status, has_retry) = (answer.status(), answer.headers().contains_key("retry-after"));
        let Ok(text) = answer.text().await else { return Ok(Err("half an answer".to_owned())) };
        if status.is_success() {
            return Ok(Ok(serde_json::from_str(&text)?));
        }
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        if !problem["trace_id"].is_string() {
            self.note(format!("I10 {status} of {path} without a trace id: {text}"));
        }
        match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                if !has_retry {
                    self.note(format!("I10 {status} of {path} without Retry-After"));
                }
                self.note_refusal(&text);
                Ok(Err(text))
            }
            status if status.is_server_error() => {
                self.note(format!("I10 {status} of {path}: {text}"));
                Ok(Err(text))
            }
            _ => bail!("{path}: {status} {text}"),
        }
    }
}
