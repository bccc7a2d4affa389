//! More clients than there is room for.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::try_join_all;

use crate::check;
use crate::client::Burst;
use crate::world::World;

/// How many clients are usual, each on a project of its own, and how many times as many come.
const CLIENTS: usize = 5;
const TIMES: usize = 5;
/// How long they come, and how often: what else the machine does in the meantime meets the few as it meets the many.
const LENGTH: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
/// What must still be done of what the usual clients got done.
const GOODPUT: f64 = 0.8;
/// What an answer takes when all is normal, and how soon it must be so again.
const NORMAL: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// Five times as many clients as usual edit without a pause: as much gets done, whoever is refused is told when to come
/// again, and all is normal as soon as they are gone.
pub(super) async fn overload(world: &World<'_>, _: &Burst) -> Result<usize> {
    let urls = world.urls();
    let crowd = try_join_all((0..CLIENTS).map(|_| Burst::begin(&urls))).await?;
    let (mut usual, mut many) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        usual += done(&crowd, 1).await? / ROUNDS as f64;
        many += done(&crowd, TIMES).await? / ROUNDS as f64;
    }
    let refused: usize = crowd.iter().map(|burst| burst.http.refusals().count).sum();
    let over = Instant::now();
    loop {
        let asked = Instant::now();
        crowd[0].insist(0, asked).await?;
        if asked.elapsed() < NORMAL {
            break;
        }
        ensure!(over.elapsed() < PATIENCE, "I11 an edit takes {:?} after the crowd has gone", asked.elapsed());
    }
    world.note_time("normal after the crowd has gone", over.elapsed(), SOON);
    println!(
        "  overload: {usual:.0} edits a second of {CLIENTS} clients, {many:.0} of {}, {refused} refused",
        CLIENTS * TIMES,
    );
    ensure!(
        many >= GOODPUT * usual,
        "{usual:.0} edits a second, and only {many:.0} from {TIMES} times as many clients"
    );
    world.drained().await?;
    for burst in &crowd {
        let verdict = check::record(world, burst).await?;
        ensure!(verdict.findings.is_empty(), "{}", verdict.findings.join("; "));
    }
    Ok(CLIENTS * TIMES)
}

/// Answers how many edits are acknowledged in a second with so many clients on each project.
async fn done(crowd: &[Burst], clients: usize) -> Result<f64> {
    let begun = Instant::now();
    let edits = |crowd: &[Burst]| crowd.iter().map(|burst| burst.record.edits()).sum::<usize>();
    let before = edits(crowd);
    let all = crowd.iter().flat_map(|burst| (0..clients).map(move |model| burst.insist(model, begun + LENGTH)));
    try_join_all(all).await?;
    Ok((edits(crowd) - before) as f64 / begun.elapsed().as_secs_f64())
}
