//! `append_events`: versions, idempotency, reservations, partitions, the chain, and the readers.

use std::time::Duration;

use dvt_store::event::{self, Command, Idempotency, Of, Outcome, Range};
use dvt_store::{Role, chain};

use crate::database::{Database, a_command, an_event, id};

#[tokio::test]
async fn appends_in_order_and_reads_back_what_was_given() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let (project, stream) = (id(), id());
    let mut command = Command::new(vec![an_event(project, stream, 1), an_event(project, stream, 2)]);
    command.events[0].traceparent = Some("00-aa-bb-01".to_owned());
    command.events[1].causation_id = Some(id());

    let outcomes = event::append(c, id(), std::slice::from_ref(&command)).await.unwrap();

    assert_eq!(outcomes, [Outcome::Appended { first: 1, last: 2 }]);
    let events = event::list_stream(c, stream, 0, 10).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].payload.as_ref(), Some(&command.events[0].payload));
    assert_eq!(events[0].traceparent, command.events[0].traceparent);
    assert_eq!(events[1].causation_id, command.events[1].causation_id);
    assert_eq!((events[0].partition_prev, events[1].partition_prev), (0, 1));
    assert_eq!(events[0].partition, event::partition_of(project));
    assert_eq!(event::stream_version(c, stream).await.unwrap(), 2);
    assert_eq!(event::head(c).await.unwrap(), 2);
    assert_eq!(event::find(c, events[1].event_id).await.unwrap().as_ref(), Some(&events[1]));
    assert_eq!(event::list_at(c, &[2, 99]).await.unwrap(), events[1..]);
}

#[tokio::test]
async fn a_loser_costs_only_what_was_decided_on_it() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let (project, a, b) = (id(), id(), id());
    event::append(c, id(), &[a_command(project, a, 1)]).await.unwrap();

    let outcomes = event::append(
        c,
        id(),
        &[
            a_command(project, a, 4), // decided on a version that is not there
            a_command(project, b, 1),
            a_command(project, a, 2), // fits by accident, but was decided on the first one's state
            a_command(project, b, 2),
        ],
    )
    .await
    .unwrap();

    assert_eq!(
        outcomes,
        [
            Outcome::Conflict { stream_id: a, expected: 3, actual: 1 },
            Outcome::Appended { first: 2, last: 2 },
            Outcome::Conflict { stream_id: a, expected: 1, actual: 1 },
            Outcome::Appended { first: 3, last: 3 },
        ]
    );
}

#[tokio::test]
async fn a_command_of_several_streams_is_appended_whole_or_not_at_all() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let (project, a, b) = (id(), id(), id());
    let both = Command::new(vec![an_event(project, a, 1), an_event(project, a, 2), an_event(project, b, 2)]);

    let outcomes = event::append(c, id(), &[both]).await.unwrap();

    assert_eq!(outcomes, [Outcome::Conflict { stream_id: b, expected: 1, actual: 0 }]);
    assert_eq!(event::head(c).await.unwrap(), 0);
    assert_eq!(event::stream_version(c, a).await.unwrap(), 0);
}

#[tokio::test]
async fn a_repeated_key_names_the_first_command_and_whether_the_request_is_the_same() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let (project, stream, key) = (id(), id(), id());
    let keyed = |version, request: u8| Command {
        idempotency: Some(Idempotency { key, request_sha256: [request; 32] }),
        ..Command::new(vec![an_event(project, stream, version), an_event(project, stream, version + 1)])
    };
    let mut first = keyed(1, 1);
    let command_id = id();
    first.events.iter_mut().for_each(|event| event.command_id = command_id);
    event::append(c, id(), &[a_command(project, id(), 1)]).await.unwrap();
    event::append(c, id(), &[first]).await.unwrap();
    event::append(c, id(), &[a_command(project, id(), 1)]).await.unwrap();

    let same = event::append(c, id(), &[keyed(3, 1)]).await.unwrap();
    let other = event::append(c, id(), &[keyed(3, 2)]).await.unwrap();

    assert_eq!(same, [Outcome::Duplicate { first: 2, same_request: true }]);
    assert_eq!(other, [Outcome::Duplicate { first: 2, same_request: false }]);
    let events = event::list_by_idempotency_key(c, "local:ann", key).await.unwrap();
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((events[0].idempotency_key, events[1].idempotency_key), (Some(key), None));
    assert!(event::list_by_idempotency_key(c, "local:bob", key).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_events_again_are_answered_as_the_first_time() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let (project, stream) = (id(), id());
    let commands = [a_command(project, stream, 1), a_command(project, stream, 2)];
    let process = id();

    let first = event::append(c, process, &commands).await.unwrap();
    let again = event::append(c, process, &commands).await.unwrap();

    assert_eq!(first, again);
    assert_eq!(event::head(c).await.unwrap(), 2);
}

