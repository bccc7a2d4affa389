use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use dvt_bus::leases;
use dvt_bus::worker::{self, Options, Work};
use dvt_runtime::CancellationToken;
use dvt_store::Role;
use dvt_store::job::{self, Job, Kind, NewJob};
use uuid::Uuid;

use crate::harness::{World, until};

/// Fails at the first attempt.
#[derive(Default)]
struct Stubborn {
    last_attempt: AtomicI32,
}

#[async_trait::async_trait]
impl Work for Stubborn {
    async fn work(&self, job: &Job, _: &CancellationToken) -> anyhow::Result<()> {
        self.last_attempt.store(job.attempt, Ordering::SeqCst);
        anyhow::ensure!(job.attempt > 1, "not at the first attempt");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_a_job_again_until_it_succeeds() {
    let world = World::without_kafka().await;
    let store = world.store_as(Role::Artifact).await;
    let new = NewJob {
        job_id: Uuid::now_v7(),
        kind: Kind::Compile,
        lane: None,
        project_id: Uuid::now_v7(),
        stream_id: Uuid::now_v7(),
        position: 1,
        request: Vec::new(),
    };
    job::enqueue(&mut store.acquire().await.expect("a connection"), &new).await.expect("it is enqueued");
    let (stubborn, shutdown) = (Arc::new(Stubborn::default()), CancellationToken::new());
    let options = Options { kind: Kind::Compile, lease: leases::COMPILE, parallel: 2 };
    let worker = tokio::spawn(worker::run(options, store.clone(), stubborn.clone(), shutdown.clone()));
    let status = async || {
        let mut connection = store.acquire().await.expect("a connection");
        job::find(&mut connection, new.job_id).await.expect("an answer").expect("a job")
    };
    until("the job is done", async || status().await.state == "done").await;
    assert_eq!(stubborn.last_attempt.load(Ordering::SeqCst), 2);
    assert_eq!(status().await.error.as_deref(), Some("not at the first attempt"));
    shutdown.cancel();
    worker.await.expect("it ends").expect("it does not fail");
}
