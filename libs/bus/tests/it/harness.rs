//! A database, a broker with topics of its own, a registry, and a consumer that remembers what it applied.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dvt_bus::consumer::Options;
use dvt_bus::relay;
use dvt_bus::{Config, Consumer, Error, Handler, HandlerError, Topics};
use dvt_domain::Topic;
use dvt_embedded::kafka::Broker;
use dvt_embedded::postgres::Cluster;
use dvt_embedded::registry::Registry;
use dvt_runtime::{CancellationToken, Health};
use dvt_store::event::{self, Command, NewEvent, Recorded};
use dvt_store::{Appender, Role, Store, Tx, parked_stream, schema};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Bounds every wait of these tests; a group's first member may wait 4 s for its partitions.
const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const FINGERPRINT: [u8; 32] = [7; 32];
const SCHEMA: &str = r#"{"type":"record","name":"FileEdited","namespace":"dvt.branch","fields":[]}"#;

pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) appender: Appender,
    pub(crate) broker: Option<Broker>,
    pub(crate) project_id: Uuid,
    /// Names this world's consumer, so that its numbers are told apart.
    pub(crate) consumer: String,
    _registry: Option<Registry>,
}

impl World {
    /// Starts with a broker and a registry: those of the environment, or our own.
    pub(crate) async fn start() -> Self {
        Self::start_on(std::env::var("KAFKA_BROKERS").ok()).await
    }

    /// Starts with a broker of our own, whatever the environment says: one that can be wiped.
    pub(crate) async fn start_in_process() -> Self {
        Self::start_on(None).await
    }

    async fn start_on(brokers: Option<String>) -> Self {
        let mut world = Self::without_kafka().await;
        let prefix = format!("t{}.", Uuid::now_v7().simple());
        world.config.kafka_topic_prefix = prefix;
        world.config.kafka_brokers = brokers.or_else(|| Some(world.start_broker()));
        world.config.schema_registry_url = match std::env::var("SCHEMA_REGISTRY_URL") {
            Ok(url) => Some(url),
            Err(_) => {
                let registry = Registry::start(&world.url).await.expect("a registry");
                let url = registry.url();
                world._registry = Some(registry);
                Some(url)
            }
        };
        world.config.topics().ensure(&world.config).await.expect("the topics are there");
        world
    }

    /// Starts a broker that knows our topics, and answers its address.
    pub(crate) fn start_broker(&mut self) -> String {
        let topics = Topics::new(&self.config.kafka_topic_prefix).all();
        let broker = Broker::start(topics, 16).expect("a broker");
        let address = broker.bootstrap().to_owned();
        self.broker = Some(broker);
        address
    }

    pub(crate) async fn without_kafka() -> Self {
        static TEMPLATE: OnceCell<()> = OnceCell::const_new();
        let cluster = Cluster::temporary().await;
        TEMPLATE
            .get_or_init(async || {
                let url = cluster.create_database("original").await.expect("a database");
                dvt_store::migrate(&url).await.expect("the migrations apply");
            })
            .await;
        let name = format!("t{}", Uuid::now_v7().simple());
        let url = cluster.create_database_like(&name, "original").await.expect("a database");
        let store = Store::connect(&dvt_store::Config::of(&url), Role::Gateway).await.expect("a store");
        let mut connection = store.acquire().await.expect("a connection");
        let schema =
            schema::Schema { fingerprint: FINGERPRINT, name: "dvt.branch.FileEdited".into(), text: SCHEMA.into() };
        schema::put(&mut connection, &[schema]).await.expect("the schema is kept");
        drop(connection);
        let (appender, worker) = Appender::new(&store);
        tokio::spawn(worker.run());
        let (config, project_id) = (Config::default(), Uuid::now_v7());
        let consumer = format!("test-{}", Uuid::now_v7());
        Self { url, config, store, appender, broker: None, project_id, consumer, _registry: None }
    }

    pub(crate) async fn store_as(&self, role: Role) -> Store {
        Store::connect(&dvt_store::Config::of(&self.url), role).await.expect("a store")
    }

    /// Appends an event of a stream and answers its position.
    pub(crate) async fn append(&self, stream_id: Uuid, version: i64, payload: &[u8]) -> i64 {
        self.append_to(self.project_id, stream_id, version, payload).await
    }

