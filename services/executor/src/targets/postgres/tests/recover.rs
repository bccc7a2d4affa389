use super::{World, key, table, work};
use crate::targets::{Built, Error, Target};

#[tokio::test]
async fn a_step_is_committed_once() {
    let world = World::new("recover_once").await;
    let (key, wanted) = (key(), work("t", table("select 1 as x, pg_sleep(0.05)::text as y")));
    assert_eq!(world.target.committed(&key).await.unwrap(), None);
    world.session().await.build(&key, &wanted).await.unwrap();
    let built = Built { rows: Some(1), message: "SELECT 1".into() };
    let committed = world.target.committed(&key).await.unwrap().unwrap();
    assert_eq!(committed.built, built);
    assert!(committed.duration_us >= 50_000, "the ledger knows how long it took: {committed:?}");
    let again = crate::targets::Key { attempt: 2, ..key.clone() };
    assert_eq!(world.session().await.build(&again, &wanted).await, Err(Error::Committed));
    assert_eq!(world.rows("select attempt from _dvt.ledger").await, ["1"]);
}

#[tokio::test]
async fn a_second_attempt_waits_for_what_the_first_commits() {
    let world = World::new("recover_wait").await;
    let key = key();
    let (mut first, mut second) = (world.session().await, world.session().await);
    let (slow, quick) =
        (work("t", table("select 1 as x, pg_sleep(0.3)::text as y")), work("t", table("select 2 as x")));
    let (one, two) = tokio::join!(first.build(&key, &slow), async {
        world.until_running("pg_sleep").await;
        second.build(&key, &quick).await
    });
    assert!(one.is_ok(), "{one:?}");
    assert_eq!(two, Err(Error::Committed));
    assert_eq!(world.rows("select x from dev.t").await, ["1"]);
}

#[tokio::test]
async fn a_cancel_reaches_the_database() {
    let world = World::new("recover_cancel").await;
    let mut session = world.session().await;
    let (key, canceller) = (key(), session.canceller());
    let wanted = work("t", table("select pg_sleep(60)::text as x"));
    let (built, ()) = tokio::join!(session.build(&key, &wanted), async {
        world.until_running("pg_sleep").await;
        canceller.cancel().await;
    });
    assert_eq!(built, Err(Error::Cancelled));
    assert_eq!(world.target.committed(&key).await.unwrap(), None);
    let free = session.build(&key, &work("t", table("select 1 as x"))).await;
    assert!(free.is_ok(), "the session can be used again: {free:?}");
}

#[tokio::test]
async fn a_session_that_is_ended_leaves_no_effect() {
    let world = World::new("recover_end").await;
    let mut session = world.session().await;
    let (key, backend) = (key(), session.backend());
    let wanted = work("t", table("select pg_sleep(60)::text as x"));
    let (built, ended) = tokio::join!(session.build(&key, &wanted), async {
        world.until_running("pg_sleep").await;
        world.target.end(&backend).await
    });
    ended.unwrap();
    assert!(matches!(built, Err(Error::Lost(_))), "{built:?}");
    assert_eq!(world.target.committed(&key).await.unwrap(), None);
    world.target.end(&backend).await.unwrap();
}

#[tokio::test]
async fn only_exactly_that_session_is_ended() {
    let world = World::new("recover_exact").await;
    let mut session = world.session().await;
    let mut other = session.backend();
    other.started_at.0 += 1;
    world.target.end(&other).await.unwrap();
    assert_eq!(session.describe().await.unwrap().database, "recover_exact");
}

#[tokio::test]
async fn a_database_is_prepared_by_several_at_once() {
    let world = World::new("recover_prepare").await;
    let schemas = ["One".to_owned(), "two".to_owned()];
    let prepare = || world.target.prepare(&schemas);
    let (a, b, c) = tokio::join!(prepare(), prepare(), prepare());
    assert_eq!((a, b, c), (Ok(()), Ok(()), Ok(())));
    let made = "select nspname from pg_namespace where nspname in ('One', 'two', '_dvt') order by 1";
    assert_eq!(world.rows(made).await.len(), 3);
}
