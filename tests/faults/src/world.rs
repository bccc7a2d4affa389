//! One DVT+ of its own: a database, a warehouse, a folder of repositories, and the processes of the services.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;
use tokio_postgres::Client;

use crate::parts::{Parts, free_address};
use crate::process::{Process, Recipe};
use crate::proxy::Proxy;
use crate::report::Time;

/// How long queues that drain may stay as they are: a machine may be slow, but something must go on.
const STUCK: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(25);

/// Names a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Gateway,
    Projector,
    Artifact,
    Executor,
}

impl Service {
    pub(crate) const ALL: [Self; 4] = [Self::Gateway, Self::Projector, Self::Artifact, Self::Executor];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Projector => "projector",
            Self::Artifact => "artifact",
            Self::Executor => "executor",
        }
    }
}

/// Is one DVT+ with its processes.
pub(crate) struct World<'a> {
    pub(crate) parts: &'a Parts,
    /// The database of the log, and the prefix of its topics.
    pub(crate) name: String,
    pub(crate) warehouse: String,
    /// Before the database of the log.
    pub(crate) before_log: Proxy,
    pub(crate) before_warehouse: Proxy,
    pub(crate) before_registry: Proxy,
    repositories: TempDir,
    processes: Vec<(Service, Process)>,
    gateways: [SocketAddr; 2],
    pub(crate) http: reqwest::Client,
    /// The services that hear nothing of Kafka, and so do not relay.
    pub(crate) deaf: Vec<Service>,
    /// How many processes a service has while it is not the one under fault.
    pub(crate) usual: usize,
    /// How long took what is promised within a time, in the fault that is under way.
    times: Mutex<Vec<Time>>,
}

impl<'a> World<'a> {
    /// Makes the databases; no process runs yet.
    pub(crate) async fn make(parts: &'a Parts, name: &str) -> Result<Self> {
        let (name, warehouse) = (format!("faults_{name}"), format!("warehouse_{name}"));
        let superuser = parts.postgres.connect("postgres").await?;
        superuser.batch_execute(&format!("create database {name} owner migrate")).await?;
        superuser.batch_execute(&format!("create database {warehouse} owner warehouse")).await?;
        let repositories = tempfile::Builder::new().prefix("dvt-faults-").tempdir()?;
        let gateways = [free_address()?, free_address()?];
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
        let (processes, deaf) = (Vec::new(), Vec::new());
        let world = Self {
            parts,
            name,
            warehouse,
            before_log: Proxy::to(parts.postgres.address).await?,
            before_warehouse: Proxy::to(parts.postgres.address).await?,
            before_registry: Proxy::to(parts.registry).await?,
            repositories,
            processes,
            gateways,
            http,
            deaf,
            usual: 1,
            times: Mutex::default(),
        };
        world.migrate().await?;
        Ok(world)
    }

    async fn migrate(&self) -> Result<()> {
        let url = self.parts.postgres.through(&self.before_log, ("migrate", &self.name));
        let done = Command::new(self.parts.dvt()).arg("migrate").env("DATABASE_URL", url).output().await?;
        ensure!(done.status.success(), "could not migrate: {}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// Starts or stops processes until a service has so many; `failpoints` arms those that start, by their number.
    pub(crate) async fn set(
        &mut self,
        service: Service,
        replicas: usize,
        failpoints: impl Fn(usize) -> Option<String>,
    ) -> Result<()> {
        let (mine, others) = self.processes.drain(..).partition(|(of, _)| *of == service);
        self.processes = others;
        for (_, process) in mine {
            process.stop().await;
        }
        self.forget(service).await?;
        for number in 1..=replicas {
            let process = Process::start(self.recipe(service, number)?, failpoints(number))?;
            self.processes.push((service, process));
        }
        Ok(())
    }

    /// Lets the leases of a service run out whose processes are all dead, as time would.
    async fn forget(&self, service: Service) -> Result<()> {
        let leases = match service {
            Service::Gateway => return Ok(()),
            Service::Projector => "update dvt.lease set expires_at = '-infinity' where name = 'graphs'",
            Service::Artifact => "update dvt.job set due_at = now() where state = 'claimed' and kind <> 'run'",
            Service::Executor => "update dvt.job set due_at = now() where state = 'claimed' and kind = 'run'",
        };
        Ok(self.database().await?.batch_execute(leases).await?)
    }

    /// Lets the leases of a service run out whenever its only process dies; ends with an error only.
    pub(crate) async fn outlive(&self, service: Service) -> Result<()> {
        let lives = || self.of(service).map(Process::lives).sum::<u32>();
        let mut known = lives();
        loop {
            tokio::time::sleep(POLL).await;
            if lives() > known {
                known = lives();
                self.forget(service).await?;
            }
        }
    }

    /// Starts one process of a service more.
    pub(crate) async fn add(&mut self, service: Service) -> Result<()> {
        let number = self.of(service).count() + 1;
        self.processes.push((service, Process::start(self.recipe(service, number)?, None)?));
        Ok(())
    }

    /// Starts so many processes of every service, and waits until they are ready.
    pub(crate) async fn start(&mut self, replicas: usize) -> Result<()> {
        self.usual = replicas;
        for service in Service::ALL {
            self.set(service, replicas, |_| None).await?;
        }
        self.ready().await
    }

    /// Waits until every process is ready.
    pub(crate) async fn ready(&self) -> Result<()> {
        for (_, process) in &self.processes {
            process.ready(&self.http).await?;
        }
        Ok(())
    }

    pub(crate) fn of(&self, service: Service) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(move |(of, _)| *of == service).map(|(_, process)| process)
    }

    pub(crate) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().map(|(_, process)| process)
    }

