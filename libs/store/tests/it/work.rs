//! Checkpoints, parked streams, leases, cursors, jobs, previews.

use std::time::Duration;

use dvt_store::checkpoint::{self, Key};
use dvt_store::job::{self, Kind, NewJob};
use dvt_store::parked_stream::{self, Park};
use dvt_store::preview::{self, Answer, Preview};
use dvt_store::relay_cursor::{self, Cursor};
use dvt_store::{Role, event, lease, registry_id};

use crate::database::{Database, a_command, id};

const LONG: Duration = Duration::from_secs(60);

fn a_key() -> Key {
    Key { consumer: "graph".to_owned(), topic: "dvt.project".to_owned(), partition: 3 }
}

#[tokio::test]
async fn only_one_transaction_holds_a_checkpoint() {
    let store = Database::create().await.store(Role::Projector).await;
    let mut first = store.begin().await.unwrap();
    checkpoint::reset(&mut first, &a_key(), 0).await.unwrap();
    first.commit().await.unwrap();
    let mut first = store.begin().await.unwrap();
    let mut second = store.begin().await.unwrap();

    assert_eq!(checkpoint::lock(&mut first, &a_key()).await.unwrap(), Some(0));
    assert_eq!(checkpoint::lock(&mut second, &a_key()).await.unwrap(), None);
    checkpoint::advance(&mut first, &a_key(), 7).await.unwrap();
    checkpoint::advance(&mut first, &a_key(), 5).await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(checkpoint::lock(&mut second, &a_key()).await.unwrap(), Some(7));
    second.rollback().await.unwrap();
    let c = &mut store.acquire().await.unwrap();
    assert_eq!(checkpoint::list_lowest(c).await.unwrap(), [("dvt.project".to_owned(), 3, 7)]);
    assert_eq!(checkpoint::list(c, "graph").await.unwrap()[0].key, a_key());
}

#[tokio::test]
async fn names_the_partitions_that_wait() {
    let database = Database::create().await;
    let writer = database.store(Role::Gateway).await;
    let project = id();
    event::append(&mut writer.acquire().await.unwrap(), id(), &[a_command(project, id(), 1)]).await.unwrap();
    let store = database.store(Role::Projector).await;
    let c = &mut store.acquire().await.unwrap();
    let topics = ["dvt.project".to_owned()];

    assert!(checkpoint::list_behind(c, "graph", &topics, LONG).await.unwrap().is_empty(), "not for so long");
    let behind = checkpoint::list_behind(c, "graph", &topics, Duration::ZERO).await.unwrap();
    assert_eq!((behind[0].position, behind[0].head, behind[0].partition), (0, 1, event::partition_of(project)));
    let lag = checkpoint::list_lag(c, "graph", &topics).await.unwrap();
    assert_eq!((lag[0].events, lag[0].partition, lag.len()), (1, event::partition_of(project), 1));
    let key = Key { partition: behind[0].partition, ..a_key() };
    checkpoint::reset(c, &key, 1).await.unwrap();
    assert!(checkpoint::list_behind(c, "graph", &topics, Duration::ZERO).await.unwrap().is_empty());
    assert_eq!(checkpoint::list_lag(c, "graph", &topics).await.unwrap()[0].events, 0, "still reported");
}

#[tokio::test]
async fn parks_a_stream_where_it_stopped() {
    let store = Database::create().await.store(Role::Projector).await;
    let c = &mut store.acquire().await.unwrap();
    let (key, stream_id) = (a_key(), id());
    for position in [4, 9] {
        let park = Park { key: &key, stream_id, position, error: "cannot be decoded" };
        parked_stream::park(c, &park).await.unwrap();
    }

    assert_eq!(parked_stream::list(c, "graph").await.unwrap()[0].position, 4);
    assert_eq!(parked_stream::list_partition(c, &key).await.unwrap().len(), 1);
    assert!(parked_stream::list_requested(c, "graph").await.unwrap().is_empty());
    assert_eq!(parked_stream::request_retry(c, stream_id).await.unwrap(), 1);
    let requested = parked_stream::list_requested(c, "graph").await.unwrap().remove(0);
    parked_stream::note_failure(c, &requested, "still cannot").await.unwrap();
    assert_eq!(parked_stream::list_all(c).await.unwrap()[0].error, "still cannot");
    assert!(parked_stream::list_requested(c, "graph").await.unwrap().is_empty());
    assert!(parked_stream::remove(c, "graph", stream_id).await.unwrap());
    assert!(!parked_stream::remove(c, "graph", stream_id).await.unwrap());
}

