//! The views: writing, reading, identity through renames, and the swap of a rebuild.

use dvt_store::view::compilation::{self, Compiled};
use dvt_store::view::graph::{self, Content, Diagnostic, Edge, Graph, Node};
use dvt_store::view::project::{self, Branch, Environment};
use dvt_store::view::run::{self, Counts, NewStep, StepEnd, StepStart};
use dvt_store::view::subject::{self, Move, Subject};
use dvt_store::view::{Moment, Place, rebuild};
use dvt_store::{Role, Store};
use uuid::Uuid;

use crate::database::{Database, id};

fn at(stream_id: Uuid, version: i64) -> Moment {
    let at = chrono::DateTime::from_timestamp_micros(1_700_000_000_000_000 + version).unwrap();
    Moment { stream_id, project_id: Uuid::from_u128(7), version, position: version * 10, actor: "local:ann".into(), at }
}

async fn a_store() -> Store {
    Database::create().await.store(Role::Projector).await
}

#[tokio::test]
async fn shows_a_project_with_its_branch_and_environment() {
    let store = a_store().await;
    let c = &mut store.acquire().await.unwrap();
    let (project_id, branch_id) = (id(), id());
    project::create(c, &at(project_id, 1), "shop", "").await.unwrap();
    let branch = Branch {
        branch_id,
        project_id,
        layout_id: id(),
        name: "main".into(),
        created_position: 20,
        version: 0,
        position: 20,
        edited_by: None,
        edited_at: None,
        edit_summary: None,
    };
    project::add_branch(c, &branch).await.unwrap();
    let environment = Environment {
        project_id,
        name: "dev".into(),
        target: "local".into(),
        adapter: "postgres".into(),
        database: "shop".into(),
        schema: "dev".into(),
        threads: 4,
        vars: "{}".into(),
        env: "{}".into(),
        position: 30,
    };
    project::define_environment(c, &environment).await.unwrap();
    let changed = Environment { schema: "other".into(), ..environment };
    project::define_environment(c, &changed).await.unwrap();
    project::link(c, &at(project_id, 4), "file:///r.git", "main").await.unwrap();
    project::advance(c, &at(project_id, 4)).await.unwrap();
    project::edit_branch(c, &at(branch_id, 5), "renamed a to b").await.unwrap();

    let found = project::find(c, project_id).await.unwrap().unwrap();
    assert_eq!((found.version, found.repository_branch.as_deref()), (4, Some("main")));
    assert_eq!(project::list(c, ("", Uuid::nil()), 10).await.unwrap(), [found]);
    assert_eq!(project::list_environments(c, project_id).await.unwrap(), [changed]);
    let branches = project::list_branches(c, project_id).await.unwrap();
    assert_eq!(branches[0].edit_summary.as_deref(), Some("renamed a to b"));
}

#[tokio::test]
async fn follows_a_node_through_renames_and_a_name_that_is_used_again() {
    let store = a_store().await;
    let c = &mut store.acquire().await.unwrap();
    let branch = id();
    let about = |version: i64, unique_id: &str| {
        let position = at(branch, version).position;
        [Subject { branch_id: branch, position, unique_id: unique_id.into(), property: "sql".into() }]
    };
    let moved = |from: &str, to: &str| Move { from: from.into(), to: to.into() };
    subject::add(c, &about(1, "model.a")).await.unwrap();
    subject::add(c, &about(2, "model.a")).await.unwrap();
    subject::rename(c, &at(branch, 2), &[moved("model.a", "model.b")]).await.unwrap();
    subject::add(c, &about(3, "model.b")).await.unwrap();
    subject::add(c, &about(4, "model.a")).await.unwrap(); // another node

    assert_eq!(subject::node_key(c, branch, "model.b").await.unwrap(), "model.a");
    assert_eq!(subject::node_key(c, branch, "model.a").await.unwrap(), "model.a#2");
    assert_eq!(subject::list_before(c, (branch, "model.a"), i64::MAX, 10).await.unwrap(), [30, 20, 10]);
    assert_eq!(subject::list_before(c, (branch, "model.a#2"), i64::MAX, 10).await.unwrap(), [40]);

    let swap = [moved("model.a", "model.b"), moved("model.b", "model.a")];
    subject::rename(c, &at(branch, 5), &swap).await.unwrap();
    assert_eq!(subject::node_key(c, branch, "model.a").await.unwrap(), "model.a");
    assert_eq!(subject::node_key(c, branch, "model.b").await.unwrap(), "model.a#2");
    assert_eq!(subject::list_identities(c, branch).await.unwrap().len(), 2);
}

