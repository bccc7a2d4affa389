//! One event of every type.

use std::sync::Arc;

use dvt_dbt::diagnostic::Place;
use dvt_dbt::edit::*;
use dvt_dbt::tree::{Edit, File, FileChange, Mode, Sha256, Tree};
use dvt_domain::branch::{self, Change, Changed, LeftOut, ProjectExported, ProjectImported};
use dvt_domain::{Event, Timestamp, compilation, layout, project, run};

pub(crate) fn events() -> Vec<Event> {
    let mut events = project_events();
    events.extend(intents().into_iter().map(|intent| changed(intent, change(10))));
    events.extend([
        branch::Event::ProjectImported(imported()).into(),
        branch::Event::ProjectExported(ProjectExported { version: 7 }).into(),
        layout::Event::NodePlaced(layout::NodePlaced { node_key: "model.shop.a".into(), x: -1.5, y: 1e6 }).into(),
    ]);
    events.extend(compilation_events());
    events.extend(run_events());
    events
}

/// An edit that writes so many bytes.
pub(crate) fn changed_by(bytes: usize) -> Event {
    changed(Intent::RemoveNode(RemoveNode { unique_id: "model.shop.a".into() }), change(bytes))
}

fn changed(intent: Intent, change: Change) -> Event {
    branch::Event::Changed(Changed { intent, change }).into()
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    "0198f6a0-0000-7000-8000-000000000001".parse().expect("a UUIDv7")
}

fn change(bytes: usize) -> Change {
    let file = File::new(Mode::Regular, *b"select \xff1\r\n");
    let edits = vec![Edit::new(7, *b"\xff", "x".repeat(bytes))];
    let content: Arc<[u8]> = Arc::from(*b"\x00\xff");
    Change {
        summary: "renamed a to b".into(),
        files: vec![
            FileChange::edited("models/a.sql", &file, edits).expect("the edit fits"),
            FileChange::Added { path: "b".into(), mode: Mode::Executable, bytes: content.clone() },
            FileChange::Removed { path: "c".into(), mode: Mode::Regular, bytes: content },
            FileChange::Moved { from: "d".into(), to: "e".into() },
            FileChange::ModeChanged { path: "f".into(), from: Mode::Regular, to: Mode::Executable },
        ],
        subjects: vec![Subject { node: "model.shop.a".into(), property: "name".into() }],
        moved: vec![Moved { from: "model.shop.a".into(), to: "model.shop.b".into() }],
    }
}

fn imported() -> ProjectImported {
    ProjectImported {
        source: "shop.zip".into(),
        tree: Tree::from_iter([("dbt_project.yml", File::new(Mode::Regular, *b"name: shop\n"))]),
        packages: Tree::from_iter([("dbt_packages/x/a.sql", File::new(Mode::Executable, *b""))]),
        left_out: vec![LeftOut { path: ".env".into(), reason: "private".into() }],
        moved: Vec::new(),
        given: Some(Tree::default()),
    }
}

fn project_events() -> Vec<dvt_domain::Event> {
    use project::{BranchCreated, BranchPoint, EnvironmentDefined, Event, ProjectCreated, RepositoryLinked};
    let from = Some(BranchPoint { branch_id: id(), version: 3 });
    let environment = EnvironmentDefined {
        name: "dev".into(),
        target: "local".into(),
        adapter: "postgres".into(),
        database: "shop".into(),
        schema: "dev".into(),
        threads: 4,
        vars: r#"{"a": [1]}"#.into(),
        env: [("KEY".to_owned(), "value".to_owned())].into_iter().collect(),
    };
    vec![
        Event::ProjectCreated(ProjectCreated { name: "shop".into(), root: String::new() }).into(),
        Event::BranchCreated(BranchCreated { branch_id: id(), layout_id: id(), name: "main".into(), from }).into(),
        Event::EnvironmentDefined(environment).into(),
        Event::RepositoryLinked(RepositoryLinked { url: "file:///x".into(), branch: "main".into() }).into(),
    ]
}

fn intents() -> Vec<Intent> {
    let unique_id = || "model.shop.a".to_owned();
    let json = || Some(Json(serde_json::json!({ "values": [1, "a", null] })));
    let (from, to) = (unique_id, || "model.shop.b".to_owned());
    vec![
        Intent::AddNode(AddNode {
            name: "b".into(),
            layer: Some("marts".into()),
            folder: None,
            sql: None,
            from: vec![unique_id()],
        }),
        Intent::RenameNode(RenameNode { unique_id: unique_id(), to: "b".into() }),
        Intent::RemoveNode(RemoveNode { unique_id: unique_id() }),
        Intent::Connect(Connect { from: from(), to: to() }),
        Intent::Disconnect(Disconnect { from: from(), to: to() }),
        Intent::SetSql(SetSql { unique_id: unique_id(), sql: "select 1".into() }),
        Intent::Configure(Configure {
            unique_id: unique_id(),
            key: "tags".into(),
            value: Json(serde_json::json!(["daily"])),
            place: None,
        }),
        Intent::DescribeNode(DescribeNode { unique_id: unique_id(), text: "é\n".into() }),
        Intent::DescribeColumn(DescribeColumn { unique_id: unique_id(), column: "id".into(), text: String::new() }),
        Intent::DeclareColumns(DeclareColumns {
            unique_id: unique_id(),
            columns: vec![DeclaredColumn { name: "id".into(), data_type: Some("integer".into()) }],
        }),
        Intent::AddTest(AddTest {
            unique_id: unique_id(),
            column: Some("id".into()),
            test: "accepted_values".into(),
            arguments: json(),
            config: None,
        }),
        Intent::RemoveTest(RemoveTest { unique_id: "test.shop.unique_a_id.0123456789".into() }),
        Intent::DeclareSource(DeclareSource {
            source: "raw".into(),
            schema: None,
            database: None,
            tables: vec!["orders".into()],
        }),
        Intent::SaveFile(SaveFile { path: "a".into(), text: "b".into() }),
        Intent::AddFile(AddFile { path: "a".into(), text: "b".into() }),
        Intent::MoveFile(MoveFile { path: "a".into(), to: "b".into() }),
        Intent::RemoveFile(RemoveFile { path: "a".into() }),
    ]
}