#[tokio::test]
async fn a_lease_has_one_holder_and_a_growing_epoch() {
    let store = Database::create().await.store(Role::Relay).await;
    let c = &mut store.acquire().await.unwrap();
    let (first, second) = (id(), id());

    let held = lease::acquire(c, "relay", first, LONG).await.unwrap().unwrap();
    assert_eq!(lease::acquire(c, "relay", second, LONG).await.unwrap(), None);
    assert_eq!(lease::acquire(c, "relay", first, LONG).await.unwrap().unwrap().epoch, held.epoch);
    assert_eq!(lease::find(c, "relay").await.unwrap().unwrap().holder, first);
    assert!(lease::release(c, &held).await.unwrap());
    assert_eq!(lease::find(c, "relay").await.unwrap(), None);
    let taken = lease::acquire(c, "relay", second, LONG).await.unwrap().unwrap();
    assert_eq!(taken.epoch, held.epoch + 1);
    assert!(!lease::renew(c, &held, LONG).await.unwrap(), "no longer ours");
    assert!(lease::renew(c, &taken, LONG).await.unwrap());
}

#[tokio::test]
async fn a_stale_leader_moves_no_cursor() {
    let store = Database::create().await.store(Role::Relay).await;
    let c = &mut store.acquire().await.unwrap();
    let at = |position| {
        let (cluster_id, topic, offset) = ("k".to_owned(), "dvt.run".to_owned(), Some(position - 1));
        Cursor { cluster_id, topic, partition: 1, position, offset }
    };

    assert!(relay_cursor::advance(c, &[at(5)], 2).await.unwrap());
    assert!(!relay_cursor::advance(c, &[at(9)], 1).await.unwrap(), "an older epoch");
    assert!(!relay_cursor::advance(c, &[at(4)], 2).await.unwrap(), "backwards");
    assert!(relay_cursor::begin(c, &[at(1)], 3).await.unwrap());
    assert_eq!(relay_cursor::list(c, "k").await.unwrap(), [at(1)]);

    registry_id::put(c, "http://r", &[1; 32], 7).await.unwrap();
    assert_eq!(registry_id::find(c, "http://r", &[1; 32]).await.unwrap(), Some(7));
    assert_eq!(registry_id::list(c, "http://r").await.unwrap(), [([1; 32], 7)]);
    registry_id::forget(c, "http://r").await.unwrap();
    assert_eq!(registry_id::find(c, "http://r", &[1; 32]).await.unwrap(), None);
}

fn a_job(position: i64, lane: Option<&str>) -> NewJob {
    NewJob {
        job_id: id(),
        kind: Kind::Publish,
        lane: lane.map(str::to_owned),
        project_id: id(),
        stream_id: id(),
        position,
        request: vec![1],
    }
}

#[tokio::test]
async fn a_job_has_one_worker_until_its_lease_ends() {
    let store = Database::create().await.store(Role::Artifact).await;
    let c = &mut store.acquire().await.unwrap();
    let requested = a_job(1, None);
    job::enqueue(c, &requested).await.unwrap();
    job::enqueue(c, &requested).await.unwrap();

    let backlog = job::backlog(c, Kind::Publish).await.unwrap();
    assert!(backlog.waiting == 1 && backlog.oldest_seconds > 0.0, "{backlog:?}");

    let lapsed = job::claim(c, Kind::Publish, id(), Duration::ZERO).await.unwrap().unwrap();
    let claimed = job::claim(c, Kind::Publish, id(), LONG).await.unwrap().unwrap();
    assert_eq!((claimed.job_id, claimed.attempt), (requested.job_id, 2));
    assert_eq!(job::claim(c, Kind::Publish, id(), LONG).await.unwrap(), None);
    assert!(!job::heartbeat(c, &lapsed, LONG).await.unwrap(), "no longer ours");
    assert!(!job::finish(c, &lapsed).await.unwrap(), "no longer ours");
    assert!(job::postpone(c, &claimed, Duration::ZERO, "try later").await.unwrap());
    let claimed = job::claim(c, Kind::Publish, id(), LONG).await.unwrap().unwrap();
    assert!(job::finish(c, &claimed).await.unwrap());
    let ended = job::Backlog { waiting: 0, oldest_seconds: 0.0 };
    assert_eq!(job::backlog(c, Kind::Publish).await.unwrap(), ended);
    let status = job::find(c, requested.job_id).await.unwrap().unwrap();
    assert_eq!((status.state.as_str(), status.attempt, status.error.as_deref()), ("done", 3, Some("try later")));
}

