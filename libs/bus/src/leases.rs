//! How long leadership and claims last: every lease of DVT+, in one place.
//!
//! A lease is a row on the database's clock, and its holder renews it many times before it runs out, so that a busy
//! machine may be late a few times. It may be short, since a stale holder does no harm: what a relay sends again is
//! identical, and whoever works on a job is fenced by its attempt number, the ledger or the repository's head.

use std::time::Duration;

/// Says how long a holder that died keeps others out, and how often one that lives says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub ttl: Duration,
    pub renew: Duration,
}

impl Lease {
    /// Makes a lease that is renewed five times before it runs out.
    pub const fn of(ttl: Duration) -> Self {
        Self { ttl, renew: Duration::from_millis(ttl.as_millis() as u64 / 5) }
    }
}

/// Leads the relay: another one publishes within 3 s of its death.
pub const RELAY: Lease = Lease::of(Duration::from_secs(2));
/// Drives a run: its steps are resolved within 10 s of an executor's death.
pub const RUN: Lease = Lease::of(Duration::from_secs(5));
/// Compiles a version.
pub const COMPILE: Lease = Lease::of(Duration::from_secs(5));
/// Publishes to a repository.
pub const PUBLISH: Lease = Lease::of(Duration::from_secs(5));
/// Reads graphs for all projectors. Renewed before each graph, and a large project takes seconds to parse.
pub const GRAPHS: Lease = Lease::of(Duration::from_secs(10));

// Whoever follows asks as often as a leader renews; a second remains to open a producer.
const _: () = assert!(RELAY.ttl.as_millis() + RELAY.renew.as_millis() < 2_500);
