//! Edits of a branch: decided on its head in its turn, rebased where they were made on an older version.

use axum::http::StatusCode;
use dvt_dbt::edit::{Code, DecideInput, Intent, Refusal};
use dvt_dbt::parse::ParseInput;
use dvt_domain::branch::{self, Base, Conflict, Decision, Since};
use dvt_domain::envelope::Timestamp;
use dvt_domain::id::BranchId;
use dvt_domain::{Actor, Event};
use dvt_log::Decided;
use dvt_runtime::trace;
use dvt_store::appender::Tip;
use dvt_store::event;
use tracing::{Instrument, info_span};

use crate::app::{App, Logged, Stop, Write};
use crate::branches::Ahead;
use crate::http::problem::Problem;
use crate::parsed::Reading;

/// The most events that an edit's base may lie behind: older ones are refused, to bound what one request reads.
const STALE_MAX: i64 = 1_000;

/// Is an edit that somebody made on a version of a branch.
#[derive(Clone)]
pub struct Edit {
    pub write: Write,
    pub base_version: i64,
    pub intent: Intent,
    /// How the files are read: the folder of dbt_project.yml, and the environment.
    pub reading: Reading,
}

/// Decides an edit and appends it; no events where the files already say what is meant.
///
/// # Errors
/// What the edit breaks, with its place; 409 where it collides with a later edit or its base is ahead of the branch.
pub async fn apply(app: &App, branch: BranchId, edit: Edit) -> Result<Vec<Logged>, Problem> {
    let edit = &edit;
    let decide = |ahead: Ahead| async move {
        let deciding = decide(app, &ahead, (branch, edit)).instrument(trace::child(|| info_span!("decide")));
        let Some(decision) = deciding.await? else { return Ok(None) };
        let after = ahead.head.state.apply(&decision.event).map_err(|error| Problem::internal(&error))?;
        // Whoever edits or reads next need not read it again.
        app.parses.keep(&after, &edit.reading, decision.project);
        Ok(Some(decision.event))
    };
    append(app, (branch, &edit.write), decide).await
}

/// Decides an event on the head of a branch, in the branch's turn, and appends it.
///
/// # Errors
/// What `decide` refuses; 503 where the log is busy or does not answer.
pub async fn append<D, F>(app: &App, (branch, write): (BranchId, &Write), decide: D) -> Result<Vec<Logged>, Problem>
where
    D: Fn(Ahead) -> F,
    F: Future<Output = Result<Option<branch::Event>, Problem>>,
{
    let decide = &decide;
    let outcome = app
        .branch_turns
        .run(branch.uuid(), move |tip: Option<Tip<Ahead>>| async move {
            let ahead = match tip {
                Some(tip) => tip.state,
                None => Ahead::of(app.branches.head(branch).await.map_err(Problem::from)?),
            };
            let event = decide(ahead.clone()).await?.ok_or(Stop::Nothing)?;
            let after = ahead.after(&event, &write.actor).map_err(|error| Problem::internal(&error))?;
            let version = ahead.head.version;
            let decided = Decided { stream_id: branch.uuid(), version, events: vec![Event::Branch(event)] };
            let (command, placed) = app.command(write, vec![decided]).await?;
            let head = after.head.clone();
            let kept = move |first| {
                // Whoever reads next need not fold it again.
                app.branches.keep(branch, head);
                placed(first)
            };
            Ok::<_, Stop>((command, Tip { version: after.head.version, state: after }, kept))
        })
        .await;
    app.ended(write, outcome).await
}

async fn decide(app: &App, ahead: &Ahead, (branch, edit): (BranchId, &Edit)) -> Result<Option<Decision>, Problem> {
    let head = &ahead.head;
    if edit.base_version > head.version {
        let detail = format!("the branch is at version {}, the edit was made on {}", head.version, edit.base_version);
        let problem = Problem::conflict("VERSION_AHEAD", detail).at("/base_version").limit(head.version);
        return Err(problem.got(&edit.base_version.to_string()));
    }
    let parsed = app.read(head, &edit.reading).await?;
    let base = base(app, (branch, ahead), edit.base_version).await?;
    let (edit, files) = (edit.clone(), head.state.clone());
    let decide = move || {
        let Reading { root, environment } = &edit.reading;
        let input = ParseInput { tree: &files.tree, root, packages: &files.packages, environment };
        branch::decide(&DecideInput { files: input, project: &parsed.project }, edit.intent, &base)
    };
    let decided = tokio::task::spawn_blocking(decide).await.map_err(|error| Problem::internal(&error))?;
    decided.map_err(|error| match error {
        branch::Error::Refused(refusal) => refused(refusal, "/command"),
        branch::Error::Conflict(conflict) => conflicting(*conflict),
    })
}

/// Reads what an edit was made on, and what others have done since.
async fn base(app: &App, (branch, ahead): (BranchId, &Ahead), version: i64) -> Result<Base, Problem> {
    if version < 1 || ahead.head.version - version > STALE_MAX {
        let detail =
            format!("the edit was made on version {version}, {STALE_MAX} or more behind; load the project again");
        return Err(Problem::conflict("EDIT_CONFLICT", detail).at("/base_version").limit(STALE_MAX));
    }
    let tree = match ahead.tree(version) {
        Some(tree) => tree.clone(),
        None => app.branches.version(branch, version).await?.state.tree.clone(),
    };
    let mut since = Vec::new();
    if version < ahead.read_version() {
        let (mut connection, count) = (app.connection().await?, ahead.read_version() - version);
        for recorded in event::list_stream(&mut connection, branch.uuid(), version, count).await? {
            let Some(Event::Branch(event)) = app.log.decode(&mut connection, &recorded).await? else { continue };
            let at = Timestamp(recorded.occurred_at.timestamp_micros());
            since.push(Since { version: recorded.version, actor: Actor::recorded(recorded.actor), at, event });
        }
    }
    // Those that are still on their way to the log, and others of this process.
    since.extend(ahead.since(version));
    Ok(Base { version, tree, since })
}

/// Turns a refusal into the problem that names its places and its field, which stands below `place` in the request.
pub fn refused(refusal: Refusal, place: &str) -> Problem {
    let status = match refusal.code {
        Code::FileExists => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut problem = Problem::new(status, refusal.code.as_str(), refusal.message);
    if let Some(field) = refusal.field {
        problem = problem.at(format!("{place}{field}"));
    }
    if let Some(limit) = refusal.limit {
        problem = problem.limit(limit as i64);
    }
    if let Some(got) = &refusal.got {
        problem = problem.got(got);
    }
    if !refusal.places.is_empty() {
        let places = refusal
            .places
            .iter()
            .map(|place| serde_json::json!({"path": place.path, "line": place.line, "column": place.column}));
        problem = problem.with("places", places.collect::<Vec<_>>());
    }
    problem
}

fn conflicting(conflict: Conflict) -> Problem {
    let Conflict { version, actor, at, summary, subject, path, base, theirs, mine } = conflict;
    let detail = format!("{} {summary} in version {version}; look at it and repeat the edit", actor.as_str());
    let at = chrono::DateTime::from_timestamp_micros(at.0).map(|at| at.to_rfc3339());
    Problem::conflict("EDIT_CONFLICT", detail)
        .with("version", version)
        .with("actor", actor.as_str())
        .with("at", at)
        .with("subject", subject.map(|subject| serde_json::json!({"node": subject.node, "property": subject.property})))
        .with("path", path.as_deref())
        .with("base", base)
        .with("theirs", theirs)
        .with("mine", mine)
}
