//! The law of views: they are functions of the log, topic by topic and project by project.

use std::collections::BTreeMap;

use dvt_log::Log;
use dvt_projector::graph::Graphs;
use dvt_projector::projection::Projection;
use dvt_projector::rebuild;
use dvt_store::event::{self, Recorded};
use dvt_store::view::{graph, project, rebuild as views, run, subject};
use dvt_store::{Connection, Role, Sha256, Store};

use crate::story::{self, Story, a_database, store};

/// Writes every graph that waits, as the running service does aside of its consumer loop.
async fn write_graphs(c: &mut Connection) {
    let mut graphs = Graphs::new(Log::default());
    while graphs.write_next(c).await.unwrap() {}
}

async fn apply_aside(projector: &Store, events: &[Recorded]) -> Vec<(String, Sha256)> {
    views::start(&mut projector.acquire().await.unwrap()).await.unwrap();
    let mut tx = projector.begin().await.unwrap();
    views::use_new(&mut tx).await.unwrap();
    let projection = Projection::default();
    projection.apply(&mut tx, events).await.unwrap();
    write_graphs(&mut tx).await;
    views::finish(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    views::hashes(&mut projector.acquire().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_rebuild_from_the_log_alone_gives_identical_views() {
    let url = a_database("projector_rebuild").await;
    let (gateway, projector) = (store(&url, Role::Gateway).await, store(&url, Role::Projector).await);
    let stories = [Story::new(), Story::new()];
    for story in &stories {
        story.append(&gateway).await;
    }
    let c = &mut projector.acquire().await.unwrap();
    let projection = Projection::default();
    for recorded in event::list_after(c, 0, 1_000).await.unwrap() {
        let mut tx = projector.begin().await.unwrap();
        projection.apply(&mut tx, std::slice::from_ref(&recorded)).await.unwrap();
        write_graphs(&mut tx).await;
        tx.commit().await.unwrap();
    }
    let live = views::hashes(c).await.unwrap();

    let rebuilt = rebuild(&projector).await.unwrap();

    assert_eq!((rebuilt.events, rebuilt.broken), (36, 0));
    assert_eq!(views::hashes(c).await.unwrap(), live);
    assert_eq!(dvt_store::checkpoint::list_lowest(c).await.unwrap().iter().map(|row| row.2).max(), Some(36));
    // And they say what happened.
    let story = &stories[0];
    let found = project::find(c, story.project.uuid()).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.version), ("shop", 4));
    let graph = graph::summary(c, story.branch.uuid()).await.unwrap().unwrap();
    assert_eq!((graph.version, graph.counts), (3, vec![("model".to_owned(), 1)]));
    let key = subject::node_key(c, story.branch.uuid(), "model.shop.c").await.unwrap();
    assert_eq!(key, "model.shop.a");
    assert_eq!(subject::list_before(c, (story.branch.uuid(), &key), i64::MAX, 9).await.unwrap().len(), 2);
    let steps = run::list_steps(c, story.run.uuid()).await.unwrap();
    assert_eq!(steps.iter().map(|step| step.state.as_str()).collect::<Vec<_>>(), ["failed", "skipped"]);
}

#[tokio::test]
async fn a_log_shuffled_across_topics_and_partitions_gives_equal_hashes() {
    let url = a_database("projector_shuffle").await;
    let (gateway, projector) = (store(&url, Role::Gateway).await, store(&url, Role::Projector).await);
    for _ in 0..5 {
        Story::new().append(&gateway).await;
    }
    let events = event::list_after(&mut projector.acquire().await.unwrap(), 0, 1_000).await.unwrap();
    let in_order = apply_aside(&projector, &events).await;

    let mut lanes: BTreeMap<(&str, i16), Vec<Recorded>> = BTreeMap::new();
    for recorded in &events {
        lanes.entry((&recorded.topic, recorded.partition)).or_default().push(recorded.clone());
    }
    // The last lane first, and then one event of each in turn, from the last lane to the first.
    let backwards: Vec<Recorded> = lanes.values().rev().flatten().cloned().collect();
    let longest = lanes.values().map(Vec::len).max().unwrap();
    let in_turn: Vec<Recorded> =
        (0..longest).flat_map(|index| lanes.values().rev().filter_map(move |lane| lane.get(index).cloned())).collect();
    for shuffled in [backwards, in_turn] {
        assert_eq!(shuffled.len(), events.len());
        assert_eq!(apply_aside(&projector, &shuffled).await, in_order);
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_decoded_stops_alone() {
    let url = a_database("projector_broken").await;
    let (gateway, projector) = (store(&url, Role::Gateway).await, store(&url, Role::Projector).await);
    let stories = [Story::new(), Story::new()];
    stories[0].append(&gateway).await;
    let run_id = stories[0].run.uuid();
    let g = &mut gateway.acquire().await.unwrap();
    let last = event::list_stream(g, run_id, 6, 1).await.unwrap().remove(0);
    // A payload that is none of its schema, by way of a faulty writer.
    let mut faulty = event::Command::new(vec![story::again(&last, 8)]);
    faulty.events[0].payload = vec![0xff; 3];
    event::append(g, uuid::Uuid::now_v7(), &[faulty]).await.unwrap();
    stories[1].append(&gateway).await;

    let rebuilt = rebuild(&projector).await.unwrap();

    assert_eq!(rebuilt.broken, 1);
    let c = &mut projector.acquire().await.unwrap();
    assert_eq!(run::find(c, run_id).await.unwrap().unwrap().version, 7, "up to the event before");
    assert_eq!(run::find(c, stories[1].run.uuid()).await.unwrap().unwrap().state, "finished");
}

#[tokio::test]
async fn a_rebuild_of_100_000_events_gives_identical_views() {
    let url = a_database("projector_long").await;
    let (gateway, projector) = (store(&url, Role::Gateway).await, store(&url, Role::Projector).await);
    let story = Story::new();
    story.append(&gateway).await;
    story.describe(&gateway).await;
    let g = &mut gateway.acquire().await.unwrap();
    let last = event::list_stream(g, story.branch.uuid(), 3, 1).await.unwrap().remove(0);
    let versions: Vec<i64> = (5..100_000).collect();
    for versions in versions.chunks(256) {
        let command = |version: &i64| event::Command::new(vec![story::again(&last, *version)]);
        event::append(g, uuid::Uuid::now_v7(), &versions.iter().map(command).collect::<Vec<_>>()).await.unwrap();
    }
    let mut position = 0;
    loop {
        let mut tx = projector.begin().await.unwrap();
        let events = event::list_after(&mut tx, position, 2_000).await.unwrap();
        let Some(last) = events.last() else { break tx.rollback().await.unwrap() };
        position = last.position;
        Projection::default().apply(&mut tx, &events).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = projector.begin().await.unwrap();
    write_graphs(&mut tx).await;
    tx.commit().await.unwrap();
    let c = &mut projector.acquire().await.unwrap();
    let live = views::hashes(c).await.unwrap();

    let rebuilt = rebuild(&projector).await.unwrap();

    assert!(rebuilt.events >= 100_000, "{rebuilt:?}");
    assert_eq!(views::hashes(c).await.unwrap(), live);
    let (verified, _) = dvt_store::chain::verify(c).await.unwrap().unwrap();
    assert_eq!(verified, rebuilt.events);
}
