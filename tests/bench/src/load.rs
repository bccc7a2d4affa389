//! Load: clients that each do one thing after the other, as fast as they can.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

/// How long clients work before it counts, and how long it counts.
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(4);

/// Is somebody with a connection of its own.
pub(crate) trait Client: Send + 'static {
    /// Does one thing, and answers how many events it was.
    fn step(&mut self) -> impl Future<Output = Result<usize>> + Send;
}

/// Answers how many events a second the clients get done.
pub(crate) async fn rate<C: Client>(clients: Vec<C>) -> Result<f64> {
    let done = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn(repeat(client, done.clone()));
    }
    let measured = async {
        tokio::time::sleep(WARM_UP).await;
        let (began, before) = (Instant::now(), done.load(Ordering::Relaxed));
        tokio::time::sleep(MEASURED).await;
        (done.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64()
    };
    tokio::select! {
        rate = measured => Ok(rate),
        Some(ended) = tasks.join_next() => match ended? {
            Err(error) => Err(error),
            Ok(()) => bail!("a client has ended"),
        }
    }
}

async fn repeat<C: Client>(mut client: C, done: Arc<AtomicUsize>) -> Result<()> {
    loop {
        done.fetch_add(client.step().await?, Ordering::Relaxed);
    }
}
