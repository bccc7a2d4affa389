use dvt_domain::run::verdict::Known;

use super::{World, key, table, work};
use crate::targets::postgres::Postgres;
use crate::targets::{Error, Target};

/// What a statement of a step comes to, by what the database says of it.
#[tokio::test]
async fn every_class_of_refusal_says_what_is_known_of_the_effect() {
    let world = World::new("errors_classes").await;
    world.execute("create table dev.one (x int primary key); insert into dev.one values (1)").await;
    world.execute("create table dev.other (x int not null check (x > 0) references dev.one)").await;
    let raised = |state: &str| format!("do $$ begin raise exception 'no' using errcode = '{state}'; end $$");
    let cases = [
        ("selec 1".to_owned(), Known::Refused, "42601"),
        ("select nothing from dev.one".to_owned(), Known::Refused, "42703"),
        ("select * from dev.missing".to_owned(), Known::Refused, "42P01"),
        ("select 1 / 0".to_owned(), Known::Refused, "22012"),
        ("select 'x'::int".to_owned(), Known::Refused, "22P02"),
        ("insert into dev.one values (1)".to_owned(), Known::Refused, "23505"),
        ("insert into dev.other values (7)".to_owned(), Known::Refused, "23503"),
        ("insert into dev.other values (null)".to_owned(), Known::Refused, "23502"),
        ("insert into dev.other values (-1)".to_owned(), Known::Refused, "23514"),
        ("create role somebody".to_owned(), Known::Refused, "42501"),
        ("select 1 from other_database.dev.one".to_owned(), Known::Refused, "0A000"),
        ("set local statement_timeout = 50; select pg_sleep(60)".to_owned(), Known::Refused, "57014"),
        (raised("53100"), Known::Refused, "53100"),
        (raised("40001"), Known::Busy, "40001"),
        (raised("40P01"), Known::Busy, "40P01"),
        (raised("55P03"), Known::Busy, "55P03"),
        (raised("57P01"), Known::Nothing, ""),
        (raised("08006"), Known::Nothing, ""),
    ];
    for (hook, known, sqlstate) in cases {
        let mut wanted = work("t", table("select 1 as x"));
        wanted.before.inside = vec![hook.clone()];
        let error = world.session().await.build(&key(), &wanted).await.unwrap_err();
        let state = match &error {
            Error::Refused(refusal) | Error::Busy(refusal) => refusal.sqlstate.as_str(),
            _ => "",
        };
        assert_eq!((error.known(), state), (known, sqlstate), "{hook}: {error:?}");
    }
    assert_eq!(world.rows("select count(*) from _dvt.ledger where unique_id <> 'x' and attempt > 1").await, ["0"]);
}

#[tokio::test]
async fn an_error_is_placed_in_the_nodes_own_sql() {
    let world = World::new("errors_place").await;
    let sql = "select 'ä',\n  nothing\nfrom generate_series(1, 2)";
    let refused = world.build("t", table(sql)).await;
    let Err(Error::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.at, sql.find("nothing"));
    assert!(refusal.message.contains("nothing"), "{refusal:?}");
}

#[tokio::test]
async fn says_why_there_is_no_session() {
    let world = World::new("errors_connect").await;
    let code = async |url: &str| match Postgres::new(url).unwrap().connect().await.err() {
        Some(Error::Fault(fault)) => fault.code,
        Some(Error::Unreachable(_)) => "unreachable",
        Some(_) => "other",
        None => "",
    };
    assert_eq!(code(&world.url).await, "");
    assert_eq!(
        code(&world.url.replacen("/errors_connect", "/nowhere", 2).replacen("//nowhere", "//errors_connect", 1)).await,
        "TARGET_NOT_FOUND"
    );
    assert_eq!(code("postgres://nobody:x@127.0.0.1:1/x").await, "unreachable");
    assert_eq!(code(&world.url.replace("://errors_connect", "://nobody")).await, "TARGET_AUTH");
}

#[tokio::test]
async fn says_which_right_is_missing() {
    let world = World::new("errors_rights").await;
    let owned = world.session().await.describe().await.unwrap();
    assert_eq!(owned.lacks, None);
    let sql =
        "alter database errors_rights owner to current_user; grant connect on database errors_rights to errors_rights";
    world.cluster.execute("errors_rights", sql).await.unwrap();
    let lacking = world.session().await.describe().await.unwrap();
    let fault = lacking.check_rights().expect_err("it may not create schemas");
    assert_eq!(fault.code, "TARGET_PRIVILEGE");
    assert!(fault.message.ends_with("grant create on database \"errors_rights\" to \"errors_rights\""), "{fault:?}");
}
