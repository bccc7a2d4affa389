//! The crash points: each dies as `kill -9` does, with one and with two processes of its service, in the middle of work.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::check::{self, Verdict};
use crate::client::{Burst, Play};
use crate::parts::Parts;
use crate::report::Report;
use crate::world::{Service, World};

/// How often work is given until a point is reached.
const BURSTS: usize = 6;
const POLL: Duration = Duration::from_millis(20);

/// Is one place to die at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) service: Service,
    pub(crate) name: &'static str,
    /// At which time of passing it.
    pub(crate) nth: usize,
    pub(crate) play: Play,
}

const fn point(service: Service, name: &'static str, nth: usize) -> Point {
    Point { service, name, nth, play: Play::ALL }
}

const CANCEL: Play = Play { edits: 1, runs: false, publishes: false, cancels: true };

/// The points of FAULTS in the order of a life.
pub(crate) const POINTS: &[Point] = &[
    point(Service::Gateway, "gateway.decided", 3),
    point(Service::Gateway, "appender.appended", 3),
    point(Service::Gateway, "gateway.committed", 3),
    point(Service::Gateway, "gateway.streaming", 5),
    point(Service::Projector, "consumer.fetched", 3),
    point(Service::Projector, "consumer.locked", 3),
    point(Service::Projector, "consumer.applied", 3),
    point(Service::Projector, "consumer.committed", 3),
    point(Service::Executor, "consumer.committed", 1),
    point(Service::Executor, "executor.leased", 1),
    point(Service::Executor, "executor.intended", 2),
    point(Service::Executor, "executor.submitted", 3),
    point(Service::Executor, "executor.answered", 2),
    point(Service::Executor, "executor.commit_sent", 3),
    point(Service::Executor, "executor.committed", 4),
    point(Service::Executor, "appender.appended", 4),
    point(Service::Executor, "executor.finished", 1),
    Point { service: Service::Executor, name: "executor.cancelling", nth: 1, play: CANCEL },
    point(Service::Artifact, "consumer.committed", 1),
    point(Service::Artifact, "artifact.compiled", 1),
    point(Service::Artifact, "artifact.stored", 1),
    point(Service::Artifact, "artifact.treed", 1),
    point(Service::Artifact, "artifact.committed", 1),
    point(Service::Artifact, "artifact.half_pushed", 1),
    point(Service::Artifact, "artifact.pushed", 1),
];

/// The points of the relay; it runs in the projector here, as the other services do not hear of Kafka.
const RELAY: &[Point] = &[
    Point { service: Service::Projector, name: "relay.read", nth: 2, play: Play::EDITS },
    Point { service: Service::Projector, name: "relay.produced", nth: 2, play: Play::EDITS },
    Point { service: Service::Projector, name: "relay.acked", nth: 2, play: Play::EDITS },
];

/// Dies at every point.
///
/// # Errors
/// When the parts cannot be used; what is against the promises goes into the report.
pub(crate) async fn all(parts: &Parts, report: &mut Report) -> Result<()> {
    for replicas in [1, 2] {
        services(parts, replicas, report).await?;
    }
    for replicas in [1, 2] {
        relays(parts, replicas, report).await?;
    }
    Ok(())
}

fn asked(points: &[Point], report: &Report) -> Vec<Point> {
    points.iter().copied().filter(|point| report.asks_for(point.name)).collect()
}

async fn services(parts: &Parts, replicas: usize, report: &mut Report) -> Result<()> {
    let points = asked(POINTS, report);
    let (terminates, rebuilds) = (report.asks_for("gateway.terminated"), report.asks_for("projector.rebuilt"));
    if points.is_empty() && !terminates && !rebuilds {
        return Ok(());
    }
    let mut world = World::make(parts, &format!("crash_{replicas}")).await?;
    world.start(1).await?;
    let burst = Burst::begin(&world.urls()).await?;
    for point in points {
        one(&mut world, &burst, (point, replicas), report).await?;
    }
    if terminates {
        terminated(&mut world, &burst, replicas, report).await?;
    }
    if rebuilds {
        rebuilt(&mut world, &burst, replicas, report).await?;
    }
    let mut verdict = Verdict::default();
    check::repeat(&mut verdict, &burst).await?;
    report.add_findings("repetitions", verdict.findings);
    world.stop().await;
    Ok(())
}

async fn relays(parts: &Parts, replicas: usize, report: &mut Report) -> Result<()> {
    let points = asked(RELAY, report);
    if points.is_empty() {
        return Ok(());
    }
    let mut world = World::make(parts, &format!("relay_{replicas}")).await?;
    world.deaf = vec![Service::Artifact, Service::Executor];
    world.start(1).await?;
    let burst = Burst::begin(&world.urls()).await?;
    for point in points {
        relay(&mut world, &burst, (point, replicas), report).await?;
    }
    world.stop().await;
    Ok(())
}

