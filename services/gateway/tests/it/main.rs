//! The API on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod edits;
mod errors;
mod import;
mod read;
mod server;
mod stream;
