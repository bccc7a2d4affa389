//! Import: a new project from a zip or tar.gz, or the changes of a working copy.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use dvt_dbt::edit::{self, Side};
use dvt_dbt::tree;
use dvt_domain::branch::{self, Branch, ProjectImported};
use dvt_domain::id::ProjectId;
use dvt_domain::import::{self, Options};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::exports::working_copy;
use super::new_project::{self, ImportReport, NewProject, request_sha256};
use super::scope::Scope;
use crate::app::{App, Logged, Write};
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
    /// Files that are not in the archive and yet not removed, as the sender left them out; one path a line.
    keep: Option<String>,
    /// What the history calls the archive.
    source: Option<String>,
    /// True if the files were chosen one by one, as those of a folder: then no .gitignore is applied and no single top
    /// folder stripped.
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
        let options = Options { root, is_listed: parameters.listed };
        let taken = archive::read(&bytes).map_err(archive_problem)?;
        let taken = import::take(taken, options).map_err(import_problem)?;
        let source = parameters.source.unwrap_or_else(|| "an archive".to_owned());
        events = match &into {
            Some(scope) => {
                let kept = parameters.keep.iter().flat_map(|paths| paths.lines()).map(str::to_owned);
                let kept = kept.chain(taken.left_out.iter().map(|file| file.path.clone())).collect();
                merge(&app, &write, (scope, WorkingCopy { source, taken, kept })).await?
            }
            None => {
                let name = parameters.name.unwrap_or_else(|| project_name(&taken));
                let new = NewProject { name, source, taken };
                app.append(&write, new_project::decide(&app, &write, new).await?).await?
            }
        };
    }
    let report = match &into {
        Some(scope) => new_project::report_of(&app, scope, events.first()).await?,
        None => new_project::answer(&app, &events).await?,
    };
    Ok((StatusCode::CREATED, Json(report)))
}

/// Is what came of a working copy.
struct WorkingCopy {
    source: String,
    taken: import::Taken,
    /// What an import does not take, and which was not removed by its not coming.
    kept: Vec<String>,
}

/// Merges a working copy into a project, as one event.
async fn merge(app: &App, write: &Write, (scope, copy): (&Scope, WorkingCopy)) -> Result<Vec<Logged>, Problem> {
    let branch = scope.branch.branch_id;
    let base = &working_copy(app, branch).await?.state;
    let WorkingCopy { source, mut taken, kept } = copy;
    for path in kept {
        if let Some(file) = base.find(&path) {
            taken.tree.insert(path, file.clone());
        }
    }
    let (taken, source, reading) = (&taken, &source, &scope.reading(None)?);
    let decide = |Ahead { head, .. }: Ahead| async move {
        let tree = import::merge(base, &head.state.tree, &taken.tree).map_err(conflict)?;
        let packages = if taken.packages.is_empty() { &head.state.packages } else { &taken.packages };
        if base == &taken.tree && packages == &head.state.packages {
            return Ok(None);
        }
        let after = Branch { tree, packages: packages.clone() };
        new_project::check_size(app, reading, &after).await?;
        let [was, is] = [&head.state, &after].map(|branch| app.parses.get(branch, reading));
        let (was, is) = tokio::try_join!(was, is).map_err(|error| Problem::internal(&error))?;
        let was = Side { project: &was.project, tree: &head.state.tree };
        let moved = edit::moved(was, Side { project: &is.project, tree: &after.tree }, &[]);
        Ok(Some(branch::Event::ProjectImported(ProjectImported {
            source: source.clone(),
            given: (after.tree != taken.tree).then(|| taken.tree.clone()),
            tree: after.tree,
            packages: after.packages,
            left_out: taken.left_out.clone(),
            moved,
        })))
    };
    edits::append(app, (branch, write), decide).await
}

fn conflict(files: Vec<tree::Path>) -> Problem {
    let detail = "the project and the working copy both changed the same places of these files since the last import or \
                  export; nothing was changed; make them the same and import again";
    let files: Vec<_> = files.iter().map(|path| path.to_string()).collect();
    Problem::conflict("EDIT_CONFLICT", detail).with("files", files)
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
    let problem = Problem::unprocessable(error.code(), error.to_string());
    match error {
        Error::Roots(roots) => problem.at("root").with("roots", roots),
        Error::Empty | Error::Path(_) | Error::Link(_) | Error::NoProject | Error::NoProjectAt(_) => problem,
    }
}
