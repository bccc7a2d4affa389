//! How fast DVT+ is, on real processes, beside what it is compared with in the same run. Run by scripts/bench.

mod canvas;
mod edit;
mod figure;
mod folder;
mod http;
mod project;
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
}

/// Names what is measured together.
#[derive(Clone, Copy)]
enum Part {
    Folder,
    Edit,
    Canvas,
}

impl Part {
    const ALL: [Self; 3] = [Self::Folder, Self::Edit, Self::Canvas];

    /// Lists the figures that it gives.
    fn figures(self) -> &'static [&'static str] {
        match self {
            Self::Folder => &["parse_1000", "compile_1000"],
            Self::Edit => &["one_edit_1000"],
            Self::Canvas => &["canvas_open_1000", "canvas_frame_p95_1000", "first_view_bundle", "graph_json_1000"],
        }
    }

    async fn measure(self, stack: &Stack) -> Result<Vec<Figure>> {
        match self {
            Self::Folder => folder::measure(stack).await,
            Self::Edit => edit::measure(stack).await,
            Self::Canvas => canvas::read(&stack.canvas),
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Arguments { names, results } = Arguments::parse();
    let is_asked = |figure: &&str| names.is_empty() || names.iter().any(|name| figure.contains(&**name));
    let stack = Stack::find()?;
    let mut results = Results::read(results)?;
    let mut is_complete = true;
    for part in Part::ALL.into_iter().filter(|part| part.figures().iter().any(&is_asked)) {
        let began = Instant::now();
        match part.measure(&stack).await {
            Ok(figures) => results.take(figures.into_iter().filter(|figure| is_asked(&&*figure.name)).collect())?,
            Err(error) => {
                is_complete = false;
                eprintln!("bench: could not measure {}: {error:#}", part.figures().join(", "));
            }
        }
        eprintln!("bench: {} took {:.0} s", part.figures().join(", "), began.elapsed().as_secs_f64());
    }
    results.print();
    Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
