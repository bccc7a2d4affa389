//! The pace of a loop that is woken by news.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Keeps rounds of work a time apart: what comes after a pause is done at once, what comes close behind it together.
#[derive(Debug)]
pub struct Pace {
    apart: Duration,
    next: Instant,
}

impl Pace {
    /// Lets rounds begin no sooner than `apart` after each other.
    pub fn new(apart: Duration) -> Self {
        Self { apart, next: Instant::now() }
    }

    /// Notes that a round begins.
    pub fn begin(&mut self) {
        self.next = Instant::now() + self.apart;
    }

    /// Waits until the next round may begin.
    ///
    /// # Cancel safety
    /// Cancel safe: it only waits.
    pub async fn next(&self) {
        sleep_until(self.next).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APART: Duration = Duration::from_millis(20);

    #[tokio::test(start_paused = true)]
    async fn lets_a_first_round_begin_at_once_and_the_next_after_its_time() {
        let begun = Instant::now();
        let mut pace = Pace::new(APART);
        pace.next().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        pace.begin();
        pace.next().await;
        assert_eq!(begun.elapsed(), APART);
    }

    #[tokio::test(start_paused = true)]
    async fn lets_a_round_after_a_pause_begin_at_once() {
        let mut pace = Pace::new(APART);
        pace.begin();
        tokio::time::advance(2 * APART).await;
        let woken = Instant::now();
        pace.next().await;
        assert_eq!(woken.elapsed(), Duration::ZERO);
    }
}
