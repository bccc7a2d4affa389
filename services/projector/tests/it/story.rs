//! A log worth projecting: two projects, edits, a compilation, a publish, runs.

use dvt_dbt::edit::{DescribeNode, Intent, Moved, RenameNode, Subject};
use dvt_dbt::tree::{File, Mode, Sha256, Tree};
use dvt_domain::branch::{self, Change, Changed, ProjectImported};
use dvt_domain::compilation::{self, CompileRequested, Compiled, NodeOutcome, NodeState, PublishRequested, Published};
use dvt_domain::id::{BranchId, CompilationId, LayoutId, ProjectId, RunId};
use dvt_domain::project::{self, BranchCreated, EnvironmentDefined, ProjectCreated, RepositoryLinked};
use dvt_domain::run::{self, Kind, Outcome, PlannedStep, RunFinished, RunPlanned, RunRequested};
use dvt_domain::run::{RunStarted, StepFailed, StepSkipped, StepStarted};
use dvt_domain::{Actor, Event};
use dvt_embedded::postgres::Cluster;
use dvt_log::{Causation, Decided, Log, Stamp};
use dvt_store::event::{self, Command, Outcome as Appended};
use dvt_store::{Config, Role, Store};
use indexmap::IndexMap;
use uuid::Uuid;

/// A database of its own, by a name that no other test uses.
pub(crate) async fn a_database(name: &str) -> String {
    let cluster = Cluster::temporary().await;
    let url = cluster.create_database(name).await.unwrap();
    dvt_store::migrate(&url).await.unwrap();
    url
}

pub(crate) async fn store(url: &str, role: Role) -> Store {
    Store::connect(&Config::of(url), role).await.unwrap()
}

/// One project with its streams.
pub(crate) struct Story {
    pub(crate) project: ProjectId,
    pub(crate) branch: BranchId,
    pub(crate) compilation: CompilationId,
    pub(crate) run: RunId,
}

impl Story {
    pub(crate) fn new() -> Self {
        let id = Uuid::now_v7;
        Self {
            project: ProjectId::new(id()),
            branch: BranchId::new(id()),
            compilation: CompilationId::new(id()),
            run: RunId::new(id()),
        }
    }

    /// Appends all of it.
    pub(crate) async fn append(&self, gateway: &Store) {
        let streams = [
            (self.project.uuid(), self.project_events()),
            (self.branch.uuid(), self.branch_events()),
            (self.compilation.uuid(), self.compilation_events()),
            (self.run.uuid(), self.run_events()),
        ];
        for (stream_id, events) in streams {
            append(gateway, self.project, Decided { stream_id, version: 0, events }).await;
        }
    }

    /// Appends one more event of the branch, after its three.
    pub(crate) async fn describe(&self, gateway: &Store) {
        let unique_id = "model.shop.c".to_owned();
        let subject = Subject { node: unique_id.clone(), property: "description".into() };
        let described = branch::Event::Changed(Changed {
            intent: Intent::DescribeNode(DescribeNode { unique_id, text: "one row an order".into() }),
            change: Change { summary: "described c".into(), subjects: vec![subject], ..Change::default() },
        });
        let decided = Decided { stream_id: self.branch.uuid(), version: 3, events: vec![described.into()] };
        append(gateway, self.project, decided).await;
    }

    fn project_events(&self) -> Vec<Event> {
        let environment = EnvironmentDefined {
            name: "dev".into(),
            target: "local".into(),
            adapter: "postgres".into(),
            database: "shop".into(),
            schema: "dev".into(),
            threads: 4,
            vars: "{}".into(),
            env: IndexMap::from([("A".to_owned(), "b".to_owned())]),
        };
        let branch = BranchCreated {
            branch_id: self.branch,
            layout_id: LayoutId::new(Uuid::now_v7()),
            name: "main".into(),
            from: None,
        };
        let linked = RepositoryLinked { url: "file:///shop.git".into(), branch: "main".into() };
        [
            project::Event::ProjectCreated(ProjectCreated { name: "shop".into(), root: String::new() }),
            project::Event::BranchCreated(branch),
            project::Event::EnvironmentDefined(environment),
            project::Event::RepositoryLinked(linked),
        ]
        .map(Event::from)
        .into()
    }

    fn branch_events(&self) -> Vec<Event> {
        let files = [("dbt_project.yml", "name: shop\n"), ("models/a.sql", "select 1\n")];
        let tree = Tree::from_iter(files.map(|(path, text)| (path, File::new(Mode::Regular, text.as_bytes()))));
        let imported = ProjectImported {
            source: "shop.zip".into(),
            tree,
            packages: Tree::default(),
            left_out: Vec::new(),
            moved: Vec::new(),
            given: None,
        };
        let rename = |from: &str, to: &str| {
            let (from_id, to_id) = (format!("model.shop.{from}"), format!("model.shop.{to}"));
            let subject = Subject { node: from_id.clone(), property: "name".into() };
            branch::Event::Changed(Changed {
                intent: Intent::RenameNode(RenameNode { unique_id: from_id.clone(), to: to.into() }),
                change: Change {
                    summary: format!("renamed {from} to {to}"),
                    files: Vec::new(),
                    subjects: vec![subject],
                    moved: vec![Moved { from: from_id, to: to_id }],
                },
            })
        };
        [branch::Event::ProjectImported(imported), rename("a", "b"), rename("b", "c")].map(Event::from).into()
    }

