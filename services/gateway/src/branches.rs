//! Branches at their heads: folded once, then advanced by what the log has besides. Bounded; the least used goes first.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use dvt_dbt::tree::{self, Tree};
use dvt_domain::Actor;
use dvt_domain::branch::{Branch, Event, Since};
use dvt_domain::envelope::Timestamp;
use dvt_domain::id::{BranchId, ProjectId};
use dvt_domain::project::{BranchCreated, Project};
use dvt_log::{At, Log};
use dvt_store::{Connection, Store};
use lru::LruCache;

/// How many branches are kept in memory.
const BRANCHES_MAX: NonZeroUsize = NonZeroUsize::new(64).expect("invariant: not zero");

/// How many projects' main branches are remembered.
const MAIN_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("invariant: not zero");

/// Holds the files of a branch at one version.
pub type Head = At<Branch>;

/// How many versions of a branch are kept: what edits were made on is mostly one of the last.
const VERSIONS_MAX: usize = 64;
/// How many events of its own a process remembers of a branch: more than are ever on their way to the log at once.
const RECENT_MAX: usize = 256;

/// Is a branch as this process has decided it: as the log has it, and beyond, where own events are still on their way.
#[derive(Clone)]
pub struct Ahead {
    pub head: Arc<Head>,
    /// As it was read from the log.
    read: Arc<Head>,
    /// What was decided here since then, in order.
    recent: Vec<Arc<Decided>>,
}

/// Is one event that was decided here, with the files after it.
struct Decided {
    since: Since,
    head: Arc<Head>,
}

impl Ahead {
    /// Starts with what the log says.
    pub fn of(head: Arc<Head>) -> Self {
        Self { read: head.clone(), head, recent: Vec::new() }
    }

    /// Goes on with an event that was just decided on the head.
    ///
    /// # Errors
    /// When the event does not fit the files.
    pub fn after(&self, event: &Event, actor: &Actor) -> Result<Self, tree::Error> {
        let version = self.head.version + 1;
        let head = Arc::new(At { version, state: self.head.state.apply(event)? });
        let at = Timestamp(chrono::Utc::now().timestamp_micros());
        let since = Since { version, actor: actor.clone(), at, event: event.clone() };
        let (mut read, mut recent) = (self.read.clone(), self.recent.clone());
        if recent.len() == RECENT_MAX {
            read = recent.remove(0).head.clone();
        }
        recent.push(Arc::new(Decided { since, head: head.clone() }));
        Ok(Self { head, read, recent })
    }

    /// Answers the last version that is known from the log.
    pub fn read_version(&self) -> i64 {
        self.read.version
    }

    /// Answers the files of a version; None where it is older than what was read.
    pub fn tree(&self, version: i64) -> Option<&Tree> {
        let heads = std::iter::once(&self.read).chain(self.recent.iter().map(|decided| &decided.head));
        heads.rev().find(|head| head.version == version).map(|head| &head.state.tree)
    }

    /// Lists what was decided here after a version.
    pub fn since(&self, version: i64) -> impl Iterator<Item = Since> + '_ {
        self.recent.iter().map(|decided| &decided.since).filter(move |since| since.version > version).cloned()
    }
}

/// Loads branches and remembers their last versions.
pub struct Branches {
    store: Store,
    log: Log,
    /// In ascending order of versions.
    known: Mutex<LruCache<BranchId, VecDeque<Arc<Head>>>>,
    /// The main branches of projects, which stay the same.
    main: Mutex<LruCache<ProjectId, BranchCreated>>,
}

impl Branches {
    /// Makes an empty memory.
    pub fn new(store: Store, log: Log) -> Self {
        Self { store, log, known: Mutex::new(LruCache::new(BRANCHES_MAX)), main: Mutex::new(LruCache::new(MAIN_MAX)) }
    }

    /// Answers a project's main branch; None where there is no such project.
    ///
    /// # Errors
    /// When the log cannot be read or folded.
    pub async fn main(&self, project: ProjectId) -> Result<Option<BranchCreated>, dvt_log::Error> {
        let known = || self.main.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(branch) = known().get(&project) {
            return Ok(Some(branch.clone()));
        }
        let read: At<Project> = self.log.load(&mut *self.store.acquire().await?, project.uuid()).await?;
        let branch = read.state.main_branch().cloned();
        if let Some(branch) = &branch {
            known().put(project, branch.clone());
        }
        Ok(branch)
    }

    /// Answers a branch at the head of the log; version 0 where there is none.
    ///
    /// # Errors
    /// When the log cannot be read or folded.
    pub async fn head(&self, branch: BranchId) -> Result<Arc<Head>, dvt_log::Error> {
        let mut connection = self.store.acquire().await?;
        let head = match self.known(branch, i64::MAX) {
            Some(known) => self.advance(&mut connection, (branch, known), i64::MAX).await?,
            None => self.log.load_branch(&mut connection, branch).await?,
        };
        Ok(self.keep(branch, Arc::new(head)))
    }

    /// Answers a branch at an earlier version.
    ///
    /// # Errors
    /// When the branch never had that version, or the log cannot be read or folded.
    pub async fn version(&self, branch: BranchId, version: i64) -> Result<Arc<Head>, dvt_log::Error> {
        let known = self.known(branch, version);
        if let Some(known) = known.as_ref().filter(|known| known.version == version) {
            return Ok(known.clone());
        }
        let mut connection = self.store.acquire().await?;
        let head = match known {
            Some(known) => self.advance(&mut connection, (branch, known), version).await?,
            None => self.log.load_branch_version(&mut connection, branch, version).await?,
        };
        match head.version == version {
            true => Ok(self.keep(branch, Arc::new(head))),
            false => Err(dvt_log::Error::NoVersion { stream_id: branch.uuid(), version }),
        }
    }

    async fn advance(
        &self,
        c: &mut Connection,
        (branch, known): (BranchId, Arc<Head>),
        to: i64,
    ) -> Result<Head, dvt_log::Error> {
        let from = At { version: known.version, state: known.state.clone() };
        self.log.advance(c, branch.uuid(), from, to).await
    }

    /// Finds the last version up to one that is remembered.
    fn known(&self, branch: BranchId, to: i64) -> Option<Arc<Head>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&branch)?.iter().rfind(|head| head.version <= to).cloned()
    }

    /// Remembers a version that is in the log.
    pub fn keep(&self, branch: BranchId, head: Arc<Head>) -> Arc<Head> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = known.get_or_insert_mut(branch, VecDeque::new);
        let at = versions.partition_point(|known| known.version < head.version);
        if let Some(same) = versions.get(at).filter(|known| known.version == head.version) {
            return same.clone();
        }
        versions.insert(at, head.clone());
        if versions.len() > VERSIONS_MAX {
            versions.pop_front();
        }
        head
    }
}
