use super::{World, key, table, view, work};
use crate::targets::{ColumnDocs, Docs, Grants, Materialization, Name, Seed, Stored, Test, Work};

/// Who may do what with `dev.<name>`, as `privilege role`; not the owner.
async fn granted(world: &World, name: &str) -> Vec<String> {
    world
        .rows(&format!(
            "select lower(privilege_type), grantee from information_schema.role_table_grants
            where table_schema = 'dev' and table_name = '{name}' and grantee <> grantor order by 1, 2"
        ))
        .await
}

fn grants(privilege: &str, roles: &[&str]) -> Grants {
    [(privilege.to_owned(), roles.iter().map(|role| (*role).to_owned()).collect())].into()
}

#[tokio::test]
async fn a_relation_has_the_grants_of_its_config_and_no_others() {
    let world = World::new("outfit_grants").await;
    for role in ["outfit_ada", "\"outfit_Bob\""] {
        world.rows(&format!("create role {role}")).await;
    }
    let build = async |materialization: Materialization, grants: Grants| {
        let wanted = Work { grants, ..work("t", materialization) };
        world.session().await.build(&key(), &wanted).await.unwrap();
        granted(&world, "t").await
    };
    let both = grants("select", &["OUTFIT_ADA", "\"outfit_Bob\""]);
    assert_eq!(build(view("select 1 as id"), both.clone()).await, ["select outfit_Bob", "select outfit_ada"]);
    assert_eq!(build(table("select 1 as id"), grants("insert", &["outfit_ada"])).await, ["insert outfit_ada"]);
    let seed = || {
        Materialization::Seed(Seed { columns: vec![("id".into(), "int".into())], rows: vec![], full_refresh: false })
    };
    assert_eq!(build(seed(), Grants::new()).await, ["insert outfit_ada"], "no grants in the config change none");
    assert_eq!(build(seed(), grants("select", &["outfit_ada"])).await, ["select outfit_ada"]);
    assert_eq!(build(seed(), grants("select", &["outfit_ada"])).await, ["select outfit_ada"]);
    assert_eq!(build(seed(), grants("select", &["public"])).await, ["select PUBLIC"]);
}

#[tokio::test]
async fn a_relation_keeps_its_descriptions_as_comments() {
    let world = World::new("outfit_docs").await;
    let column =
        |name: &str, is_quoted| ColumnDocs { name: name.into(), is_quoted, description: format!("it's \\ {name}") };
    let docs = Docs {
        relation: Some("One's $dbt$ \\ relation".into()),
        columns: vec![column("ID", false), column("Name", true), column("name", true), column("gone", false)],
    };
    for materialization in [view("select 1 as id, 2 as \"Name\""), table("select 1 as id, 2 as \"Name\"")] {
        let wanted = Work { docs: docs.clone(), ..work("t", materialization) };
        let mut session = world.session().await;
        session.build(&key(), &wanted).await.unwrap();
        assert_eq!(world.rows("select obj_description('dev.t'::regclass)").await, ["One's $dbt$ \\ relation"]);
        let comments = "select col_description('dev.t'::regclass, n) from generate_series(1, 2) as n";
        assert_eq!(world.rows(comments).await, ["it's \\ ID", "it's \\ Name"]);
        let notices = session.notices().take();
        let missing = "warning: \"dev\".\"t\" has no columns that are described: name, gone";
        assert!(notices.iter().any(|notice| notice == missing), "{notices:?}");
    }
}

#[tokio::test]
async fn a_test_keeps_the_rows_that_it_found() {
    let world = World::new("outfit_stored").await;
    world.execute("create table dev.numbers as select n from generate_series(1, 3) as n").await;
    let test = |as_view| Test {
        sql: "select n from dev.numbers where n > 1".into(),
        fail_calc: "count(*)".into(),
        warn_if: "!= 0".into(),
        error_if: "!= 0".into(),
        limit: Some(1),
        stored: Some(Stored { relation: Name::new("dev", "kept"), as_view }),
    };
    for (as_view, kind) in [(false, "r"), (true, "v"), (false, "r")] {
        for _ in 0..2 {
            let counted = world.session().await.test(&test(as_view)).await.unwrap();
            assert_eq!(counted.failures, 1, "the limit is one of the count");
        }
        assert_eq!(world.rows("select n from dev.kept order by n").await, ["2", "3"]);
        assert_eq!(world.rows("select relkind from pg_class where oid = 'dev.kept'::regclass").await, [kind]);
    }
    let broken = Test { sql: "select nothing".into(), ..test(false) };
    assert!(world.session().await.test(&broken).await.is_err());
    assert_eq!(
        world.rows("select n from dev.kept order by n").await,
        ["2", "3"],
        "those of the last test that ran stay"
    );
}
