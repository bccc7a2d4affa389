//! Semantic edits: decides what a user means into the smallest exact changes of files.

mod intent;

pub use intent::*;
