//! Previews: what a rename or a removal would change before it is made, and the first rows of a node before it is run.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use dvt_dbt::edit::{self, DecideInput, Intent, Refusal, RemovalPreview, RenamePreview};
use dvt_dbt::parse::ParseInput;
use dvt_domain::run::question::{
    Answer, Failure, Moment, Question, ROWS_MAX, Relation, Rows, RowsQuestion, SQL_MAX_BYTES,
};
use dvt_store::preview;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::scope::{Scope, project_id};
use super::shapes::Place;
use crate::app::App;
use crate::edits;
use crate::http::json::Json;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::parsed::Reading;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(35);
/// How often it is looked for.
const POLL: Duration = Duration::from_millis(50);

/// Asks what a rename would change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rename {
    unique_id: String,
    to: String,
}

/// Says what a rename would change.
#[derive(Serialize, ToSchema)]
#[schema(as = RenamePreview)]
pub(super) struct Renamed {
    /// The version of the branch that was looked at.
    version: i64,
    files: Vec<FilePreview>,
    /// What may name the node too and stays as it is.
    mentions: Vec<Mention>,
    /// What happens in the target.
    target: String,
}

/// Is what an edit does to one file.
#[derive(Serialize, ToSchema)]
struct FilePreview {
    path: String,
    is_removed: bool,
    moved_to: Option<String>,
    hunks: Vec<Hunk>,
}

/// Is one stretch of changed lines.
#[derive(Serialize, ToSchema)]
struct Hunk {
    /// Where it starts, from 1.
    line: u32,
    before: String,
    after: String,
}

/// Is a line that may name the node.
#[derive(Serialize, ToSchema)]
struct Mention {
    path: String,
    line: u32,
    text: String,
}

/// Shows a rename without making it.
#[utoipa::path(post, path = "/api/v1/projects/{project}/preview/rename", tag = "edits", params(("project" = String, Path)), request_body = Rename, responses((status = OK, body = Renamed)))]
pub(super) async fn rename(
    State(app): State<App>,
    Path(project): Path<String>,
    Json(asked): Json<Rename>,
) -> Result<axum::Json<Renamed>, Problem> {
    let look = move |input: &DecideInput<'_>| edit::preview_rename(input, &asked.unique_id, &asked.to);
    let (version, RenamePreview { files, mentions, target }) = look_at(&app, &project, look).await?;
    Ok(axum::Json(Renamed {
        version,
        files: files.into_iter().map(FilePreview::from).collect(),
        mentions: mentions.into_iter().map(Mention::from).collect(),
        target,
    }))
}

/// Looks at what an edit of the branch as it is would do; answers the version that was looked at too.
async fn look_at<T: Send + 'static>(
    app: &App,
    project: &str,
    look: impl FnOnce(&DecideInput<'_>) -> Result<T, Refusal> + Send + 'static,
) -> Result<(i64, T), Problem> {
    let scope = Scope::head(app, project).await?;
    let (reading, parsed) = (scope.reading(None)?, scope.parsed(app, None).await?);
    let (version, files) = (scope.head.version, scope.head.state.clone());
    let look = move || {
        let Reading { root, environment } = &reading;
        let input = ParseInput { tree: &files.tree, root, packages: &files.packages, environment };
        look(&DecideInput { files: input, project: &parsed.project })
    };
    let found = tokio::task::spawn_blocking(look).await.map_err(|error| Problem::internal(&error))?;
    Ok((version, found.map_err(|refusal| edits::refused(refusal, ""))?))
}

/// Says what an edit would change.
#[derive(Serialize, ToSchema)]
pub(super) struct EditPreview {
    /// The version of the branch that was looked at.
    version: i64,
    summary: String,
    files: Vec<FilePreview>,
}

/// Shows an edit without making it: what it would write in which file.
#[utoipa::path(post, path = "/api/v1/projects/{project}/preview/edit", tag = "edits", params(("project" = String, Path)), request_body = Intent, responses((status = OK, body = EditPreview)))]
pub(super) async fn edit(
    State(app): State<App>,
    Path(project): Path<String>,
    Json(intent): Json<Intent>,
) -> Result<axum::Json<EditPreview>, Problem> {
    let look = move |input: &DecideInput<'_>| edit::preview(input, &intent);
    let (version, edit::EditPreview { summary, files }) = look_at(&app, &project, look).await?;
    Ok(axum::Json(EditPreview { version, summary, files: files.into_iter().map(FilePreview::from).collect() }))
}

/// Asks what a removal would change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    unique_id: String,
}

