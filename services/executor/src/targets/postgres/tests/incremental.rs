use super::World;
use crate::targets::{Error, Incremental, Materialization, OnSchemaChange, Strategy, Table};

fn wanted(sql: &str, strategy: Strategy, unique_key: &[&str]) -> Incremental {
    Incremental {
        table: Table { sql: sql.into(), ..Table::default() },
        full_refresh: false,
        strategy,
        unique_key: unique_key.iter().map(|key| (*key).to_owned()).collect(),
        predicates: Vec::new(),
        on_schema_change: OnSchemaChange::Ignore,
        update_columns: Vec::new(),
        exclude_columns: Vec::new(),
    }
}

const FIRST: &str = "select * from (values (1, 'a', 10), (2, 'b', 20)) as v (id, name, n)";
const NEXT: &str = "select * from (values (2, 'B', 21), (3, 'c', 30)) as v (id, name, n)";

#[tokio::test]
async fn new_rows_meet_old_ones_as_the_strategy_says() {
    let world = World::new("incremental_strategies").await;
    let cases: [(Incremental, &[&str]); 6] = [
        (wanted(NEXT, Strategy::Append, &[]), &["1 a 10", "2 B 21", "2 b 20", "3 c 30"]),
        (wanted(NEXT, Strategy::DeleteInsert, &["id"]), &["1 a 10", "2 B 21", "3 c 30"]),
        (wanted(NEXT, Strategy::DeleteInsert, &["id", "name"]), &["1 a 10", "2 B 21", "2 b 20", "3 c 30"]),
        (wanted(NEXT, Strategy::Merge, &["id"]), &["1 a 10", "2 B 21", "3 c 30"]),
        (
            Incremental { exclude_columns: vec!["name".into()], ..wanted(NEXT, Strategy::Merge, &["id"]) },
            &["1 a 10", "2 b 21", "3 c 30"],
        ),
        (Incremental { full_refresh: true, ..wanted(NEXT, Strategy::Append, &[]) }, &["2 B 21", "3 c 30"]),
    ];
    for (index, (next, expected)) in cases.into_iter().enumerate() {
        let name = format!("t{index}");
        let first = wanted(FIRST, next.strategy, &["id"]);
        world.build(&name, Materialization::Incremental(first)).await.unwrap();
        world.build(&name, Materialization::Incremental(next)).await.unwrap();
        let sql = format!("select id, name, n from dev.{name} order by id, name collate \"C\"");
        assert_eq!(world.rows(&sql).await, expected, "case {index}");
    }
}

#[tokio::test]
async fn other_columns_are_met_as_on_schema_change_says() {
    let world = World::new("incremental_columns").await;
    let other = "select 3 as id, 4.5::numeric(5,2) as n, 'new' as more";
    let columns = |name: &str| {
        format!(
            "select string_agg(attname || ':' || format_type(atttypid, atttypmod), ' ' order by attnum)
            from pg_attribute where attrelid = 'dev.{name}'::regclass and attnum > 0 and not attisdropped"
        )
    };
    let cases = [
        (OnSchemaChange::AppendNewColumns, "id:integer name:text n:integer more:text"),
        (OnSchemaChange::SyncAllColumns, "id:integer n:numeric(5,2) more:text"),
    ];
    for (on_schema_change, expected) in cases {
        let name = format!("{on_schema_change:?}").to_lowercase();
        let first = wanted(FIRST, Strategy::Append, &[]);
        world.build(&name, Materialization::Incremental(first)).await.unwrap();
        let sql = match on_schema_change {
            OnSchemaChange::AppendNewColumns => "select 3 as id, 'x' as name, 1 as n, 'new' as more",
            _ => other,
        };
        let next = Incremental { on_schema_change, ..wanted(sql, Strategy::Append, &[]) };
        world.build(&name, Materialization::Incremental(next)).await.unwrap();
        assert_eq!(world.rows(&columns(&name)).await, [expected]);
    }
    world.build("fail", Materialization::Incremental(wanted(FIRST, Strategy::Append, &[]))).await.unwrap();
    let next = Incremental { on_schema_change: OnSchemaChange::Fail, ..wanted(other, Strategy::Append, &[]) };
    let refused = world.build("fail", Materialization::Incremental(next)).await;
    assert!(matches!(&refused, Err(Error::Fault(fault)) if fault.code == "SCHEMA_CHANGED"), "{refused:?}");
    assert_eq!(world.rows("select count(*) from dev.fail").await, ["2"]);
}
