//! Every service together: the API in one process, and the real binary.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod api;
mod crash;
mod folder;
mod operate;
mod preview;
mod reruns;
mod run;
mod up;
mod working_copy;
mod world;
