//! `dvt build`, `dvt run`, `dvt test` and `dvt retry`: request a run and follow it to its end.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use super::http::{Client, Project};
use crate::output;

/// How often a run is asked for news.
const POLL: Duration = Duration::from_millis(300);

/// Says what to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The project, by name or id
    project: String,
    /// Which nodes to run, in dbt's selector syntax
    #[arg(long, short, num_args = 1..)]
    select: Vec<String>,
    /// Which nodes to leave out
    #[arg(long, num_args = 1..)]
    exclude: Vec<String>,
    /// The environment to run in
    #[arg(long, short, default_value = "dev")]
    environment: String,
    /// Rebuild incremental models from nothing
    #[arg(long)]
    full_refresh: bool,
    #[command(flatten)]
    pub(super) gateway: Gateway,
}

/// Says what to run again.
#[derive(Debug, clap::Args)]
pub(crate) struct Retry {
    /// The project, by name or id
    project: String,
    /// The environment whose last run is retried
    #[arg(long, short, default_value = "dev")]
    environment: String,
    #[command(flatten)]
    pub(super) gateway: Gateway,
}

#[derive(Deserialize)]
struct Runs {
    runs: Vec<Listed>,
    next_cursor: Option<i64>,
}

#[derive(Deserialize)]
struct Listed {
    run_id: String,
    environment: String,
}

#[derive(Deserialize)]
struct Requested {
    run_id: String,
    number: Option<i64>,
}

#[derive(Deserialize)]
struct Run {
    state: String,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    counts: serde_json::Map<String, Value>,
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    unique_id: String,
    state: String,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    rows: Option<i64>,
    #[serde(default)]
    error: Option<StepError>,
}

#[derive(Deserialize)]
struct StepError {
    message: String,
    #[serde(default)]
    place: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    path: String,
    line: u32,
}

/// Requests a run and prints each step as it ends.
///
/// # Errors
/// When the gateway refuses or goes away.
pub(super) async fn run(command: &str, args: &Args) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.gateway)?;
    let project = client.project(&args.project).await?;
    let words = |list: &[String]| (!list.is_empty()).then(|| list.join(" "));
    let mut body = json!({"environment": args.environment, "command": command, "full_refresh": args.full_refresh});
    for (key, value) in [("select", words(&args.select)), ("exclude", words(&args.exclude))] {
        if let Some(value) = value {
            body[key] = Value::String(value);
        }
    }
    request(&client, (&project, args.gateway.json), &body).await
}

/// Runs again what did not succeed in an environment's last run.
///
/// # Errors
/// When there is no run yet, or the gateway refuses or goes away.
pub(super) async fn retry(args: &Retry) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.gateway)?;
    let project = client.project(&args.project).await?;
    let last = last(&client, &project.project_id, &args.environment).await?;
    let last = last.with_context(|| format!("{} has not run in {} yet", project.name, args.environment))?;
    request(&client, (&project, args.gateway.json), &json!({"retry": last})).await
}

/// Finds the last run of an environment.
async fn last(client: &Client, project_id: &str, environment: &str) -> anyhow::Result<Option<String>> {
    let mut cursor = String::new();
    loop {
        let page: Runs = client.json(client.get(&format!("projects/{project_id}/runs?limit=200{cursor}"))?).await?;
        if let Some(found) = page.runs.into_iter().find(|run| run.environment == environment) {
            return Ok(Some(found.run_id));
        }
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(None),
        }
    }
}

/// Requests a run and follows it to its end.
async fn request(client: &Client, (project, as_json): (&Project, bool), body: &Value) -> anyhow::Result<ExitCode> {
    let request = client.post(&format!("projects/{}/runs", project.project_id))?.json(body);
    let requested: Requested = client.json(request).await?;
    if !as_json {
        let number = requested.number.map_or_else(String::new, |number| format!(" {number}"));
        output::print_line(&format!("run{number} of {}: {}", project.name, requested.run_id))?;
    }
    let path = format!("projects/{}/runs/{}", project.project_id, requested.run_id);
    follow(client, &path, as_json).await
}

async fn follow(client: &Client, path: &str, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut told = HashSet::new();
    let mut tick = tokio::time::interval(POLL);
    loop {
        tick.tick().await;
        let answer: Value = client.json(client.get(path)?).await?;
        let run = Run::deserialize(&answer)?;
        if !as_json {
            tell(&run, &mut told)?;
        }
        if run.state == "finished" {
            let outcome = run.outcome.as_deref().unwrap_or("unknown");
            if as_json {
                output::print_json(&answer)?;
            } else {
                let counts: Vec<_> = run.counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
                output::print_line(&format!("{outcome}: {}", counts.join(", ")))?;
            }
            return Ok(if outcome == "succeeded" { ExitCode::SUCCESS } else { ExitCode::from(output::FAILED) });
        }
    }
}

fn tell(run: &Run, told: &mut HashSet<String>) -> anyhow::Result<()> {
    for step in &run.steps {
        if matches!(&*step.state, "pending" | "running") || told.contains(&step.unique_id) {
            continue;
        }
        told.insert(step.unique_id.clone());
        output::print_line(&format!("{:>4} of {}  {}", told.len(), run.steps.len(), describe(step)))?;
    }
    Ok(())
}

fn describe(step: &Step) -> String {
    let state = match step.severity.as_deref() {
        Some("warn") => "warned",
        _ => &step.state,
    };
    let mut line = format!("{state:<10} {}", step.unique_id);
    if let Some(rows) = step.rows {
        line.push_str(&format!("  {rows} rows"));
    }
    if let Some(error) = &step.error {
        let place = error.place.as_ref().map(|place| format!(" at {}:{}", place.path, place.line));
        line.push_str(&format!("\n             {}{}", error.message, place.unwrap_or_default()));
    } else if let Some(why) = step.message.as_ref().or(step.reason.as_ref().filter(|_| step.state == "skipped")) {
        line.push_str(&format!("  {why}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: Value) -> String {
        describe(&serde_json::from_value(step).expect("a step is understood"))
    }

    #[test]
    fn a_step_is_told_with_its_rows_or_with_what_went_wrong() {
        let done = json!({"unique_id": "model.p.a", "state": "succeeded", "rows": 3, "attempt": 1});
        assert_eq!(line(done), "succeeded  model.p.a  3 rows");
        let warned =
            json!({"unique_id": "test.p.t", "state": "succeeded", "severity": "warn", "message": "got 2 results"});
        assert_eq!(line(warned), "warned     test.p.t  got 2 results");
        let place = json!({"path": "models/b.sql", "line": 7, "column": 3});
        let failed = json!({"unique_id": "model.p.b", "state": "failed", "error": {"message": "no such column", "place": place}});
        assert_eq!(line(failed), "failed     model.p.b\n             no such column at models/b.sql:7");
        let skipped = json!({"unique_id": "model.p.c", "state": "skipped", "reason": "model.p.b failed"});
        assert_eq!(line(skipped), "skipped    model.p.c  model.p.b failed");
    }
}
