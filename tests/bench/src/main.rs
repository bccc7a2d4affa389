//! How fast DVT+ is, on real processes, beside what it is compared with in the same run. Run by scripts/bench.

mod append;
mod canvas;
mod crowd;
mod edit;
mod figure;
mod folder;
mod http;
mod idle;
mod live;
mod load;
mod overhead;
mod plain;
mod project;
mod rebuild;
mod replica;
mod sse;
mod stack;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;

use crate::figure::{Figure, Results};
use crate::stack::Stack;

#[derive(Parser)]
struct Arguments {
    /// Only figures that have one of these in their names
    names: Vec<String>,
    /// Where the figures are kept, those of earlier runs too
    #[arg(long)]
    results: PathBuf,
    /// Fail where a goal is missed
    #[arg(long)]
    strict: bool,
}

/// Names what is measured together.
#[derive(Clone, Copy)]
enum Part {
    Folder,
    Edit,
    Idle,
    Append,
    Live,
    Crowd,
    Overhead,
    Rebuild,
    Canvas,
}

impl Part {
    /// In this order: what needs a machine that does nothing else comes first.
    const ALL: [Self; 9] = [
        Self::Idle,
        Self::Folder,
        Self::Edit,
        Self::Append,
        Self::Live,
        Self::Crowd,
        Self::Overhead,
        Self::Rebuild,
        Self::Canvas,
    ];

    /// Lists the figures that it gives.
    fn figures(self) -> &'static [&'static str] {
        match self {
            Self::Folder => &["parse_1000", "compile_1000"],
            Self::Edit => &["one_edit_1000"],
            Self::Idle => &[
                "ready_gateway",
                "ready_projector",
                "ready_artifact",
                "ready_executor",
                "idle_rss_gateway",
                "idle_rss_projector",
                "idle_rss_artifact",
                "idle_rss_executor",
            ],
            Self::Append => {
                &["append_http_1", "append_http_8", "append_http_32", "append_batched", "append_http_32_one_project"]
            }
            Self::Live => &["live_update_p50", "live_update_p99", "read_your_writes_p50", "read_your_writes_p99"],
            Self::Crowd => &["sse_10000_missed", "sse_10000_p99", "sse_10000_rss"],
            Self::Overhead => &["run_overhead_per_node"],
            Self::Rebuild => &["rebuild_events_per_second_100k", "rebuild_events_per_second_1m"],
            Self::Canvas => &["canvas_open_1000", "canvas_frame_p95_1000", "first_view_bundle", "graph_json_1000"],
        }
    }

    /// Adds its figures as it has them: what is measured stays, whatever goes wrong after it.
    async fn measure(self, stack: &Stack, figures: &mut Vec<Figure>) -> Result<()> {
        match self {
            Self::Folder => figures.extend(folder::measure(stack).await?),
            Self::Edit => figures.extend(edit::measure(stack).await?),
            Self::Idle => figures.extend(idle::measure(stack).await?),
            Self::Append => append::measure(stack, figures).await?,
            Self::Live => live::measure(stack, figures).await?,
            Self::Crowd => figures.extend(crowd::measure(stack).await?),
            Self::Overhead => figures.extend(overhead::measure(stack).await?),
            Self::Rebuild => figures.extend(rebuild::measure(stack).await?),
            Self::Canvas => figures.extend(canvas::read(&stack.canvas)?),
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Arguments { names, results, strict } = Arguments::parse();
    let stack = Stack::find(names)?;
    let mut results = Results::read(results)?;
    let mut is_good = true;
    for part in Part::ALL.into_iter().filter(|part| part.figures().iter().any(|figure| stack.is_asked(figure))) {
        let began = Instant::now();
        let mut figures = Vec::new();
        if let Err(error) = part.measure(&stack, &mut figures).await {
            is_good = false;
            eprintln!("bench: could not measure all of {}: {error:#}", part.figures().join(", "));
        }
        figures.retain(|figure| stack.is_asked(&figure.name));
        is_good &= !strict || figures.iter().all(Figure::is_met);
        results.take(figures)?;
        eprintln!("bench: {} took {:.0} s", part.figures().join(", "), began.elapsed().as_secs_f64());
    }
    results.print();
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