/// Says what a removal would change.
#[derive(Serialize, ToSchema)]
#[schema(as = RemovalPreview)]
pub(super) struct Removed {
    /// The version of the branch that was looked at.
    version: i64,
    files: Vec<FilePreview>,
    /// What still names the node and would break; the removal is refused while there is any.
    breaks: Vec<Mention>,
    /// What happens in the target.
    target: String,
}

/// Shows a removal without making it, with what it would break.
#[utoipa::path(post, path = "/api/v1/projects/{project}/preview/remove", tag = "edits", params(("project" = String, Path)), request_body = Removal, responses((status = OK, body = Removed)))]
pub(super) async fn remove(
    State(app): State<App>,
    Path(project): Path<String>,
    Json(asked): Json<Removal>,
) -> Result<axum::Json<Removed>, Problem> {
    let look = move |input: &DecideInput<'_>| edit::preview_removal(input, &asked.unique_id);
    let (version, RemovalPreview { files, breaks, target }) = look_at(&app, &project, look).await?;
    Ok(axum::Json(Removed {
        version,
        files: files.into_iter().map(FilePreview::from).collect(),
        breaks: breaks.into_iter().map(Mention::from).collect(),
        target,
    }))
}

impl From<edit::FilePreview> for FilePreview {
    fn from(edit::FilePreview { path, is_removed, moved_to, hunks }: edit::FilePreview) -> Self {
        let hunk = |edit::Hunk { line, before, after }: edit::Hunk| Hunk { line, before, after };
        let moved_to = moved_to.map(|path| path.to_string());
        Self { path: path.to_string(), is_removed, moved_to, hunks: hunks.into_iter().map(hunk).collect() }
    }
}

impl From<edit::Mention> for Mention {
    fn from(edit::Mention { path, line, text }: edit::Mention) -> Self {
        Self { path: path.to_string(), line, text }
    }
}

/// Asks for the first rows of a node, of the text in an editor, or of one CTE.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RowsWanted {
    unique_id: Option<String>,
    /// The text of the editor, Jinja included, instead of the node's own; at most 1 MiB.
    sql: Option<String>,
    /// The CTE whose rows are wanted instead of the statement's.
    cte: Option<String>,
    /// `dev` unless given.
    environment: Option<String>,
    /// 1 to 500; 100 unless given.
    #[serde(default = "usual_rows")]
    limit: i64,
}

fn usual_rows() -> i64 {
    100
}

/// Names a preview.
#[derive(Serialize, ToSchema)]
pub(super) struct PreviewRef {
    preview_id: String,
}

/// Is a preview: pending, done, or failed. It lives for 15 minutes.
#[derive(Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Preview {
    Pending,
    Done(PreviewRows),
    Failed(PreviewFailure),
}

/// Holds rows as text.
#[derive(Serialize, ToSchema)]
pub(super) struct PreviewRows {
    columns: Vec<PreviewColumn>,
    rows: Vec<Vec<Option<String>>>,
    /// There are more rows than were asked for.
    truncated: bool,
    ms: f64,
}

/// Names a column.
#[derive(Serialize, ToSchema)]
struct PreviewColumn {
    name: String,
    /// As the database names it, e.g. `int4`.
    #[serde(rename = "type")]
    kind: String,
}

/// Says why there are no rows.
#[derive(Serialize, ToSchema)]
pub(super) struct PreviewFailure {
    code: String,
    message: String,
    sqlstate: Option<String>,
    /// In the project's files; where the text of an editor was sent, in that text, its path empty without a node.
    place: Option<Place>,
    ms: f64,
}

/// Runs a node, the text of an editor or one CTE, read-only, for its first rows.
#[utoipa::path(post, path = "/api/v1/projects/{project}/preview/data", tag = "edits", params(("project" = String, Path)), request_body = RowsWanted, responses((status = ACCEPTED, body = PreviewRef)))]
pub(super) async fn rows(
    State(app): State<App>,
    Path(project): Path<String>,
    Json(asked): Json<RowsWanted>,
) -> Result<(StatusCode, axum::Json<PreviewRef>), Problem> {
    let scope = Scope::head(&app, &project).await?;
    let moment = moment(&scope, asked.environment.as_deref())?;
    check(&asked)?;
    let question = Question::Rows(RowsQuestion {
        moment,
        unique_id: asked.unique_id,
        sql: asked.sql,
        cte: asked.cte,
        limit: asked.limit,
    });
    Ok((StatusCode::ACCEPTED, axum::Json(PreviewRef::ask(&app, scope.id.uuid(), &question).await?)))
}

impl PreviewRef {
    /// Asks a target something.
    pub(super) async fn ask(app: &App, project_id: Uuid, question: &Question) -> Result<Self, Problem> {
        Ok(Self { preview_id: ask(app, project_id, question).await?.to_string() })
    }
}

