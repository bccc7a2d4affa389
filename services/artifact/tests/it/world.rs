//! A log with one project, and the service that runs on it.

use std::path::PathBuf;
use std::time::Duration;

use dvt_artifact::Config;
use dvt_dbt::tree::{File, Mode, Sha256, Tree};
use dvt_domain::branch::ProjectImported;
use dvt_domain::compilation::{
    self, Compilation, CompileFailed, CompileRequested, Compiled, Progress, Publish, PublishRequested,
};
use dvt_domain::id::{BranchId, LayoutId, ProjectId};
use dvt_domain::project::{BranchCreated, EnvironmentDefined, ProjectCreated};
use dvt_domain::{Actor, Event, branch, project};
use dvt_embedded::postgres::Cluster;
use dvt_log::{Causation, Decided, Log, Stamp};
use dvt_runtime::CancellationToken;
use dvt_store::artifact::{Artifact, ArtifactFile};
use dvt_store::event::{Command, Outcome};
use dvt_store::{Appender, Role, Store, artifact, blob};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Bounds every wait of these tests.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) project_id: Uuid,
    branch_id: Uuid,
    branch_version: i64,
    url: String,
    store: Store,
    log: Log,
    appender: Appender,
    git: tempfile::TempDir,
}

impl World {
    pub(crate) async fn create() -> Self {
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
        let log = Log::default();
        log.publish_schemas(&mut store.acquire().await.expect("a connection")).await.expect("the schemas are kept");
        let (appender, worker) = Appender::new(&store);
        tokio::spawn(worker.run());
        let git = tempfile::tempdir().expect("a folder");
        let (project_id, branch_id) = (Uuid::now_v7(), Uuid::now_v7());
        Self { project_id, branch_id, branch_version: 0, url, store, log, appender, git }
    }

    async fn append(&self, stream_id: Uuid, version: i64, events: Vec<Event>) {
        let stamp = Stamp {
            project_id: ProjectId::new(self.project_id),
            actor: Actor::local("ann").expect("a name"),
            command_id: Uuid::now_v7(),
            causation: Causation::Person,
            traceparent: None,
            occurred_at: "2026-01-02T03:04:05Z".parse().expect("a time"),
        };
        let decided = [Decided { stream_id, version, events }];
        let events = self.log.prepare(&self.store, &stamp, &decided).await.expect("the events are encoded");
        let outcome = self.appender.append(Command::new(events)).await.expect("the log answers");
        assert!(matches!(outcome, Outcome::Appended { .. }), "{outcome:?}");
    }

    /// Makes the branch's next version of these files, and answers it.
    pub(crate) async fn import(&mut self, files: &[(&str, &str, Mode)]) -> i64 {
        let file = |(path, text, mode): &(&str, &str, Mode)| ((*path).to_owned(), File::new(*mode, text.as_bytes()));
        let imported = ProjectImported {
            source: "shop.zip".into(),
            tree: files.iter().map(file).collect::<Tree>(),
            packages: Tree::default(),
            left_out: Vec::new(),
            moved: Vec::new(),
            given: None,
        };
        let event = branch::Event::ProjectImported(imported).into();
        self.append(self.branch_id, self.branch_version, vec![event]).await;
        self.branch_version += 1;
        self.branch_version
    }

    /// Makes the project's own stream: environment `dev`, and the branch.
    pub(crate) async fn define_project(&self) {
        let environment = EnvironmentDefined {
            name: "dev".into(),
            target: "local".into(),
            adapter: "postgres".into(),
            database: "shop".into(),
            schema: "dev".into(),
            threads: 4,
            vars: "{}".into(),
            env: indexmap::IndexMap::new(),
        };
        let branch = BranchCreated {
            branch_id: BranchId::new(self.branch_id),
            layout_id: LayoutId::new(Uuid::now_v7()),
            name: "main".into(),
            from: None,
        };
        let events = [
            project::Event::ProjectCreated(ProjectCreated { name: "shop".into(), root: String::new() }),
            project::Event::BranchCreated(branch),
            project::Event::EnvironmentDefined(environment),
        ];
        self.append(self.project_id, 0, events.map(Event::from).into()).await;
    }

    /// Asks for a compilation for an environment, and for its publish where it is to have one.
    pub(crate) async fn request_compilation(&self, branch_version: i64, environment: &str, publish: bool) -> Uuid {
        let compilation_id = Uuid::now_v7();
        let requested = CompileRequested {
            project_id: ProjectId::new(self.project_id),
            branch_id: BranchId::new(self.branch_id),
            branch_version,
            project_version: 3,
            environment: environment.into(),
        };
        let mut events = vec![compilation::Event::CompileRequested(requested)];
        if publish {
            events.push(compilation::Event::PublishRequested(PublishRequested { message: "Ship it".into() }));
        }
        self.append(compilation_id, 0, events.into_iter().map(Into::into).collect()).await;
        compilation_id
    }