    /// Answers the addresses of both gateways, whether or not they run.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.gateways.iter().map(|address| format!("http://{address}")).collect()
    }

    pub(crate) fn repositories(&self) -> &Path {
        self.repositories.path()
    }

    pub(crate) async fn database(&self) -> Result<Client> {
        self.parts.postgres.connect(&self.name).await
    }

    pub(crate) async fn target(&self) -> Result<Client> {
        self.parts.postgres.connect(&self.warehouse).await
    }

    pub(crate) fn prefix(&self) -> String {
        format!("{}.", self.name)
    }

    /// Answers the environment of a service's process.
    pub(crate) fn env(&self, service: Service) -> Vec<(String, String)> {
        let Parts { postgres, kafka, .. } = self.parts;
        let mut env = vec![
            ("DATABASE_URL", postgres.through(&self.before_log, (service.as_str(), &self.name))),
            ("DVT_TARGET_WAREHOUSE", postgres.through(&self.before_warehouse, ("warehouse", &self.warehouse))),
            ("DEFAULT_TARGET", "warehouse".to_owned()),
            ("DEFAULT_DATABASE", self.warehouse.clone()),
            ("GIT_REPOSITORIES", self.repositories.path().display().to_string()),
            ("LOG_FORMAT", "json".to_owned()),
        ];
        if !self.deaf.contains(&service) {
            env.push(("KAFKA_BROKERS", kafka.address().to_string()));
            env.push(("KAFKA_TOPIC_PREFIX", self.prefix()));
            env.push(("SCHEMA_REGISTRY_URL", format!("http://{}/apis/ccompat/v7", self.before_registry.address())));
        }
        env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn recipe(&self, service: Service, number: usize) -> Result<Recipe> {
        let admin = free_address()?;
        let mut env = self.env(service);
        env.push(("ADMIN_ADDR".to_owned(), admin.to_string()));
        if service == Service::Gateway {
            env.push(("LISTEN_ADDR".to_owned(), self.gateways[number - 1].to_string()));
        }
        let name = format!("{}-{number}", service.as_str());
        let program = self.parts.program(service);
        let log = self.parts.logs.join(format!("{}-{name}.log", self.name));
        Ok(Recipe { name, program, env, admin, log })
    }

    /// Notes how long something took that is promised within a time.
    pub(crate) fn note_time(&self, what: &str, took: Duration, promised: Duration) {
        let time = Time { what: what.to_owned(), took, promised };
        self.times.lock().unwrap_or_else(PoisonError::into_inner).push(time);
    }

    /// Answers what was noted, and forgets it.
    pub(crate) fn take_times(&self) -> Vec<Time> {
        std::mem::take(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs the command line tool on the log's database, as its superuser.
    pub(crate) async fn dvt(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let mut command = Command::new(self.parts.dvt());
        command
            .args(arguments)
            .env("DATABASE_URL", self.parts.postgres.url(&self.name))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let done = command.output().await.context("could not run dvt")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((done.status.success(), text(&done.stdout) + &text(&done.stderr)))
    }

    /// Waits until every queue is empty and every view is at the log's end, as long as there is ever less to do.
    pub(crate) async fn drained(&self) -> Result<()> {
        let database = self.database().await?;
        let (mut least, mut since) = (i64::MAX, Instant::now());
        loop {
            let row = database.query_one(WAITING, &[]).await?;
            let (left, waiting): (i64, Option<String>) = (row.get(0), row.get(1));
            let Some(waiting) = waiting else { return Ok(()) };
            if left < least {
                (least, since) = (left, Instant::now());
            }
            ensure!(since.elapsed() < STUCK, "I11 does not drain: {waiting}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Ends every process.
    pub(crate) async fn stop(mut self) {
        for (_, process) in self.processes.drain(..) {
            process.stop().await;
        }
    }
}

/// Says what is not done yet, and how much it is: consumers behind the log, graphs behind their branches, open jobs.
const WAITING: &str = "
    with consumer (name, topic) as (values
        ('projector', 'dvt.project'), ('projector', 'dvt.compilation'), ('projector', 'dvt.run'),
        ('artifact', 'dvt.compilation'), ('executor', 'dvt.run')
    ),
    waiting (events, what) as (
        select h.position - coalesce(k.position, 0), format('%s is behind on %s/%s', c.name, h.topic, h.partition)
        from consumer c
        join dvt.partition_head h on h.topic = c.topic
        left join dvt.checkpoint k on (k.consumer, k.topic, k.partition) = (c.name, h.topic, h.partition)
        where coalesce(k.position, 0) < h.position
        union all
        select 1, format('%s %s is %s: %s', kind, job_id, state, coalesce(error, '')) from dvt.job where state <> 'done'
        union all
        select 1, format('the graph of %s is behind', b.branch_id)
        from views.branch b
        left join views.graph g using (branch_id)
        where coalesce(g.version, 0) < b.version
    )
    select coalesce(sum(events), 0)::bigint, string_agg(what, '; ') from waiting";
