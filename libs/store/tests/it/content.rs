//! Blobs, schemas, snapshots, artifacts, step logs.

use chrono::{TimeDelta, Utc};
use dvt_store::artifact::{self, Artifact, ArtifactFile};
use dvt_store::schema::{self, Schema};
use dvt_store::snapshot::{self, Snapshot};
use dvt_store::step_log::{self, Line, Step};
use dvt_store::{Role, blob};

use crate::database::{Database, id};

#[tokio::test]
async fn keeps_content_once_under_its_hash() {
    let database = Database::create().await;
    let store = database.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();

    let hashes = blob::put(c, &[b"a", b"b", b"a"]).await.unwrap();
    assert_eq!(blob::put(c, &[b"b"]).await.unwrap(), hashes[1..2]);

    assert_eq!(hashes[0], hashes[2]);
    assert_eq!(blob::find(c, &hashes[0]).await.unwrap().as_deref(), Some(&b"a"[..]));
    assert_eq!(blob::list(c, &[hashes[1], [0; 32]]).await.unwrap().len(), 1);
    assert_eq!(blob::list_missing(c, &[hashes[1], [0; 32]]).await.unwrap(), [[0; 32]]);
    let owner = database.store(Role::Owner).await;
    let c = &mut owner.acquire().await.unwrap();
    assert_eq!(blob::collect_orphans(c, &[], Utc::now() - TimeDelta::hours(1)).await.unwrap(), 0);
    assert_eq!(blob::collect_orphans(c, &hashes[..1], Utc::now() + TimeDelta::hours(1)).await.unwrap(), 1);
}

#[tokio::test]
async fn finds_the_newest_snapshot_that_is_not_too_new() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let tree_sha256 = blob::put(c, &[b"tree"]).await.unwrap()[0];
    let stream_id = id();
    let at = |version| Snapshot { stream_id, version, tree_sha256 };
    for version in [100, 200, 100] {
        snapshot::put(c, &at(version)).await.unwrap();
    }

    assert_eq!(snapshot::find_at(c, stream_id, 99).await.unwrap(), None);
    assert_eq!(snapshot::find_at(c, stream_id, 199).await.unwrap(), Some(at(100)));
    assert_eq!(snapshot::find_at(c, stream_id, 200).await.unwrap(), Some(at(200)));
    let missing = snapshot::put(c, &Snapshot { tree_sha256: [0; 32], ..at(300) }).await.unwrap_err();
    assert_eq!(missing.constraint(), Some("snapshot_tree_sha256_fkey"));
}

#[tokio::test]
async fn keeps_an_artifact_and_its_files() {
    let store = Database::create().await.store(Role::Artifact).await;
    let mut tx = store.begin().await.unwrap();
    let sha256 = blob::put(&mut tx, &[b"select 1"]).await.unwrap()[0];
    let file = ArtifactFile { path: "compiled/a.sql".to_owned(), sha256, size: 8 };
    let compiled = Artifact { key: [7; 32], compiler: "dvt 0.1.0".to_owned(), files: vec![file] };
    artifact::put(&mut tx, &compiled).await.unwrap();
    artifact::put(&mut tx, &compiled).await.unwrap();
    tx.commit().await.unwrap();

    let c = &mut store.acquire().await.unwrap();
    assert_eq!(artifact::find(c, &[7; 32]).await.unwrap(), Some(compiled));
    assert_eq!(artifact::find(c, &[8; 32]).await.unwrap(), None);
}

#[tokio::test]
async fn keeps_schemas_and_log_lines() {
    let store = Database::create().await.store(Role::Executor).await;
    let c = &mut store.acquire().await.unwrap();
    let written = Schema { fingerprint: [1; 32], name: "dvt.run.X".to_owned(), text: "{}".to_owned() };
    schema::put(c, std::slice::from_ref(&written)).await.unwrap();
    schema::put(c, std::slice::from_ref(&written)).await.unwrap();
    assert_eq!(schema::find(c, &[1; 32]).await.unwrap(), Some(written.clone()));
    assert_eq!(schema::list(c).await.unwrap(), [written]);

    let step = Step { run_id: id(), node: "model.a.b" };
    let at = chrono::DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap();
    let line = |seq| Line { seq, attempt: 1, at, level: "info".to_owned(), line: format!("line {seq}") };
    step_log::append(c, step, &[line(1), line(2)]).await.unwrap();
    step_log::append(c, step, &[line(2), line(3)]).await.unwrap();
    assert_eq!(step_log::list_after(c, step, 1, 10).await.unwrap(), [line(2), line(3)]);
    assert_eq!(step_log::last_seq(c, step).await.unwrap(), 3);
}
