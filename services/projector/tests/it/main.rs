//! The projector on a real Postgres.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod live;
mod rebuild;
mod story;