    /// Appends an event of a stream of some project and answers its position.
    pub(crate) async fn append_to(&self, project_id: Uuid, stream_id: Uuid, version: i64, payload: &[u8]) -> i64 {
        let new = NewEvent {
            event_id: Uuid::now_v7(),
            category: "branch".into(),
            stream_id,
            version,
            tenant_id: dvt_domain::id::TENANT,
            project_id: Some(project_id),
            topic: "dvt.project".into(),
            event_type: "FileEdited".into(),
            schema_fingerprint: FINGERPRINT,
            payload: payload.to_vec(),
            actor: "local:ann".into(),
            command_id: Uuid::now_v7(),
            correlation_id: Uuid::now_v7(),
            causation_id: None,
            traceparent: None,
            occurred_at: chrono::Utc::now(),
        };
        match self.appender.append(Command::new(vec![new])).await.expect("the log answers") {
            event::Outcome::Appended { last, .. } => last,
            other => panic!("not appended: {other:?}"),
        }
    }

    pub(crate) async fn recorded(&self, position: i64) -> Recorded {
        let mut connection = self.store.acquire().await.expect("a connection");
        event::list_at(&mut connection, &[position]).await.expect("the log answers").remove(0)
    }

    pub(crate) async fn relay(&self) -> Running {
        let (store, config) = (self.store_as(Role::Relay).await, self.config.clone());
        let signal = Health::default().signal("relay");
        Running::start(|shutdown| relay::run(config, store, signal, shutdown))
    }

    /// Starts a consumer whose handler remembers, in `applied`, what was committed.
    pub(crate) async fn consume(&self, handler: Remember) -> Consuming {
        let store = self.store_as(Role::Projector).await;
        let health = Health::default();
        let options = Options { name: self.consumer.clone(), topics: vec![Topic::Project] };
        let consumer = Consumer::new(options, &self.config, &store, handler, health.signal("consumer"));
        Consuming { running: Running::start(|shutdown| consumer.run(shutdown)), health }
    }

    /// Asks for a parked stream to be tried again, as an operator does.
    pub(crate) async fn retry(&self, stream_id: Uuid) {
        let store = self.store_as(Role::Owner).await;
        let asked = parked_stream::request_retry(&mut store.acquire().await.expect("a connection"), stream_id).await;
        assert_eq!(asked.expect("the database answers"), 1);
    }

    pub(crate) async fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let database = self.url.rsplit('/').next().expect("a database");
        Cluster::temporary().await.query(database, &format!("set search_path = dvt; {sql}")).await.expect("rows")
    }
}

pub(crate) struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Running {
    fn start<F: Future<Output = Result<(), Error>> + Send + 'static>(run: impl FnOnce(CancellationToken) -> F) -> Self {
        let shutdown = CancellationToken::new();
        Self { task: tokio::spawn(run(shutdown.clone())), shutdown }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.expect("it does not panic").expect("it does not fail");
    }

    /// Ends it as a crash does: nothing is given back.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.expect_err("it does not end by itself").is_cancelled());
    }
}

pub(crate) struct Consuming {
    pub(crate) running: Running,
    pub(crate) health: Health,
}

/// Remembers positions; refuses the payloads that it is told to.
#[derive(Clone, Default)]
pub(crate) struct Remember {
    applied: Arc<Mutex<Vec<i64>>>,
    pub(crate) poison: Arc<Mutex<HashSet<Vec<u8>>>>,
    pub(crate) failures: Arc<Mutex<u32>>,
}

#[async_trait::async_trait]
impl Handler for Remember {
    async fn handle(&mut self, _: &mut Tx, events: &[Recorded]) -> Result<(), HandlerError> {
        let mut failures = self.failures.lock().expect("not poisoned");
        if *failures > 0 {
            *failures -= 1;
            return Err(HandlerError::Transient("not yet".into()));
        }
        let poison = self.poison.lock().expect("not poisoned");
        if let Some(bad) = events.iter().find(|event| poison.contains(event.payload.as_deref().unwrap_or_default())) {
            return Err(HandlerError::Poison { stream: bad.stream_id, error: "bad payload".into() });
        }
        self.applied.lock().expect("not poisoned").extend(events.iter().map(|event| event.position));
        Ok(())
    }
}

impl Remember {
    pub(crate) fn poisoned_by(payload: &[u8]) -> Self {
        let remember = Self::default();
        remember.poison.lock().expect("not poisoned").insert(payload.to_vec());
        remember
    }

    pub(crate) fn applied(&self) -> Vec<i64> {
        self.applied.lock().expect("not poisoned").clone()
    }

    pub(crate) async fn until_applied(&self, positions: &[i64]) {
        until("everything is applied", async || self.applied().len() >= positions.len()).await;
        assert_eq!(self.applied(), positions);
    }
}

/// Waits until a condition holds, looking often.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        let mut look = tokio::time::interval(Duration::from_millis(10));
        while !holds().await {
            look.tick().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited too long until {what}");
}
