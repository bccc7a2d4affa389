//! I1, I2, I7 and I9: what was acknowledged is in the log once, in one order, and every live client saw it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio_postgres::Client;
use uuid::Uuid;

use super::Verdict;
use crate::client::{Ack, Burst};
use crate::project;

/// How long a live client may be behind.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// Streams whose versions have a gap, or another order than the positions; partitions whose chain is broken.
const ORDER: &str = "
    select format('stream %s has versions %s to %s and %s events', stream_id, min(version), max(version), count(*))
    from dvt.event
    group by stream_id
    having min(version) <> 1 or max(version) <> count(*)
    union all
    select format('event %s has version %s after version %s', position, version, before)
    from (
        select position, version, lag(version, 1, 0::bigint) over (partition by stream_id order by position) as before
        from dvt.event
    ) e
    where version <> before + 1
    union all
    select format('event %s follows %s and says %s', position, before, partition_prev)
    from (
        select position, partition_prev,
            lag(position, 1, 0::bigint) over (partition by topic, partition order by position) as before
        from dvt.event
    ) e
    where partition_prev <> before
    union all
    select format('event %s was recorded before event %s', position, before)
    from (
        select position, recorded_at, lag(position) over w as before, lag(recorded_at) over w as recorded_before
        from dvt.event
        window w as (partition by stream_id order by position)
    ) e
    where recorded_at < recorded_before";

/// Events that do not say who, what or when.
const NAMELESS: &str = "
    select format('event %s does not say who did what', position)
    from dvt.event
    where actor = '' or event_type = '' or (actor like 'service:%' and causation_id is null)";

struct Recorded {
    event_id: String,
    stream_id: String,
    version: i64,
    position: i64,
}

/// Checks the log against the clients' record.
pub(super) async fn check(verdict: &mut Verdict, database: &Client, burst: &Burst) -> Result<()> {
    verdict.none(database, "I2", ORDER).await?;
    verdict.none(database, "I9", NAMELESS).await?;
    let project: Uuid = burst.project.parse()?;
    let rows = database
        .query(
            "select idempotency_key, event_id, stream_id, version, position
            from dvt.event
            where project_id = $1 and idempotency_key is not null and actor = 'local:ada'",
            &[&project],
        )
        .await?;
    let recorded: HashMap<Uuid, Recorded> = rows
        .iter()
        .map(|row| {
            let text = |column: usize| row.get::<_, Uuid>(column).to_string();
            let (event_id, stream_id) = (text(1), text(2));
            (row.get(0), Recorded { event_id, stream_id, version: row.get(3), position: row.get(4) })
        })
        .collect();
    let record = burst.record.read();
    for ack in &record.edits {
        let is_same = |found: &Recorded| {
            ack.answer["event_id"] == found.event_id.as_str()
                && ack.answer["version"] == found.version
                && ack.answer["position"] == found.position
        };
        expect(verdict, ack, recorded.get(&ack.key), is_same);
    }
    for ack in &record.runs {
        // The first event of the command may be the compilation's.
        expect(verdict, ack, recorded.get(&ack.key), |_| ack.answer["run_id"].is_string());
    }
    for ack in &record.publishes {
        // A version that was published before needs no event.
        if let Some(found) = recorded.get(&ack.key) {
            expect(verdict, ack, Some(found), |found| ack.answer["publish_id"] == found.stream_id.as_str());
        }
    }
    let branch = "select count(*) from dvt.event where project_id = $1 and category = 'branch'";
    let edits: i64 = database.query_one(branch, &[&project]).await?.get(0);
    // The import is the first.
    let doubled = usize::try_from(edits).unwrap_or_default().saturating_sub(1 + record.edits.len());
    if doubled > 0 {
        verdict.doubled += doubled;
        verdict.find("I1", format!("{doubled} edits are in the log that nobody asked for"));
    }
    let runs = "select count(*) from dvt.event where project_id = $1 and event_type like '%RunRequested'";
    let runs: i64 = database.query_one(runs, &[&project]).await?.get(0);
    if runs as usize != record.runs.len() {
        verdict.doubled += (runs as usize).saturating_sub(record.runs.len());
        verdict.find("I1", format!("{runs} runs are in the log, {} were asked for", record.runs.len()));
    }
    content(verdict, burst).await
}

fn expect(verdict: &mut Verdict, ack: &Ack, found: Option<&Recorded>, is_same: impl Fn(&Recorded) -> bool) {
    match found {
        None => {
            verdict.lost += 1;
            verdict.find("I1", format!("lost what was acknowledged as {}", ack.answer));
        }
        Some(found) if !is_same(found) => {
            verdict.find("I1", format!("event {} is not what was acknowledged as {}", found.position, ack.answer));
        }
        Some(_) => {}
    }
}

/// Each model holds what its last edit was acknowledged for.
async fn content(verdict: &mut Verdict, burst: &Burst) -> Result<()> {
    for (model, number) in burst.record.read().last {
        let id = project::unique_id(model);
        let node = burst.http.get(&format!("projects/{}/nodes/{id}", burst.project)).await?;
        if node["file"]["text"] != project::edited(number).as_str() {
            verdict.lost += 1;
            verdict.find("I1", format!("{id} holds {} after edit {number}", node["file"]["text"]));
        }
    }
    Ok(())
}

/// I7: the live client saw every event of its project once, in order.
pub(super) async fn check_stream(verdict: &mut Verdict, database: &Client, burst: &Burst) -> Result<()> {
    let project: Uuid = burst.project.parse()?;
    let rows =
        database.query("select position from dvt.event where project_id = $1 order by position", &[&project]).await?;
    let log: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    let patience = Instant::now() + PATIENCE;
    let seen = loop {
        let seen = burst.live.seen();
        if seen.len() >= log.len() || Instant::now() >= patience {
            break seen;
        }
        tokio::time::sleep(POLL).await;
    };
    if seen != log {
        let at = seen.iter().zip(&log).position(|(seen, log)| seen != log).unwrap_or(seen.len().min(log.len()));
        let (saw, is) = (seen.get(at), log.get(at));
        verdict.find("I7", format!("a live client saw {saw:?} where the log has {is:?}, as its event {at}"));
    }
    Ok(())
}

/// Repeats acknowledged writes: each must be answered as the first time, and another body under its key refused.
pub(crate) async fn repeat(verdict: &mut Verdict, burst: &Burst) -> Result<()> {
    let record = burst.record.read();
    for ack in &record.edits {
        let answer = burst.command(&ack.path, &ack.body).await?;
        if answer != ack.answer {
            verdict.find("I1", format!("a repetition is answered {answer}, the first was {}", ack.answer));
        }
    }
    if let Some(ack) = record.edits.last() {
        let mut other = ack.body.clone();
        other["commands"][0]["command"]["sql"] = "select 'another'\n".into();
        let answer = burst.command(&ack.path, &other).await?;
        if answer["status"] != 422 {
            verdict.find("I1", format!("another body under the same key is answered {answer}"));
        }
    }
    for ack in &record.runs {
        let answer = burst.http.post(&ack.path, (ack.key, &ack.body)).await?;
        if answer["run_id"] != ack.answer["run_id"] {
            verdict.find("I1", format!("a repetition is answered {answer}, the first was {}", ack.answer));
        }
    }
    Ok(())
}
