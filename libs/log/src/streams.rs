//! Folds streams into aggregates, at their head or at a version.

use dvt_codec::Blobs;
use dvt_dbt::tree::{Sha256, Tree};
use dvt_domain::Aggregate;
use dvt_domain::branch::Branch;
use dvt_domain::id::BranchId;
use dvt_store::{Connection, blob, event, snapshot};
use uuid::Uuid;

use crate::read::{Error, Log, fetch};

/// How many events are read at once.
const PAGE: i64 = 500;
/// How many events a branch may be ahead of its last snapshot.
const SNAPSHOT_EVERY: i64 = 200;

/// Holds an aggregate at one version of its stream; version 0 is before the first event.
#[derive(Clone, Debug, Default)]
pub struct At<A> {
    pub version: i64,
    pub state: A,
}

impl Log {
    /// Folds a stream to its head.
    ///
    /// # Errors
    /// When the store cannot be read or the stream cannot be folded.
    pub async fn load<A: Aggregate>(&self, connection: &mut Connection, stream_id: Uuid) -> Result<At<A>, Error> {
        self.advance(connection, stream_id, At::default(), i64::MAX).await
    }

    /// Folds a stream to exactly `version`.
    ///
    /// # Errors
    /// When the stream is not that long, the store cannot be read or the stream cannot be folded.
    pub async fn load_version<A: Aggregate>(
        &self,
        connection: &mut Connection,
        stream_id: Uuid,
        version: i64,
    ) -> Result<At<A>, Error> {
        let at = self.advance(connection, stream_id, At::default(), version).await?;
        check_version(at, stream_id, version)
    }

    /// Folds a branch to its head, from its last snapshot; makes a new snapshot where the last is far behind.
    ///
    /// # Errors
    /// When the store cannot be read or the stream cannot be folded.
    pub async fn load_branch(&self, connection: &mut Connection, branch: BranchId) -> Result<At<Branch>, Error> {
        let from = self.snapshot(connection, branch, i64::MAX).await?;
        let behind = from.version;
        let at = self.advance(connection, branch.uuid(), from, i64::MAX).await?;
        if at.version - behind >= SNAPSHOT_EVERY {
            save_snapshot(connection, branch, &at).await?;
        }
        Ok(at)
    }

    /// Folds a branch to exactly `version`.
    ///
    /// # Errors
    /// When the stream is not that long, the store cannot be read or the stream cannot be folded.
    pub async fn load_branch_version(
        &self,
        connection: &mut Connection,
        branch: BranchId,
        version: i64,
    ) -> Result<At<Branch>, Error> {
        let from = self.snapshot(connection, branch, version).await?;
        let at = self.advance(connection, branch.uuid(), from, version).await?;
        check_version(at, branch.uuid(), version)
    }

    /// Folds the events after `from` up to `to`, or to the head where that comes first.
    ///
    /// # Errors
    /// When the store cannot be read or the stream cannot be folded.
    pub async fn advance<A: Aggregate>(
        &self,
        connection: &mut Connection,
        stream_id: Uuid,
        from: At<A>,
        to: i64,
    ) -> Result<At<A>, Error> {
        let mut at = from;
        while at.version < to {
            let page = event::list_stream(connection, stream_id, at.version, PAGE).await?;
            let is_last = (page.len() as i64) < PAGE;
            for recorded in page.iter().filter(|recorded| recorded.version <= to) {
                let position = recorded.position;
                let event = self.decode(connection, recorded).await?.ok_or(Error::Erased { position })?;
                let state = at.state.after(&event).map_err(|source| Error::Apply { position, source })?;
                at = At { version: recorded.version, state };
            }
            if is_last {
                break;
            }
        }
        Ok(at)
    }

    async fn snapshot(&self, connection: &mut Connection, branch: BranchId, to: i64) -> Result<At<Branch>, Error> {
        let Some(found) = snapshot::find_at(connection, branch.uuid(), to).await? else { return Ok(At::default()) };
        let pair = fetch_one(connection, Sha256(found.tree_sha256)).await?;
        let pair = String::from_utf8_lossy(&pair).into_owned();
        let mut trees = pair.lines().map(str::parse::<Sha256>);
        let (Some(Ok(tree)), Some(Ok(packages))) = (trees.next(), trees.next()) else {
            return Err(Error::Snapshot { stream_id: branch.uuid(), version: found.version });
        };
        let (tree, packages) = (load_tree(connection, tree).await?, load_tree(connection, packages).await?);
        Ok(At { version: found.version, state: Branch { tree, packages } })
    }
}

fn check_version<A>(at: At<A>, stream_id: Uuid, version: i64) -> Result<At<A>, Error> {
    match at.version == version {
        true => Ok(at),
        false => Err(Error::NoVersion { stream_id, version }),
    }
}

async fn fetch_one(connection: &mut Connection, name: Sha256) -> Result<Vec<u8>, Error> {
    blob::find(connection, &name.0).await?.ok_or(Error::MissingBlob(name))
}

/// Reads a tree from its blobs: the list, then the files.
async fn load_tree(connection: &mut Connection, list: Sha256) -> Result<Tree, Error> {
    let mut blobs = Blobs::new();
    blobs.insert(list, fetch_one(connection, list).await?.into());
    let names = match dvt_codec::tree_from_blobs(list, &blobs) {
        Ok(tree) => return Ok(tree),
        Err(dvt_codec::Error::MissingBlobs(names)) => names,
        Err(source) => return Err(Error::Tree { list, source }),
    };
    fetch(connection, &names, &mut blobs).await?;
    dvt_codec::tree_from_blobs(list, &blobs).map_err(|source| Error::Tree { list, source })
}

/// Keeps both trees of a branch; the snapshot names a blob of two lines, the hash of each tree's list.
async fn save_snapshot(connection: &mut Connection, branch: BranchId, at: &At<Branch>) -> Result<(), Error> {
    let mut blobs = Blobs::new();
    let tree = dvt_codec::tree_blobs(&at.state.tree, &mut blobs);
    let packages = dvt_codec::tree_blobs(&at.state.packages, &mut blobs);
    let pair = format!("{tree}\n{packages}\n");
    let mut bytes: Vec<&[u8]> = blobs.values().map(|bytes| &bytes[..]).collect();
    bytes.push(pair.as_bytes());
    blob::put(connection, &bytes).await?;
    let tree_sha256 = Sha256::of(pair.as_bytes()).0;
    snapshot::put(connection, &snapshot::Snapshot { stream_id: branch.uuid(), version: at.version, tree_sha256 })
        .await?;
    Ok(())
}
