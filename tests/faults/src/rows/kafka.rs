//! Kafka and its registry: gone, empty, and full of what should not be there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio_postgres::Client;

use super::postgres::under_way;
use super::{behind_the_gateway, both, under_load};
use crate::check::Verdict;
use crate::client::{Burst, Play};
use crate::proxy::Weather;
use crate::world::{Service, World};
use crate::{kafka, project, servers};

/// How many events wait for Kafka when it was away for long.
const OUTBOX: i64 = 60_000;
/// How many events the log holds when Kafka loses everything.
const EVENTS: i64 = 100_000;
/// How long a run waits where there is no Kafka, and a live client: polls come sooner.
const AT_ONCE: Duration = Duration::from_secs(2);
/// How soon all that waited is published when Kafka is back, and how soon all is right when it lost everything.
const BACK: Duration = Duration::from_secs(60);
/// How soon a backlog of 10,000 events is applied.
const APPLIED: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
/// How many of them are appended at once.
const PAGE: i64 = 1_000;

/// Kafka holds everything from `after` on.
async fn whole(world: &World<'_>, after: i64) -> Result<()> {
    let mut verdict = Verdict::default();
    kafka::published(&mut verdict, world, after).await?;
    ensure!(verdict.findings.is_empty(), "{}", verdict.findings.join("; "));
    Ok(())
}

/// Everything goes on without Kafka, and Kafka catches up.
pub(super) async fn killed(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let after = kafka::base(world).await?;
    let kill = async {
        under_way(burst, 2).await?;
        servers::kill_kafka()
    };
    both(burst.play(Play::ALL), kill).await?;
    let gone = kafka::head(world).await?;
    let played = async {
        burst.play(Play::ALL).await?;
        lives(world, burst, gone).await
    };
    let played = played.await;
    servers::start_kafka(world.parts).await?;
    played?;
    burst.play(Play::ALL).await?;
    whole(world, after).await?;
    Ok(1)
}

/// Live clients see what happens, and runs begin, at once without Kafka.
async fn lives(world: &World<'_>, burst: &Burst, after: i64) -> Result<()> {
    let head = kafka::head(world).await?;
    let asked = Instant::now();
    while burst.live.seen().last() < Some(&head) {
        ensure!(asked.elapsed() < PATIENCE, "I7 a live client does not see event {head}");
        tokio::time::sleep(POLL).await;
    }
    world.note_time("a live client's wait without Kafka", asked.elapsed(), AT_ONCE);
    let began = "select max(extract(epoch from started.recorded_at - claimable.recorded_at))::float8
        from dvt.event started
        join dvt.event requested
            on requested.stream_id = started.stream_id and requested.event_type like '%RunRequested'
        join lateral (
            select max(recorded_at) as recorded_at from dvt.event
            where command_id = requested.command_id or (event_type like '%.Compiled' and stream_id in (
                select stream_id from dvt.event where command_id = requested.command_id))
        ) claimable on true
        where started.position > $1 and started.event_type like '%RunStarted'";
    let began: Option<f64> = world.database().await?.query_one(began, &[&after]).await?.get(0);
    let began = began.context("a run has started")?;
    let began = Duration::from_secs_f64(began);
    ensure!(began < PATIENCE, "I11 a run began {began:?} after it could");
    world.note_time("a run's wait without Kafka", began, AT_ONCE);
    Ok(())
}

pub(super) async fn unreachable(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let after = kafka::base(world).await?;
    world.parts.kafka.set(Weather::Blackhole);
    let played = burst.play(Play::ALL).await;
    world.parts.kafka.set(Weather::Refuse);
    let refused = burst.play(Play::ALL).await;
    world.parts.kafka.set(Weather::Clear);
    played.and(refused)?;
    let cut = async {
        under_way(burst, 2).await?;
        world.parts.kafka.half_close();
        under_way(burst, 2).await?;
        world.parts.kafka.cut();
        Ok(())
    };
    both(burst.play(Play { edits: 6, ..Play::ALL }), cut).await?;
    whole(world, after).await?;
    Ok(4)
}

