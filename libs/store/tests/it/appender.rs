//! The appender on a real database: batching, turns, losses, and a server that goes away.

use std::future::Future;
use std::time::Duration;

use dvt_store::appender::{RunError, Tip};
use dvt_store::event::{self, Command, Idempotency, Outcome};
use dvt_store::{Appender, Role, Turns};
use tokio::task::JoinSet;

use crate::database::{Database, a_command, an_event, id};

#[tokio::test]
async fn appends_what_many_callers_submit_at_once() {
    let store = Database::create().await.store(Role::Gateway).await;
    let (appender, worker) = Appender::new(&store);
    let worker = tokio::spawn(worker.run());
    let mut callers = JoinSet::new();
    for _ in 0..300 {
        let appender = appender.clone();
        callers.spawn(async move { appender.append(a_command(id(), id(), 1)).await });
    }

    let outcomes = callers.join_all().await;

    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Outcome::Appended { .. }))), "{outcomes:?}");
    assert_eq!(event::head(&mut store.acquire().await.unwrap()).await.unwrap(), 300);
    drop(appender);
    worker.await.unwrap();
}

#[tokio::test]
async fn commands_of_one_stream_are_decided_in_turn_and_applied_once_each() {
    let database = Database::create().await;
    let (project, stream) = (id(), id());
    let mut clients = JoinSet::new();
    // Two processes, both all the time on one stream.
    for _ in 0..2 {
        let store = database.store(Role::Gateway).await;
        let (appender, worker) = Appender::new(&store);
        tokio::spawn(worker.run());
        let turns: Turns<()> = Turns::new(appender);
        for _ in 0..8 {
            let (turns, store) = (turns.clone(), store.clone());
            clients.spawn(async move {
                for _ in 0..10 {
                    let event_id = id();
                    let outcome = turns
                        .run(stream, |tip| {
                            let store = store.clone();
                            async move {
                                let version = match tip {
                                    Some(tip) => tip.version,
                                    None => event::stream_version(&mut *store.acquire().await?, stream).await?,
                                };
                                let mut event = an_event(project, stream, version + 1);
                                event.event_id = event_id;
                                Ok::<_, dvt_store::Error>((
                                    Command::new(vec![event]),
                                    Tip { version: version + 1, state: () },
                                    (),
                                ))
                            }
                        })
                        .await;
                    outcome.unwrap_or_else(|error| panic!("nobody is turned away: {error}"));
                }
            });
        }
    }
    clients.join_all().await;

    let store = database.store(Role::Gateway).await;
    let events = event::list_stream(&mut store.acquire().await.unwrap(), stream, 0, 1_000).await.unwrap();
    let versions: Vec<i64> = events.iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=160).collect::<Vec<_>>());
}

/// Loses to another process as often as it is told, and then decides as told.
async fn run_after_losses(
    database: &Database,
    losses: i64,
    refuses: bool,
) -> (Result<Outcome, RunError<String>>, bool) {
    let store = database.store(Role::Gateway).await;
    let (appender, worker) = Appender::new(&store);
    tokio::spawn(worker.run());
    let (turns, project, stream, rival) = (Turns::<()>::new(appender), id(), id(), id());
    event::append(&mut store.acquire().await.unwrap(), rival, &[a_command(project, stream, 1)]).await.unwrap();
    let (rounds, database_store) = (std::sync::atomic::AtomicI64::new(0), &store);
    let outcome = turns
        .run(stream, |_| {
            let round = rounds.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            async move {
                let c = &mut *database_store.acquire().await.unwrap();
                let version = event::stream_version(c, stream).await.unwrap();
                let rivals = event::append(c, rival, &[a_command(project, stream, version + 1)]).await.unwrap();
                let lost = matches!(rivals[..], [Outcome::Appended { .. }]);
                assert_eq!(lost, round < losses, "round {round}: {rivals:?}");
                match round < losses || !refuses {
                    true => Ok((a_command(project, stream, version + 1), Tip { version: version + 1, state: () }, ())),
                    false => Err("no".to_owned()),
                }
            }
        })
        .await;
    let mut look = tokio::time::interval(Duration::from_millis(10));
    let released = async {
        while event::is_reserved(&mut store.acquire().await.unwrap(), stream, rival).await.unwrap() {
            look.tick().await;
        }
    };
    (outcome.map(|(outcome, ())| outcome), tokio::time::timeout(Duration::from_secs(2), released).await.is_ok())
}

#[tokio::test]
async fn who_lost_twice_has_the_turn_until_it_appends() {
    let (outcome, is_free) = run_after_losses(&Database::create().await, 2, false).await;
    assert!(matches!(outcome, Ok(Outcome::Appended { .. })), "{outcome:?}");
    assert!(is_free);
}

#[tokio::test]
async fn who_appends_nothing_after_all_gives_its_turn_back() {
    let (outcome, is_free) = run_after_losses(&Database::create().await, 2, true).await;
    assert!(matches!(&outcome, Err(RunError::Refused(error)) if error == "no"), "{outcome:?}");
    assert!(is_free);
}

#[tokio::test]
async fn a_bad_command_costs_nobody_else() {
    let store = Database::create().await.store(Role::Gateway).await;
    let (appender, worker) = Appender::new(&store);
    let mut bad = a_command(id(), id(), 1);
    bad.events[0].payload = vec![0; 1_000_000];
    // Submitted before the worker starts, so that they go in one call.
    let mut answers = Vec::new();
    for command in [a_command(id(), id(), 1), bad, a_command(id(), id(), 1)] {
        let mut answer = Box::pin(appender.append(command));
        let submitted = std::future::poll_fn(|context| std::task::Poll::Ready(answer.as_mut().poll(context))).await;
        assert!(submitted.is_pending());
        answers.push(answer);
    }
    tokio::spawn(worker.run());

    let last = answers.pop().unwrap().await;
    let refused = answers.pop().unwrap().await;
    let first = answers.pop().unwrap().await;
    assert!(matches!(first, Ok(Outcome::Appended { .. })), "{first:?}");
    assert!(refused.is_err(), "{refused:?}");
    assert!(matches!(last, Ok(Outcome::Appended { .. })), "{last:?}");
}

#[tokio::test]
async fn answers_truly_when_its_connection_is_cut() {
    let database = Database::create().await;
    let store = database.store(Role::Gateway).await;
    let (appender, worker) = Appender::new(&store);
    tokio::spawn(worker.run());
    let (project, stream) = (id(), id());
    let mut done = 0;
    for version in 1..=50 {
        let command = Command {
            idempotency: Some(Idempotency { key: id(), request_sha256: [0; 32] }),
            ..a_command(project, stream, version)
        };
        if version % 10 == 5 {
            let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()";
            database.sql(cut).await.unwrap();
        }
        let outcome = tokio::time::timeout(Duration::from_secs(10), appender.append(command)).await.unwrap();
        assert_eq!(outcome.unwrap(), Outcome::Appended { first: version, last: version });
        done += 1;
    }
    assert_eq!(done, 50);
}
