//! Roles and triggers: nobody changes the log, and each service may do only what it must.

use dvt_store::event;
use dvt_store::{Role, blob};

use crate::database::{Database, a_command, id};

#[tokio::test]
async fn nobody_changes_the_log() {
    let database = Database::create().await;
    let store = database.store(Role::Gateway).await;
    event::append(&mut store.acquire().await.unwrap(), id(), &[a_command(id(), id(), 1)]).await.unwrap();

    // As the superuser, whom no grant stops.
    for statement in [
        "update event set actor = 'x'",
        "update event set payload = null",
        "delete from event",
        "truncate event",
        "set session_replication_role = replica; delete from event",
        "select set_config('dvt.erasing', (select event_id::text from event), false); update event set actor = 'x'",
    ] {
        let refused = database.sql(statement).await.unwrap_err();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn each_role_may_do_only_what_it_must() {
    let database = Database::create().await;
    for (role, statement) in [
        ("dvt_gateway", "insert into event select * from event"),
        ("dvt_gateway", "update stream_head set version = 0"),
        ("dvt_gateway", "select erase_payload(gen_random_uuid())"),
        ("dvt_gateway", "delete from blob"),
        ("dvt_projector", "insert into partition_head select * from partition_head"),
        ("dvt_relay", "select from blob"),
        ("dvt_executor", "insert into artifact select * from artifact"),
        ("dvt_artifact", "insert into step_log select * from step_log"),
    ] {
        let refused = database.sql(&format!("set role {role}; {statement}")).await.unwrap_err();
        assert!(refused.contains("permission denied"), "{role}: {statement}: {refused}");
    }
    for role in [Role::Projector, Role::Relay] {
        let store = database.store(role).await;
        let refused = event::append(&mut store.acquire().await.unwrap(), id(), &[a_command(id(), id(), 1)]).await;
        assert!(refused.is_err(), "{role:?} may not append");
    }
    let store = database.store(Role::Artifact).await;
    blob::put(&mut store.acquire().await.unwrap(), &[b"x"]).await.unwrap();
}

#[tokio::test]
async fn a_connection_left_inside_a_transaction_is_not_lent_again() {
    let database = Database::create().await;
    let mut config = dvt_store::Config::of(&database.url);
    config.database_pool_size = 1;
    let store = dvt_store::Store::connect(&config, Role::Gateway).await.unwrap();
    let stream = id();
    {
        let mut lent = store.acquire().await.unwrap();
        // As a cancelled `begin` leaves it: open, and the driver does not know.
        sqlx::raw_sql("begin").execute(&mut *lent).await.unwrap();
    }
    event::append(&mut store.acquire().await.unwrap(), id(), &[a_command(id(), stream, 1)]).await.unwrap();

    let other = database.store(Role::Gateway).await;
    assert_eq!(event::stream_version(&mut other.acquire().await.unwrap(), stream).await.unwrap(), 1, "it committed");
}
