//! Requests of runs: appended together with the hold on the relations that the run will build, or not at all.

use std::collections::BTreeSet;

use dvt_dbt::manifest::stored_name;
use dvt_dbt::parse::Project;
use dvt_domain::project::TargetEnvironment;
use dvt_domain::run::Kind;
use dvt_log::Decided;
use dvt_store::event::{self, Outcome};
use dvt_store::held_relation::{self, Claim, Held};
use uuid::Uuid;

use crate::app::{App, Logged, Write};
use crate::http::problem::Problem;

/// The event after which a run holds nothing.
const END: &str = "RunFinished";

/// Lists the relations that a run of these nodes builds.
pub fn relations(project: &Project, nodes: &[String], kind: Kind) -> Vec<String> {
    let nodes = nodes.iter().filter_map(|id| project.find(id));
    let built = nodes.filter(|node| node.is_relational() && kind.runs(node));
    let names = built.map(|node| stored_name(project, node));
    names.map(|(schema, name)| format!("{schema}.{name}")).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Names what a run holds in an environment's target.
pub fn claim(run_id: Uuid, environment: &TargetEnvironment, relations: Vec<String>) -> Claim {
    let database = environment.environment.database.clone();
    Claim { run_id, target: environment.target.to_lowercase(), database, relations }
}

/// Appends the events of a run's request and takes its relations, in one transaction.
///
/// # Errors
/// 409 where another run that has not finished holds one of them; as [`App::append`].
pub async fn append(
    app: &App,
    write: &Write,
    (decided, claim): (Vec<Decided>, &Claim),
) -> Result<Vec<Logged>, Problem> {
    let (command, placed) = app.command(write, decided).await?;
    let mut tx = app.store.begin().await?;
    if let Some(held) = held_relation::take(&mut tx, claim, END).await? {
        tx.rollback().await?;
        // Whoever holds it may be the same request, sent twice at once.
        let events = app.repeated(write).await?;
        return if events.is_empty() { Err(conflict(&held)) } else { Ok(events) };
    }
    let outcomes = event::append(&mut tx, claim.run_id, &[command]).await?;
    let outcome = outcomes.into_iter().next().ok_or_else(Problem::not_found)?;
    match outcome {
        Outcome::Appended { .. } => tx.commit().await?,
        Outcome::Duplicate { .. } | Outcome::Conflict { .. } | Outcome::Reserved { .. } => tx.rollback().await?,
    }
    app.appended(outcome, placed).await
}

fn conflict(held: &Held) -> Problem {
    let Held { run_id, relation } = held;
    let detail = format!("the run {run_id} builds {relation} and has not finished; wait for it, or cancel it");
    Problem::conflict("RUN_CONFLICT", detail).with("run_id", run_id.to_string()).with("relation", relation.clone())
}
