use super::{World, key, table, view, work};
use crate::targets::{Built, Error, Hooks, Index, Materialization, Seed, Table, Target};

#[tokio::test]
async fn a_relation_takes_the_place_of_one_of_another_kind() {
    let world = World::new("build_kinds").await;
    let built = world.build("a", table("select 1 as x union all select 2")).await.unwrap();
    assert_eq!(built, Built { rows: Some(2), message: "SELECT 2".into() });
    world.build("reader", view("select * from dev.a -- a comment at the end")).await.unwrap();
    assert_eq!(world.build("a", view("select 3 as y")).await.unwrap().rows, None);
    assert_eq!(world.rows("select y from dev.a").await, ["3"]);
    world.build("a", table("select 4 as z")).await.unwrap();
    let kinds = "select relname, relkind from pg_class where relnamespace = 'dev'::regnamespace order by 1";
    assert_eq!(world.rows(kinds).await, ["a r"], "what was built aside is gone, and so is the view that read it");
}

#[tokio::test]
async fn a_table_has_its_header_its_indexes_and_its_persistence() {
    let world = World::new("build_table").await;
    let index = Index { columns: vec!["x".into()], unique: true, method: "btree".into() };
    let wanted = Table {
        sql: "select current_setting('dvt.x')::int as x".into(),
        header: "set local dvt.x = '7';".into(),
        unlogged: true,
        indexes: vec![index],
        contract: None,
    };
    world.build("t", Materialization::Table(wanted)).await.unwrap();
    assert_eq!(world.rows("select x from dev.t").await, ["7"]);
    assert_eq!(world.rows("select relpersistence from pg_class where oid = 'dev.t'::regclass").await, ["u"]);
    let unique = "select indisunique from pg_index where indrelid = 'dev.t'::regclass";
    assert_eq!(world.rows(unique).await, ["t"]);
}

#[tokio::test]
async fn a_seed_is_filled_and_filled_again() {
    let world = World::new("build_seed").await;
    let seed = |cells: &[Option<&str>], full_refresh| {
        let rows = cells.iter().map(|cell| vec![Some("1".to_owned()), cell.map(str::to_owned)]).collect();
        let columns = vec![("id".to_owned(), "integer".to_owned()), ("Na\"me".to_owned(), "text".to_owned())];
        Materialization::Seed(Seed { columns, rows, full_refresh })
    };
    world.build("s", seed(&[Some("tab\there\\N"), None, Some("")], false)).await.unwrap();
    let read = "select id, quote_nullable(\"Na\"\"me\") from dev.s";
    assert_eq!(world.rows(read).await, ["1 E'tab\there\\\\N'", "1 NULL", "1 ''"]);
    world.build("reader", view("select id from dev.s")).await.unwrap();
    world.build("s", seed(&[Some("x")], false)).await.unwrap();
    assert_eq!(world.rows("select id from dev.reader").await, ["1"], "a refilled seed keeps its readers");
    world.build("s", seed(&[], true)).await.unwrap();
    assert_eq!(world.rows("select count(*), to_regclass('dev.reader') is null from dev.s").await, ["0 t"]);
}

#[tokio::test]
async fn hooks_share_the_transaction() {
    let world = World::new("build_hooks").await;
    world.execute("create table dev.audit (said text)").await;
    let mut wanted = work("a", table("select count(*) as before from dev.audit"));
    wanted.before.inside = vec!["insert into dev.audit values ('pre')".into()];
    wanted.after.inside = vec!["insert into dev.audit select 'post ' || before from dev.a".into()];
    world.session().await.build(&key(), &wanted).await.unwrap();
    assert_eq!(world.rows("select said from dev.audit").await, ["pre", "post 1"]);

    wanted.after.inside.push("select 1 / 0".into());
    let key = key();
    let refused = world.session().await.build(&key, &wanted).await;
    assert!(matches!(&refused, Err(Error::Refused(refusal)) if refusal.at.is_none()), "{refused:?}");
    assert_eq!(world.rows("select count(*) from dev.audit").await, ["2"], "nothing of the failed step stays");
    assert_eq!(world.rows(&format!("select 1 from _dvt.ledger where run_id = '{}'", key.run_id)).await.len(), 0);
}

#[tokio::test]
async fn hooks_outside_of_the_transaction_stay_whatever_becomes_of_it() {
    let world = World::new("build_hooks_outside").await;
    world.execute("create table dev.audit (said text)").await;
    let mut wanted = work("a", table("select count(*) as before from dev.audit"));
    wanted.before.outside = vec!["insert into dev.audit values ('pre')".into()];
    wanted.after.outside =
        vec!["vacuum dev.a".into(), "insert into dev.audit select 'post ' || before from dev.a".into()];
    world.session().await.build(&key(), &wanted).await.unwrap();
    assert_eq!(world.rows("select said from dev.audit").await, ["pre", "post 1"]);

    wanted.before.inside = vec!["select 1 / 0".into()];
    assert!(matches!(world.session().await.build(&key(), &wanted).await, Err(Error::Refused(_))));
    assert_eq!(world.rows("select said from dev.audit").await, ["pre", "post 1", "pre"]);

    wanted.before = Hooks::default();
    wanted.after.outside = vec!["select 1 / 0".into()];
    let key = key();
    assert!(matches!(world.session().await.build(&key, &wanted).await, Err(Error::Refused(_))));
    assert!(world.target.committed(&key).await.unwrap().is_some(), "what was committed before stays");
}
