//! The commands of those who operate DVT+: they work on its own database, whether or not the services run.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use dvt_embedded::postgres::Cluster;
use dvt_runtime::secret;
use dvt_store::{Role, Store};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::output;
use crate::running::DATA_FOLDER;
use crate::up::{DATABASE, POSTGRES_FOLDER};

mod parked;

/// Says where DVT+'s own database is, and how to answer.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// Address of DVT+'s own database [default: of the `dvt up` that keeps its data in --data]
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<SecretString>,
    /// The folder that `dvt up` keeps everything in
    #[arg(long, env = "DVT_DATA", default_value = DATA_FOLDER)]
    data: PathBuf,
    /// Print JSON, one value a line
    #[arg(long)]
    json: bool,
}

/// Lists the commands that work on the database.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Bring the database to what this release expects; its login may create roles and owns the database
    Migrate {
        /// Address of DVT+'s own database
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: Option<SecretString>,
        /// File that holds the address, instead of DATABASE_URL
        #[arg(long, env = "DATABASE_URL_FILE")]
        database_url_file: Option<PathBuf>,
    },
    /// Verify that no event of the log was changed since it was appended
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Show and retry the streams that a consumer could not apply
    #[command(subcommand)]
    Parked(Parked),
    /// Keep the views
    #[command(subcommand)]
    Projector(Projector),
}

/// Lists what can be done about parked streams.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Parked {
    /// List the parked streams, oldest first
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Show where and why a stream is parked
    Show {
        /// The stream's id
        stream: Uuid,
        #[command(flatten)]
        place: Place,
    },
    /// Ask the consumers to try a stream again
    Retry {
        /// The stream's id
        stream: Uuid,
        #[command(flatten)]
        place: Place,
    },
}

/// Lists what can be done about the views.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Projector {
    /// Make all views anew from the log alone, and swap them in
    Rebuild {
        #[command(flatten)]
        place: Place,
    },
}

/// Runs one command to its end.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(dispatch(command))
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Migrate { database_url, database_url_file } => {
            let url = secret::resolve("DATABASE_URL", database_url.as_ref(), database_url_file.as_deref())?;
            let url = url.context("name the database by DATABASE_URL or DATABASE_URL_FILE")?;
            dvt_store::migrate(url.expose_secret()).await?;
            output::print_line("the database is what this release expects")?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { place } => on(&place, Role::Owner, async |store| verify(&store, place.json).await).await,
        Command::Parked(Parked::List { place }) => {
            on(&place, Role::Owner, async |store| parked::list(&store, place.json).await).await
        }
        Command::Parked(Parked::Show { stream, place }) => {
            on(&place, Role::Owner, async |store| parked::show(&store, stream, place.json).await).await
        }
        Command::Parked(Parked::Retry { stream, place }) => {
            on(&place, Role::Owner, async |store| parked::retry(&store, stream).await).await
        }
        Command::Projector(Projector::Rebuild { place }) => {
            on(&place, Role::Projector, async |store| rebuild(&store, place.json).await).await
        }
    }
}

/// Works on the database, which is started for this where no `dvt up` runs it.
async fn on(
    place: &Place,
    role: Role,
    work: impl AsyncFnOnce(Store) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    if let Some(url) = &place.database_url {
        let config = dvt_store::Config {
            database_url: Some(url.clone()),
            database_url_file: None,
            database_pool_size: POOL_SIZE,
        };
        return work(Store::connect(&config, role).await?).await;
    }
    let folder = place.data.join(POSTGRES_FOLDER);
    ensure!(folder.is_dir(), "{} holds no data of DVT+: name its folder with --data", place.data.display());
    let folder = folder.canonicalize().with_context(|| format!("could not use the folder {}", folder.display()))?;
    let cluster = Cluster::open(&folder).await?;
    let worked = match Store::connect(&dvt_store::Config::of(cluster.url(DATABASE)), role).await {
        Ok(store) => {
            let worked = work(store.clone()).await;
            store.close().await;
            worked
        }
        Err(error) => Err(error.into()),
    };
    cluster.stop().await?;
    worked
}

/// How many connections a command keeps.
const POOL_SIZE: u32 = 2;

/// Verifies the hash chain; exit status 1 where an event was changed.
async fn verify(store: &Store, as_json: bool) -> anyhow::Result<ExitCode> {
    let verified = dvt_store::chain::verify(&mut *store.acquire().await?).await?;
    match (verified, as_json) {
        (Ok((events, hash)), true) => {
            output::print_json(&serde_json::json!({"events": events, "hash": hex(&hash), "broken": null}))?;
            Ok(ExitCode::SUCCESS)
        }
        (Ok((events, hash)), false) => {
            output::print_line(&format!("{events} events verified; the chain ends in {}", hex(&hash)))?;
            Ok(ExitCode::SUCCESS)
        }
        (Err(broken), true) => {
            let what = serde_json::json!({
                "position": broken.position, "event_id": broken.event_id, "fault": broken.fault.to_string(),
            });
            output::print_json(&serde_json::json!({"events": null, "hash": null, "broken": what}))?;
            Ok(ExitCode::from(output::FAILED))
        }
        (Err(broken), false) => {
            output::print_line(&broken.to_string())?;
            Ok(ExitCode::from(output::FAILED))
        }
    }
}

/// Makes the views anew; exit status 1 where a stream's views stop at an event that cannot be decoded.
async fn rebuild(store: &Store, as_json: bool) -> anyhow::Result<ExitCode> {
    let rebuilt = dvt_projector::rebuild(store).await?;
    let (events, broken) = (rebuilt.events, rebuilt.broken);
    match as_json {
        true => output::print_json(&serde_json::json!({"events": events, "broken_streams": broken}))?,
        false => output::print_line(&format!("views made anew from {events} events; {broken} streams are broken"))?,
    }
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::from(output::FAILED) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
