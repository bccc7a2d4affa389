//! The crash points: a process dies there as `kill -9` does, with one and with two processes of its service, in the middle
//! of work. In one pass each service dies at a point of its own, so that a check costs less; asked for by its name, a
//! point has a pass of its own.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rustix::process::Signal;

use crate::check::{self, Verdict};
use crate::client::{Burst, Play};
use crate::parts::Parts;
use crate::report::Report;
use crate::world::{Service, World};

/// How long work is given until a point is reached.
const PATIENCE: Duration = Duration::from_secs(60);
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

impl Point {
    /// Answers its name, with the service's where that has it in common with others.
    pub(crate) fn label(&self) -> String {
        let (of, service) = (self.name.split('.').next().unwrap_or_default(), self.service.as_str());
        match of == service || of == "relay" {
            true => self.name.to_owned(),
            false => format!("{service}: {}", self.name),
        }
    }
}

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

fn asked(points: &[Point], report: &Report) -> Vec<Point> {
    points.iter().copied().filter(|point| report.asks_for(&point.label())).collect()
}

/// Deals points out: at most one of each service in a pass.
fn passes(points: &[Point]) -> Vec<Vec<Point>> {
    let mut passes: Vec<Vec<Point>> = Vec::new();
    for point in points {
        match passes.iter_mut().find(|pass| pass.iter().all(|other| other.service != point.service)) {
            Some(pass) => pass.push(*point),
            None => passes.push(vec![*point]),
        }
    }
    passes
}

/// Dies at every point of a service.
///
/// # Errors
/// When the parts cannot be used; what is against the promises goes into the report.
pub(crate) async fn services(parts: &Parts, replicas: usize, report: &Report) -> Result<()> {
    let passes = passes(&asked(POINTS, report));
    let is_told = TOLD.iter().any(|name| report.asks_for(name));
    if passes.is_empty() && !is_told {
        return Ok(());
    }
    let mut world = World::make(parts, &format!("crash_{replicas}")).await?;
    world.start(1).await?;
    let burst = Burst::begin(&world.urls()).await?;
    for points in passes {
        pass(&mut world, &burst, (&points, replicas), report).await?;
    }
    if is_told {
        told(&mut world, &burst, replicas, report).await?;
    }
    let mut verdict = Verdict::default();
    check::repeat(&mut verdict, &burst).await?;
    report.add_findings("repetitions", verdict.findings);
    world.stop().await;
    Ok(())
}

/// Dies at every point of the relay.
///
/// # Errors
/// As [`services`].
pub(crate) async fn relays(parts: &Parts, replicas: usize, report: &Report) -> Result<()> {
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

/// Arms services, works until the point of each was reached, and checks everything.
async fn pass(
    world: &mut World<'_>,
    burst: &Burst,
    (points, replicas): (&[Point], usize),
    report: &Report,
) -> Result<()> {
    let begun = Instant::now();
    for point in points {
        world.set(point.service, replicas, |number| Some(armed(*point, number))).await?;
    }
    let done = async {
        world.ready().await?;
        let work = work(world, burst, points);
        let outlived = try_join_all(points.iter().map(|point| world.outlive(point.service)));
        tokio::select! {
            done = work => done?,
            // With two processes, the other one waits for the lease of the dead as it would anywhere.
            done = outlived, if replicas == 1 => drop(done?),
        }
        settle_after(world, burst, points).await
    };
    let verdict = done.await;
    let labels: Vec<String> = points.iter().map(Point::label).collect();
    let hits = points.iter().map(|point| hits(world, point.service));
    let faults: Vec<(&str, usize)> = labels.iter().map(String::as_str).zip(hits).collect();
    report.add((&faults, replicas), verdict, begun.elapsed());
    Ok(())
}

/// Dies at one point in the midst of other faults, and leaves the service as it was.
pub(crate) async fn one(
    world: &mut World<'_>,
    burst: &Burst,
    (point, replicas): (Point, usize),
    report: &Report,
) -> Result<()> {
    pass(world, burst, (&[point], replicas), report).await?;
    world.set(point.service, world.usual, |_| None).await?;
    world.ready().await
}

/// Works until every point was reached, or it is not worth while to go on.
async fn work(world: &World<'_>, burst: &Burst, points: &[Point]) -> Result<()> {
    let play = points.iter().fold(Play::default(), |play, point| play.and(point.play));
    let patience = Instant::now() + PATIENCE;
    loop {
        burst.play(play).await?;
        if unreached(world, points).next().is_none() || Instant::now() >= patience {
            return Ok(());
        }
    }
}

fn unreached<'a>(world: &World<'_>, points: &'a [Point]) -> impl Iterator<Item = &'a Point> {
    points.iter().filter(|point| hits(world, point.service) == 0)
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

/// Does so after points that had to be reached.
async fn settle_after(world: &World<'_>, burst: &Burst, points: &[Point]) -> Result<Verdict> {
    let mut verdict = settle(world, burst).await?;
    verdict.findings.extend(unreached(world, points).map(|point| format!("{} was not reached", point.name)));
    Ok(verdict)
}

/// What is asked of a process, which does it in a way of its own.
const TOLD: [&str; 2] = ["gateway.terminated", "projector.rebuilt"];

/// A gateway is asked to end in the middle of requests. A rebuild dies before it swaps the views in: readers go on with
/// the old ones, and the next rebuild succeeds.
async fn told(world: &mut World<'_>, burst: &Burst, replicas: usize, report: &Report) -> Result<()> {
    let begun = Instant::now();
    for service in [Service::Gateway, Service::Projector] {
        world.set(service, replicas, |_| None).await?;
    }
    world.ready().await?;
    let first = world.of(Service::Gateway).next().context("there is a gateway")?;
    let lives = first.lives();
    let terminate = async {
        // In the middle of the burst: after some edits, before the last.
        let edits = burst.record.edits();
        while burst.record.edits() < edits + 3 {
            tokio::time::sleep(POLL).await;
        }
        first.signal(Signal::TERM);
        while first.lives() == lives {
            tokio::time::sleep(POLL).await;
        }
        anyhow::Ok(())
    };
    let rebuild = async {
        let mut command = tokio::process::Command::new(world.parts.program(Service::Projector));
        command.arg("rebuild").envs(world.env(Service::Projector)).env("FAILPOINTS", "projector.rebuilt=panic");
        let done = command.kill_on_drop(true).output().await?;
        ensure!(!done.status.success(), "the rebuild did not die");
        anyhow::Ok(())
    };
    let done = async {
        tokio::try_join!(burst.play(Play { edits: 12, ..Play::ALL }), terminate, rebuild)?;
        settle(world, burst).await
    };
    let verdict = done.await;
    report.add((&TOLD.map(|name| (name, 1)), replicas), verdict, begun.elapsed());
    Ok(())
}

/// The leading relay dies; what it or another publishes after that is at least everything, in order.
async fn relay(world: &mut World<'_>, burst: &Burst, (point, replicas): (Point, usize), report: &Report) -> Result<()> {
    let (begun, after) = (Instant::now(), crate::kafka::base(world).await?);
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
        let points = [point];
        tokio::select! {
            worked = work(world, burst, &points) => worked?,
            // The relay's own lease runs out as it does anywhere.
            outlived = world.outlive(point.service) => outlived?,
        }
        let mut verdict = settle_after(world, burst, &points).await?;
        crate::kafka::published(&mut verdict, world, after).await?;
        Ok(verdict)
    };
    let verdict = done.await;
    let hits = hits(world, point.service);
    report.add((&[(point.name, hits)], replicas), verdict, begun.elapsed());
    Ok(())
}