    /// Asks for a compilation of a version that has ended, and for its publish.
    pub(crate) async fn request_publish(&self, branch_version: i64, ended: compilation::Event) -> Uuid {
        let compilation_id = Uuid::now_v7();
        let requested = CompileRequested {
            project_id: ProjectId::new(self.project_id),
            branch_id: BranchId::new(self.branch_id),
            branch_version,
            project_version: 0,
            environment: "dev".into(),
        };
        let publish = PublishRequested { message: format!("Ship version {branch_version}") };
        let events =
            [compilation::Event::CompileRequested(requested), ended, compilation::Event::PublishRequested(publish)];
        self.append(compilation_id, 0, events.into_iter().map(Into::into).collect()).await;
        compilation_id
    }

    /// Keeps an artifact of one file.
    pub(crate) async fn keep_artifact(&self, text: &str) -> Sha256 {
        let store = Store::connect(&dvt_store::Config::of(&self.url), Role::Artifact).await.expect("a store");
        let mut tx = store.begin().await.expect("a transaction");
        let hashes = blob::put(&mut tx, &[text.as_bytes()]).await.expect("the bytes are kept");
        let file = ArtifactFile { path: "manifest.json".into(), sha256: hashes[0], size: text.len() as i64 };
        let key = Sha256::of(text.as_bytes());
        let kept = Artifact { key: key.0, compiler: "test".into(), files: vec![file] };
        artifact::put(&mut tx, &kept).await.expect("the artifact is kept");
        tx.commit().await.expect("it commits");
        key
    }

    pub(crate) fn run(&self) -> Service {
        let config = Config {
            store: dvt_store::Config::of(&self.url),
            bus: dvt_bus::Config::default(),
            runtime: dvt_runtime::Config { admin_addr: None, shutdown_grace: Duration::from_secs(10) },
            git_dir: self.git.path().to_owned(),
        };
        let shutdown = CancellationToken::new();
        Service { task: tokio::spawn(dvt_artifact::run(config, shutdown.clone())), shutdown }
    }

    /// Waits until a publish has ended.
    pub(crate) async fn ended(&self, compilation_id: Uuid) -> Publish {
        let is_waiting = |state: &Compilation| matches!(state.publish, Publish::Requested(_) | Publish::NotRequested);
        self.until(compilation_id, |state| !is_waiting(state)).await.publish
    }

    /// Waits until a compilation has ended.
    pub(crate) async fn progress(&self, compilation_id: Uuid) -> Progress {
        self.until(compilation_id, |state| state.progress != Progress::Requested).await.progress
    }

    async fn until(&self, compilation_id: Uuid, holds: impl Fn(&Compilation) -> bool) -> Compilation {
        let looking = async {
            let mut look = tokio::time::interval(Duration::from_millis(20));
            loop {
                look.tick().await;
                let mut connection = self.store.acquire().await.expect("a connection");
                let at = self.log.load::<Compilation>(&mut connection, compilation_id).await.expect("a compilation");
                if holds(&at.state) {
                    return at.state;
                }
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("it ends in time")
    }

    /// Reads a file of an artifact.
    pub(crate) async fn artifact_file(&self, key: Sha256, path: &str) -> Option<Vec<u8>> {
        let mut connection = self.store.acquire().await.expect("a connection");
        artifact::find_file(&mut connection, &key.0, path).await.expect("the database answers")
    }

    pub(crate) async fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let database = self.url.rsplit('/').next().expect("a database");
        Cluster::temporary().await.query(database, &format!("set search_path = dvt; {sql}")).await.expect("rows")
    }

    pub(crate) fn repository(&self) -> git2::Repository {
        let path: PathBuf = self.git.path().join(format!("{}.git", self.project_id));
        git2::Repository::open_bare(path).expect("a repository")
    }
}

pub(crate) fn failed() -> compilation::Event {
    let failed = CompileFailed { code: "PROJECT_INVALID".into(), message: "no name".into() };
    compilation::Event::CompileFailed(failed)
}

pub(crate) fn compiled(artifact: Sha256) -> compilation::Event {
    compilation::Event::Compiled(Compiled { artifact, compiled: 0, deferred: 0, broken: 0, nodes: Vec::new() })
}

pub(crate) struct Service {
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Service {
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.expect("it does not panic").expect("it does not fail");
    }
}
