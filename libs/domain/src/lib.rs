//! The aggregates of DVT+ as pure functions: `decide` may refuse, `apply` only fails where the log itself is corrupt.
//! No clock, no randomness, no I/O: times and ids are arguments.
//!
//! # Words
//! - **command**: imperative, may be refused; **event**: past tense, a fact; **stream**: the events of one aggregate,
//!   a category and an id.
//! - **version**: 1-based inside a stream; a branch's version is its stream's. **position**: the order in the log.
//!   **offset**: Kafka's only.
//! - **envelope**: what the log knows of an event beside its payload.
//! - **subject**: what an edit is about, a unique_id and a property. **node_key**: a node's identity through renames.
//! - **environment**: a named target with schema, vars and env values. **target**: a database that runs SQL.
//! - **compilation**: of a branch's version for an environment; **artifact**: its content-addressed output;
//!   **publish**: to Git.
//! - **plan**: what would run, and why; **run**, **step**, **attempt**: an attempt at a step.

pub mod aggregate;
pub mod branch;
pub mod compilation;
pub mod envelope;
pub mod event;
pub mod id;
pub mod import;
pub mod layout;
pub mod project;
pub mod run;

pub use aggregate::{Aggregate, Corrupt};
pub use envelope::{Actor, Category, Timestamp, Topic};
pub use event::Event;
