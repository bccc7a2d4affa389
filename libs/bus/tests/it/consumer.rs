use dvt_bus::record;
use dvt_runtime::metrics;
use dvt_store::event::{Recorded, partition_of};
use rdkafka::ClientConfig;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{FutureProducer, FutureRecord};
use uuid::Uuid;

use crate::harness::{Remember, World, until};

/// Writes records by hand, as a confused or hostile relay would.
struct Forger {
    producer: FutureProducer,
    topic: String,
}

impl Forger {
    fn new(world: &World) -> Self {
        let brokers = world.config.kafka_brokers.as_deref().expect("a broker");
        let producer = ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a producer");
        Self { producer, topic: world.config.topics().name("dvt.project") }
    }

    async fn send(&self, event: &Recorded) {
        let payload = record::payload(event, 1).expect("a payload");
        self.send_raw(event.partition, record::headers(event), &payload).await;
    }

    async fn send_raw(&self, partition: i16, headers: OwnedHeaders, payload: &[u8]) {
        let record =
            FutureRecord::<(), _>::to(&self.topic).partition(partition.into()).headers(headers).payload(payload);
        let delivery = self.producer.send_result(record).map_err(|(error, _)| error).expect("it is queued");
        delivery.await.expect("an answer").expect("it is delivered");
    }
}

