//! The commands on a folder, without any server: what `dbt parse`, `dbt compile` and `dbt ls` do.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use dvt_dbt::compile::{self, Compilation};
use dvt_dbt::diagnostic::{Diagnostic, Severity};
use dvt_dbt::jinja::{Database, RunValues};
use dvt_dbt::manifest::{self, Metadata};
use dvt_dbt::node::{ResourceType, UniqueId};
use dvt_dbt::parse::{self, ParseInput, Project};
use dvt_dbt::select::{Criteria, select};
use indexmap::{IndexMap, IndexSet};
use serde_json::{Value, json};

use crate::output;
use vacant::Vacant;

mod list;
mod profile;
mod read;
mod vacant;
mod write;

/// Says which folder to read, for which target.
#[derive(Debug, clap::Args)]
pub(crate) struct Folder {
    /// The folder of dbt_project.yml
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The folder to write to, from the project's [default: target]
    #[arg(long, env = "DBT_TARGET_PATH", default_value = "target", hide_default_value = true)]
    target_path: PathBuf,
    #[command(flatten)]
    profile: profile::Args,
}

/// Says which nodes, in dbt's selector syntax.
#[derive(Debug, clap::Args)]
pub(crate) struct Selection {
    /// Which nodes
    #[arg(long, short, visible_alias = "models", num_args = 1..)]
    select: Vec<String>,
    /// Which nodes to leave out
    #[arg(long, num_args = 1..)]
    exclude: Vec<String>,
    /// A selector of selectors.yml
    #[arg(long, conflicts_with_all = ["select", "exclude"])]
    selector: Option<String>,
    /// Which tests come along: eager, cautious, buildable or empty
    #[arg(long, env = "DBT_INDIRECT_SELECTION", default_value = "eager")]
    indirect_selection: String,
    /// Which kinds of nodes, e.g. model
    #[arg(long, num_args = 1..)]
    resource_type: Vec<String>,
}

/// Holds what `dvt parse` is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Parse {
    #[command(flatten)]
    folder: Folder,
    /// Print the diagnostics as JSON, one a line
    #[arg(long)]
    json: bool,
}

/// Holds what `dvt compile` is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct Compile {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    selection: Selection,
    /// Compile as if the target held nothing, instead of leaving to the run what only a target or a run knows
    #[arg(long)]
    vacant: bool,
    /// What `run_started_at` answers [default: now]
    #[arg(long, requires = "vacant")]
    run_started_at: Option<chrono::DateTime<chrono::Utc>>,
    /// What `invocation_id` answers [default: a new one]
    #[arg(long, requires = "vacant")]
    invocation_id: Option<uuid::Uuid>,
    /// Print what became of each node as JSON, one a line
    #[arg(long)]
    json: bool,
}

/// Holds what `dvt ls` is asked.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    selection: Selection,
    /// How to show a node
    #[arg(long, value_enum, default_value = "selector")]
    output: list::Format,
    /// Which keys of a node to show with `--output json`
    #[arg(long, num_args = 1..)]
    output_keys: Vec<String>,
}

/// Reads a project and writes its manifest.
///
/// # Errors
/// When the folder cannot be read or written.
pub(crate) fn parse(args: &Parse) -> anyhow::Result<ExitCode> {
    let project = args.folder.parse()?;
    write::manifest(&args.folder.target(), &manifest_of(&project, &IndexMap::new()))?;
    for diagnostic in project.diagnostics().iter().filter(|_| args.json) {
        output::print_json(diagnostic)?;
    }
    if !args.json {
        complain(project.diagnostics().iter());
    }
    Ok(status(&project, &IndexMap::new()))
}

/// Compiles the selected nodes of a project, and writes its manifest and their SQL.
///
/// # Errors
/// When the folder cannot be read or written, or the selection is wrong.
pub(crate) fn compile(args: &Compile) -> anyhow::Result<ExitCode> {
    let project = args.folder.parse()?;
    let selected = args.selection.choose(&project, &[])?;
    let has_sql = |id: &UniqueId| !project.nodes()[id].raw_code.is_empty();
    let selected: Vec<UniqueId> = selected.into_iter().filter(has_sql).collect();
    let vacant = args.vacant.then(|| args.target(&selected));
    let database = vacant.as_ref().map(|vacant| vacant as &dyn Database);
    let outcomes = compile::compile(project.engine(), &project, &selected, database);
    let target = args.folder.target();
    write::manifest(&target, &manifest_of(&project, &outcomes))?;
    for (unique_id, outcome) in &outcomes {
        write::compiled(&target, &project, &project.nodes()[unique_id], outcome)?;
    }
    if args.json {
        report(&project, &outcomes)?;
    } else {
        complain(project.diagnostics().iter().chain(broken(&outcomes)));
        summarize(&outcomes)?;
    }
    Ok(status(&project, &outcomes))
}

/// Lists the selected nodes of a project.
///
/// # Errors
/// When the folder cannot be read, or the selection is wrong.
pub(crate) fn ls(args: &List) -> anyhow::Result<ExitCode> {
    let project = args.folder.parse()?;
    let mut selected = args.selection.choose(&project, &[ResourceType::Analysis])?;
    selected.retain(|id| project.nodes()[id].resource_type != ResourceType::Operation);
    selected.sort();
    complain(project.diagnostics().iter());
    for unique_id in &selected {
        let node = &project.nodes()[unique_id];
        output::print_line(&list::line(&project, node, args.output, &args.output_keys))?;
    }
    Ok(status(&project, &IndexMap::new()))
}

