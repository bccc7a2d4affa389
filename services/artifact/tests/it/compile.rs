use dvt_dbt::tree::Mode;
use dvt_domain::compilation::{CompileFailed, Compiled, Progress, Publish};

use crate::world::World;

const PROJECT: (&str, &str, Mode) = ("dbt_project.yml", "name: shop\nprofile: shop\n", Mode::Regular);

fn compiled(progress: Progress) -> Compiled {
    match progress {
        Progress::Compiled(compiled) => compiled,
        other => panic!("not compiled: {other:?}"),
    }
}

fn failed(progress: Progress) -> CompileFailed {
    match progress {
        Progress::Failed(failed) => failed,
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_the_artifact_of_exactly_the_version_that_was_asked_for() {
    let mut world = World::create().await;
    world.define_project().await;
    let version = world.import(&[PROJECT, ("models/a.sql", "select 1", Mode::Regular)]).await;
    world.import(&[PROJECT, ("models/a.sql", "select 2", Mode::Regular)]).await;
    let request = world.request_compilation(version, "dev", false).await;
    let service = world.run();
    let compiled = compiled(world.progress(request).await);
    service.stop().await;
    assert_eq!((compiled.compiled, compiled.deferred, compiled.broken), (1, 0, 0));
    let sql = world.artifact_file(compiled.artifact, "compiled/shop/models/a.sql").await;
    assert_eq!(sql.as_deref(), Some(&b"select 1"[..]));
    assert!(world.artifact_file(compiled.artifact, "manifest.json").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn makes_an_artifact_once_however_often_and_by_whomever_it_is_asked_for() {
    let mut world = World::create().await;
    world.define_project().await;
    let version = world.import(&[PROJECT, ("models/a.sql", "select 1", Mode::Regular)]).await;
    let same = world.import(&[PROJECT, ("models/a.sql", "select 1", Mode::Regular)]).await;
    let (one, other) = (world.run(), world.run());
    let mut requests = Vec::new();
    for version in [version, same, version, same] {
        requests.push(world.request_compilation(version, "dev", false).await);
    }
    let mut ended = Vec::new();
    for request in requests {
        ended.push(compiled(world.progress(request).await));
    }
    one.stop().await;
    other.stop().await;
    assert!(ended.iter().all(|outcome| *outcome == ended[0]), "{ended:?}");
    assert_eq!(world.query("select count(*) from artifact").await, [[Some("1".to_owned())]]);
    let said = world.query("select count(*) from event where event_type = 'Compiled'").await;
    assert_eq!(said, [[Some("4".to_owned())]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fails_where_nothing_can_be_compiled_and_goes_on_with_others() {
    let mut world = World::create().await;
    world.define_project().await;
    let unreadable = world.import(&[("dbt_project.yml", "version: 1\n", Mode::Regular)]).await;
    let good = world.import(&[PROJECT, ("models/a.sql", "select 1", Mode::Regular)]).await;
    let requests = [
        world.request_compilation(unreadable, "dev", false).await,
        world.request_compilation(good, "nowhere", false).await,
        world.request_compilation(good, "dev", false).await,
    ];
    let service = world.run();
    assert_eq!(failed(world.progress(requests[0]).await).code, "PROJECT_INVALID");
    assert_eq!(failed(world.progress(requests[1]).await).code, "ENVIRONMENT_NOT_FOUND");
    assert_eq!(compiled(world.progress(requests[2]).await).compiled, 1);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishes_what_it_compiled_as_soon_as_it_is_there() {
    let mut world = World::create().await;
    world.define_project().await;
    let version = world.import(&[PROJECT, ("models/a.sql", "select 1", Mode::Regular)]).await;
    let request = world.request_compilation(version, "dev", true).await;
    let service = world.run();
    let Publish::Published(published) = world.ended(request).await else { panic!("it is not published") };
    let key = compiled(world.progress(request).await).artifact;
    service.stop().await;
    let git = world.repository();
    let commit = published.artifacts_commit.expect("a commit of the artifact").parse().expect("an id");
    let tree = git.find_commit(commit).expect("a commit").tree().expect("a tree");
    let path = format!("{key}/compiled/shop/models/a.sql");
    let file = tree.get_path(path.as_ref()).expect("the file").to_object(&git).expect("an object");
    assert_eq!(file.as_blob().expect("a blob").content(), b"select 1");
}
