//! Views `graph`, `node`, `edge` and `diagnostic`: what the parser reads from a branch's files for the environment `dev`.
//!
//! The other views are written event by event; these are a function of the files at a branch's last version, so they
//! are read once for all events that came in meanwhile, and never hold back the consumer loop: a project may take
//! seconds to parse.

mod content;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use dvt_bus::view::Announcer;
use dvt_bus::{causes, leases};
use dvt_codec::ViewAdvanced;
use dvt_dbt::parse::{self, ParseInput};
use dvt_domain::branch::Branch;
use dvt_domain::id::BranchId;
use dvt_domain::project::{DEFAULT_ENVIRONMENT, Project};
use dvt_log::{At, Log};
use dvt_runtime::error::chain;
use dvt_runtime::{CancellationToken, Signal, metrics, trace};
use dvt_store::view::graph::{self, Content, Graph, Stale};
use dvt_store::view::subject;
use dvt_store::{Connection, Store, event, lease};
use lru::LruCache;
use tokio::task::JoinError;
use tracing::{Instrument, Span, info_span};
use uuid::Uuid;

/// How often branches are looked for whose graph is behind.
const POLL: Duration = Duration::from_millis(100);
/// The lease's name: one projector reads graphs for all.
const LEASE_NAME: &str = "graphs";
/// How many branches are looked at at once.
const PAGE: i64 = 100;
/// How many branches' files are kept in memory, so that an edit reads only what it changed.
const BRANCHES_MAX: NonZeroUsize = NonZeroUsize::new(32).expect("invariant: not zero");
/// How many nodes all projects may have that are kept in memory. A node takes about 8 KiB.
const NODES_MAX: usize = 20_000;

/// Says why a graph could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not write a graph")]
    Store(#[from] dvt_store::Error),
    #[error("could not read the files of branch {branch_id}")]
    Read { branch_id: Uuid, source: dvt_log::Error },
    #[error("could not parse the files of branch {branch_id}")]
    Parse { branch_id: Uuid, source: JoinError },
}

/// Reads branches into graphs.
pub struct Graphs {
    log: Log,
    files: LruCache<Uuid, At<Branch>>,
    /// What the last graph of a branch was made of: the next is read from there.
    projects: LruCache<Uuid, parse::Project>,
    /// The positions of what cannot be read: only later events may change that.
    unreadable: HashMap<Uuid, i64>,
}

impl Graphs {
    /// Makes a reader that knows no files yet.
    pub fn new(log: Log) -> Self {
        let (files, projects) = (LruCache::new(BRANCHES_MAX), LruCache::new(BRANCHES_MAX));
        Self { log, files, projects, unreadable: HashMap::new() }
    }

    /// Writes the graph that waits longest to the views that the connection's search path names; false: none waits.
    /// Needs a transaction.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn write_next(&mut self, c: &mut Connection) -> Result<bool, Error> {
        let stale = self.list_stale(c).await?;
        let Some(stale) = stale.first() else { return Ok(false) };
        if let Some((graph, content)) = self.read(c, stale).await? {
            graph::replace(c, &graph, &content).await?;
        }
        Ok(true)
    }

    /// Lists the branches whose graph is behind and can be read.
    async fn list_stale(&self, c: &mut Connection) -> Result<Vec<Stale>, dvt_store::Error> {
        let mut stale = graph::list_stale(c, PAGE + self.unreadable.len() as i64).await?;
        stale.retain(|stale| self.unreadable.get(&stale.branch_id).is_none_or(|at| *at < stale.position));
        Ok(stale)
    }

    /// Reads what a branch's graph is; None where the log's own bytes or the files cannot be read, which is reported.
    async fn read(&mut self, c: &mut Connection, stale: &Stale) -> Result<Option<(Graph, Content)>, Error> {
        let (branch_id, position) = (stale.branch_id, stale.position);
        match self.attempt(c, stale).await {
            Ok(found) => {
                if found.is_none() {
                    self.unreadable.insert(branch_id, position);
                }
                Ok(found)
            }
            Err(error) if error.is_permanent() => {
                tracing::error!(%branch_id, position, error = chain(&error), "could not read a graph");
                self.unreadable.insert(branch_id, position);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn attempt(&mut self, c: &mut Connection, stale: &Stale) -> Result<Option<(Graph, Content)>, Error> {
        let branch_id = stale.branch_id;
        let failed = |source| Error::Read { branch_id, source };
        let project = self.log.load_version::<Project>(c, stale.project_id, stale.project_version);
        let project = project.await.map_err(failed)?.state;
        // Every project defines it in the command that creates it; until that is applied in full there is no graph.
        let Some(environment) = project.environments.get(DEFAULT_ENVIRONMENT) else { return Ok(None) };
        let environment = environment.environment.clone();
        let root = project.created.map(|created| created.root).unwrap_or_default();
        let files = self.files(c, stale).await.map_err(failed)?;
        let keys: HashMap<String, String> = subject::list_identities(c, branch_id).await?.into_iter().collect();
        let (shown, before) = (stale.clone(), self.projects.pop(&branch_id));
        let reading = tokio::task::spawn_blocking(move || {
            let input =
                ParseInput { tree: &files.tree, root: &root, packages: &files.packages, environment: &environment };
            let project = read(input, before);
            (graph_of(&shown, content::of(&project, &keys)), project)
        });
        let (graph, project) = reading.await.map_err(|source| Error::Parse { branch_id, source })?;
        self.keep(branch_id, project);
        Ok(Some(graph))
    }

    /// Keeps a project for the next reading, and forgets the least used where all have too many nodes.
    fn keep(&mut self, branch_id: Uuid, project: parse::Project) {
        self.projects.put(branch_id, project);
        let mut total: usize = self.projects.iter().map(|(_, project)| project.nodes().len()).sum();
        while total > NODES_MAX && self.projects.len() > 1 {
            total -= self.projects.pop_lru().map_or(0, |(_, project)| project.nodes().len());
        }
    }

    /// Loads the files of exactly the stale version, from those of an earlier one where they are known.
    async fn files(&mut self, c: &mut Connection, stale: &Stale) -> Result<Branch, dvt_log::Error> {
        let known = self.files.pop(&stale.branch_id).filter(|known| known.version <= stale.version);
        let at = match known {
            Some(known) => self.log.advance(c, stale.branch_id, known, stale.version).await?,
            None => self.log.load_branch_version(c, BranchId::new(stale.branch_id), stale.version).await?,
        };
        let files = at.state.clone();
        self.files.put(stale.branch_id, at);
        Ok(files)
    }
}

impl std::fmt::Debug for Graphs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Graphs")
    }
}

