//! The event log as values of the domain: decodes recorded events with their blobs, folds streams into aggregates, and
//! turns decided events into what the store appends. Knows Postgres only through the store, Avro only through the codec.

mod read;
mod streams;
mod write;

pub use read::{Error, Log};
pub use streams::At;
pub use write::{Causation, Decided, Stamp};
