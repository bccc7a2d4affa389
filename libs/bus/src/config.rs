//! Where Kafka and its registry are, and how our clients are set.

use rdkafka::ClientConfig;
use uuid::Uuid;

use crate::Topics;

/// How long a broker holds a fetch open that finds nothing. The in-process broker never wakes a waiting fetch, so this
/// is what it delays a record by; less would keep a laptop busy with asking.
const FETCH_WAIT_MS: &str = "25";

/// Says where Kafka and its schema registry are.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Kafka's addresses, e.g. kafka-1:9092,kafka-2:9092; without them services follow the log alone
    #[arg(long, env = "KAFKA_BROKERS", requires = "schema_registry_url")]
    pub kafka_brokers: Option<String>,
    /// What all our topics' names start with
    #[arg(long, env = "KAFKA_TOPIC_PREFIX", default_value = "")]
    pub kafka_topic_prefix: String,
    /// Address of a schema registry with Confluent's API
    #[arg(long, env = "SCHEMA_REGISTRY_URL")]
    pub schema_registry_url: Option<String>,
}

impl Config {
    /// Answers the names of our topics.
    pub fn topics(&self) -> Topics {
        Topics::new(&self.kafka_topic_prefix)
    }

    /// Answers the settings of all clients; None without Kafka.
    pub(crate) fn client(&self, name: &str) -> Option<ClientConfig> {
        let brokers = self.kafka_brokers.as_deref().filter(|brokers| !brokers.is_empty())?;
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            // Members of a group that share an id loop for ever (librdkafka 4783).
            .set("client.id", format!("dvt-{name}-{}", Uuid::now_v7()))
            .set("reconnect.backoff.max.ms", "500")
            .set("socket.keepalive.enable", "true");
        Some(config)
    }

    /// Answers the settings of a consumer.
    pub(crate) fn consumer(&self, group: &str) -> Option<ClientConfig> {
        let mut config = self.client(group)?;
        config
            .set("group.id", format!("{}dvt.{group}", self.kafka_topic_prefix))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // The log fills every gap, so an offset that is gone needs no decision: go on from the end.
            .set("auto.offset.reset", "latest")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "2000")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("statistics.interval.ms", "0")
            .set("fetch.wait.max.ms", FETCH_WAIT_MS)
            .set("fetch.queue.backoff.ms", "10");
        Some(config)
    }
}