#[tokio::test]
async fn counts_only_those_workers_that_died_of_a_job() {
    let store = Database::create().await.store(Role::Artifact).await;
    let c = &mut store.acquire().await.unwrap();
    job::enqueue(c, &a_job(1, None)).await.unwrap();
    let late = job::claim(c, Kind::Publish, id(), Duration::ZERO).await.unwrap().unwrap();
    let dead = job::claim(c, Kind::Publish, id(), Duration::ZERO).await.unwrap().unwrap();
    job::outlived(c, &late).await.unwrap();
    let next = job::claim(c, Kind::Publish, id(), LONG).await.unwrap().unwrap();
    assert_eq!([late, dead, next].map(|job| job.takeovers), [0, 1, 1]);
}

#[tokio::test]
async fn jobs_of_a_lane_run_one_after_the_other() {
    let store = Database::create().await.store(Role::Artifact).await;
    let c = &mut store.acquire().await.unwrap();
    let jobs = [a_job(1, Some("main")), a_job(2, Some("main")), a_job(3, Some("main")), a_job(4, Some("other"))];
    for job in jobs.iter().rev() {
        job::enqueue(c, job).await.unwrap();
    }

    let first = job::claim(c, Kind::Publish, id(), LONG).await.unwrap().unwrap();
    let other = job::claim(c, Kind::Publish, id(), LONG).await.unwrap().unwrap();
    assert_eq!((first.job_id, other.job_id), (jobs[0].job_id, jobs[3].job_id));
    assert_eq!(job::claim(c, Kind::Publish, id(), LONG).await.unwrap(), None);
    assert_eq!(job::list_lane(c, "main").await.unwrap(), jobs[..3]);
    assert_eq!(job::finish_with(c, &first, &[jobs[1].job_id]).await.unwrap(), 2);
    assert_eq!(job::claim(c, Kind::Publish, id(), LONG).await.unwrap().unwrap().job_id, jobs[2].job_id);
    assert_eq!(job::finish_with(c, &first, &[jobs[2].job_id]).await.unwrap(), 0, "no longer ours");
}

#[tokio::test]
async fn a_preview_is_asked_answered_and_forgotten() {
    let database = Database::create().await;
    let gateway = database.store(Role::Gateway).await;
    let g = &mut gateway.acquire().await.unwrap();
    let executor = database.store(Role::Executor).await;
    let e = &mut executor.acquire().await.unwrap();
    let asked = Preview { preview_id: id(), project_id: id(), request: vec![1] };
    preview::create(g, &asked).await.unwrap();

    assert_eq!(preview::find(g, asked.preview_id).await.unwrap(), Some(Answer::Pending));
    assert_eq!(preview::claim(e, LONG).await.unwrap(), Some(asked.clone()));
    assert_eq!(preview::claim(e, LONG).await.unwrap(), None);
    preview::finish(e, asked.preview_id, b"rows").await.unwrap();
    assert_eq!(preview::find(g, asked.preview_id).await.unwrap(), Some(Answer::Done(b"rows".to_vec())));
    assert_eq!(preview::sweep(e).await.unwrap(), 0);
    database.sql("update preview set expires_at = now()").await.unwrap();
    assert_eq!(preview::find(g, asked.preview_id).await.unwrap(), None);
    assert_eq!(preview::sweep(e).await.unwrap(), 1);
}