#[tokio::test]
async fn a_loser_that_asks_for_it_has_the_streams_next_turn() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let (project, stream) = (id(), id());
    let (mine, theirs) = (id(), id());
    event::append(c, theirs, &[a_command(project, stream, 1)]).await.unwrap();
    let loser = Command { reserve: true, ..a_command(project, stream, 1) };
    event::append(c, mine, &[loser]).await.unwrap();

    let refused = event::append(c, theirs, &[a_command(project, stream, 2)]).await.unwrap();
    let Outcome::Reserved { stream_id, wait } = &refused[0] else { panic!("{refused:?}") };
    assert_eq!(*stream_id, stream);
    assert!(*wait > Duration::from_secs(1), "longer than a decision takes: {wait:?}");
    assert!(
        event::is_reserved(c, stream, theirs).await.unwrap() && !event::is_reserved(c, stream, mine).await.unwrap()
    );

    let appended = event::append(c, mine, &[a_command(project, stream, 2)]).await.unwrap();
    assert_eq!(appended, [Outcome::Appended { first: 2, last: 2 }]);
    let appended = event::append(c, theirs, &[a_command(project, stream, 3)]).await.unwrap();
    assert_eq!(appended, [Outcome::Appended { first: 3, last: 3 }], "a turn ends with its append");

    let loser = Command { reserve: true, ..a_command(project, stream, 1) };
    event::append(c, mine, &[loser]).await.unwrap();
    event::release_turn(c, theirs, stream).await.unwrap();
    assert!(event::is_reserved(c, stream, theirs).await.unwrap(), "a turn is its holder's to end");
    event::release_turn(c, mine, stream).await.unwrap();
    assert!(!event::is_reserved(c, stream, theirs).await.unwrap());
}

#[tokio::test]
async fn refuses_a_record_that_kafka_would_not_carry() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let mut large = a_command(id(), id(), 1);
    large.events[0].payload = vec![0; 900 * 1024 + 1];

    let error = event::append(c, id(), &[large]).await.unwrap_err();

    assert_eq!(error.constraint(), Some("event_payload_check"));
    assert_eq!(
        event::append(c, id(), &[Command::new(Vec::new())]).await.unwrap_err().to_string(),
        "a command has no event"
    );
}

#[tokio::test]
async fn pages_through_a_project_and_a_partition() {
    let store = Database::create().await.store(Role::Gateway).await;
    let c = &mut store.acquire().await.unwrap();
    let (project, other, stream) = (id(), id(), id());
    for version in 1..=5 {
        event::append(c, id(), &[a_command(project, stream, version), a_command(other, id(), 1)]).await.unwrap();
    }

    let all = Of { category: None, without: &[] };
    let newest = event::list_project_before(c, (project, all), i64::MAX, 2).await.unwrap();
    assert_eq!(newest.iter().map(|event| event.position).collect::<Vec<_>>(), [9, 7]);
    let older = event::list_project_before(c, (project, all), 7, 10).await.unwrap();
    assert_eq!(older.iter().map(|event| event.position).collect::<Vec<_>>(), [5, 3, 1]);
    let of_another = Of { category: Some("another"), ..all };
    assert!(event::list_project_before(c, (project, of_another), 7, 10).await.unwrap().is_empty());
    let of_theirs = Of { category: Some(&older[0].category), ..all };
    assert_eq!(event::list_project_before(c, (project, of_theirs), 7, 10).await.unwrap(), older);
    let live = event::list_project_after(c, project, 5, 10).await.unwrap();
    assert_eq!(live.iter().map(|event| event.position).collect::<Vec<_>>(), [7, 9]);
    let range = Range { topic: "dvt.project", partition: event::partition_of(project), after: 1, through: 7 };
    let events = event::list_partition(c, range, 100).await.unwrap();
    assert_eq!(events.first().map(|event| event.partition_prev), Some(1));
    let linked = events.windows(2).all(|pair| pair[1].partition_prev == pair[0].position);
    assert!(linked, "each record names the one before it in its partition");
    let heads = event::list_partition_heads(c).await.unwrap();
    assert_eq!(heads.iter().map(|head| head.position).max(), Some(10));
}

