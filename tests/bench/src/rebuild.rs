//! How fast all views are made anew from the log, at 100,000 and at 1,000,000 events: those of one project that was
//! edited and run, as often as it takes, in a database of its own that no service knows.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use serde_json::json;
use tokio::process::Command;
use tokio_postgres::Client;

use crate::figure::Figure;
use crate::project;
use crate::stack::{LOG, Stack};

const DATABASE: &str = "bench_rebuild";
/// What is done in the project that all others are like: about 1,000 events.
const MODELS: usize = 100;
const EDITS: usize = 780;
/// How many commands one request has.
const BATCH: usize = 60;
/// How many projects are edited in turns.
const TOGETHER: i64 = 20;
const SIZES: [(&str, i64); 2] =
    [("rebuild_events_per_second_100k", 100_000), ("rebuild_events_per_second_1m", 1_000_000)];

const COPIES: &str = include_str!("copies.sql");
const PARTITION_HEADS: &str = "
    insert into dvt.partition_head as h (topic, partition, position, recorded_at)
    select topic, partition, max(position), max(recorded_at)
    from dvt.event
    group by topic, partition
    on conflict (topic, partition) do update set position = excluded.position";

pub(crate) async fn measure(stack: &Stack) -> Result<Vec<Figure>> {
    let project = worked_on(stack).await?;
    let database = copy_of(stack, &project).await?;
    let first: i64 = database.query_one("select count(*) from copies.first", &[]).await?.get(0);
    let mut figures = Vec::new();
    let mut copies = 0;
    for (name, events) in SIZES.into_iter().filter(|(name, _)| stack.is_asked(name)) {
        while copies * first < events {
            database.execute("select copies.append($1, $2)", &[&copies, &TOGETHER]).await?;
            copies += TOGETHER;
        }
        database.batch_execute(PARTITION_HEADS).await?;
        database.batch_execute("vacuum analyze dvt.event").await?;
        let began = Instant::now();
        let rebuilt = dvt(stack, &["projector", "rebuild", "--json"]).await?;
        let took = began.elapsed().as_secs_f64();
        let rebuilt: serde_json::Value = serde_json::from_str(&rebuilt)?;
        let expected = json!({"events": copies * first, "broken_streams": 0});
        ensure!(rebuilt == expected, "a rebuild answers {rebuilt}, not {expected}");
        figures.push(Figure::new(name, (copies * first) as f64 / took, "events/s"));
    }
    Ok(figures)
}

/// Makes a project, edits it and runs it once.
async fn worked_on(stack: &Stack) -> Result<String> {
    let http = stack.http();
    let project = http.import(project::views(MODELS)?).await?;
    let mut version = 1;
    for first in (0..EDITS).step_by(BATCH) {
        let describe = |edit: usize| {
            let unique_id = project::view_id(edit % MODELS);
            json!({"type": "describe_node", "unique_id": unique_id, "text": format!("As edit {edit} says.")})
        };
        let results = http.commands(&project, version, (first..first + BATCH).map(describe).collect()).await?;
        version = results.last().and_then(|result| result["version"].as_i64()).context("an edit has a version")?;
    }
    http.build(&project).await?;
    Ok(project)
}

/// Makes a database with an empty log, and beside it what is copied there.
async fn copy_of(stack: &Stack, project: &str) -> Result<Client> {
    let log = stack.postgres.connect(LOG).await?;
    log.batch_execute(&format!("drop database if exists {DATABASE}")).await?;
    log.batch_execute(&format!("create database {DATABASE} owner migrate")).await?;
    dvt(stack, &["migrate"]).await?;
    let database = stack.postgres.connect(DATABASE).await?;
    database.batch_execute(COPIES).await?;
    let streams = format!("select stream_id from dvt.event where project_id = '{project}'");
    for (from, to) in [
        ("select sha256, bytes from dvt.blob".to_owned(), "dvt.blob (sha256, bytes)"),
        ("select fingerprint, name, text from dvt.schema".to_owned(), "dvt.schema (fingerprint, name, text)"),
        (format!("select * from dvt.event where project_id = '{project}'"), "copies.first"),
        (format!("select * from dvt.snapshot where stream_id in ({streams})"), "copies.first_snapshot"),
    ] {
        let rows = log.copy_out(&format!("copy ({from}) to stdout (format binary)")).await?;
        let into = database.copy_in(&format!("copy {to} from stdin (format binary)")).await?;
        rows.forward(into).await.with_context(|| format!("could not copy {to}"))?;
    }
    Ok(database)
}

async fn dvt(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(stack.programs.join("dvt"));
    command.args(arguments).env("DATABASE_URL", stack.postgres.url(DATABASE)).env("RUST_LOG", "warn");
    let done = command.output().await?;
    ensure!(done.status.success(), "dvt {}: {}", arguments.join(" "), String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?)
}
