//! An in-process Kafka broker: librdkafka's own, on 127.0.0.1 and a port of its choice.
//!
//! It keeps at most 5 MiB or 100,000 records a partition, drops older ones silently, and starts empty. It never wakes a
//! waiting fetch, so clients set `fetch.wait.max.ms` to 5, and it cannot create topics on request.

use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;

/// Says why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not start the in-process broker")]
    Start(#[source] KafkaError),
    #[error("could not create topic {topic}")]
    Topic { topic: String, source: KafkaError },
    #[error("the in-process broker ended before it answered")]
    Ended,
}

/// Runs a broker until it is dropped.
#[derive(Debug)]
pub struct Broker {
    bootstrap: String,
    /// Closed to end the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// Starts a broker with these topics.
    ///
    /// # Errors
    /// When librdkafka cannot start it or refuses a topic's name.
    pub fn start<T: Into<String>>(topics: impl IntoIterator<Item = T>, partitions: i32) -> Result<Self, Error> {
        let topics: Vec<String> = topics.into_iter().map(Into::into).collect();
        let (started, answer) = mpsc::channel();
        let (stop, stopped) = mpsc::channel::<()>();
        // The cluster's handle may not leave the thread that made it.
        let thread = std::thread::spawn(move || match cluster(&topics, partitions) {
            Ok(cluster) => {
                let is_awaited = started.send(Ok(cluster.bootstrap_servers())).is_ok();
                while is_awaited && stopped.recv().is_ok() {}
            }
            Err(error) => drop(started.send(Err(error))),
        });
        let bootstrap = answer.recv().map_err(|_| Error::Ended)??;
        Ok(Self { bootstrap, stop: Some(stop), thread: Some(thread) })
    }

    /// Answers the address that clients connect to.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }
}

fn cluster(
    topics: &[String],
    partitions: i32,
) -> Result<MockCluster<'static, rdkafka::producer::DefaultProducerContext>, Error> {
    let cluster = MockCluster::new(1).map_err(Error::Start)?;
    for topic in topics {
        cluster.create_topic(topic, partitions, 1).map_err(|source| Error::Topic { topic: topic.clone(), source })?;
    }
    Ok(cluster)
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::warn!("the in-process broker's thread panicked");
        }
    }
}
