//! I4, I5 and I8: every step of every run had its one effect or none, as its outcome says, and its log is whole.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use tokio_postgres::Client;
use uuid::Uuid;

use super::Verdict;
use crate::project::GROWING;

/// Lines that are missing, out of order, or came after their step's end.
const LOGS: &str = "
    select format('the log of %s in run %s has lines %s to %s and %s of them', node, run_id, min(seq), max(seq), count(*))
    from dvt.step_log
    group by run_id, node
    having min(seq) <> 1 or max(seq) <> count(*)
    union all
    select format('line %s of %s in run %s is of attempt %s, after one of attempt %s', seq, node, run_id, attempt, before)
    from (
        select run_id, node, seq, attempt, lag(attempt) over (partition by run_id, node order by seq) as before
        from dvt.step_log
    ) l
    where attempt < before
    union all
    select format('line %s of %s in run %s came after its end', l.seq, l.node, l.run_id)
    from dvt.step_log l
    join views.step s on (s.run_id, s.unique_id) = (l.run_id, l.node)
    where l.at > s.finished_at";

/// Checks the steps as the views tell them against the warehouse.
pub(super) async fn check(verdict: &mut Verdict, (database, target): (&Client, &Client)) -> Result<()> {
    verdict.none(database, "I8", LOGS).await?;
    let ledger: BTreeSet<(Uuid, String)> = if has(target, "_dvt.ledger").await? {
        let rows =
            target.query("select run_id, unique_id from _dvt.ledger where committed_at is not null", &[]).await?;
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    } else {
        BTreeSet::new()
    };
    let rows = database
        .query("select s.run_id, s.unique_id, s.state, r.state from views.step s join views.run r using (run_id)", &[])
        .await?;
    let mut succeeded = BTreeSet::new();
    for row in &rows {
        let (run, unique_id): (Uuid, String) = (row.get(0), row.get(1));
        let (state, run_state): (String, String) = (row.get(2), row.get(3));
        let key = (run, unique_id);
        match (&*state, ledger.contains(&key)) {
            ("succeeded", true) => drop(succeeded.insert(key)),
            ("succeeded", false) => {
                verdict.lost += 1;
                verdict.find("I5", format!("{} of run {run} succeeded without an effect", key.1));
            }
            ("failed" | "cancelled" | "skipped", true) => {
                verdict.doubled += 1;
                verdict.find("I5", format!("{} of run {run} is {state} and has an effect", key.1));
            }
            ("failed" | "cancelled" | "skipped", false) => {}
            _ if run_state == "finished" => {
                verdict.find("I5", format!("{} of run {run} is {state} though the run has finished", key.1));
            }
            _ => {}
        }
    }
    for (run, unique_id) in ledger.difference(&succeeded) {
        verdict.find("I5", format!("the ledger has {unique_id} of run {run}, which did not succeed"));
    }
    growth(verdict, target, &succeeded).await
}

/// The target's own count: one row a run in the table that grows.
async fn growth(verdict: &mut Verdict, target: &Client, succeeded: &BTreeSet<(Uuid, String)>) -> Result<()> {
    if !has(target, &format!("dev.{GROWING}")).await? {
        return Ok(());
    }
    let rows = target.query(&format!("select run_id, count(*) from dev.{GROWING} group by run_id"), &[]).await?;
    let grown: BTreeMap<String, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected: BTreeSet<String> = succeeded
        .iter()
        .filter(|(_, unique_id)| unique_id.ends_with(&format!(".{GROWING}")))
        .map(|(run, _)| run.to_string())
        .collect();
    for run in expected.iter().filter(|run| !grown.contains_key(*run)) {
        verdict.lost += 1;
        verdict.find("I4", format!("run {run} added no row"));
    }
    for (run, rows) in grown.iter().filter(|(run, rows)| **rows != 1 || !expected.contains(*run)) {
        verdict.doubled += 1;
        verdict.find("I4", format!("run {run} added {rows} rows"));
    }
    Ok(())
}

async fn has(client: &Client, relation: &str) -> Result<bool> {
    Ok(client.query_one("select to_regclass($1) is not null", &[&relation]).await?.get(0))
}
