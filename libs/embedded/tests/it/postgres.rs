use std::io::BufRead;
use std::process::{Command, Stdio};

use dvt_embedded::postgres::Cluster;

/// Names the folder of the cluster that a child process of these tests is to own.
const OWN: &str = "DVT_TEST_OWN_CLUSTER";

/// The part of the child process: owns a cluster until it is killed.
#[tokio::test]
async fn owner_that_is_killed() {
    let Some(folder) = std::env::var_os(OWN) else { return };
    let cluster = Cluster::open(folder.as_ref()).await.expect("a cluster");
    cluster.create_database("log").await.expect("a database");
    cluster.execute("log", "create table kept (n int); insert into kept values (7)").await.expect("a table");
    println!("ready");
    std::future::pending().await
}

#[tokio::test]
async fn takes_over_from_an_owner_that_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "postgres::owner_that_is_killed", "--nocapture"]).env(OWN, folder.path());
    let mut child = child.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("its output")).lines();
    assert!(lines.any(|line| line.expect("a line").ends_with("ready")), "the child owns a cluster");
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");

    let cluster = Cluster::open(folder.path()).await.expect("the same cluster");
    assert!(cluster.is_owner());
    let rows = cluster.query("log", "select n from kept").await.expect("the rows");
    assert_eq!(rows, vec![vec![Some("7".to_owned())]]);
}

#[tokio::test]
async fn finds_a_place_where_the_server_may_not_enter_the_folder() {
    let closed = tempfile::tempdir().expect("a folder that only we may enter");
    let folder = closed.path().join("checkout/data");
    let cluster = Cluster::open(&folder).await.expect("a cluster");
    cluster.create_database("log").await.expect("a database");
    cluster.stop().await.expect("it stops");
    let place = std::fs::read_to_string(folder.join("postgres.path")).expect("the folder names the place");
    std::fs::remove_dir_all(place.trim()).expect("it can be removed");
}

#[tokio::test]
async fn keeps_its_data_over_a_restart_and_lets_a_second_opener_join() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Cluster::open(folder.path()).await.expect("a cluster");
    first.create_database("log").await.expect("a database");
    first.execute("log", "create table kept (n int); insert into kept values (7)").await.expect("a table");

    let second = Cluster::open(folder.path()).await.expect("the running cluster");
    assert!(first.is_owner() && !second.is_owner());
    assert_eq!(first.port(), second.port());
    drop(second);
    first.stop().await.expect("it stops");

    let again = Cluster::open(folder.path()).await.expect("a cluster");
    let rows = again.query("log", "select n from kept").await.expect("the rows");
    assert_eq!(rows, vec![vec![Some("7".to_owned())]]);
}

#[tokio::test]
async fn keeps_the_role_of_the_target_out_of_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::open(folder.path()).await.expect("a cluster");
    cluster.create_database("log").await.expect("a database");
    let target = cluster.create_owned_database("warehouse").await.expect("a database");
    let connect = async |url: &str| tokio_postgres::connect(url, tokio_postgres::NoTls).await.map(drop);
    connect(&target).await.expect("its own database is open to it");
    for closed in ["log", "postgres", "template1"] {
        let url = format!("{}{closed}", target.strip_suffix("warehouse").expect("it ends with the database"));
        let refused = connect(&url).await.expect_err("it is closed to it");
        assert_eq!(refused.code().map(|code| code.code().to_owned()), Some("42501".to_owned()), "{closed}");
    }
}

#[tokio::test]
async fn makes_databases_with_owners_at_the_same_time() {
    let cluster = Cluster::temporary().await;
    let create = |n| async move { cluster.create_owned_database(&format!("owned_{n}")).await };
    let made = (0..12).map(create).collect::<tokio::task::JoinSet<_>>().join_all().await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
}

#[tokio::test]
async fn copies_a_template_for_each_test() {
    let cluster = Cluster::temporary().await;
    cluster.create_database("original").await.expect("a database");
    cluster.execute("original", "create table t (n int)").await.expect("a table");
    cluster.create_database_like("copy", "original").await.expect("a copy");
    cluster.query("copy", "select n from t").await.expect("the table is there too");
}
