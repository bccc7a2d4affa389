//! Branches at their heads: folded once, then advanced by what the log has besides. Bounded; the least used goes first.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use dvt_domain::branch::Branch;
use dvt_domain::id::BranchId;
use dvt_log::{At, Log};
use dvt_store::Store;
use lru::LruCache;

/// How many branches are kept in memory.
const BRANCHES_MAX: NonZeroUsize = NonZeroUsize::new(64).expect("invariant: not zero");

/// Holds the files of a branch at one version.
pub type Head = At<Branch>;

/// Loads branches and remembers them.
pub struct Branches {
    store: Store,
    log: Log,
    heads: Mutex<LruCache<BranchId, Arc<Head>>>,
}

impl Branches {
    /// Makes an empty memory.
    pub fn new(store: Store, log: Log) -> Self {
        Self { store, log, heads: Mutex::new(LruCache::new(BRANCHES_MAX)) }
    }

    /// Answers a branch at the head of the log; version 0 where there is none.
    ///
    /// # Errors
    /// When the log cannot be read or folded.
    pub async fn head(&self, branch: BranchId) -> Result<Arc<Head>, dvt_log::Error> {
        let known = self.heads.lock().unwrap_or_else(PoisonError::into_inner).get(&branch).cloned();
        let mut connection = self.store.acquire().await?;
        let head = match known {
            Some(known) => {
                let from = At { version: known.version, state: known.state.clone() };
                self.log.advance(&mut connection, branch.uuid(), from, i64::MAX).await?
            }
            None => self.log.load_branch(&mut connection, branch).await?,
        };
        let head = Arc::new(head);
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).put(branch, head.clone());
        Ok(head)
    }

    /// Answers a branch at an earlier version.
    ///
    /// # Errors
    /// When the branch never had that version, or the log cannot be read or folded.
    pub async fn version(&self, branch: BranchId, version: i64) -> Result<Head, dvt_log::Error> {
        let mut connection = self.store.acquire().await?;
        self.log.load_branch_version(&mut connection, branch, version).await
    }
}