/// Repeats a round of records until the consumer counts that Kafka brought it what the round is about: until Kafka
/// serves it, and whenever the log was faster, it only follows the log.
async fn until_counted(world: &World, metric: &str, mut round: impl AsyncFnMut()) {
    let counted = format!("{metric}{{consumer={:?}}}", world.consumer);
    until(&counted, async || {
        round().await;
        metrics::render().contains(&counted)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applies_everything_in_order_without_any_kafka() {
    let world = World::without_kafka().await;
    let (stream, remember) = (Uuid::now_v7(), Remember::default());
    let mut positions = vec![world.append(stream, 1, b"a").await, world.append(stream, 2, b"b").await];
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&positions).await;
    positions.push(world.append(stream, 3, b"c").await);
    remember.until_applied(&positions).await;
    until("it is ready", async || consuming.health.is_ready()).await;
    consuming.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_what_comes_twice_or_jumps_back() {
    let world = World::start().await;
    let (stream, remember, forger) = (Uuid::now_v7(), Remember::default(), Forger::new(&world));
    let positions = [world.append(stream, 1, b"1").await, world.append(stream, 2, b"2").await];
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&positions).await;
    until_counted(&world, "dvt_consumer_duplicates_total", async || {
        for index in [1, 0, 1] {
            forger.send(&world.recorded(positions[index]).await).await;
        }
    })
    .await;
    remember.until_applied(&positions).await;
    assert!(consuming.health.is_ready());
    consuming.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_a_gap_from_the_log_before_it_applies_what_follows() {
    let world = World::start().await;
    let (stream, remember, forger) = (Uuid::now_v7(), Remember::default(), Forger::new(&world));
    let mut positions = vec![world.append(stream, 1, b"first").await];
    let consuming = world.consume(remember.clone()).await;
    until_counted(&world, "dvt_consumer_refetched_total", async || {
        for _ in 0..3 {
            positions.push(world.append(stream, positions.len() as i64 + 1, b"more").await);
        }
        let last = positions[positions.len() - 1];
        forger.send(&world.recorded(last).await).await;
        remember.until_applied(&positions).await;
    })
    .await;
    consuming.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_from_the_log_what_cannot_be_decoded() {
    let world = World::start().await;
    let (stream, remember, forger) = (Uuid::now_v7(), Remember::default(), Forger::new(&world));
    let mut positions = vec![world.append(stream, 1, b"first").await];
    let consuming = world.consume(remember.clone()).await;
    until_counted(&world, "dvt_consumer_unreadable_total", async || {
        positions.push(world.append(stream, positions.len() as i64 + 1, b"more").await);
        let recorded = world.recorded(positions[positions.len() - 1]).await;
        forger.send_raw(recorded.partition, OwnedHeaders::new(), b"no event").await;
        forger.send_raw(recorded.partition, record::headers(&recorded), b"\0\0\0\0\x01other bytes").await;
        remember.until_applied(&positions).await;
    })
    .await;
    consuming.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parks_a_stream_that_cannot_be_applied_and_resumes_it_on_request() {
    let world = World::start().await;
    let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
    let remember = Remember::poisoned_by(b"poison");
    let positions = [
        world.append(bad, 1, b"fine").await,
        world.append(good, 1, b"fine").await,
        world.append(bad, 2, b"poison").await,
        world.append(good, 2, b"fine").await,
        world.append(bad, 3, b"waits").await,
    ];
    let [bad_1, good_1, bad_2, good_2, bad_3] = positions;
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&[bad_1, good_1, good_2]).await;
    let checkpoint = "select position from checkpoint where position > 0";
    let at = |position: i64| vec![vec![Some(position.to_string())]];
    until("the checkpoint has passed", async || world.query(checkpoint).await == at(bad_3)).await;
    assert_eq!(world.query("select position from parked_stream").await, at(bad_2));

    // A try that fails says so, and asks for no other.
    let tried = "select error from parked_stream where retry_requested_at is null";
    world.query("update parked_stream set error = 'before'").await;
    world.retry(bad).await;
    until("it is tried", async || world.query(tried).await == [[Some("bad payload".to_owned())]]).await;

    remember.poison.lock().expect("not poisoned").clear();
    world.retry(bad).await;
    remember.until_applied(&[bad_1, good_1, good_2, bad_2, bad_3]).await;
    until("nothing is parked", async || world.query("select 1 from parked_stream").await.is_empty()).await;
    let bad_4 = world.append(bad, 4, b"fine").await;
    remember.until_applied(&[bad_1, good_1, good_2, bad_2, bad_3, bad_4]).await;
    consuming.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_parked_streams_again_when_it_starts() {
    let world = World::without_kafka().await;
    let (stream, remember) = (Uuid::now_v7(), Remember::poisoned_by(b"poison"));
    let position = world.append(stream, 1, b"poison").await;
    let first = world.consume(remember.clone()).await;
    until("it is parked", async || !world.query("select 1 from parked_stream").await.is_empty()).await;
    first.running.stop().await;
    let fixed = Remember::default();
    let second = world.consume(fixed.clone()).await;
    fixed.until_applied(&[position]).await;
    assert!(remember.applied().is_empty());
    second.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_what_fails_for_now_and_says_so() {
    let world = World::without_kafka().await;
    let remember = Remember::default();
    *remember.failures.lock().expect("not poisoned") = 3;
    let position = world.append(Uuid::now_v7(), 1, b"a").await;
    let consuming = world.consume(remember.clone()).await;
    let reason = || consuming.health.reasons().remove("consumer").unwrap_or_default();
    until("it is red", async || reason().ends_with("not yet")).await;
    remember.until_applied(&[position]).await;
    until("it is green", async || consuming.health.is_ready()).await;
    consuming.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_a_partition_whose_history_diverged_until_its_checkpoint_is_reset() {
    let world = World::without_kafka().await;
    let (stream, ours) = (Uuid::now_v7(), partition_of(world.project_id));
    let elsewhere = std::iter::repeat_with(Uuid::now_v7).find(|id| partition_of(*id) != ours).expect("an id");
    let first = world.append(stream, 1, b"a").await;
    let between = world.append_to(elsewhere, Uuid::now_v7(), 1, b"b").await;
    let second = world.append(stream, 2, b"c").await;
    // As after a restore of another log: the checkpoint stands where this history has no event.
    let wrong = format!("insert into checkpoint values ('{}', 'dvt.project', {ours}, {between})", world.consumer);
    world.query(&wrong).await;
    let remember = Remember::default();
    let consuming = world.consume(remember.clone()).await;
    let reason = || consuming.health.reasons().remove("consumer").unwrap_or_default();
    until("it is red", async || reason().contains("HISTORY_DIVERGED")).await;
    assert_eq!(remember.applied(), [between], "the other partition flows");
    world.query(&format!("update checkpoint set position = 0 where partition = {ours}")).await;
    remember.until_applied(&[between, first, second]).await;
    until("it is green", async || consuming.health.is_ready()).await;
    consuming.running.stop().await;
}