/// Every process behind the gateway starts without a registry.
pub(super) async fn registry_down(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let after = kafka::base(world).await?;
    world.before_registry.set(Weather::Refuse);
    let restarted = async {
        for service in behind_the_gateway() {
            for process in world.of(service) {
                process.restart(&world.http).await?;
            }
        }
        burst.play(Play::ALL).await
    };
    let restarted = restarted.await;
    world.before_registry.set(Weather::Clear);
    restarted?;
    whole(world, after).await?;
    Ok(1)
}

/// Every record comes again, the last one first, in the middle of work.
pub(super) async fn doubled(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let again = async {
        under_way(burst, 1).await?;
        kafka::again(world).await
    };
    let records = both(burst.play(Play { edits: 6, ..Play::ALL }), again).await?;
    Ok(records)
}

/// Records vanish before anybody has read them.
pub(super) async fn dropped(world: &World<'_>, burst: &Burst) -> Result<usize> {
    const TIMES: usize = 4;
    let drops = async {
        for _ in 0..TIMES {
            under_way(burst, 1).await?;
            kafka::delete(world).await?;
        }
        Ok(())
    };
    under_load(burst, drops).await?;
    Ok(TIMES)
}

/// Records that no relay has sent stand between those that it has.
pub(super) async fn poisoned(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let poison = async {
        under_way(burst, 1).await?;
        kafka::poison(world).await
    };
    let records = both(burst.play(Play { edits: 6, ..Play::ALL }), poison).await?;
    let parked = "select count(*) from dvt.parked_stream";
    let parked: i64 = world.database().await?.query_one(parked, &[]).await?.get(0);
    ensure!(parked == 0, "{parked} streams are parked, and the log can be read");
    Ok(records)
}

/// Imports another project, which nobody follows.
async fn another(world: &World<'_>, burst: &Burst) -> Result<String> {
    let report = burst.http.import(&project::zip()?).await?;
    world.drained().await?;
    Ok(report["project_id"].as_str().unwrap_or_default().to_owned())
}

/// Kafka is away for long: the outbox keeps what it has not got, and nobody's memory does.
pub(super) async fn away(world: &World<'_>, burst: &Burst) -> Result<usize> {
    let other = another(world, burst).await?;
    let after = kafka::base(world).await?;
    servers::kill_kafka()?;
    let filled = async {
        world.database().await?.batch_execute(&append(&other, OUTBOX)).await?;
        burst.play(Play::ALL).await?;
        world.drained().await
    };
    let filled = filled.await;
    servers::start_kafka(world.parts).await?;
    filled?;
    let begun = Instant::now();
    whole(world, after).await?;
    world.note_time(&format!("publishing {OUTBOX} events once it is back"), begun.elapsed(), BACK);
    Ok(1)
}

/// A consumer does not get on: how far it is behind is told exactly, its memory stays, everything else goes on.
pub(super) async fn slow_consumer(world: &World<'_>, burst: &Burst) -> Result<usize> {
    const WAITING: i64 = 5_000;
    let other = another(world, burst).await?;
    let held = world.database().await?;
    // Whoever may apply holds this row.
    held.batch_execute("begin; select from dvt.checkpoint where consumer = 'projector' for update").await?;
    let database = world.database().await?;
    database.batch_execute(&append(&other, WAITING)).await?;
    burst.play(Play { edits: 2, ..Play::default() }).await?;
    let behind = "select count(*) from dvt.event e
        left join dvt.checkpoint k on (k.consumer, k.topic, k.partition) = ('projector', e.topic, e.partition)
        where e.topic = 'dvt.project' and e.position > coalesce(k.position, 0)";
    let behind: i64 = database.query_one(behind, &[]).await?.get(0);
    let patience = Instant::now() + PATIENCE;
    for process in world.of(Service::Projector) {
        let metric = "dvt_consumer_lag{consumer=\"projector\",topic=\"dvt.project\"";
        while process.metric(&world.http, metric).await != Some(behind as f64) {
            ensure!(Instant::now() < patience, "{} does not say that {behind} events wait", process.name());
            tokio::time::sleep(POLL).await;
        }
    }
    held.batch_execute("rollback").await?;
    let begun = Instant::now();
    world.drained().await?;
    let promised = APPLIED.mul_f64(behind as f64 / 10_000.0);
    world.note_time(&format!("applying {WAITING} events"), begun.elapsed(), promised);
    Ok(1)
}

