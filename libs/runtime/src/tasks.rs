//! Named tasks that live and end together.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use anyhow::Context;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Runs named tasks: the first failure asks all to stop, and a grace period bounds how long that takes.
#[derive(Debug)]
pub struct Tasks {
    set: JoinSet<anyhow::Result<()>>,
    names: HashMap<Id, String>,
    shutdown: CancellationToken,
    grace: Duration,
}

impl Tasks {
    /// Makes an empty set that stops when `shutdown` is cancelled.
    pub fn new(shutdown: &CancellationToken, grace: Duration) -> Self {
        // A child: a failure in here does not stop what lives around it.
        Self { set: JoinSet::new(), names: HashMap::new(), shutdown: shutdown.child_token(), grace }
    }

    /// Answers the token that each task watches.
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Starts a task. One that ends well before shutdown is fine; one that fails stops all.
    pub fn spawn<F, E>(&mut self, name: impl Into<String>, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + Send + 'static,
    {
        let handle = self.set.spawn(async move { task.await.map_err(Into::into) });
        self.names.insert(handle.id(), name.into());
    }

    /// Waits until all tasks have ended.
    ///
    /// # Errors
    /// The first failure, or the names of tasks that outlived the grace period.
    pub async fn wait(mut self) -> anyhow::Result<()> {
        let mut failure = None;
        while failure.is_none() {
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                ended = self.set.join_next_with_id() => match ended {
                    None => return Ok(()),
                    Some(ended) => failure = self.ended(ended).err(),
                },
            }
        }
        self.shutdown.cancel();
        let all = async {
            while let Some(ended) = self.set.join_next_with_id().await {
                failure = failure.take().or(end(&mut self.names, ended).err());
            }
        };
        if tokio::time::timeout(self.grace, all).await.is_err() {
            let mut late: Vec<_> = self.names.into_values().collect();
            late.sort();
            failure.get_or_insert_with(|| anyhow::anyhow!("did not end within {:?}: {}", self.grace, late.join(", ")));
            self.set.abort_all();
        }
        failure.map_or(Ok(()), Err)
    }

    fn ended(&mut self, ended: Result<(Id, anyhow::Result<()>), JoinError>) -> anyhow::Result<()> {
        end(&mut self.names, ended)
    }
}

fn end(names: &mut HashMap<Id, String>, ended: Result<(Id, anyhow::Result<()>), JoinError>) -> anyhow::Result<()> {
    let (id, result) = match ended {
        Ok((id, result)) => (id, result),
        Err(error) => (error.id(), Err(error.into())),
    };
    let name = names.remove(&id).unwrap_or_default();
    match result {
        Ok(()) => tracing::debug!(task = name, "task ended"),
        Err(ref error) => tracing::error!(task = name, error = format!("{error:#}"), "task failed"),
    }
    result.with_context(|| format!("task {name} failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn stops_all_at_the_first_failure_and_names_it() {
        let outer = CancellationToken::new();
        let mut tasks = Tasks::new(&outer, GRACE);
        let stopped = tasks.shutdown();
        tasks.spawn("patient", async move {
            stopped.cancelled().await;
            anyhow::Ok(())
        });
        tasks.spawn("broken", async { anyhow::bail!("no luck") });
        let error = tasks.wait().await.expect_err("a task failed");
        assert_eq!(format!("{error:#}"), "task broken failed: no luck");
        assert!(!outer.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn names_the_tasks_that_outlive_the_grace_period() {
        let outer = CancellationToken::new();
        let mut tasks = Tasks::new(&outer, GRACE);
        tasks.spawn("stubborn", std::future::pending::<anyhow::Result<()>>());
        outer.cancel();
        let error = tasks.wait().await.expect_err("a task is late");
        assert_eq!(error.to_string(), "did not end within 5s: stubborn");
    }

    #[tokio::test]
    async fn ends_when_all_tasks_have_ended() {
        let mut tasks = Tasks::new(&CancellationToken::new(), GRACE);
        tasks.spawn("short", async { anyhow::Ok(()) });
        tasks.wait().await.expect("nothing failed");
    }

    #[tokio::test]
    async fn reports_a_panic_as_a_failure() {
        let mut tasks = Tasks::new(&CancellationToken::new(), GRACE);
        tasks.spawn("careless", async { if true { panic!("oh") } else { anyhow::Ok(()) } });
        assert!(tasks.wait().await.expect_err("a task panicked").to_string().contains("careless"));
    }
}