#[tokio::test]
async fn shows_a_run_with_its_steps() {
    let store = a_store().await;
    let c = &mut store.acquire().await.unwrap();
    let run_id = id();
    let request = run::Request {
        branch_id: id(),
        branch_version: 3,
        project_version: 1,
        environment: "dev".into(),
        compilation_id: id(),
        kind: "build".into(),
        select: String::new(),
        exclude: String::new(),
        full_refresh: false,
        threads: 4,
    };
    run::request(c, &at(run_id, 1), &request).await.unwrap();
    run::request(c, &at(id(), 1), &request).await.unwrap();
    let step = |name: &str| NewStep {
        unique_id: format!("model.{name}"),
        name: name.into(),
        resource_type: "model".into(),
        materialized: Some("table".into()),
        relation: None,
        reason: "selected".into(),
    };
    run::plan(c, &at(run_id, 2), &[step("b"), step("a"), step("c")]).await.unwrap();
    run::start(c, &at(run_id, 3)).await.unwrap();
    let start = |attempt: i32| {
        let at = at(run_id, 4).at;
        StepStart { run_id, unique_id: "model.b".into(), attempt, sql: Some([1; 32]), at }
    };
    run::start_steps(c, &[start(1)]).await.unwrap();
    run::reset_step(c, &at(run_id, 5), "model.b", "no connection").await.unwrap();
    run::start_steps(c, &[start(2)]).await.unwrap();
    let place = Place { path: Some("models/b.sql".into()), line: Some(3), column: Some(1) };
    let failed = StepEnd { place, duration_us: Some(5), ..StepEnd::new(&at(run_id, 7), "model.b", "failed") };
    let message = Some("needs b, which failed".into());
    let skipped = StepEnd { message, ..StepEnd::new(&at(run_id, 8), "model.a", "skipped") };
    run::end_steps(c, &[failed, skipped]).await.unwrap();

    let steps = run::list_steps(c, run_id).await.unwrap();
    assert_eq!(steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!((steps[0].attempt, steps[0].place.line), (2, Some(3)));
    assert_eq!(steps[1].reason, "needs b, which failed");
    let counts = run::count_steps(c, run_id).await.unwrap();
    assert_eq!(counts, Counts { failed: 1, skipped: 1, pending: 1, ..Counts::default() });
    run::finish(c, &at(run_id, 9), "failed", (None, None)).await.unwrap();
    run::advance(c, &[at(run_id, 9)]).await.unwrap();
    let found = run::find(c, run_id).await.unwrap().unwrap();
    assert_eq!((found.number, found.state.as_str(), found.version), (1, "finished", 9));
    let newest = run::list_before(c, Uuid::from_u128(7), i64::MAX, 10).await.unwrap();
    assert_eq!(newest.iter().map(|run| run.number).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn shows_a_compilation_and_its_publish() {
    let store = a_store().await;
    let c = &mut store.acquire().await.unwrap();
    let stream = id();
    let request =
        compilation::Request { branch_id: id(), branch_version: 3, project_version: 1, environment: "dev".into() };
    compilation::request(c, &at(stream, 1), &request).await.unwrap();
    let broken = compilation::Node {
        unique_id: "model.a".into(),
        state: "broken".into(),
        code: Some("REF_NOT_FOUND".into()),
        message: None,
        place: Place::NONE,
    };
    let compiled = Compiled { artifact: [1; 32], compiled: 2, deferred: 0, broken: 1, nodes: vec![broken.clone()] };
    compilation::finish(c, &at(stream, 2), &compiled).await.unwrap();
    compilation::request_publish(c, &at(stream, 3), "first").await.unwrap();
    assert_eq!(compilation::list_publishes(c, Uuid::from_u128(7), 9).await.unwrap()[0].commit, None);
    compilation::publish(c, &at(stream, 4), "c0ffee", None).await.unwrap();

    let found = compilation::find(c, stream).await.unwrap().unwrap();
    assert_eq!((found.state.as_str(), found.publish_state.as_deref()), ("compiled", Some("published")));
    assert_eq!((found.artifact, found.version), (Some([1; 32]), 4));
    assert_eq!(compilation::list_nodes(c, stream).await.unwrap(), [broken]);
    let other = id();
    compilation::request(c, &at(other, 1), &request).await.unwrap();
    compilation::fail(c, &at(other, 2), "PROJECT_INVALID", "no name").await.unwrap();
    compilation::supersede(c, &at(other, 3), 9).await.unwrap();
    let found = compilation::find(c, other).await.unwrap().unwrap();
    assert_eq!((found.state.as_str(), found.superseded_by), ("failed", Some(9)));
}

fn a_graph() -> Content {
    let node = |name: &str, tags: &[&str]| Node {
        unique_id: format!("model.shop.{name}"),
        node_key: format!("model.shop.{name}"),
        name: name.into(),
        resource_type: "model".into(),
        package: "shop".into(),
        path: format!("models/{name}.sql"),
        source_name: None,
        materialized: Some("view".into()),
        database: None,
        schema: Some("dev".into()),
        alias: Some(name.into()),
        description: String::new(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        tests: 2,
        errors: 0,
        warnings: 0,
    };
    let diagnostic = Diagnostic {
        severity: "error".into(),
        code: "REF_NOT_FOUND".into(),
        message: "no node x".into(),
        place: Place { path: Some("models/b.sql".into()), line: Some(1), column: Some(8) },
        unique_id: Some("model.shop.b".into()),
    };
    Content {
        nodes: vec![node("a", &["nightly", "core"]), node("b", &[]), node("b", &[])],
        edges: vec![Edge { parent: 0, child: 1 }],
        diagnostics: vec![diagnostic],
    }
}

#[tokio::test]
async fn replaces_a_graph_also_one_with_a_duplicate() {
    let store = a_store().await;
    let mut c = store.begin().await.unwrap();
    let branch_id = id();
    let shown = |version| Graph { branch_id, version, position: version, errors: 1, warnings: 0 };
    assert!(graph::replace(&mut c, &shown(1), &a_graph()).await.unwrap());
    let mut smaller = a_graph();
    smaller.nodes.pop();
    assert!(graph::replace(&mut c, &shown(2), &smaller).await.unwrap());
    assert!(!graph::replace(&mut c, &shown(1), &a_graph()).await.unwrap(), "never back");

    assert_eq!(graph::find(&mut c, branch_id).await.unwrap(), Some(shown(2)));
    assert_eq!(graph::list(&mut c, branch_id).await.unwrap(), smaller);
    c.commit().await.unwrap();
}

#[tokio::test]
async fn a_rebuild_is_written_aside_and_swapped_in_one_transaction() {
    let database = Database::create().await;
    let store = database.store(Role::Projector).await;
    let reader = database.store(Role::Gateway).await;
    let r = &mut reader.acquire().await.unwrap();
    let project_id = id();
    let c = &mut store.acquire().await.unwrap();
    project::create(c, &at(project_id, 1), "old", "").await.unwrap();
    let before = rebuild::hashes(c).await.unwrap();
    for _ in 0..2 {
        rebuild::start(c).await.unwrap(); // also after one that was interrupted
    }
    let mut tx = store.begin().await.unwrap();
    rebuild::use_new(&mut tx).await.unwrap();
    rebuild::lock_checkpoints(&mut tx, "projector").await.unwrap();
    project::create(&mut tx, &at(project_id, 1), "old", "").await.unwrap();

    assert_eq!(project::find(r, project_id).await.unwrap().unwrap().name, "old", "readers see the old views");
    rebuild::finish(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rebuild::hashes(c).await.unwrap(), before, "the same events make the same views");
    assert_eq!(project::find(r, project_id).await.unwrap().unwrap().name, "old", "readers may read the new views");
    project::advance(c, &at(project_id, 2)).await.unwrap();
    assert_ne!(rebuild::hashes(c).await.unwrap(), before);
}

#[tokio::test]
async fn a_swap_meets_no_reader_of_several_views_in_a_deadlock() {
    let database = Database::create().await;
    let store = database.store(Role::Projector).await;
    let reader = database.store(Role::Gateway).await;
    rebuild::start(&mut store.acquire().await.unwrap()).await.unwrap();
    let mut reads = reader.begin().await.unwrap();
    run::list_steps(&mut reads, id()).await.unwrap();

    let swap = tokio::spawn(async move {
        let mut tx = store.begin().await.unwrap();
        rebuild::use_new(&mut tx).await.unwrap();
        rebuild::finish(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    });
    while database.sql("select count(*) from pg_locks where not granted").await.unwrap() == "0" {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    project::find(&mut reads, id()).await.unwrap();
    graph::find(&mut reads, id()).await.unwrap();
    assert!(!swap.is_finished(), "it waits for who reads the old views");
    reads.commit().await.unwrap();
    swap.await.unwrap();
}