impl Compile {
    fn target(&self, selected: &[UniqueId]) -> Vacant {
        let started_at = self.run_started_at.unwrap_or_else(chrono::Utc::now);
        Vacant {
            run: RunValues {
                invocation_id: self.invocation_id.unwrap_or_else(uuid::Uuid::now_v7).to_string(),
                started_at: started_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
                thread_id: "Thread-1".to_owned(),
                selected: selected.into(),
                which: "compile".to_owned(),
                full_refresh: false,
            },
        }
    }
}

impl Folder {
    fn parse(&self) -> anyhow::Result<Project> {
        ensure!(self.dir.is_dir(), "there is no folder {}", self.dir.display());
        let environment = profile::environment(&self.dir, &self.profile)?;
        let files = read::read(&self.dir)?;
        let input = ParseInput { tree: &files.tree, root: "", packages: &files.packages, environment: &environment };
        Ok(parse::parse(input))
    }

    fn target(&self) -> PathBuf {
        self.dir.join(&self.target_path)
    }
}

impl Selection {
    /// Answers the wanted nodes; those of `unusual` kinds only where their kind is asked for.
    fn choose(&self, project: &Project, unusual: &[ResourceType]) -> anyhow::Result<IndexSet<UniqueId>> {
        let has_all = self.resource_type.iter().any(|kind| kind == "all");
        let named = self.resource_type.iter().filter(|kind| !matches!(kind.as_str(), "all" | "default"));
        let named = named.map(|kind| resource_type(kind)).collect::<anyhow::Result<Vec<_>>>()?;
        let has_default = self.resource_type.is_empty() || self.resource_type.iter().any(|kind| kind == "default");
        let criteria = Criteria {
            select: self.select.join(" "),
            exclude: self.exclude.join(" "),
            selector: self.selector.clone(),
            indirect: self.indirect_selection.parse()?,
            resource_types: if has_all || has_default { Vec::new() } else { named.clone() },
        };
        let mut selected = select(project, &criteria)?;
        if has_default && !has_all {
            let kind = |id: &UniqueId| project.nodes()[id].resource_type;
            selected.retain(|id| !unusual.contains(&kind(id)) || named.contains(&kind(id)));
        }
        Ok(selected)
    }
}

fn resource_type(text: &str) -> anyhow::Result<ResourceType> {
    serde_json::from_value(Value::from(text)).with_context(|| format!("`{text}` is no kind of node"))
}

fn manifest_of(project: &Project, outcomes: &IndexMap<UniqueId, Compilation>) -> Value {
    let generated_at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    manifest::manifest(project, outcomes, &Metadata { invocation_id: uuid::Uuid::now_v7().to_string(), generated_at })
}

fn broken(outcomes: &IndexMap<UniqueId, Compilation>) -> impl Iterator<Item = &Diagnostic> {
    outcomes.values().filter_map(|outcome| match outcome {
        Compilation::Broken(diagnostic) => Some(diagnostic),
        Compilation::Compiled(_) | Compilation::Deferred(_) => None,
    })
}

/// Prints what became of each node.
fn report(project: &Project, outcomes: &IndexMap<UniqueId, Compilation>) -> anyhow::Result<()> {
    for diagnostic in project.diagnostics().iter().filter(|found| found.severity == Severity::Error) {
        output::print_json(&failed(diagnostic))?;
    }
    for (unique_id, outcome) in outcomes {
        let line = match outcome {
            Compilation::Compiled(_) => json!({"unique_id": unique_id, "status": "compiled"}),
            Compilation::Deferred(deferred) => {
                json!({"unique_id": unique_id, "status": "deferred", "code": "DEFERRED", "message": deferred.reason})
            }
            Compilation::Broken(diagnostic) => failed(diagnostic),
        };
        output::print_json(&line)?;
    }
    Ok(())
}

fn failed(diagnostic: &Diagnostic) -> Value {
    json!({
        "unique_id": diagnostic.unique_id,
        "status": "broken",
        "code": diagnostic.code,
        "message": diagnostic.message,
        "place": diagnostic.place,
    })
}

fn complain<'a>(diagnostics: impl Iterator<Item = &'a Diagnostic>) {
    for diagnostic in diagnostics {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = diagnostic.place.as_ref().map(|at| format!("{}:{}:{}: ", at.path, at.line, at.column));
        let node = diagnostic.unique_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let (code, message) = (&diagnostic.code, &diagnostic.message);
        eprintln!("{}{severity}: {code}: {message}{node}", place.unwrap_or_default());
    }
}

fn summarize(outcomes: &IndexMap<UniqueId, Compilation>) -> anyhow::Result<()> {
    let (mut compiled, mut deferred, mut broken) = (0, 0, 0);
    for outcome in outcomes.values() {
        match outcome {
            Compilation::Compiled(_) => compiled += 1,
            Compilation::Deferred(_) => deferred += 1,
            Compilation::Broken(_) => broken += 1,
        }
    }
    output::print_line(&format!("{compiled} compiled, {deferred} wait for their run, {broken} broken"))
}

fn status(project: &Project, outcomes: &IndexMap<UniqueId, Compilation>) -> ExitCode {
    let is_wrong = project.diagnostics().iter().any(|found| found.severity == Severity::Error);
    if is_wrong || broken(outcomes).next().is_some() { ExitCode::from(output::FAILED) } else { ExitCode::SUCCESS }
}
