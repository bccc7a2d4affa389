use std::collections::BTreeSet;
use std::time::Duration;

use dvt_bus::record;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use uuid::Uuid;

use crate::harness::{Remember, World, until};

/// Reads the positions that a partition of the broker holds, until `last` is among them.
async fn positions_on_kafka(world: &World, partition: i16, last: i64) -> Vec<i64> {
    let (config, topic) = (world.config.clone(), world.config.topics().name("dvt.project"));
    let read = tokio::task::spawn_blocking(move || {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", config.kafka_brokers.expect("a broker")).set("group.id", "reader");
        client.set("fetch.wait.max.ms", "5").set("auto.offset.reset", "earliest");
        let consumer: BaseConsumer = client.create().expect("a consumer");
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(&topic, partition.into(), Offset::Beginning).expect("a partition");
        consumer.assign(&from).expect("it is assigned");
        let mut positions = Vec::new();
        while positions.last() != Some(&last) {
            let message = consumer.poll(Duration::from_secs(20)).expect("a record in time").expect("a record");
            positions.push(record::position(message.headers()).expect("a position"));
        }
        positions
    });
    read.await.expect("it reads")
}

/// Answers where the relay's cursor of a partition stands.
async fn cursor(world: &World, partition: i16) -> Option<i64> {
    let sql = format!("select position from relay_cursor where topic = 'dvt.project' and partition = {partition}");
    let rows = world.query(&sql).await;
    rows.first().map(|row| row[0].as_deref().expect("never null").parse().expect("a number"))
}

/// Starts a relay, and stops it as soon as it has found out where it would publish from.
async fn open_and_stop(world: &World, partition: i16, at: i64) {
    let relay = world.relay().await;
    until("the relay has begun", async || cursor(world, partition).await == Some(at)).await;
    relay.stop().await;
}

/// Puts an event's record on the broker, as a leader did before it died.
async fn put_on_kafka(world: &World, position: i64) {
    let event = world.recorded(position).await;
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", world.config.kafka_brokers.as_ref().expect("a broker"));
    let producer: FutureProducer = client.create().expect("a producer");
    let topic = world.config.topics().name("dvt.project");
    let (key, payload) = (record::key(&event), record::payload(&event, 1).expect("a payload"));
    let sent = FutureRecord::to(&topic).key(key.as_bytes()).partition(event.partition.into()).payload(&payload);
    let sent = producer.send(sent.headers(record::headers(&event)), Duration::from_secs(20)).await;
    sent.expect("it is delivered");
}

