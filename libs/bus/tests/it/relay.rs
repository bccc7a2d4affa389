use std::collections::BTreeSet;
use std::time::Duration;

use dvt_bus::record;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
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
    let cursor = format!("select position from relay_cursor where partition = {partition}");
    until("the cursor has moved", async || world.query(&cursor).await == [[Some(first.to_string())]]).await;
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
    let (stream, remember) = (Uuid::now_v7(), Remember::default());
    let position = world.append(stream, 1, b"a").await;
    let consuming = world.consume(remember.clone()).await;
    remember.until_applied(&[position]).await;
    until("the relay leads", async || !world.query("select 1 from lease where name = 'relay'").await.is_empty()).await;
    consuming.running.stop().await;
    relay.stop().await;
    assert!(world.query("select 1 from registry_id").await.is_empty());
    assert!(world.query("select 1 from relay_cursor where position > 0").await.is_empty());

    world.query("delete from checkpoint").await;
    world.config.schema_registry_url = registry;
    let relay = world.relay().await;
    let partition = world.recorded(position).await.partition;
    assert_eq!(positions_on_kafka(&world, partition, position).await, [position]);
    assert_eq!(world.query("select count(*) from registry_id").await, [[Some("1".to_owned())]]);
    relay.stop().await;
}
