//! The artifact service on a private Postgres and a folder of repositories, without Kafka.

mod publish;
mod world;