#[tokio::test(flavor = "multi_thread")]
async fn publishes_the_very_rows_of_the_log_in_order() {
    let world = World::start().await;
    let relay = world.relay().await;
    let (stream, remember) = (Uuid::now_v7(), Remember::default());
    let mut positions = vec![world.append(stream, 1, &[1]).await];
    let partition = world.recorded(positions[0]).await.partition;
    // A cluster that is new to us starts at the lowest checkpoint: first there is none.
    assert_eq!(positions_on_kafka(&world, partition, positions[0]).await, positions);
    let consuming = world.consume(remember.clone()).await;
    for version in 2..=20 {
        positions.push(world.append(stream, version, &[1]).await);
    }
    assert_eq!(positions_on_kafka(&world, partition, positions[19]).await, positions);
    remember.until_applied(&positions).await;
    consuming.running.stop().await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_where_the_last_relay_stopped() {
    let world = World::start().await;
    let stream = Uuid::now_v7();
    let first = world.append(stream, 1, b"a").await;
    let partition = world.recorded(first).await.partition;
    let relay = world.relay().await;
    assert_eq!(positions_on_kafka(&world, partition, first).await, [first]);
    until("the cursor has moved", async || cursor(&world, partition).await == Some(first)).await;
    relay.stop().await;
    let second = world.append(stream, 2, b"b").await;
    let relay = world.relay().await;
    assert_eq!(positions_on_kafka(&world, partition, second).await, [first, second]);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishes_again_from_the_lowest_checkpoint_after_a_wipe() {
    let mut world = World::start_in_process().await;
    let (stream, remember) = (Uuid::now_v7(), Remember::default());
    let old = world.append(stream, 1, b"a").await;
    let partition = world.recorded(old).await.partition;
    let relay = world.relay().await;
    assert_eq!(positions_on_kafka(&world, partition, old).await, [old]);
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&[old]).await;
    consuming.running.stop().await;
    relay.stop().await;

    let missed = world.append(stream, 2, b"b").await;
    world.broker = None;
    world.config.kafka_brokers = Some(world.start_broker());
    let relay = world.relay().await;
    assert_eq!(positions_on_kafka(&world, partition, missed).await, [missed]);
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&[old, missed]).await;
    consuming.running.stop().await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_no_gap_where_a_record_failed_after_the_cluster_lost_its_records() {
    let world = World::start().await;
    let (stream, remember) = (Uuid::now_v7(), Remember::default());
    let first = world.append(stream, 1, b"a").await;
    let partition = world.recorded(first).await.partition;
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&[first]).await;
    consuming.running.stop().await;
    open_and_stop(&world, partition, first).await;
    // What an older cluster of the same name was given.
    world.query("update relay_cursor set position = 1000000, record_offset = 1000000").await;
    open_and_stop(&world, partition, first).await;

    let failed = world.append(stream, 2, b"b").await;
    let sent = world.append(stream, 3, b"c").await;
    put_on_kafka(&world, sent).await;
    let relay = world.relay().await;
    until("the cursor follows", async || cursor(&world, partition).await == Some(sent)).await;
    let seen = positions_on_kafka(&world, partition, failed).await;
    assert_eq!(seen, [sent, failed], "whoever reads only Kafka sees it");
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_no_gap_where_the_first_record_of_a_new_cluster_failed() {
    let world = World::start().await;
    let (stream, remember) = (Uuid::now_v7(), Remember::default());
    let partition = dvt_store::event::partition_of(world.project_id);
    open_and_stop(&world, partition, 0).await;
    let failed = world.append(stream, 1, b"a").await;
    let sent = world.append(stream, 2, b"b").await;
    // Consumers go on from the log meanwhile: the lowest checkpoint is behind the gap.
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&[failed, sent]).await;
    consuming.running.stop().await;
    put_on_kafka(&world, sent).await;
    let relay = world.relay().await;
    assert_eq!(positions_on_kafka(&world, partition, failed).await, [sent, failed]);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_leads_soon_after_a_leader_died() {
    let world = World::start().await;
    let dead = world.relay().await;
    until("it leads", async || !world.query("select 1 from relay_cursor").await.is_empty()).await;
    dead.kill().await;
    let holder = world.query("select holder from lease where name = 'relay'").await;
    let position = world.append(Uuid::now_v7(), 1, b"a").await;
    let relay = world.relay().await;
    let partition = world.recorded(position).await.partition;
    assert_eq!(positions_on_kafka(&world, partition, position).await, [position]);
    assert_ne!(world.query("select holder from lease where name = 'relay'").await, holder);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn loses_nothing_when_the_broker_is_overrun() {
    const RECORDS: i64 = 12;
    const SIZE: usize = 700 * 1024; // 8.2 MiB in all: more than the in-process broker keeps of a partition
    let world = World::start().await;
    let (stream, remember) = (Uuid::now_v7(), Remember::default());
    let consuming = world.consume(remember.clone()).await;
    let relay = world.relay().await;
    let mut positions = Vec::new();
    for version in 1..=RECORDS {
        // Not compressible, so that the broker holds it all.
        let payload: Vec<u8> = (0..SIZE / 16).flat_map(|_| *Uuid::now_v7().as_bytes()).collect();
        positions.push(world.append(stream, version, &payload).await);
    }
    remember.until_applied(&positions).await;
    consuming.running.stop().await;
    relay.stop().await;
    // And one that starts when Kafka no longer has the first of them.
    world.query("delete from checkpoint").await;
    let late = Remember::default();
    let consuming = world.consume(late.clone()).await;
    late.until_applied(&positions).await;
    consuming.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_one_relay_lead_and_another_follow() {
    let world = World::start().await;
    let (one, other) = (world.relay().await, world.relay().await);
    let stream = Uuid::now_v7();
    let mut positions = Vec::new();
    for version in 1..=10 {
        positions.push(world.append(stream, version, &[1]).await);
    }
    let partition = world.recorded(positions[0]).await.partition;
    assert_eq!(positions_on_kafka(&world, partition, positions[9]).await, positions);
    let leaders: BTreeSet<_> = world.query("select holder from lease where name = 'relay'").await.into_iter().collect();
    assert_eq!(leaders.len(), 1);
    one.stop().await;
    positions.push(world.append(stream, 11, &[1]).await);
    let seen = positions_on_kafka(&world, partition, positions[10]).await;
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), positions.into_iter().collect());
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_back_events_without_a_schema_id_while_consumers_go_on() {
    let mut world = World::start().await;
    let registry = world.config.schema_registry_url.replace("http://127.0.0.1:1".to_owned());
    let relay = world.relay().await;
    // It has begun to publish before there is anything, and so does not start behind what the consumer applies.
    until("the relay leads", async || !world.query("select 1 from relay_cursor").await.is_empty()).await;
    let (stream, remember) = (Uuid::now_v7(), Remember::default());
    let position = world.append(stream, 1, b"a").await;
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&[position]).await;
    consuming.running.stop().await;
    relay.stop().await;
    assert!(world.query("select 1 from registry_id").await.is_empty());
    assert!(world.query("select 1 from relay_cursor where position > 0").await.is_empty());

    world.config.schema_registry_url = registry;
    let relay = world.relay().await;
    let partition = world.recorded(position).await.partition;
    assert_eq!(positions_on_kafka(&world, partition, position).await, [position]);
    assert_eq!(world.query("select count(*) from registry_id").await, [[Some("1".to_owned())]]);
    relay.stop().await;
}
