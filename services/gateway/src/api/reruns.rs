//! What a run takes: what its selection finds, or what did not succeed in an earlier run.

use std::collections::HashSet;

use dvt_dbt::select::Criteria;
use dvt_domain::id::RunId;
use dvt_domain::run::Kind;
use dvt_store::view;

use super::runs::{self, NewRun};
use super::scope::Scope;
use super::selection;
use crate::app::App;
use crate::holds;
use crate::http::problem::Problem;

/// The most nodes that a run may name one by one: its request stays a small record.
const NODES_MAX: usize = 5_000;

/// Is what a run takes, and how.
pub(super) struct Chosen {
    pub(super) environment: String,
    pub(super) kind: Kind,
    pub(super) select: String,
    pub(super) exclude: String,
    pub(super) full_refresh: bool,
    pub(super) threads: i32,
    /// Exactly these; empty where the selection says it all.
    pub(super) nodes: Vec<String>,
    pub(super) retry_of: Option<RunId>,
    /// What it builds.
    pub(super) relations: Vec<String>,
}

/// Takes what a selection finds. What only this moment knows is named node by node.
///
/// # Errors
/// When the selection cannot be read or finds nothing.
pub(super) async fn selected(app: &App, scope: &Scope, asked: &NewRun) -> Result<Chosen, Problem> {
    let environment = &scope.environment(asked.environment.as_deref())?.environment;
    let parsed = scope.parsed(app, asked.environment.as_deref()).await?;
    let (select, exclude) = (asked.select.clone(), asked.exclude.clone());
    let criteria = Criteria { select, exclude, ..Criteria::default() };
    let is_of_now = selection::reads_state(&criteria);
    let found = selection::found(app, scope, (parsed.clone(), criteria)).await?;
    if found.is_empty() {
        let detail = "the selection finds no node of this project";
        return Err(Problem::unprocessable("SELECTION_EMPTY", detail).at("/select").got(&asked.select));
    }
    let kind = Kind::from(asked.command.unwrap_or_default());
    let relations = holds::relations(&parsed.project, &found, kind);
    let nodes = if is_of_now { found } else { Vec::new() };
    if nodes.len() > NODES_MAX {
        let detail = format!("a selection by `state:` may find {NODES_MAX} nodes, this one finds {}", nodes.len());
        return Err(Problem::unprocessable("SELECTION_TOO_LARGE", detail).at("/select").limit(NODES_MAX as i64));
    }
    Ok(Chosen {
        environment: environment.name.clone(),
        kind,
        select: asked.select.clone(),
        exclude: asked.exclude.clone(),
        full_refresh: asked.full_refresh,
        threads: environment.threads as i32,
        nodes,
        relations,
        retry_of: None,
    })
}

/// Takes what did not succeed in a run, with all that it was asked for. A run that was never planned is asked for again
/// as it was.
///
/// # Errors
/// When the run has not finished, has nothing to retry, or the request asks for more than that.
pub(super) async fn of_run(app: &App, scope: &Scope, (run, asked): (&str, &NewRun)) -> Result<Chosen, Problem> {
    let is_more = !asked.select.is_empty() || !asked.exclude.is_empty() || asked.environment.is_some();
    if is_more || asked.full_refresh || asked.command.is_some() {
        let detail = "`retry` repeats what the run was asked for; of the other fields only `threads` goes with it";
        return Err(Problem::unprocessable("FIELD_CONFLICT", detail).at("/retry"));
    }
    let mut connection = app.connection().await?;
    let run = runs::find(&mut connection, (&scope.id.to_string(), run)).await?;
    let steps = view::run::list_steps(&mut connection, run.run_id).await?;
    drop(connection);
    if run.state != "finished" {
        let detail = format!("run {} has not finished yet; wait for its end or cancel it", run.number);
        return Err(Problem::conflict("RUN_NOT_FINISHED", detail));
    }
    let parsed = scope.parsed(app, Some(&run.environment)).await?;
    // The project's own statements come with every run.
    let is_open = |step: &&view::run::Step| step.state != "succeeded" && step.resource_type != "operation";
    let open: HashSet<&str> = steps.iter().filter(is_open).map(|step| step.unique_id.as_str()).collect();
    let nodes = parsed.project.nodes().keys().filter(|id| open.contains(id.as_str())).cloned();
    let nodes: Vec<String> = nodes.take(NODES_MAX).collect();
    if nodes.is_empty() && !steps.is_empty() {
        let detail = match open.is_empty() {
            true => format!("every node of run {} succeeded", run.number),
            false => format!("the project has none of the nodes any more that did not succeed in run {}", run.number),
        };
        return Err(Problem::unprocessable("RETRY_EMPTY", detail).at("/retry"));
    }
    let found = match nodes.is_empty() {
        true => {
            let (select, exclude) = (run.select.clone(), run.exclude.clone());
            selection::found(app, scope, (parsed.clone(), Criteria { select, exclude, ..Criteria::default() })).await?
        }
        false => nodes.clone(),
    };
    let kind = kind(&run.kind);
    Ok(Chosen {
        relations: holds::relations(&parsed.project, &found, kind),
        environment: run.environment,
        kind,
        select: run.select,
        exclude: run.exclude,
        full_refresh: run.full_refresh,
        threads: run.threads,
        nodes,
        retry_of: Some(RunId::new(run.run_id)),
    })
}

/// Reads a kind of a view.
fn kind(text: &str) -> Kind {
    match text {
        "run" => Kind::Run,
        "test" => Kind::Test,
        "seed" => Kind::Seed,
        "snapshot" => Kind::Snapshot,
        _ => Kind::Build,
    }
}