    fn compilation_events(&self) -> Vec<Event> {
        let request = CompileRequested {
            project_id: self.project,
            branch_id: self.branch,
            branch_version: 3,
            project_version: 4,
            environment: "dev".into(),
        };
        let broken = NodeOutcome {
            unique_id: "model.shop.c".into(),
            state: NodeState::Broken,
            code: Some("REF_NOT_FOUND".into()),
            message: Some("no node x".into()),
            place: None,
        };
        let compiled = Compiled { artifact: Sha256([1; 32]), compiled: 1, deferred: 0, broken: 1, nodes: vec![broken] };
        [
            compilation::Event::CompileRequested(request),
            compilation::Event::Compiled(compiled),
            compilation::Event::PublishRequested(PublishRequested { message: "first".into() }),
            compilation::Event::Published(Published { commit: "c0ffee".into(), artifacts_commit: None }),
        ]
        .map(Event::from)
        .into()
    }

    fn run_events(&self) -> Vec<Event> {
        let request = RunRequested {
            project_id: self.project,
            branch_id: self.branch,
            branch_version: 3,
            project_version: 4,
            environment: "dev".into(),
            compilation_id: self.compilation,
            kind: Kind::Build,
            select: String::new(),
            exclude: String::new(),
            full_refresh: false,
            threads: 4,
            nodes: Vec::new(),
            retry_of: None,
        };
        let step = |name: &str, needs: &[&str]| PlannedStep {
            unique_id: format!("model.shop.{name}"),
            name: name.into(),
            resource_type: "model".into(),
            materialized: Some("view".into()),
            relation: None,
            needs: needs.iter().map(|&need| need.to_owned()).collect(),
            reason: "selected".into(),
        };
        let planned = RunPlanned { steps: vec![step("c", &[]), step("d", &["model.shop.c"])] };
        let failed = StepFailed {
            unique_id: "model.shop.c".into(),
            attempt: 1,
            code: "SQL".into(),
            message: "no table x".into(),
            sqlstate: Some("42P01".into()),
            place: None,
            failures: None,
            duration_us: 900,
        };
        let started =
            StepStarted { unique_id: "model.shop.c".into(), attempt: 1, backend: None, sql: Some(Sha256([2; 32])) };
        let skipped = StepSkipped { unique_id: "model.shop.d".into(), reason: "needs c, which failed".into() };
        let finished = RunFinished {
            outcome: Outcome::Failed,
            succeeded: 0,
            failed: 1,
            skipped: 1,
            cancelled: 0,
            message: None,
            code: None,
        };
        [
            run::Event::RunRequested(request),
            run::Event::RunPlanned(planned),
            run::Event::RunStarted(RunStarted { executor: "e".into(), attempt: 1 }),
            run::Event::StepStarted(started),
            run::Event::StepFailed(failed),
            run::Event::StepSkipped(skipped),
            run::Event::RunFinished(finished),
        ]
        .map(Event::from)
        .into()
    }
}

pub(crate) async fn append(gateway: &Store, project_id: ProjectId, decided: Decided) {
    let log = Log::default();
    let c = &mut gateway.acquire().await.unwrap();
    log.publish_schemas(c).await.unwrap();
    let stamp = Stamp {
        project_id,
        actor: Actor::local("ann").unwrap(),
        command_id: Uuid::now_v7(),
        causation: Causation::Person,
        traceparent: None,
        occurred_at: chrono::DateTime::from_timestamp_micros(1_700_000_000_000_000).unwrap(),
    };
    let events = log.prepare(gateway, &stamp, &[decided]).await.unwrap();
    let outcomes = event::append(c, Uuid::now_v7(), &[Command::new(events)]).await.unwrap();
    assert!(matches!(outcomes[..], [Appended::Appended { .. }]), "{outcomes:?}");
}

/// The same event once more, as another version of its stream.
pub(crate) fn again(recorded: &event::Recorded, version: i64) -> event::NewEvent {
    let recorded = recorded.clone();
    event::NewEvent {
        event_id: Uuid::now_v7(),
        category: recorded.category,
        stream_id: recorded.stream_id,
        version,
        tenant_id: recorded.tenant_id,
        project_id: recorded.project_id,
        topic: recorded.topic,
        event_type: recorded.event_type,
        schema_fingerprint: recorded.schema_fingerprint,
        payload: recorded.payload.unwrap_or_default(),
        actor: recorded.actor,
        command_id: Uuid::now_v7(),
        correlation_id: recorded.correlation_id,
        causation_id: recorded.causation_id,
        traceparent: recorded.traceparent,
        occurred_at: recorded.occurred_at,
    }
}
