//! All of DVT+'s own Postgres: the event log and its appender, content, checkpoints, leases, jobs and views.
//!
//! Bytes in, bytes out: this crate knows tables, not what an event means. One file per table; functions take a
//! [`Connection`], so the caller owns the transaction ([`Tx`] and [`Lent`] both dereference to one).

pub mod appender;
pub mod artifact;
pub mod blob;
pub mod chain;
pub mod checkpoint;
mod error;
pub mod event;
pub mod held_relation;
pub mod job;
pub mod lease;
mod migrate;
pub mod model;
pub mod parked_stream;
mod pool;
pub mod presence;
pub mod preview;
pub mod registry_id;
pub mod relay_cursor;
pub mod schema;
pub mod snapshot;
pub mod step_log;
pub mod view;

pub use appender::{Appender, Turns};
pub use error::{Error, Retry};
pub use migrate::migrate;
pub use pool::{Config, Lent, Listener, Role, Store, Tx};
/// What every function of this crate runs its statements on.
pub use sqlx::PgConnection as Connection;

/// Names content by its hash.
pub type Sha256 = [u8; 32];