impl Error {
    /// Says whether trying again is of no use: the log's own bytes are why, or the parser fails on the files.
    fn is_permanent(&self) -> bool {
        match self {
            Self::Store(_) => false,
            Self::Read { source, .. } => source.is_corrupt(),
            Self::Parse { .. } => true,
        }
    }
}

fn read(input: ParseInput<'_>, before: Option<parse::Project>) -> parse::Project {
    let begun = Instant::now();
    let project = before.map_or_else(|| parse::parse(input), |before| before.update(input));
    metrics::PARSE_SECONDS.observe(["projector"], begun.elapsed());
    project
}

fn graph_of(stale: &Stale, content: Content) -> (Graph, Content) {
    let count = |severity: &str| content.diagnostics.iter().filter(|found| found.severity == severity).count() as i32;
    let (errors, warnings) = (count("error"), count("warning"));
    let graph =
        Graph { branch_id: stale.branch_id, version: stale.version, position: stale.position, errors, warnings };
    (graph, content)
}

/// Keeps the graphs in step with the other views until shutdown, while it holds the lease.
///
/// # Errors
/// Never: a database that does not answer is waited for.
pub(crate) async fn run(
    store: Store,
    announcer: Announcer,
    signal: Signal,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let holder = Uuid::now_v7();
    let mut graphs = Graphs::new(Log::default());
    let mut tick = tokio::time::interval(POLL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !shutdown.is_cancelled() {
        match round(&store, &announcer, holder, &mut graphs).await {
            Ok(()) => signal.green(),
            Err(error) => signal.red(format!("could not write the graphs: {}", chain(&error))),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = tick.tick() => {}
        }
    }
    let mut connection = store.acquire().await?;
    if let Some(lease) = lease::find(&mut connection, LEASE_NAME).await?.filter(|lease| lease.holder == holder) {
        lease::release(&mut connection, &lease).await?;
    }
    Ok(())
}

async fn round(store: &Store, announcer: &Announcer, holder: Uuid, graphs: &mut Graphs) -> Result<(), Error> {
    let mut connection = store.acquire().await?;
    let stale = graphs.list_stale(&mut connection).await?;
    for stale in stale {
        if lease::acquire(&mut connection, LEASE_NAME, holder, leases::GRAPHS.ttl).await?.is_none() {
            return Ok(());
        }
        let span = span(&mut connection, &stale).await?;
        let Some((graph, content)) = graphs.read(&mut connection, &stale).instrument(span.clone()).await? else {
            continue;
        };
        let mut tx = store.begin().await?;
        match graph::replace(&mut tx, &graph, &content).instrument(span.clone()).await {
            Ok(_) => {
                tx.commit().instrument(span).await?;
                let advanced = ViewAdvanced { projection: "graph", stream_id: stale.branch_id, version: graph.version };
                announcer.announce(stale.project_id, advanced);
            }
            Err(error) => {
                tx.rollback().await?;
                return Err(error.into());
            }
        }
    }
    Ok(())
}

/// Makes the span of a graph, in the trace of the last event that it shows.
async fn span(c: &mut Connection, stale: &Stale) -> Result<Span, dvt_store::Error> {
    if !trace::is_on() {
        return Ok(Span::none());
    }
    let shown = event::list_at(c, &[stale.position]).await?;
    Ok(trace::follow(causes(&shown), || info_span!("graph", otel.name = "read graph", branch_id = %stale.branch_id)))
}