/// Kafka loses everything while 100,000 events wait for the projector.
pub(super) async fn wiped(world: &World<'_>, burst: &Burst) -> Result<usize> {
    burst.play(Play::ALL).await?;
    world.drained().await?;
    let database = world.database().await?;
    let other = another(world, burst).await?;
    let clusters = clusters(&database).await?;
    for process in world.of(Service::Projector) {
        process.signal(rustix::process::Signal::STOP);
    }
    database.batch_execute(&append(&other, EVENTS)).await?;
    servers::kill_kafka()?;
    servers::wipe_kafka()?;
    let begun = Instant::now();
    servers::start_kafka(world.parts).await?;
    for process in world.of(Service::Projector) {
        process.signal(rustix::process::Signal::CONT);
    }
    world.drained().await?;
    world.note_time(&format!("applying {EVENTS} events after the wipe"), begun.elapsed(), BACK);
    let patience = Instant::now() + PATIENCE;
    while self::clusters(&database).await? == clusters {
        ensure!(Instant::now() < patience, "nothing is published to the new cluster");
        tokio::time::sleep(POLL).await;
    }
    // From here on nothing may be missing.
    let after = kafka::base(world).await?;
    burst.play(Play::ALL).await?;
    whole(world, after).await?;
    world.note_time("all right again after the wipe", begun.elapsed(), BACK);
    Ok(1)
}

/// Counts the clusters that the relay has published to.
async fn clusters(database: &Client) -> Result<i64> {
    let clusters = "select count(distinct cluster_id) from dvt.relay_cursor";
    Ok(database.query_one(clusters, &[]).await?.get(0))
}

/// Writes the SQL that defines a project's environment again and again.
fn append(project: &str, events: i64) -> String {
    format!(
        "do $$
        declare
            e dvt.event;
            v bigint;
            n constant integer := {PAGE};
        begin
            select * into strict e from dvt.event
            where project_id = '{project}' and category = 'project' and event_type like '%EnvironmentDefined'
            limit 1;
            for i in 1 .. {events} / n loop
                select version into strict v from dvt.stream_head where stream_id = e.stream_id;
                perform from dvt.append_events(
                    gen_random_uuid(), array[1], array[n], array[false], array[e.stream_id], array[e.category],
                    array[e.topic], array[e.partition], array_fill(1, array[n]), array_fill(1, array[n]),
                    array(select gen_random_uuid() from generate_series(1, n)),
                    array(select v + g from generate_series(1, n) g order by g),
                    array_fill(e.tenant_id, array[n]), array_fill(e.project_id, array[n]),
                    array_fill(e.event_type, array[n]), array_fill(e.schema_fingerprint, array[n]),
                    array_fill(e.payload, array[n]), array_fill('local:bob'::text, array[n]),
                    array_fill(e.command_id, array[n]), array_fill(e.correlation_id, array[n]),
                    array_fill(null::uuid, array[n]), array_fill(null::uuid, array[n]),
                    array_fill(null::bytea, array[n]), array_fill(null::text, array[n]),
                    array_fill(clock_timestamp(), array[n])
                );
            end loop;
        end
        $$"
    )
}
