//! Import: a new project from a zip or tar.gz, or the changes of a working copy.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use dvt_dbt::tree::Tree;
use dvt_domain::Event;
use dvt_domain::branch::{self, ProjectImported};
use dvt_domain::id::{BranchId, ProjectId};
use dvt_domain::import::{self, Options};
use dvt_store::event::{self, Recorded};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::new_project::{self, ImportReport, NewProject, request_sha256};
use super::scope::Scope;
use crate::app::{App, Write};
use crate::archive::{self, ARCHIVE_MAX_BYTES};
use crate::branches::Ahead;
use crate::edits;
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
    /// The project that takes the files of a working copy: what they changed since its last import or export.
    into: Option<String>,
    /// What the history calls the archive.
    source: Option<String>,
    /// True if the archive has exactly the files that Git tracks: then no .gitignore is applied.
    #[serde(default)]
    listed: bool,
}

/// Makes a project of a zip or tar.gz, or takes one as a working copy's changes.
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
    let into = match &parameters.into {
        Some(project) => Some(Scope::head(&app, project).await?),
        None => None,
    };
    let project_id = into.as_ref().map_or_else(|| ProjectId::new(Uuid::now_v7()), |scope| scope.id);
    let write = Write { actor, key, request_sha256, project_id };
    let mut events = app.repeated(&write).await?;
    if events.is_empty() {
        let root = parameters.root.as_deref().or(into.as_ref().map(Scope::root));
        let options = Options { root, listed_by_git: parameters.listed };
        let taken = archive::read(&bytes).map_err(archive_problem)?;
        let taken = import::take(taken, options).map_err(import_problem)?;
        let source = parameters.source.unwrap_or_else(|| "an archive".to_owned());
        events = match &into {
            Some(scope) => merge(&app, &write, (scope, source, taken)).await?,
            None => {
                let name = parameters.name.unwrap_or_else(|| project_name(&taken));
                let new = NewProject { name, source, taken };
                app.append(&write, &new_project::decide(&app, &write, new).await?).await?
            }
        };
    }
    let report = match (&into, events.is_empty()) {
        (Some(scope), _) => new_project::report_of(&app, scope, events.first()).await?,
        (None, _) => new_project::answer(&app, &events).await?,
    };
    Ok((StatusCode::CREATED, Json(report)))
}

/// Merges a working copy into a project, as one event.
async fn merge(
    app: &App,
    write: &Write,
    (scope, source, taken): (&Scope, String, import::Taken),
) -> Result<Vec<Recorded>, Problem> {
    let branch = scope.branch.branch_id;
    let base = base(app, branch).await?;
    let (base, taken, source) = (&base, &taken, &source);
    let decide = |Ahead { head, .. }: Ahead| async move {
        let tree = import::merge(base, &head.state.tree, &taken.tree).map_err(|paths| {
            let detail = "the project and the working copy changed the same places; export the project and merge";
            let paths: Vec<_> = paths.iter().map(|path| path.to_string()).collect();
            Problem::conflict("EDIT_CONFLICT", detail).with("files", paths)
        })?;
        let packages = if taken.packages.is_empty() { &head.state.packages } else { &taken.packages };
        if tree == head.state.tree && packages == &head.state.packages {
            return Ok(None);
        }
        Ok(Some(branch::Event::ProjectImported(ProjectImported {
            source: source.clone(),
            given: (tree != taken.tree).then(|| taken.tree.clone()),
            tree,
            packages: packages.clone(),
            left_out: taken.left_out.clone(),
            moved: Vec::new(),
        })))
    };
    edits::append(app, (branch, write), decide).await
}

/// Reads the files that the project and its working copy last had in common.
async fn base(app: &App, branch: BranchId) -> Result<Tree, Problem> {
    let mut connection = app.connection().await?;
    let last = event::find_last(&mut connection, branch.uuid(), &["ProjectImported", "ProjectExported"]).await?;
    let last = last.ok_or_else(Problem::not_found)?;
    match app.log.decode(&mut connection, &last).await? {
        Some(Event::Branch(branch::Event::ProjectImported(imported))) => Ok(imported.given.unwrap_or(imported.tree)),
        Some(Event::Branch(branch::Event::ProjectExported(exported))) => {
            Ok(app.branches.version(branch, exported.version).await?.state.tree.clone())
        }
        Some(_) | None => Err(Problem::not_found()),
    }
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
