//! The names of our topics, and their creation where the cluster lets us.

use std::time::Duration;

use dvt_domain::Topic;
use dvt_domain::envelope::PARTITIONS;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::{Config, Error};

/// How long a request about topics may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long topics keep their records: 7 days, in milliseconds. Older events come from the log.
const RETENTION_MS: &str = "604800000";

/// Names one partition of a topic of the log, without prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    pub topic: String,
    pub partition: i16,
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// Answers what our topics are called on a broker that others may use too.
#[derive(Clone, Debug)]
pub struct Topics {
    prefix: String,
}

impl Topics {
    /// Makes names that start with `prefix`.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Answers a log topic's name on the broker.
    pub fn name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    /// Answers the log's name of a broker's topic; None if it is not ours.
    pub fn strip<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&self.prefix)
    }

    /// Answers where it is said that views advanced.
    pub fn view(&self) -> String {
        self.name("dvt.view")
    }

    /// Answers where copies of records go that a consumer cannot apply.
    pub fn dead_letter(&self) -> String {
        self.name("dvt.dead-letter")
    }

    /// Lists every topic there must be.
    pub fn all(&self) -> Vec<String> {
        let log = Topic::ALL.iter().map(|topic| self.name(topic.as_str()));
        log.chain([self.view(), self.dead_letter()]).collect()
    }

    /// Creates the topics that are missing, with 16 partitions.
    ///
    /// # Errors
    /// When the cluster does not answer, refuses, or has a topic with another number of partitions.
    pub async fn ensure(&self, config: &Config) -> Result<(), Error> {
        let Some(client) = config.client("topics") else { return Ok(()) };
        let topics = self.clone();
        let missing = tokio::task::spawn_blocking({
            let client = client.clone();
            move || topics.missing(&client)
        });
        let missing = missing.await.map_err(|_| Error::Thread)??;
        if missing.is_empty() {
            return Ok(());
        }
        let admin: AdminClient<DefaultClientContext> = client.create()?;
        let new = missing.iter().map(|name| {
            let topic = NewTopic::new(name, i32::from(PARTITIONS), TopicReplication::Fixed(-1));
            topic.set("retention.ms", RETENTION_MS)
        });
        let new: Vec<_> = new.collect();
        let results = admin.create_topics(&new, &AdminOptions::new().operation_timeout(Some(PATIENCE))).await?;
        for result in results {
            match result {
                Ok(_) | Err((_, rdkafka::types::RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    tracing::error!(topic, %code, "could not create a topic");
                    return Err(rdkafka::error::KafkaError::AdminOp(code).into());
                }
            }
        }
        Ok(())
    }

    fn missing(&self, client: &ClientConfig) -> Result<Vec<String>, Error> {
        use rdkafka::consumer::{BaseConsumer, Consumer};

        let consumer: BaseConsumer = client.create()?;
        // Of the whole cluster: asking for one topic would create it on some brokers.
        let metadata = consumer.fetch_metadata(None, PATIENCE)?;
        let mut missing = Vec::new();
        for name in self.all() {
            match metadata.topics().iter().find(|topic| topic.name() == name) {
                None => missing.push(name),
                Some(topic) if topic.partitions().len() == usize::from(PARTITIONS) => {}
                Some(topic) => return Err(Error::Partitions(name, topic.partitions().len())),
            }
        }
        Ok(missing)
    }
}
