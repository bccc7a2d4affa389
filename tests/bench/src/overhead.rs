//! What a run costs beside the work itself: 100 trivial views, built by DVT+ and by dbt in the same database.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::figure::{Figure, milliseconds, percentile};
use crate::folder::Folder;
use crate::project;
use crate::stack::Stack;

const VIEWS: usize = 100;
/// How often each builds them, after one time that does not count.
const TIMES: usize = 5;
const DBT_TIMES: usize = 3;

pub(crate) async fn measure(stack: &Stack) -> Result<Vec<Figure>> {
    let http = stack.http();
    let project = http.import(project::views(VIEWS)?).await?;
    let mut ours = Vec::new();
    for _ in 0..=TIMES {
        let began = Instant::now();
        let run = http.build(&project).await?;
        ours.push(began.elapsed());
        ensure!(run["counts"]["succeeded"] == VIEWS, "a run is not whole: {run}");
    }
    let folder = Folder::make(stack, |folder| project::write_views(folder, VIEWS))?;
    let mut theirs = Vec::new();
    for _ in 0..=DBT_TIMES {
        theirs.push(folder.dbt(stack, &["build"]).await?);
    }
    let per_node = |times: &mut [Duration]| percentile(times, 50) / VIEWS as u32;
    let figure = Figure::milliseconds("run_overhead_per_node", per_node(&mut ours[1..]));
    Ok(vec![figure.beside(milliseconds(per_node(&mut theirs[1..])))])
}