/// Arms a service, works until the point was reached, and checks everything.
pub(crate) async fn one(
    world: &mut World<'_>,
    burst: &Burst,
    (point, replicas): (Point, usize),
    report: &mut Report,
) -> Result<()> {
    let begun = Instant::now();
    world.set(point.service, replicas, |number| Some(armed(point, number))).await?;
    let done = async {
        world.ready().await?;
        let work = async {
            for _ in 0..BURSTS {
                burst.play(point.play).await?;
                if hits(world, point.service) > 0 {
                    break;
                }
            }
            anyhow::Ok(())
        };
        tokio::select! {
            done = work => done?,
            // With two processes, the other one waits for the lease of the dead as it would anywhere.
            done = world.outlive(point.service), if replicas == 1 => done?,
        }
        ensure!(hits(world, point.service) > 0, "the point was not reached in {BURSTS} bursts");
        settle(world, burst).await
    };
    let verdict = done.await;
    let hits = hits(world, point.service);
    report.add((point.name, point.service, replicas), hits, verdict, begun.elapsed());
    world.set(point.service, world.usual, |_| None).await?;
    world.ready().await
}

/// Lets the first process die at the nth time, the others later.
fn armed(point: Point, number: usize) -> String {
    match point.nth + 3 * (number - 1) - 1 {
        0 => format!("{}=panic", point.name),
        passes => format!("{}={passes}*off->panic", point.name),
    }
}

fn hits(world: &World<'_>, service: Service) -> usize {
    world.of(service).map(|process| process.hits()).sum()
}

/// Waits until everything is at rest, and checks everything.
pub(crate) async fn settle(world: &World<'_>, burst: &Burst) -> Result<Verdict> {
    world.ready().await?;
    world.drained().await?;
    check::check(world, burst).await
}

/// A gateway is asked to end in the middle of requests.
async fn terminated(world: &mut World<'_>, burst: &Burst, replicas: usize, report: &mut Report) -> Result<()> {
    let begun = Instant::now();
    world.set(Service::Gateway, replicas, |_| None).await?;
    world.ready().await?;
    let first = world.of(Service::Gateway).next().context("there is a gateway")?;
    let lives = first.lives();
    let ask = async {
        // In the middle of the burst: after some edits, before the last.
        let edits = burst.record.read().edits.len();
        while burst.record.read().edits.len() < edits + 3 {
            tokio::time::sleep(POLL).await;
        }
        first.signal(Signal::TERM);
        while first.lives() == lives {
            tokio::time::sleep(POLL).await;
        }
        anyhow::Ok(())
    };
    let done = async {
        tokio::try_join!(burst.play(Play { edits: 12, ..Play::EDITS }), ask)?;
        settle(world, burst).await
    };
    let verdict = done.await;
    report.add(("gateway.terminated", Service::Gateway, replicas), 1, verdict, begun.elapsed());
    Ok(())
}

/// A rebuild dies before it swaps the views in; readers go on with the old ones, and the next rebuild succeeds.
async fn rebuilt(world: &mut World<'_>, burst: &Burst, replicas: usize, report: &mut Report) -> Result<()> {
    let begun = Instant::now();
    world.set(Service::Projector, replicas, |_| None).await?;
    world.ready().await?;
    let rebuild = async {
        let mut command = tokio::process::Command::new(world.parts.services.join("dvt-projector"));
        command.arg("rebuild").envs(world.env(Service::Projector)).env("FAILPOINTS", "projector.rebuilt=panic");
        let done = command.kill_on_drop(true).output().await?;
        ensure!(!done.status.success(), "the rebuild did not die");
        anyhow::Ok(())
    };
    let done = async {
        tokio::try_join!(burst.play(Play::ALL), rebuild)?;
        settle(world, burst).await
    };
    let verdict = done.await;
    report.add(("projector.rebuilt", Service::Projector, replicas), 1, verdict, begun.elapsed());
    Ok(())
}

/// The leading relay dies; what it or another publishes after that is at least everything, in order.
async fn relay(
    world: &mut World<'_>,
    burst: &Burst,
    (point, replicas): (Point, usize),
    report: &mut Report,
) -> Result<()> {
    let (begun, after) = (Instant::now(), crate::kafka::head(world).await?);
    world.set(Service::Projector, 0, |_| None).await?;
    let database = world.database().await?;
    // As if the dead leader's lease had run out.
    database.batch_execute("update dvt.lease set expires_at = '-infinity' where name = 'relay'").await?;
    world.set(Service::Projector, 1, |_| Some(armed(point, 1))).await?;
    let led = "select count(*) from dvt.lease where name = 'relay' and expires_at > clock_timestamp()";
    while database.query_one(led, &[]).await?.get::<_, i64>(0) == 0 {
        tokio::time::sleep(POLL).await;
    }
    if replicas == 2 {
        world.add(Service::Projector).await?;
    }
    let done = async {
        world.ready().await?;
        for _ in 0..BURSTS {
            burst.play(point.play).await?;
            if hits(world, point.service) > 0 {
                break;
            }
        }
        let mut verdict = settle(world, burst).await?;
        crate::kafka::published(&mut verdict, world, after).await?;
        Ok(verdict)
    };
    let verdict = done.await;
    let hits = hits(world, point.service);
    report.add((point.name, point.service, replicas), hits, verdict, begun.elapsed());
    Ok(())
}
