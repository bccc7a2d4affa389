use std::sync::Arc;

use super::{World, key, work};
use crate::sessions::Sessions;
use crate::targets::{Materialization, Session, Target};

/// What hooks of a step may leave behind.
const LEFT: &str = "set search_path = nowhere; create temp table left_behind (x int); select pg_advisory_lock(7)";

async fn state(session: &mut dyn Session) -> Vec<Option<String>> {
    let sql = "select current_setting('search_path'), to_regclass('left_behind'),
        (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())";
    session.read(sql, None).await.unwrap().rows.remove(0)
}

#[tokio::test]
async fn a_session_that_is_left_is_lent_again_as_good_as_new() {
    let world = World::new("reset_left").await;
    let sessions = Sessions::new(Arc::new(world.another_target()));
    let mut session = sessions.take().await.unwrap();
    let (backend, new) = (session.backend(), state(session.as_mut()).await);
    session.build(&key(), &work("none", Materialization::Statements(LEFT.to_owned()))).await.unwrap();
    sessions.leave(session);
    let mut again = sessions.take().await.unwrap();
    assert_eq!(again.backend(), backend);
    assert_eq!(state(again.as_mut()).await, new);
    assert!(again.notices().take().is_empty());
}

#[tokio::test]
async fn another_session_is_opened_where_what_was_left_has_broken() {
    let world = World::new("reset_broken").await;
    let target = Arc::new(world.another_target());
    let sessions = Sessions::new(target.clone());
    let session = sessions.take().await.unwrap();
    let backend = session.backend();
    sessions.leave(session);
    target.end(&backend).await.unwrap();
    let mut another = sessions.take().await.unwrap();
    assert_ne!(another.backend(), backend);
    assert!(another.read("select 1", None).await.is_ok());
}
