//! What a laptop needs instead of servers: a private Postgres cluster, an in-process Kafka broker, a schema registry.
//!
//! Only the standalone binary and tests use it. It knows nothing of DVT+'s tables or topics: callers name them.

pub mod kafka;
pub mod postgres;
pub mod registry;
