//! Import: a new project from a zip or tar.gz.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use dvt_domain::id::ProjectId;
use dvt_domain::import::{self, Options};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::new_project::{self, ImportReport, NewProject, request_sha256};
use crate::app::{App, Write};
use crate::archive::{self, ARCHIVE_MAX_BYTES};
use crate::http::headers::{IdempotencyKey, Who};
use crate::http::json::{check_content_type, read_body};
use crate::http::problem::Problem;
use crate::http::query::Query;

/// Says how to read the archive.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Parameters {
    /// The project's name; the one in dbt_project.yml unless given.
    name: Option<String>,
    /// The folder of dbt_project.yml, where the archive has several.
    root: Option<String>,
    /// What the history calls the archive.
    source: Option<String>,
    /// True if the archive has exactly the files that Git tracks: then no .gitignore is applied.
    #[serde(default)]
    listed: bool,
}

/// Makes a project of a zip or tar.gz.
#[utoipa::path(
    post, path = "/api/v1/projects/import", tag = "projects",
    params(("Idempotency-Key" = String, Header), ("Dvt-Actor" = Option<String>, Header), Parameters),
    request_body(content(("application/zip"), ("application/gzip"))),
    responses((status = CREATED, body = ImportReport))
)]
pub(super) async fn import(
    State(app): State<App>,
    Who(actor): Who,
    IdempotencyKey(key): IdempotencyKey,
    Query(parameters): Query<Parameters>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<ImportReport>), Problem> {
    check_content_type(request.headers(), &["application/zip", "application/gzip"])?;
    let address = format!("{} {}", request.method(), request.uri());
    let bytes = read_body(request.into_body(), ARCHIVE_MAX_BYTES).await?;
    let request_sha256 = request_sha256(&address, &bytes);
    let write = Write { actor, key, request_sha256, project_id: ProjectId::new(Uuid::now_v7()) };
    let mut events = app.repeated(&write).await?;
    if events.is_empty() {
        let options = Options { root: parameters.root.as_deref(), listed_by_git: parameters.listed };
        let taken = archive::read(&bytes).map_err(archive_problem)?;
        let taken = import::take(taken, options).map_err(import_problem)?;
        let new = NewProject {
            name: parameters.name.unwrap_or_else(|| project_name(&taken)),
            source: parameters.source.unwrap_or_else(|| "an archive".to_owned()),
            taken,
        };
        events = app.append(&write, &new_project::decide(&app, &write, new)?).await?;
    }
    Ok((StatusCode::CREATED, Json(new_project::answer(&app, &events).await?)))
}

/// Reads the name in dbt_project.yml, where no other is given.
fn project_name(taken: &import::Taken) -> String {
    let folder = if taken.root.is_empty() { String::new() } else { format!("{}/", taken.root) };
    match dvt_dbt::project::definition(&taken.tree, &folder) {
        Ok(definition) => definition.name,
        Err(_) => "unnamed".to_owned(),
    }
}

fn archive_problem(error: archive::Error) -> Problem {
    use archive::Error;
    let code = match &error {
        Error::Format(_) => "IMPORT_FORMAT",
        Error::Encrypted(_) => "IMPORT_ENCRYPTED",
        Error::Entries | Error::Content(_) => "IMPORT_TOO_LARGE",
        Error::Kind(_) => "IMPORT_PATH",
    };
    Problem::unprocessable(code, error.to_string())
}

fn import_problem(error: import::Error) -> Problem {
    use import::Error;
    let code = match &error {
        Error::Empty => "IMPORT_EMPTY",
        Error::Path(_) | Error::Link(_) => "IMPORT_PATH",
        Error::NoProject | Error::NoProjectAt(_) => "IMPORT_NO_PROJECT",
        Error::Roots(_) => "IMPORT_ROOT",
    };
    let problem = Problem::unprocessable(code, error.to_string());
    match error {
        Error::Roots(roots) => problem.at("root").with("roots", roots),
        Error::Empty | Error::Path(_) | Error::Link(_) | Error::NoProject | Error::NoProjectAt(_) => problem,
    }
}
