//! I3 and I9: the views are what the log says, and the hash chain verifies.

use std::collections::BTreeMap;

use anyhow::Result;
use tokio_postgres::Client;

use super::Verdict;
use crate::world::World;

/// Checks the views against a rebuild, and the log against its chain.
pub(super) async fn check(verdict: &mut Verdict, database: &Client, world: &World<'_>) -> Result<()> {
    let live = hashes(database).await?;
    let (rebuilt, output) = world.dvt(&["projector", "rebuild"]).await?;
    if !rebuilt {
        verdict.find("I3", format!("the views cannot be made anew: {output}"));
    }
    let anew = hashes(database).await?;
    for (view, _) in live.iter().filter(|(view, hash)| anew.get(*view) != Some(*hash)) {
        verdict.views_differ = true;
        verdict.find("I3", format!("view {view} is not what the log says"));
    }
    let (verified, output) = world.dvt(&["verify"]).await?;
    if !verified {
        verdict.find("I9", format!("the chain does not verify: {output}"));
    }
    Ok(())
}

async fn hashes(database: &Client) -> Result<BTreeMap<String, Vec<u8>>> {
    let rows = database.query("select view_name, view_hash from views.hashes('views')", &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
