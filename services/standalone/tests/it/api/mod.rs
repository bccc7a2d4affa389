//! The API on a real Postgres, with the projector behind it: only this crate may import them together.

mod broken;
mod concurrent;
mod edits;
mod errors;
mod follow;
mod fuzz;
mod import;
mod looks;
mod read;
mod semantic;
pub(crate) mod server;
mod stream;
