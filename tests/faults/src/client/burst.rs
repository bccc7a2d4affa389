//! A burst of work on one project: edits of disjoint models, a run, a publication.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ack, Http, Live, Record};
use crate::project::{self, MODELS, SLEEPY};

/// How often something that takes its time is looked at.
const POLL: Duration = Duration::from_millis(50);
/// How long a run or a publication may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// How many clients edit at once.
const EDITORS: usize = 2;

/// Says what is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Play {
    /// How often each client edits.
    pub(crate) edits: usize,
    pub(crate) runs: bool,
    pub(crate) publishes: bool,
    /// Runs what sleeps, and cancels it.
    pub(crate) cancels: bool,
}

impl Play {
    pub(crate) const ALL: Self = Self { edits: 3, runs: true, publishes: true, cancels: false };
    pub(crate) const EDITS: Self = Self { edits: 6, runs: false, publishes: false, cancels: false };

    /// Plays both at once.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            edits: self.edits.max(other.edits),
            runs: self.runs || other.runs,
            publishes: self.publishes || other.publishes,
            cancels: self.cancels || other.cancels,
        }
    }
}

/// Plays on one project.
pub(crate) struct Burst {
    pub(crate) http: Http,
    pub(crate) project: String,
    pub(crate) record: Record,
    pub(crate) live: Live,
}

impl Burst {
    /// Imports the project, and follows it from its first event.
    pub(crate) async fn begin(urls: &[String]) -> Result<Self> {
        let http = Http::new(urls.to_vec())?;
        let report = http.import(&project::zip()?).await?;
        let project = report["project_id"].as_str().unwrap_or_default().to_owned();
        ensure!(!project.is_empty(), "the import answers no project: {report}");
        let live = Live::follow(urls.to_vec(), &project);
        Ok(Self { http, project, record: Record::default(), live })
    }

    /// Plays until everything is acknowledged and has ended.
    pub(crate) async fn play(&self, play: Play) -> Result<()> {
        let editors = futures::future::try_join_all((0..EDITORS).map(|editor| self.edit(editor, play.edits)));
        let run = async { if play.runs { self.run().await } else { Ok(()) } };
        let publish = async { if play.publishes { self.publish().await } else { Ok(()) } };
        let cancel = async { if play.cancels { self.cancel().await } else { Ok(()) } };
        tokio::try_join!(editors, run, publish, cancel)?;
        Ok(())
    }

    /// Edits models that no other client edits.
    async fn edit(&self, editor: usize, edits: usize) -> Result<()> {
        for turn in 0..edits {
            self.edit_model((editor + EDITORS * turn) % MODELS).await?;
        }
        Ok(())
    }

    /// Edits one model, which nobody else edits, once and again until then.
    pub(crate) async fn insist(&self, model: usize, until: Instant) -> Result<()> {
        loop {
            self.edit_model(model).await?;
            if Instant::now() >= until {
                return Ok(());
            }
        }
    }

    async fn edit_model(&self, model: usize) -> Result<()> {
        let path = format!("projects/{}/commands", self.project);
        let (key, number) = (Uuid::now_v7(), self.record.next());
        let command = json!({
            "type": "set_sql", "unique_id": project::unique_id(model), "sql": project::edited(number)
        });
        let item = json!({"idempotency_key": key, "base_version": self.last_version(), "command": command});
        let body = json!({"commands": [item]});
        let answer = self.command(&path, &body).await?;
        // A conflict names a version too.
        ensure!(answer["event_id"].is_string() && answer["version"].is_i64(), "an edit is refused: {answer}");
        self.record.write(|record| {
            record.edits.push(Ack { key, path, body, answer });
            record.last.insert(model, number);
        });
        Ok(())
    }

    fn last_version(&self) -> i64 {
        self.record
            .write(|record| record.edits.iter().filter_map(|ack| ack.answer["version"].as_i64()).max())
            .unwrap_or(1)
    }

    /// Sends one command until it is answered for good.
    pub(crate) async fn command(&self, path: &str, body: &Value) -> Result<Value> {
        let patience = Instant::now() + PATIENCE;
        loop {
            // The key of the request itself says nothing: each command has its own.
            let answer = self.http.post(path, (Uuid::now_v7(), body)).await?;
            let answer = &answer["results"][0];
            if answer["status"].as_i64() != Some(503) || Instant::now() >= patience {
                return Ok(answer.clone());
            }
            self.http.note_refusal(&answer.to_string());
            tokio::time::sleep(POLL).await;
        }
    }

    /// Runs everything but what sleeps.
    async fn run(&self) -> Result<()> {
        let run = self.ask_for_run(json!({"command": "run", "exclude": SLEEPY})).await?;
        let finished = self.follow_run(&run).await?;
        ensure!(finished["outcome"] == "succeeded", "I5 a run did not succeed: {finished}");
        self.record.write(|record| record.finished.push(finished));
        Ok(())
    }

    async fn cancel(&self) -> Result<()> {
        let run = self.ask_for_run(json!({"command": "run", "select": SLEEPY})).await?;
        let path = format!("projects/{}/runs/{run}", self.project);
        let patience = Instant::now() + PATIENCE;
        // Not there yet, as long as the views are behind.
        while self.http.get(&path).await.unwrap_or_default()["counts"]["running"] != 1 {
            ensure!(Instant::now() < patience, "run {run} does not start");
            tokio::time::sleep(POLL).await;
        }
        let key = Uuid::now_v7();
        self.http.post(&format!("{path}/cancel"), (key, &json!({}))).await?;
        let finished = self.follow_run(&run).await?;
        ensure!(finished["outcome"] == "cancelled", "I5 a run was not cancelled: {finished}");
        self.record.write(|record| record.finished.push(finished));
        Ok(())
    }

    async fn ask_for_run(&self, body: Value) -> Result<String> {
        let (key, path) = (Uuid::now_v7(), format!("projects/{}/runs", self.project));
        let answer = self.http.post(&path, (key, &body)).await?;
        let run = answer["run_id"].as_str().unwrap_or_default().to_owned();
        self.record.write(|record| record.runs.push(Ack { key, path, body, answer }));
        Ok(run)
    }

    async fn follow_run(&self, run: &str) -> Result<Value> {
        let path = format!("projects/{}/runs/{run}", self.project);
        let patience = Instant::now() + PATIENCE;
        loop {
            // Not there yet, as long as the views are behind.
            if let Ok(found) = self.http.get(&path).await
                && found["state"] == "finished"
            {
                return Ok(found);
            }
            ensure!(Instant::now() < patience, "I11 run {run} does not end");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Publishes what the branch holds.
    async fn publish(&self) -> Result<()> {
        let (key, path) = (Uuid::now_v7(), format!("projects/{}/publish", self.project));
        let answer = self.http.post(&path, (key, &json!({}))).await?;
        let id = answer["publish_id"].clone();
        self.record.write(|record| record.publishes.push(Ack { key, path, body: json!({}), answer }));
        let path = format!("projects/{}/publishes", self.project);
        let patience = Instant::now() + PATIENCE;
        loop {
            let list = self.http.get(&path).await?;
            let found = list["publishes"].as_array().into_iter().flatten().find(|publish| publish["publish_id"] == id);
            match found {
                Some(found) if found["state"] == "published" || found["state"] == "superseded" => {
                    self.record.write(|record| record.published.push(found.clone()));
                    return Ok(());
                }
                Some(found) if found["state"] == "failed" => bail!("a publication failed: {found}"),
                Some(_) | None => ensure!(Instant::now() < patience, "I11 publication {id} does not end"),
            }
            tokio::time::sleep(POLL).await;
        }
    }
}
