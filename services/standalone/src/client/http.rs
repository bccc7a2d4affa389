//! The gateway's HTTP API as the command line needs it: addresses, headers, problems.

use std::env;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use dvt_dbt::tree::Mode;
use reqwest::{RequestBuilder, Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::Gateway;
use crate::running::{self, Running};

/// Talks to one gateway.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    actor: String,
}

/// Is a refusal (RFC 9457): the gateway's, or one of the same kind that was found before it was asked.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Value);

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = |key: &str| self.0[key].as_str();
        write!(f, "{}: {}", text("code").unwrap_or_default(), text("detail").unwrap_or_default())?;
        if let Some(pointer) = text("pointer") {
            write!(f, " ({pointer})")?;
        }
        // What the refusal is about, where it is about several.
        for listed in ["files", "roots"].iter().filter_map(|key| self.0[key].as_array()) {
            let listed: Vec<_> = listed.iter().filter_map(Value::as_str).collect();
            write!(f, ": {}", listed.join(", "))?;
        }
        Ok(())
    }
}

impl Error for Refused {}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<Project>,
}

/// Names a project.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Project {
    pub(super) project_id: String,
    pub(super) name: String,
    /// The folder of dbt_project.yml; empty for the top.
    pub(super) root: String,
}

/// Lists files.
#[derive(Deserialize)]
struct Listing {
    files: Vec<Listed>,
}

/// Is one file of a list.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) mode: Mode,
    pub(super) sha256: String,
}

/// Finds the `dvt up` that was started in this folder.
fn running() -> Option<Running> {
    let data = env::var_os("DVT_DATA").map_or_else(|| PathBuf::from(running::DATA_FOLDER), PathBuf::from);
    Running::find(&data)
}

fn address(gateway: &Gateway) -> anyhow::Result<Url> {
    if let Some(url) = &gateway.url {
        return Ok(url.clone());
    }
    let running = running()
        .context("no gateway is named and none was started in this folder; start one with `dvt up`, or use --url")?;
    running.url.parse().context("could not use the address of the `dvt up` in this folder")
}

impl Client {
    /// Makes a client of the gateway.
    ///
    /// # Errors
    /// When the gateway's address cannot hold a path.
    pub(super) fn new(gateway: &Gateway) -> anyhow::Result<Self> {
        let base = address(gateway)?.join("/api/v1/").context("could not use the gateway's address")?;
        let actor =
            ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok()).filter(|name| !name.is_empty());
        Ok(Self { http: reqwest::Client::new(), base, actor: actor.unwrap_or_else(|| "command line".to_owned()) })
    }

    /// Finds the repository that a project is published to, where it is on this machine.
    pub(super) fn repository(&self, project: &Project) -> Option<PathBuf> {
        let running =
            running().filter(|running| running.url.parse().is_ok_and(|url: Url| url.origin() == self.base.origin()))?;
        Some(running.repository.join(format!("{}.git", project.project_id))).filter(|path| path.exists())
    }

    /// Begins a read of `path`, below `/api/v1/`.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<RequestBuilder> {
        Ok(self.http.get(self.at(path)?))
    }

    /// Begins a write to `path`, which is applied once however often it is sent.
    pub(super) fn post(&self, path: &str) -> anyhow::Result<RequestBuilder> {
        let request = self.http.post(self.at(path)?);
        Ok(request.header("Idempotency-Key", Uuid::now_v7().to_string()).header("Dvt-Actor", &self.actor))
    }

    fn at(&self, path: &str) -> anyhow::Result<Url> {
        self.base.join(path).with_context(|| format!("could not build the address of {path}"))
    }

    /// Sends a request and reads the JSON of its answer.
    ///
    /// # Errors
    /// When the gateway cannot be reached, refuses, or answers something else.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let body = self.send(request).await?.bytes().await.context("could not read the gateway's answer")?;
        serde_json::from_slice(&body).context("could not understand the gateway's answer")
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the gateway cannot be reached or refuses.
    pub(super) async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.with_context(|| {
            format!(
                "could not reach a gateway at {}; start one with `dvt up`, or name it with --url",
                self.base.origin().ascii_serialization()
            )
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.unwrap_or_default();
        match serde_json::from_slice::<Value>(&body) {
            Ok(problem) if problem["code"].is_string() => Err(Refused(problem).into()),
            Ok(_) | Err(_) => bail!("the gateway answered {status}"),
        }
    }

    /// Lists the files that a project and its working copy had in common after the last import or export.
    ///
    /// # Errors
    /// When the gateway cannot be reached or refuses.
    pub(super) async fn common(&self, project: &Project) -> anyhow::Result<Vec<Listed>> {
        let Listing { files } = self.json(self.get(&format!("projects/{}/exports/last", project.project_id))?).await?;
        Ok(files)
    }

    /// Finds a project by its id or its name.
    ///
    /// # Errors
    /// When there is none, or several share the name.
    pub(super) async fn project(&self, wanted: &str) -> anyhow::Result<Project> {
        let Projects { projects } = self.json(self.get("projects")?).await?;
        if let Some(project) = projects.iter().find(|project| project.project_id == wanted) {
            return Ok(project.clone());
        }
        match projects.iter().filter(|project| project.name == wanted).collect::<Vec<_>>().as_slice() {
            [project] => Ok((*project).clone()),
            [] => {
                let names: Vec<_> = projects.iter().map(|project| &*project.name).collect();
                Err(anyhow!("there is no project `{wanted}`; there are: {}", names.join(", ")))
            }
            several => {
                let ids: Vec<_> = several.iter().map(|project| &*project.project_id).collect();
                Err(anyhow!("several projects are named `{wanted}`, use an id: {}", ids.join(", ")))
            }
        }
    }
}
