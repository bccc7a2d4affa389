//! The commands that talk to a running gateway.

use std::path::PathBuf;
use std::process::ExitCode;

mod export;
mod http;
mod import;
mod log;
mod publish;
mod run;

use crate::output;
use http::Refused;

/// Says which gateway to talk to, and how to answer.
#[derive(Debug, clap::Args)]
pub(crate) struct Gateway {
    /// The address of the gateway [default: of the `dvt up` that was started in this folder]
    #[arg(long, env = "DVT_URL")]
    url: Option<reqwest::Url>,
    /// Print JSON, one value a line; a refusal as its problem
    #[arg(long)]
    json: bool,
}

/// Lists the commands that need a gateway.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Bring the dbt project in a folder into DVT+
    Import {
        /// The folder; what Git ignores in it stays out
        dir: PathBuf,
        /// The project's name in DVT+ [default: as dbt_project.yml says]
        #[arg(long)]
        name: Option<String>,
        /// The folder of dbt_project.yml, where there are several
        #[arg(long)]
        root: Option<String>,
        /// A project, by name or id, that takes the folder's changes since its last import or export
        #[arg(long, conflicts_with_all = ["name", "root"])]
        into: Option<String>,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Write the files of a project into a folder
    Export {
        /// The project, by name or id
        project: String,
        /// The folder; files that the project never held are left alone
        dir: PathBuf,
        /// Overwrite files that changed in the folder since the last import or export
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Run and test a project's nodes on its target, as `dbt build`
    Build(run::Args),
    /// Run a project's models on its target, as `dbt run`
    Run(run::Args),
    /// Test a project's nodes on its target, as `dbt test`
    Test(run::Args),
    /// Run again what failed, was skipped or was cancelled in the last run, as `dbt retry`
    Retry(run::Retry),
    /// Commit a project and its compiled artifacts to Git
    Publish {
        /// The project, by name or id
        project: String,
        /// The commit's message
        #[arg(long, short)]
        message: Option<String>,
        #[command(flatten)]
        gateway: Gateway,
    },
    /// Show what happened to a project, newest first
    Log {
        /// The project, by name or id
        project: String,
        /// How many events to show
        #[arg(long, short = 'n', default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        gateway: Gateway,
    },
}

/// Runs one command to its end.
///
/// # Errors
/// When the gateway cannot be reached or refuses.
pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let as_json = command.gateway().json;
    let done = runtime.block_on(dispatch(command));
    if let Err(error) = &done
        && let Some(Refused(problem)) = error.downcast_ref().filter(|_| as_json)
    {
        output::print_json(problem)?;
    }
    done
}

impl Command {
    fn gateway(&self) -> &Gateway {
        match self {
            Self::Import { gateway, .. }
            | Self::Export { gateway, .. }
            | Self::Publish { gateway, .. }
            | Self::Log { gateway, .. } => gateway,
            Self::Build(args) | Self::Run(args) | Self::Test(args) => &args.gateway,
            Self::Retry(args) => &args.gateway,
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Import { dir, name, root, into, gateway } => {
            import::import(&gateway, import::Folder { dir, name, root, into }).await
        }
        Command::Export { project, dir, force, gateway } => {
            export::export(&gateway, &project, export::Into { dir, force }).await
        }
        Command::Build(args) => run::run("build", &args).await,
        Command::Run(args) => run::run("run", &args).await,
        Command::Test(args) => run::run("test", &args).await,
        Command::Retry(args) => run::retry(&args).await,
        Command::Publish { project, message, gateway } => publish::publish(&gateway, &project, message).await,
        Command::Log { project, limit, gateway } => log::log(&gateway, &project, limit).await,
    }
}
