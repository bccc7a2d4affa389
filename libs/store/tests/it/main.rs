//! Tests on a real Postgres: one private cluster for all, a fresh database for each.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod append;
mod appender;
mod away;
mod content;
mod database;
mod grants;
mod model;
mod view;
mod work;
