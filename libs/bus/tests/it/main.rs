//! The bus on real servers: a private Postgres and the in-process broker, or those that the environment names.

mod consumer;
mod harness;
mod relay;
mod view;
mod worker;
