use serde_json::{Value as Json, json};

use super::{World, key, table, view, work};
use crate::targets::{Error, Given, Name, RelationKind, Target, Test, UnitTest};

#[tokio::test]
async fn reads_the_first_rows_and_says_that_there_are_more() {
    let world = World::new("read_rows").await;
    let mut session = world.session().await;
    let rows = session.read("select n, null::text as t from generate_series(1, 3) as n -- all", Some(2)).await.unwrap();
    assert_eq!(rows.columns, [("n".to_owned(), "int4".to_owned()), ("t".to_owned(), "text".to_owned())]);
    assert_eq!(rows.rows, [[Some("1".to_owned()), None], [Some("2".to_owned()), None]]);
    assert!(rows.truncated);
    assert!(!session.read("select 1 as x where false", Some(2)).await.unwrap().truncated);
}

/// What a text in the place of a query might try; each with and without a limit, in a session that could write.
const ATTEMPTS: [&str; 23] = [
    "with gone as (delete from dev.t returning x) select * from gone",
    "select 1) as a; commit; delete from dev.t; select * from (select 1",
    "select 1; delete from dev.t",
    "select 1; commit; delete from dev.t",
    "commit; delete from dev.t",
    "commit",
    "rollback",
    "end; begin; delete from dev.t; commit",
    "set transaction read write; delete from dev.t; commit",
    "set transaction read write",
    "set session characteristics as transaction read write",
    "set default_transaction_read_only = off; delete from dev.t",
    "begin read write; delete from dev.t; commit",
    "prepare transaction 'kept'",
    "prepare gone as delete from dev.t",
    "do $$ begin delete from dev.t; commit; end $$",
    "call dev.empty_t()",
    "delete from dev.t",
    "copy dev.t to program 'true'",
    "create table dev.u as select 1 as y",
    "select set_config('transaction_read_only', 'off', false), dev.empty()",
    "select dev.empty()",
    "explain analyze delete from dev.t",
];

#[tokio::test]
async fn a_read_changes_nothing() {
    let world = World::new("read_only").await;
    world.build("t", table("select 1 as x")).await.unwrap();
    world.execute("create procedure dev.empty_t() language sql as 'delete from dev.t'").await;
    let function = "begin set transaction read write; delete from dev.t; return 1; end";
    world.execute(&format!("create function dev.empty() returns int language plpgsql as '{function}'")).await;
    let mut session = world.session().await;
    for sql in ATTEMPTS {
        for limit in [None, Some(1)] {
            let refused = session.read(sql, limit).await;
            assert!(matches!(refused, Err(Error::Refused(_) | Error::Fault(_))), "{sql}: {refused:?}");
        }
        let test = Test {
            sql: sql.to_owned(),
            fail_calc: "count(*)".into(),
            warn_if: "> 0".into(),
            error_if: "> 0".into(),
            limit: None,
            stored: None,
        };
        assert!(session.test(&test).await.is_err(), "{sql}");
        assert_eq!(world.rows("select x from dev.t").await, ["1"], "{sql}");
    }
    assert_eq!(world.rows("select 1 from pg_prepared_xacts").await.len(), 0);
    let state = session.read("show transaction_read_only", None).await.unwrap();
    assert_eq!(state.rows, [[Some("on".to_owned())]], "no attempt has left anything in the session");
}

#[tokio::test]
async fn a_session_to_read_writes_nothing_outside_of_a_read_either() {
    let world = World::new("read_session").await;
    let mut session = world.target.connect_to_read().await.unwrap();
    let refused = session.build(&key(), &work("t", table("select 1 as x"))).await;
    assert!(matches!(&refused, Err(Error::Refused(refusal)) if refusal.sqlstate == "25006"), "{refused:?}");
}

#[tokio::test]
async fn finds_relations_and_their_columns() {
    let world = World::new("read_catalog").await;
    world.build("t", table("select 1::bigint as a, 'x'::varchar(5) as b, 1.5::numeric(6,2) as c")).await.unwrap();
    world.build("v", view("select * from dev.t")).await.unwrap();
    let mut session = world.session().await;
    assert_eq!(session.relation(&Name::new("dev", "v")).await.unwrap(), Some(RelationKind::View));
    assert_eq!(session.relation(&Name::new("dev", "none")).await.unwrap(), None);
    let found = session.relations("dev").await.unwrap();
    assert_eq!(found, [("t".to_owned(), RelationKind::Table), ("v".to_owned(), RelationKind::View)]);
    let columns = session.columns(&Name::new("dev", "t")).await.unwrap();
    let shown: Vec<_> = columns.iter().map(|c| format!("{} {} {}", c.name, c.data_type, c.ddl_type)).collect();
    assert_eq!(shown, ["a bigint bigint", "b character varying character varying(5)", "c numeric numeric(6,2)"]);
    world.execute("alter table dev.t alter a set not null").await;
    let nullable: Vec<_> = session.columns(&Name::new("dev", "t")).await.unwrap();
    assert_eq!(nullable.iter().map(|column| column.is_nullable).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test]
async fn counts_what_a_test_finds() {
    let world = World::new("read_test").await;
    let test = Test {
        sql: "select n from generate_series(1, 7) as n".into(),
        fail_calc: "count(*)".into(),
        warn_if: "> 3".into(),
        error_if: "> 10".into(),
        limit: None,
        stored: None,
    };
    let counted = world.session().await.test(&test).await.unwrap();
    assert_eq!((counted.failures, counted.should_warn, counted.should_error), (7, true, false));
    let limited = world.session().await.test(&Test { limit: Some(2), ..test.clone() }).await.unwrap();
    assert_eq!((limited.failures, limited.should_warn), (2, false));
    let broken = Test { fail_calc: "max('x')".into(), warn_if: "is null".into(), error_if: "is null".into(), ..test };
    assert!(matches!(world.session().await.test(&broken).await, Err(Error::Refused(_))));
}

fn rows(json: Json) -> Given {
    Given::Rows(json.as_array().unwrap().iter().map(|row| row.as_object().unwrap().clone()).collect())
}

#[tokio::test]
async fn compares_a_query_with_expected_rows() {
    let world = World::new("read_unit").await;
    world.build("t", table("select 1::bigint as id, 'x'::text as name, true as flag")).await.unwrap();
    let mut session = world.session().await;
    let given =
        session.given(&Name::new("dev", "t"), &rows(json!([{"ID": 1, "name": "it's"}, {"id": 2}]))).await.unwrap();
    let sql = format!("select id, name, flag from ({given}) as t");
    let test = |expect: Json| UnitTest { sql: sql.clone(), expect: rows(expect) };
    let same = session.unit_test(&test(json!([{"id": 2, "name": null}, {"id": "1", "name": "it's"}]))).await.unwrap();
    assert_eq!(same.rows.len(), 0, "{same:?}");
    let other = session.unit_test(&test(json!([{"id": 1}, {"id": 1}]))).await.unwrap();
    let line = |row: &Vec<Option<String>>| row.iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(other.rows.iter().map(line).collect::<Vec<_>>(), ["missing 1", "unexpected 2"]);
    assert_eq!(session.unit_test(&test(json!([]))).await.unwrap().rows.len(), 2);
    let unknown = session.unit_test(&test(json!([{"nope": 1}]))).await;
    assert!(matches!(&unknown, Err(Error::Fault(fault)) if fault.message.contains("`nope`")), "{unknown:?}");
}