/// Says which files a question is about: those of the head, read for an environment.
pub(super) fn moment(scope: &Scope, environment: Option<&str>) -> Result<Moment, Problem> {
    Ok(Moment {
        branch_id: scope.branch.branch_id,
        branch_version: scope.head.version,
        project_version: scope.project.version,
        environment: scope.environment(environment)?.environment.name.clone(),
    })
}

fn check(asked: &RowsWanted) -> Result<(), Problem> {
    if !(1..=ROWS_MAX).contains(&asked.limit) {
        let problem = Problem::bad_request("PARAM_RANGE", format!("limit must be 1 to {ROWS_MAX}")).at("/limit");
        return Err(problem.limit(ROWS_MAX).got(&asked.limit.to_string()));
    }
    if asked.sql.as_ref().is_some_and(|sql| sql.len() > SQL_MAX_BYTES) {
        let problem = Problem::unprocessable("SQL_TOO_LARGE", format!("the SQL is larger than {SQL_MAX_BYTES} bytes"));
        return Err(problem.at("/sql").limit(SQL_MAX_BYTES as i64));
    }
    match (&asked.unique_id, &asked.sql) {
        (None, None) => Err(Problem::unprocessable("FIELD_MISSING", "name a node or send SQL").at("/unique_id")),
        (Some(_), _) | (_, Some(_)) => Ok(()),
    }
}

/// Asks a target something; the answer comes under the id.
async fn ask(app: &App, project_id: Uuid, question: &Question) -> Result<Uuid, Problem> {
    let preview_id = Uuid::now_v7();
    let request = serde_json::to_vec(question).map_err(|error| Problem::internal(&error))?;
    let row = preview::Preview { preview_id, project_id, request };
    preview::create(&mut *app.connection().await?, &row).await?;
    Ok(preview_id)
}

/// Reads the answer to what was asked; None while there is none.
async fn answer(app: &App, preview_id: Uuid) -> Result<Option<Answer>, Problem> {
    let found = preview::find(&mut *app.connection().await?, preview_id).await?;
    match found.ok_or_else(Problem::not_found)? {
        preview::Answer::Pending => Ok(None),
        preview::Answer::Done(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| Problem::internal(&error))
        }
    }
}

/// Asks a target something and waits for its answer.
///
/// # Errors
/// EXECUTOR_UNAVAILABLE where none comes in time.
pub(super) async fn ask_now(app: &App, project_id: Uuid, question: &Question) -> Result<Answer, Problem> {
    let asked = ask(app, project_id, question).await?;
    let answer = async {
        let mut tick = tokio::time::interval(POLL);
        loop {
            tick.tick().await;
            if let Some(answer) = answer(app, asked).await? {
                return Ok::<_, Problem>(answer);
            }
        }
    };
    let nobody = |_| Problem::unavailable("EXECUTOR_UNAVAILABLE", "no executor answered in time; repeat the request");
    tokio::time::timeout(PATIENCE, answer).await.map_err(nobody)?
}

/// Answers a preview.
#[utoipa::path(get, path = "/api/v1/projects/{project}/previews/{preview_id}", tag = "edits", params(("project" = String, Path), ("preview_id" = String, Path)), responses((status = OK, body = Preview)))]
pub(super) async fn preview(
    State(app): State<App>,
    Path((project, preview_id)): Path<(String, String)>,
) -> Result<axum::Json<Preview>, Problem> {
    project_id(&project)?;
    let malformed = |_| Problem::bad_request("ID_INVALID", "expected a UUID").at("preview_id").got(&preview_id);
    let preview_id = Uuid::try_parse(&preview_id).map_err(malformed)?;
    Ok(axum::Json(answer(&app, preview_id).await?.map_or(Preview::Pending, Preview::from)))
}

pub(super) fn milliseconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1_000.0
}

impl From<Answer> for Preview {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Rows(rows) => Self::Done(rows.into()),
            Answer::Relation(Relation { duration_us, .. }) | Answer::Connected { duration_us, .. } => {
                Self::Done(Rows { duration_us, ..Rows::default() }.into())
            }
            Answer::Failed(failure) => Self::Failed(failure.into()),
        }
    }
}

impl From<Rows> for PreviewRows {
    fn from(rows: Rows) -> Self {
        let columns = rows.columns.into_iter().map(|column| PreviewColumn { name: column.name, kind: column.r#type });
        let ms = milliseconds(rows.duration_us);
        Self { columns: columns.collect(), rows: rows.rows, truncated: rows.truncated, ms }
    }
}

impl From<Failure> for PreviewFailure {
    fn from(failure: Failure) -> Self {
        let Failure { code, message, sqlstate, place, duration_us } = failure;
        Self { code, message, sqlstate, place: place.as_ref().map(Place::from), ms: milliseconds(duration_us) }
    }
}
