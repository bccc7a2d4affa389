use dvt_dbt::tree::Mode;
use dvt_domain::compilation::{Publish, PublishSuperseded, Published};

use crate::world::{World, compiled, failed};

fn published(publish: Publish) -> Published {
    match publish {
        Publish::Published(published) => published,
        other => panic!("not published: {other:?}"),
    }
}

fn read(git: &git2::Repository, commit: &str, path: &str) -> Vec<u8> {
    let commit = git.find_commit(commit.parse().expect("an id")).expect("a commit");
    let entry = commit.tree().expect("a tree").get_path(std::path::Path::new(path)).expect("the file");
    entry.to_object(git).expect("an object").as_blob().expect("a blob").content().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn publishes_the_very_files_of_the_version_and_their_artifact() {
    let mut world = World::create().await;
    let text = "\u{feff}select 1\r\n-- no last line end";
    let version = world.import(&[("models/a.sql", text, Mode::Regular), ("run.sh", "#!", Mode::Executable)]).await;
    let key = world.keep_artifact("{}").await;
    let request = world.request_publish(version, compiled(key)).await;
    let service = world.run();
    let done = published(world.ended(request).await);
    service.stop().await;
    let git = world.repository();
    assert_eq!(read(&git, &done.commit, "models/a.sql"), text.as_bytes());
    let artifacts = done.artifacts_commit.expect("a commit of the artifact");
    assert_eq!(read(&git, &artifacts, &format!("{key}/manifest.json")), b"{}");
    let commit = git.find_commit(done.commit.parse().expect("an id")).expect("a commit");
    assert_eq!(commit.author().name(), Ok("ann"));
    assert_eq!(commit.summary(), Ok(Some("Ship version 1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn publishes_waiting_versions_in_order_and_supersedes_older_ones() {
    let mut world = World::create().await;
    let first = world.import(&[("a.sql", "1", Mode::Regular), ("b.sql", "1", Mode::Regular)]).await;
    let second = world.import(&[("a.sql", "2", Mode::Regular)]).await;
    let third = world.import(&[("a.sql", "3", Mode::Regular)]).await;
    let requests = [world.request_publish(third, failed()).await, world.request_publish(second, failed()).await];
    let service = world.run();
    let newest = published(world.ended(requests[0]).await);
    let before = published(world.ended(requests[1]).await);
    let git = world.repository();
    let commit = git.find_commit(newest.commit.parse().expect("an id")).expect("a commit");
    assert_eq!(commit.parent_id(0).expect("a parent").to_string(), before.commit);
    assert_eq!(newest.artifacts_commit, None);

    let late = world.request_publish(first, failed()).await;
    assert_eq!(world.ended(late).await, Publish::Superseded(PublishSuperseded { by_version: third }));
    let again = world.request_publish(third, failed()).await;
    assert_eq!(published(world.ended(again).await).commit, newest.commit, "an equal tree");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_share_the_work() {
    let mut world = World::create().await;
    let (one, other) = (world.run(), world.run());
    let mut last = None;
    for n in 1..=5 {
        let version = world.import(&[("a.sql", &n.to_string(), Mode::Regular)]).await;
        let request = world.request_publish(version, failed()).await;
        last = Some(published(world.ended(request).await));
    }
    one.stop().await;
    other.stop().await;
    let git = world.repository();
    let mut walk = git.revwalk().expect("a walk");
    walk.push(last.expect("a publish").commit.parse().expect("an id")).expect("a start");
    assert_eq!(walk.count(), 5);
}
