//! The line of those who want a stream's turn: first come, first served, and who loses keeps its place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// Hands one turn from one to the next. Holds what the one whose turn it is works on.
#[derive(Debug)]
pub(super) struct Line<T> {
    queue: Mutex<Queue<T>>,
    /// Only touched by the one whose turn it is.
    pub(super) work: Mutex<T>,
}

#[derive(Debug)]
struct Queue<T> {
    is_taken: bool,
    waiting: BTreeMap<Place, oneshot::Sender<Held<T>>>,
    last: Place,
    /// Until when another process has the stream's turn at most: to decide before it ends would be in vain.
    reserved_until: Option<Instant>,
}

/// A place in the line: kept until what one came for is done.
pub(super) type Place = u64;

/// The turn. Ends when it is dropped.
#[derive(Debug)]
pub(super) struct Held<T>(Arc<Line<T>>);

impl<T> Line<T> {
    pub(super) fn new(work: T) -> Self {
        let queue = Queue { is_taken: false, waiting: BTreeMap::new(), last: 0, reserved_until: None };
        Self { queue: Mutex::new(queue), work: Mutex::new(work) }
    }

    /// Answers a place behind all others.
    pub(super) fn join(&self) -> Place {
        let mut queue = self.queue();
        queue.last += 1;
        queue.last
    }

    /// Waits for the turn. Everyone before `place` who waits goes first.
    ///
    /// # Cancel safety
    /// Cancel safe: a turn that nobody takes goes to the next.
    pub(super) async fn turn(self: &Arc<Self>, place: Place) -> Held<T> {
        match self.take(place) {
            Ok(held) => held,
            Err(given) => given.await.expect("invariant: a line outlives those who stand in it"),
        }
    }

    /// Lets whoever has the next turn wait for another process's first.
    pub(super) fn pause(&self, wait: Duration) {
        self.queue().reserved_until = Some(Instant::now() + wait);
    }

    fn take(self: &Arc<Self>, place: Place) -> Result<Held<T>, oneshot::Receiver<Held<T>>> {
        let mut queue = self.queue();
        if !queue.is_taken {
            queue.is_taken = true;
            return Ok(Held(self.clone()));
        }
        let (give, given) = oneshot::channel();
        queue.waiting.insert(place, give);
        Err(given)
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Held<T> {
    /// Answers how long another process has the stream's turn at most; once, as whoever asks waits for it.
    pub(super) fn take_pause(&self) -> Option<Duration> {
        let until = self.0.queue().reserved_until.take()?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    pub(super) fn work(&self) -> MutexGuard<'_, T> {
        self.0.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        let next = {
            let mut queue = self.0.queue();
            let next = queue.waiting.pop_first();
            queue.is_taken = next.is_some();
            next
        };
        if let Some((_, next)) = next {
            // Dropped where nobody waits any more, and so given to the next.
            drop(next.send(Self(self.0.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn who_loses_keeps_its_place() {
        let line = Arc::new(Line::new(()));
        let [first, second, third] = [line.join(), line.join(), line.join()];
        let held = line.turn(first).await;
        let mut later = Box::pin(line.turn(third));
        let mut loser = Box::pin(line.turn(second));
        assert!(later.as_mut().now_or_never().is_none() && loser.as_mut().now_or_never().is_none());
        drop(held);
        assert!(later.as_mut().now_or_never().is_none());
        let held = loser.as_mut().now_or_never().expect("it is first now");
        drop(held);
        assert!(later.now_or_never().is_some());
    }

    #[tokio::test]
    async fn passes_over_who_went_away() {
        let line = Arc::new(Line::new(()));
        let [first, second, third] = [line.join(), line.join(), line.join()];
        let held = line.turn(first).await;
        let mut gone = Box::pin(line.turn(second));
        let mut stays = Box::pin(line.turn(third));
        assert!(gone.as_mut().now_or_never().is_none() && stays.as_mut().now_or_never().is_none());
        drop(gone);
        drop(held);
        assert!(stays.now_or_never().is_some());
    }
}
