//! One edit of one model among 1,000, over HTTP, beside what dbt needs to read the project again after the same edit.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use crate::figure::{Figure, milliseconds, percentile};
use crate::folder::Folder;
use crate::project::{self, MODELS};
use crate::stack::Stack;

/// How many edits are timed, after some that do not count.
const EDITS: usize = 50;
const WARM_UP: usize = 5;
/// Far enough from one edited model to the next that edits go all over the project.
const STRIDE: usize = 37;
const DBT_TIMES: usize = 3;

pub(crate) async fn measure(stack: &Stack) -> Result<Vec<Figure>> {
    let http = stack.http();
    let project = http.import(project::zip()?).await?;
    let mut version = http.get(&format!("projects/{project}/graph?min_version=1")).await?["version"].as_i64();
    let mut took = Vec::new();
    for edit in 0..WARM_UP + EDITS {
        let model = edit * STRIDE % MODELS;
        let sql = project::sql(model, edit + 1);
        let command = json!({"type": "set_sql", "unique_id": project::unique_id(model), "sql": sql});
        let base_version = version.context("a graph has a version")?;
        let began = Instant::now();
        let result = http.command(&project, base_version, command).await?;
        took.push(began.elapsed());
        version = result["version"].as_i64();
        // A person's next edit finds the services idle.
        let path = format!("projects/{project}/graph?min_version={}", version.unwrap_or(0));
        http.get(&path).await?;
    }
    let ours = percentile(&mut took[WARM_UP..], 50);

    let folder = Folder::make(stack, project::write)?;
    folder.dbt(stack, &["parse"]).await?;
    let mut theirs = Vec::new();
    for edit in 0..DBT_TIMES {
        let model = edit * STRIDE;
        std::fs::write(folder.path().join(project::path(model)), project::sql(model, edit + 1))?;
        theirs.push(folder.dbt(stack, &["parse"]).await?);
    }
    let figure = Figure::milliseconds("one_edit_1000", ours);
    Ok(vec![figure.beside(milliseconds(percentile(&mut theirs, 50)))])
}
