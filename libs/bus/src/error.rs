//! What can go wrong between us and Kafka or its registry.

/// Says why the bus could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not use the store")]
    Store(#[from] dvt_store::Error),
    #[error("could not use Kafka")]
    Kafka(#[from] rdkafka::error::KafkaError),
    #[error("could not reach the schema registry")]
    Registry(#[from] reqwest::Error),
    #[error("the schema registry refused schema {name} with status {status}: {detail}")]
    Refused { name: String, status: u16, detail: String },
    #[error("schema {0} is not stored")]
    MissingSchema(String),
    #[error("the Kafka cluster did not tell its id")]
    NoCluster,
    #[error("topic {0} has {1} partitions, but the log has 16")]
    Partitions(String, usize),
    #[error("another relay leads")]
    Superseded,
    #[error("a thread of the Kafka client ended unexpectedly")]
    Thread,
}