fn place() -> Option<Place> {
    Some(Place { path: "models/a.sql".into(), line: 11, column: 22 })
}

fn compilation_events() -> Vec<dvt_domain::Event> {
    use compilation::{CompileFailed, CompileRequested, Compiled, Event, NodeOutcome, NodeState};
    use compilation::{PublishRequested, PublishSuperseded, Published};
    let node = NodeOutcome {
        unique_id: "model.shop.a".into(),
        state: NodeState::Broken,
        code: Some("REF_NOT_FOUND".into()),
        message: Some("there is no b".into()),
        place: place(),
    };
    let request = CompileRequested {
        project_id: id(),
        branch_id: id(),
        branch_version: 2,
        project_version: 3,
        environment: "dev".into(),
    };
    let artifact = Sha256::of(b"key");
    let commit = || "c0ffee".to_owned();
    vec![
        Event::CompileRequested(request).into(),
        Event::Compiled(Compiled { artifact, compiled: 1, deferred: 2, broken: 3, nodes: vec![node] }).into(),
        Event::CompileFailed(CompileFailed { code: "PROJECT_INVALID".into(), message: "no name".into() }).into(),
        Event::PublishRequested(PublishRequested { message: "Rename a".into() }).into(),
        Event::Published(Published { commit: commit(), artifacts_commit: Some(commit()) }).into(),
        Event::PublishSuperseded(PublishSuperseded { by_version: 9 }).into(),
    ]
}

fn run_events() -> Vec<dvt_domain::Event> {
    use run::{Backend, Event, Kind, Outcome, PlannedStep, RunCancelRequested, RunFinished, RunPlanned, RunRequested};
    use run::{
        RunStarted, StepCancelled, StepFailed, StepNotStarted, StepSkipped, StepStarted, StepSucceeded, StepUnknown,
    };
    let unique_id = || "model.shop.a".to_owned();
    let message = || "connection refused".to_owned();
    let step = PlannedStep {
        unique_id: unique_id(),
        name: "a".into(),
        resource_type: "model".into(),
        materialized: Some("table".into()),
        relation: None,
        needs: vec!["seed.shop.b".into()],
        reason: "selected".into(),
    };
    let request = RunRequested {
        project_id: id(),
        branch_id: id(),
        branch_version: 2,
        project_version: 3,
        environment: "dev".into(),
        compilation_id: id(),
        kind: Kind::Snapshot,
        select: "+a".into(),
        exclude: String::new(),
        full_refresh: true,
        threads: 4,
        nodes: vec![unique_id()],
        retry_of: Some(id()),
    };
    let backend = Some(Backend { pid: 42, started_at: Timestamp(1_700_000_000_000_001) });
    let finished = RunFinished {
        outcome: Outcome::Cancelled,
        succeeded: 1,
        failed: 2,
        skipped: 3,
        cancelled: 4,
        message: None,
        code: Some("RUN_ABANDONED".into()),
    };
    let succeeded = StepSucceeded {
        unique_id: unique_id(),
        attempt: 1,
        rows: Some(42),
        message: "INSERT 0 42".into(),
        warned: true,
        failures: Some(3),
        duration_us: 1_000,
    };
    let failed = StepFailed {
        unique_id: unique_id(),
        attempt: 2,
        code: "DATABASE".into(),
        message: "no column".into(),
        sqlstate: Some("42703".into()),
        place: place(),
        failures: None,
        duration_us: 1,
    };
    vec![
        Event::RunRequested(request).into(),
        Event::RunCancelRequested(RunCancelRequested { reason: Some("wrong schema".into()) }).into(),
        Event::RunPlanned(RunPlanned { steps: vec![step] }).into(),
        Event::RunStarted(RunStarted { executor: "executor-1".into(), attempt: 1 }).into(),
        Event::StepStarted(StepStarted { unique_id: unique_id(), attempt: 1, backend, sql: Some(Sha256::of(b"x")) })
            .into(),
        Event::StepSucceeded(succeeded).into(),
        Event::StepFailed(failed).into(),
        Event::StepNotStarted(StepNotStarted { unique_id: unique_id(), attempt: 1, message: message() }).into(),
        Event::StepUnknown(StepUnknown { unique_id: unique_id(), attempt: 1, message: message() }).into(),
        Event::StepSkipped(StepSkipped { unique_id: unique_id(), reason: "needs b, which failed".into() }).into(),
        Event::StepCancelled(StepCancelled { unique_id: unique_id() }).into(),
        Event::RunFinished(finished).into(),
    ]
}
