//! The Rust model of `append_events` against the real one, on random batches.

use std::time::Duration;

use dvt_store::Role;
use dvt_store::chain;
use dvt_store::event::{self, Command, Idempotency, NewEvent, Outcome};
use dvt_store::model::Model;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::database::{Database, an_event, id};

const STREAMS: usize = 4;
const KEYS: usize = 6;
const PROCESSES: usize = 2;

/// An event's stream and how far its version is off the right one.
type Shape = (usize, i64);

#[derive(Clone, Debug)]
struct Batch {
    process: usize,
    commands: Vec<CommandShape>,
    /// The stream whose turn the process ends afterwards.
    release: Option<usize>,
}

#[derive(Clone, Debug)]
struct CommandShape {
    events: Vec<Shape>,
    reserve: bool,
    key: Option<usize>,
    request: u8,
    again: bool,
}

fn a_batch() -> impl Strategy<Value = Batch> {
    let off = prop_oneof![12 => Just(0_i64), 1 => Just(1), 1 => Just(-1)];
    let command = (
        prop::collection::vec((0..STREAMS, off), 1..4),
        prop::option::weighted(0.3, 0..KEYS),
        0..2_u8,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(events, key, request, again, reserve)| CommandShape { events, reserve, key, request, again });
    let release = prop::option::weighted(0.3, 0..STREAMS);
    (0..PROCESSES, prop::collection::vec(command, 1..8), release).prop_map(|(process, commands, release)| Batch {
        process,
        commands,
        release,
    })
}

/// Turns shapes into commands, decided one after the other on what the ones before would leave.
fn commands(shapes: &[CommandShape], model: &Model, world: &World, before: &mut Vec<Command>) -> Vec<Command> {
    let mut versions = world.streams.map(|stream| {
        model.events().iter().filter(|event| event.stream_id == stream).map(|event| event.version).max().unwrap_or(0)
    });
    let mut keys = std::collections::HashSet::new();
    let mut commands: Vec<Command> = Vec::new();
    for shape in shapes {
        let repeated = before.last().filter(|_| shape.again && commands.is_empty()).cloned();
        let key = shape.key.filter(|key| keys.insert(*key));
        let command = repeated.unwrap_or_else(|| Command {
            reserve: shape.reserve,
            idempotency: key.map(|key| Idempotency { key: world.keys[key], request_sha256: [shape.request; 32] }),
            ..Command::new(
                shape.events.iter().map(|(stream, off)| event_of(world, &mut versions, *stream, *off)).collect(),
            )
        });
        if let Some(idempotency) = &command.idempotency {
            keys.extend(world.keys.iter().position(|key| *key == idempotency.key));
        }
        commands.push(command);
    }
    before.extend(commands.clone());
    commands
}

fn event_of(world: &World, versions: &mut [i64; STREAMS], stream: usize, off: i64) -> NewEvent {
    versions[stream] += 1;
    let mut event = an_event(world.project, world.streams[stream], (versions[stream] + off).max(1));
    if stream == 0 {
        event.project_id = None;
        event.topic = "dvt.history".to_owned();
        event.traceparent = Some("00-trace".to_owned());
    }
    event
}

/// Answers outcomes without how long to wait, which is the clock's.
fn timeless(outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let timeless = |outcome| match outcome {
        Outcome::Reserved { stream_id, wait } => {
            assert!(!wait.is_zero());
            Outcome::Reserved { stream_id, wait: Duration::ZERO }
        }
        other => other,
    };
    outcomes.into_iter().map(timeless).collect()
}

struct World {
    project: Uuid,
    streams: [Uuid; STREAMS],
    keys: [Uuid; KEYS],
}

#[test]
fn the_model_answers_and_records_what_append_events_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _context = runtime.enter(); // the pool takes its connection back into it
    let store = runtime.block_on(async { Database::create().await.store(Role::Gateway).await });
    let mut c = runtime.block_on(store.acquire()).unwrap();
    let processes = [(); PROCESSES].map(|()| id());
    // One log for all cases: the model starts where the database is.
    let model = std::cell::RefCell::new(Model::default());
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let c = std::cell::RefCell::new(&mut c);
    let result = runner.run(&prop::collection::vec(a_batch(), 1..6), |batches| {
        let (mut model, mut c) = (model.borrow_mut(), c.borrow_mut());
        let world = World { project: id(), streams: [(); STREAMS].map(|()| id()), keys: [(); KEYS].map(|()| id()) };
        let mut before = Vec::new();
        for batch in batches {
            let process = processes[batch.process];
            let commands = commands(&batch.commands, &model, &world, &mut before);
            let known = model.events().len();
            let outcomes = runtime.block_on(event::append(&mut c, process, &commands)).unwrap();
            let recorded = runtime.block_on(event::list_after(&mut c, known as i64, 1_000)).unwrap();
            let now = recorded.first().map_or_else(chrono::Utc::now, |event| event.recorded_at);
            prop_assert_eq!(timeless(model.append(process, &commands, now)), timeless(outcomes));
            prop_assert_eq!(&model.events()[known..], &recorded[..]);
            if let Some(stream) = batch.release.map(|stream| world.streams[stream]) {
                runtime.block_on(event::release_turn(&mut c, process, stream)).unwrap();
                model.release(process, stream);
            }
            for (stream, process) in world.streams.iter().flat_map(|stream| processes.map(|process| (*stream, process)))
            {
                let is_reserved = runtime.block_on(event::is_reserved(&mut c, stream, process)).unwrap();
                prop_assert_eq!(is_reserved, model.is_reserved(stream, process, chrono::Utc::now()));
            }
        }
        Ok(())
    });
    result.unwrap();
    let verified = runtime.block_on(chain::verify(&mut c.borrow_mut())).unwrap().unwrap();
    assert_eq!(verified.0, model.borrow().events().len() as i64);
}
