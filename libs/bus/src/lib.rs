//! All of Kafka: what a record looks like, the relay that publishes the log, and the one consumer loop of all services.
//!
//! Kafka is the fast wake-up, the log is the way: whatever Kafka loses, repeats or reorders, consumers apply the log's
//! events in order and once. The relay and the loop are pure state machines; small async shells do what they say.

mod causes;
mod config;
pub mod consumer;
mod error;
pub mod leases;
pub mod record;
pub mod registry;
pub mod relay;
pub mod requests;
pub mod topics;
pub mod view;
pub mod worker;

pub use causes::causes;
pub use config::Config;
pub use consumer::{Consumer, Handler, HandlerError};
pub use error::Error;
pub use topics::{Slot, Topics};