#[tokio::test]
async fn the_chain_verifies_also_after_an_erasure_and_names_what_was_changed() {
    let database = Database::create().await;
    let store = database.store(Role::Owner).await;
    let writer = database.store(Role::Gateway).await;
    let (project, stream) = (id(), id());
    let commands: Vec<_> = (1..=20).map(|version| a_command(project, stream, version)).collect();
    let erased = commands[4].events[0].event_id;
    let w = &mut writer.acquire().await.unwrap();
    event::append(w, id(), &commands).await.unwrap();
    let c = &mut store.acquire().await.unwrap();

    let refused = event::erase_payload(c, erased).await.unwrap_err();
    assert_eq!(refused.constraint(), Some("event_erasure_recorded"));
    let mut erasure = a_command(project, stream, 21);
    erasure.events[0].event_type = "PayloadErased".to_owned();
    erasure.events[0].causation_id = Some(erased);
    event::append(w, id(), &[erasure]).await.unwrap();
    event::erase_payload(c, erased).await.unwrap();

    assert_eq!(event::find(c, erased).await.unwrap().unwrap().payload, None);
    let (position, _) = chain::verify(c).await.unwrap().unwrap();
    assert_eq!(position, 21);
    database
        .sql(
            "alter table event disable trigger event_append_only; \
             update event set occurred_at = occurred_at + interval '1 microsecond' where position = 7",
        )
        .await
        .unwrap();
    let broken = chain::verify(c).await.unwrap().unwrap_err();
    assert_eq!((broken.position, broken.fault), (7, chain::Fault::Hash));
    database.sql("delete from event where position = 3").await.unwrap();
    let broken = chain::verify(c).await.unwrap().unwrap_err();
    assert_eq!((broken.position, broken.fault), (4, chain::Fault::Gap));
}

#[tokio::test]
async fn wakes_a_listener() {
    let store = Database::create().await.store(Role::Gateway).await;
    let mut listener = store.listen();
    listener.connect().await;
    let c = &mut store.acquire().await.unwrap();

    event::append(c, id(), &[a_command(id(), id(), 1)]).await.unwrap();

    tokio::time::timeout(Duration::from_secs(5), listener.woken()).await.expect("the append wakes it");
}

/// The same event as in `chain.rs`, hashed by the database.
#[tokio::test]
async fn sql_hashes_the_test_vector() {
    let database = Database::create().await;
    let bytes = |byte: u8| hex(&[byte; 16]);
    let event = format!(
        "row(1, '{}', 'branch', '{}', 1, '{}', '{}', 'dvt.project', event_partition('{}'), 0, 'FileEdited', \
         '\\x{}', 'payload', sha256('payload'), 'local:zoë', '{}', '{}', null, '{}', '\\x{}', null, \
         'epoch'::timestamptz + 1700000000123456 * interval '1 microsecond', \
         'epoch'::timestamptz + 1700000001000000 * interval '1 microsecond', null)::event",
        bytes(1),
        bytes(2),
        bytes(3),
        bytes(4),
        bytes(4),
        hex(&[5; 32]),
        bytes(6),
        bytes(7),
        bytes(8),
        hex(&[9; 32]),
    );
    let genesis = hex(&chain::GENESIS);
    let hash = database
        .sql(&format!("set timezone = 'UTC'; select chain('\\x{genesis}', chain_link({event}))"))
        .await
        .unwrap();
    assert_eq!(hash, format!("\\x{}", chain::VECTOR));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
