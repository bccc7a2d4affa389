//! A live stream that comes back with its last id whenever it breaks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use tokio::task::JoinHandle;

/// The pause before a broken stream is asked for again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a stream may be silent: its keep-alive comes sooner.
const SILENCE: Duration = Duration::from_secs(25);

/// Follows a project from its first event.
pub(crate) struct Live {
    /// The ids, as they came.
    seen: Arc<Mutex<Vec<i64>>>,
    /// How often a stream was opened.
    opened: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Live {
    pub(crate) fn follow(urls: Vec<String>, project: &str) -> Self {
        let seen = Arc::<Mutex<Vec<i64>>>::default();
        let urls = urls.into_iter().map(|url| format!("{url}/api/v1/projects/{project}/stream?after=0")).collect();
        let opened = Arc::<AtomicUsize>::default();
        let task = tokio::spawn(follow(urls, (seen.clone(), opened.clone())));
        Self { seen, opened, task }
    }

    /// Answers the ids of the events that came, as they came.
    pub(crate) fn seen(&self) -> Vec<i64> {
        lock(&self.seen).clone()
    }

    /// Counts how often its stream was opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(seen: &Mutex<Vec<i64>>) -> std::sync::MutexGuard<'_, Vec<i64>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn follow(urls: Vec<String>, (seen, opened): (Arc<Mutex<Vec<i64>>>, Arc<AtomicUsize>)) {
    let client = reqwest::Client::new();
    for url in urls.iter().cycle() {
        let mut request = client.get(url);
        let last = lock(&seen).last().copied();
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        if let Ok(answer) = request.send().await
            && answer.status().is_success()
        {
            opened.fetch_add(1, Ordering::Relaxed);
            let mut bytes = answer.bytes_stream();
            let mut rest = Vec::new();
            while let Ok(Some(Ok(chunk))) = tokio::time::timeout(SILENCE, bytes.next()).await {
                rest.extend_from_slice(&chunk);
                take(&mut rest, &seen);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Takes every whole message from the bytes; half a message is as good as none.
fn take(rest: &mut Vec<u8>, seen: &Mutex<Vec<i64>>) {
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
        let message: Vec<u8> = rest.drain(..end + 2).collect();
        let text = String::from_utf8_lossy(&message);
        let id = text.lines().find_map(|line| line.strip_prefix("id:"));
        lock(seen).extend(id.and_then(|id| id.trim().parse::<i64>().ok()));
    }
}
