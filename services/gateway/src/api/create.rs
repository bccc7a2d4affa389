//! A new project from a template.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dvt_dbt::tree::Mode;
use dvt_domain::id::ProjectId;
use dvt_domain::import::{self, Content, Entry, Options};
use rust_embed::RustEmbed;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::new_project::{self, ImportReport, NewProject};
use crate::app::{App, Write};
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::HashedJson;
use crate::http::problem::Problem;

/// The sample that comes with DVT+.
#[derive(RustEmbed)]
#[folder = "../../samples/night_trains"]
struct Sample;

/// Asks for a new project.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewFromTemplate {
    name: String,
    #[serde(default)]
    template: Template,
}

/// Names what a new project starts from.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Template {
    /// A dbt_project.yml and nothing else.
    #[default]
    Empty,
    /// The sample project, with its seeds.
    Sample,
}

/// Makes a project from a template.
#[utoipa::path(
    post, path = "/api/v1/projects", tag = "projects",
    params(("Idempotency-Key" = String, Header), ("Dvt-Actor" = Option<String>, Header)),
    request_body = NewFromTemplate, responses((status = CREATED, body = ImportReport))
)]
pub(super) async fn create(
    State(app): State<App>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
    HashedJson { value, sha256 }: HashedJson<NewFromTemplate>,
) -> Result<(StatusCode, Json<ImportReport>), Problem> {
    let write = Write { actor, key, request_sha256: sha256, project_id: ProjectId::new(Uuid::now_v7()) };
    let mut events = app.repeated(&write).await?;
    if events.is_empty() {
        let (source, files) = match value.template {
            Template::Empty => ("the empty template", empty(&value.name)),
            Template::Sample => ("the sample night_trains", sample()),
        };
        let taken = import::take(files, Options::default()).map_err(|error| Problem::internal(&error))?;
        let new = NewProject { name: value.name, source: source.to_owned(), taken };
        events = app.append(&write, new_project::decide(&app, &write, new).await?).await?;
    }
    Ok((StatusCode::CREATED, Json(new_project::answer(&app, &events).await?)))
}

fn file(path: &str, bytes: Vec<u8>) -> Entry {
    Entry { path: path.to_owned(), content: Content::File { mode: Mode::Regular, bytes: bytes.into() } }
}

fn sample() -> Vec<Entry> {
    let found = Sample::iter().filter_map(|path| Some(file(&path, Sample::get(&path)?.data.into_owned())));
    found.collect()
}

fn empty(name: &str) -> Vec<Entry> {
    let name = dbt_name(name);
    let definition =
        format!("name: {name}\nversion: '1.0'\nprofile: {name}\n\nmodels:\n  {name}:\n    +materialized: view\n");
    vec![file("dbt_project.yml", definition.into_bytes())]
}

/// Answers a name as dbt wants it: letters, digits and underscores, no digit first.
fn dbt_name(name: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' };
    let name: String = name.trim().chars().map(plain).collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("project_{name}"),
        Some(_) => name,
        None => "project".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_name_that_dbt_takes() {
        assert_eq!(dbt_name("My Shop"), "my_shop");
        assert_eq!(dbt_name("2026"), "project_2026");
        assert_eq!(dbt_name(" "), "project");
    }

    #[test]
    fn the_templates_are_projects() {
        for files in [empty("shop"), sample()] {
            import::take(files, Options::default()).expect("a project");
        }
    }
}
