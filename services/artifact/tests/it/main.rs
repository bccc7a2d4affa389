//! The artifact service on a private Postgres and a folder of repositories, without Kafka.

mod compile;
mod publish;
mod world;
