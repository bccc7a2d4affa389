//! The connection to the target: cut while a statement runs, and while a commit is on its way.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::both;
use crate::client::{Burst, Play};
use crate::world::World;

const POLL: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(30);
const RUN: Play = Play { edits: 1, ..Play::ALL };

pub(super) async fn cut(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let target = world.target().await?;
    let running = "select count(*) from pg_stat_activity
        where datname = current_database() and state = 'active' and query like 'create table%pg_sleep%'";
    let fault = async {
        let patience = Instant::now() + PATIENCE;
        while target.query_one(running, &[]).await?.get::<_, i64>(0) == 0 {
            ensure!(Instant::now() < patience, "no statement runs that can be cut");
            tokio::time::sleep(POLL).await;
        }
        world.before_warehouse.cut();
        Ok(())
    };
    both(burst.play(RUN), fault).await?;
    Ok(1)
}

pub(super) async fn cut_at_commit(world: &World<'_>, burst: &Burst) -> Result<usize> {
    const TIMES: usize = 2;
    for _ in 0..TIMES {
        // A simple query: its text and a zero.
        world.before_warehouse.half_close_at(b"commit\0");
        burst.play(RUN).await?;
        ensure!(world.before_warehouse.is_sprung(), "no commit passed");
    }
    Ok(TIMES)
}
