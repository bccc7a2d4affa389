use super::World;
use crate::targets::{Changed, Materialization, Snapshot, SnapshotColumns};

fn wanted(changed: Changed) -> Snapshot {
    Snapshot {
        sql: "select * from dev.source".into(),
        unique_key: vec!["id".into()],
        changed,
        invalidate_deleted: false,
        valid_to_current: String::new(),
        columns: SnapshotColumns::default(),
    }
}

async fn world(database: &str) -> World {
    let world = World::new(database).await;
    world.execute("create table dev.source (id int, name text, at timestamp)").await;
    world.execute("insert into dev.source values (1, 'a', '2025-01-01'), (2, 'b', '2025-01-01')").await;
    world
}

async fn taken(world: &World, snapshot: Snapshot) -> Option<i64> {
    world.build("history", Materialization::Snapshot(snapshot)).await.unwrap().rows
}

#[tokio::test]
async fn a_later_row_ends_the_version_before_it() {
    let world = world("snapshot_timestamp").await;
    let snapshot = || wanted(Changed::UpdatedAt("at".into()));
    assert_eq!(taken(&world, snapshot()).await, Some(2));
    assert_eq!(taken(&world, snapshot()).await, Some(0), "nothing has changed");
    world.execute("update dev.source set name = 'A', at = '2025-02-01' where id = 1").await;
    world.execute("alter table dev.source add more int").await;
    assert_eq!(taken(&world, snapshot()).await, Some(1));
    let read = "select id, name, dbt_valid_from::date, dbt_valid_to::date, more from dev.history order by 1, 3";
    let expected = ["1 a 2025-01-01 2025-02-01 null", "1 A 2025-02-01 null null", "2 b 2025-01-01 null null"];
    assert_eq!(world.rows(read).await, expected);
    assert_eq!(world.rows("select count(distinct dbt_scd_id) from dev.history").await, ["3"]);
}

#[tokio::test]
async fn a_row_that_differs_is_a_new_version_and_one_that_is_gone_ends() {
    let world = world("snapshot_check").await;
    let snapshot = |columns: &[&str]| {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Snapshot { invalidate_deleted: true, ..wanted(Changed::Columns(columns)) }
    };
    assert_eq!(taken(&world, snapshot(&["name"])).await, Some(2));
    world.execute("update dev.source set at = '2025-02-01'; delete from dev.source where id = 2").await;
    assert_eq!(taken(&world, snapshot(&["name"])).await, Some(0), "only names are looked at");
    let read = "select id, at::date, dbt_valid_to is null from dev.history order by 1, 2";
    assert_eq!(world.rows(read).await, ["1 2025-01-01 t", "2 2025-01-01 f"]);
    assert_eq!(taken(&world, snapshot(&[])).await, Some(1), "now every column is");
    world.execute("insert into dev.source values (2, 'b', '2025-03-01')").await;
    assert_eq!(taken(&world, snapshot(&["name"])).await, Some(1), "a row that comes back is valid again");
    assert_eq!(world.rows("select count(*) from dev.history where dbt_valid_to is null").await, ["2"]);
}

#[tokio::test]
async fn a_version_that_is_still_valid_ends_where_the_project_says() {
    let world = world("snapshot_current").await;
    let columns = SnapshotColumns { valid_to: "until".into(), ..SnapshotColumns::default() };
    let snapshot = || Snapshot {
        valid_to_current: "'9999-12-31'::timestamp".into(),
        columns: columns.clone(),
        ..wanted(Changed::UpdatedAt("at".into()))
    };
    taken(&world, snapshot()).await;
    world.execute("update dev.source set at = '2025-02-01' where id = 1").await;
    assert_eq!(taken(&world, snapshot()).await, Some(1));
    let read = "select id, until::date from dev.history order by 1, 2";
    assert_eq!(world.rows(read).await, ["1 2025-02-01", "1 9999-12-31", "2 9999-12-31"]);
}
