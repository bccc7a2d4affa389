//! The schema registry's client: registers writer schemas and remembers their ids in Postgres. Never on a hot path.

use std::collections::HashMap;
use std::time::Duration;

use dvt_store::{Connection, Sha256, registry_id, schema};
use serde::Deserialize;
use serde_json::json;

use crate::Error;

/// Bounds a request: the relay holds back one partition meanwhile, consumers go on from the log.
const PATIENCE: Duration = Duration::from_secs(2);
/// Replays read every old version.
const COMPATIBILITY: &str = "BACKWARD_TRANSITIVE";

/// Knows the ids of schemas in one registry.
#[derive(Clone, Debug)]
pub struct Registry {
    url: String,
    http: reqwest::Client,
    ids: HashMap<Sha256, i32>,
}

#[derive(Deserialize)]
struct Registered {
    id: i32,
}

impl Registry {
    /// Makes a client of the registry at `url`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(url: &str) -> Result<Self, Error> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), http, ids: HashMap::new() })
    }

    /// Takes the ids that Postgres remembers, unless the registry was wiped since: then they are forgotten.
    ///
    /// # Errors
    /// When the store or the registry does not answer.
    pub async fn load(&mut self, c: &mut Connection) -> Result<(), Error> {
        self.ids = registry_id::list(c, &self.url).await?.into_iter().collect();
        let Some(newest) = self.ids.values().max() else { return Ok(()) };
        let response = self.http.get(format!("{}/schemas/ids/{newest}", self.url)).send().await?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            tracing::warn!(registry = self.url, "the schema registry lost its schemas; registering them again");
            registry_id::forget(c, &self.url).await?;
            self.ids.clear();
        }
        Ok(())
    }

    /// Answers the id of a schema that is known already.
    pub fn known(&self, fingerprint: &Sha256) -> Option<i32> {
        self.ids.get(fingerprint).copied()
    }

    /// Answers the id of a schema, registering it under its topic where it is new.
    ///
    /// # Errors
    /// When the schema is not stored, or the registry does not answer or refuses it.
    pub async fn resolve(&mut self, c: &mut Connection, fingerprint: &Sha256, topic: &str) -> Result<i32, Error> {
        if let Some(id) = self.known(fingerprint) {
            return Ok(id);
        }
        let schema = schema::find(c, fingerprint).await?;
        let schema = schema.ok_or_else(|| Error::MissingSchema(hex::encode(fingerprint)))?;
        let id = self.register(&format!("{topic}-{}", schema.name), &schema).await?;
        registry_id::put(c, &self.url, fingerprint, id).await?;
        self.ids.insert(*fingerprint, id);
        Ok(id)
    }

    async fn register(&self, subject: &str, schema: &schema::Schema) -> Result<i32, Error> {
        let level = self.http.put(format!("{}/config/{subject}", self.url));
        checked(schema, level.json(&json!({"compatibility": COMPATIBILITY})).send().await?).await?;
        let register = self.http.post(format!("{}/subjects/{subject}/versions", self.url));
        let answer = register.json(&json!({"schema": schema.text, "schemaType": "AVRO"})).send().await?;
        let registered: Registered = checked(schema, answer).await?.json().await?;
        Ok(registered.id)
    }
}

async fn checked(schema: &schema::Schema, response: reqwest::Response) -> Result<reqwest::Response, Error> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let detail = response.text().await?.chars().take(500).collect();
    Err(Error::Refused { name: schema.name.clone(), status: status.as_u16(), detail })
}
