use proptest::prelude::*;

use super::*;
use crate::event::{Idempotency, NewEvent};
use crate::model::Model;

fn a_stream(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn a_command(id: u128, stream: u128, version: i64) -> Command {
    let event = NewEvent {
        event_id: Uuid::from_u128(id),
        category: "branch".to_owned(),
        stream_id: a_stream(stream),
        version,
        tenant_id: Uuid::nil(),
        project_id: None,
        topic: "dvt.project".to_owned(),
        event_type: "FileEdited".to_owned(),
        schema_fingerprint: [0; 32],
        payload: vec![1],
        actor: "local:ann".to_owned(),
        command_id: Uuid::from_u128(id),
        correlation_id: Uuid::from_u128(id),
        causation_id: None,
        traceparent: None,
        occurred_at: chrono::DateTime::UNIX_EPOCH,
    };
    Command::new(vec![event])
}

fn an_entry(ticket: Ticket, command: Command, since: Instant) -> Entry {
    Entry { ticket, command: Arc::new(command), decided: None, since }
}

fn unreachable() -> Arc<crate::Error> {
    Arc::new(crate::Error::unreachable())
}

fn calls(effects: &[Effect]) -> Vec<usize> {
    let count = |effect: &Effect| match effect {
        Effect::Call(commands) => Some(commands.len()),
        _ => None,
    };
    effects.iter().filter_map(count).collect()
}

fn answers(effects: &[Effect]) -> Vec<(Ticket, bool)> {
    let answer = |effect: &Effect| match effect {
        Effect::Answer(ticket, answer) => Some((*ticket, matches!(answer, Ok(Outcome::Appended { .. })))),
        _ => None,
    };
    effects.iter().filter_map(answer).collect()
}

/// A machine that calls with ticket 1 while tickets 2.. wait: one event each, of the streams named.
fn given(streams: &[u128], now: Instant) -> (Machine, Vec<Effect>) {
    let mut machine = Machine::default();
    let mut effects = Vec::new();
    for (ticket, stream) in (1..).zip(streams) {
        let command = a_command(u128::from(ticket), *stream, ticket as i64);
        effects.extend(machine.step(Input::Submitted(an_entry(ticket, command, now)), now));
    }
    (machine, effects)
}

const APPENDED: Outcome = Outcome::Appended { first: 1, last: 1 };

fn conflict(stream: u128) -> Outcome {
    Outcome::Conflict { stream_id: a_stream(stream), expected: 0, actual: 3 }
}

#[test]
fn what_waits_while_a_call_is_under_way_goes_in_the_next_one() {
    let now = Instant::now();
    let (mut machine, effects) = given(&[1, 2, 3], now);
    assert_eq!(calls(&effects), [1]);
    let effects = machine.step(Input::Returned(Ok(vec![APPENDED])), now);
    assert_eq!((answers(&effects), calls(&effects)), (vec![(1, true)], vec![2]));
}

#[test]
fn what_waits_behind_a_loser_loses_too() {
    let now = Instant::now();
    let (mut machine, _) = given(&[1, 1, 2], now);
    let effects = machine.step(Input::Returned(Ok(vec![conflict(1)])), now);
    assert_eq!((answers(&effects), calls(&effects)), (vec![(1, false), (2, false)], vec![1]));
    assert!(matches!(effects[0], Effect::Lose(_)), "whoever decides next hears of it first");
}

#[test]
fn what_was_decided_before_a_loss_was_known_loses() {
    let now = Instant::now();
    let (mut machine, _) = given(&[1], now);
    let effects = machine.step(Input::Returned(Ok(vec![conflict(1)])), now);
    let Effect::Lose(Lost::Stream { generation, .. }) = &effects[0] else { panic!("{effects:?}") };

    let stale = Entry { decided: Some((a_stream(1), 0)), ..an_entry(2, a_command(2, 1, 4), now) };
    assert_eq!(answers(&machine.step(Input::Submitted(stale), now)), [(2, false)]);
    let fresh = Entry { decided: Some((a_stream(1), *generation)), ..an_entry(3, a_command(3, 1, 4), now) };
    assert_eq!(calls(&machine.step(Input::Submitted(fresh), now)), [1]);
}

#[test]
fn repeats_a_refused_call_command_by_command() {
    let now = Instant::now();
    let (mut machine, _) = given(&[9, 1, 2, 1], now);
    machine.step(Input::Returned(Ok(vec![APPENDED])), now);
    let refused = || Arc::new(crate::Error::EmptyCommand);
    let effects = machine.step(Input::Returned(Err(refused())), now);
    assert_eq!(calls(&effects), [1]);
    let effects = machine.step(Input::Returned(Err(refused())), now);
    assert_eq!((answers(&effects), calls(&effects)), (vec![(2, false), (4, false)], vec![1]));
    let effects = machine.step(Input::Returned(Ok(vec![APPENDED])), now);
    assert_eq!(answers(&effects), [(3, true)]);
}

#[test]
fn repeats_a_call_without_an_answer_as_it_is() {
    let now = Instant::now();
    let (mut machine, _) = given(&[1, 2], now);
    let effects = machine.step(Input::Returned(Err(unreachable())), now);
    assert!(matches!(effects[..], [Effect::Connect]));
    let effects = machine.step(Input::Connected(Ok(())), now);
    assert_eq!(calls(&effects), [1]);
}

#[test]
fn gives_up_after_a_time_on_a_database_that_stays_away() {
    let start = Instant::now();
    let (mut machine, _) = given(&[1, 2], start);
    machine.step(Input::Returned(Err(unreachable())), start);
    let mut now = start;
    let mut answered = Vec::new();
    let mut attempts = 0;
    while answered.len() < 2 {
        let effects = machine.step(Input::Connected(Err(unreachable())), now);
        attempts += 1;
        answered.extend(answers(&effects));
        let Some(Effect::Wait(until)) = effects.last() else { panic!("{effects:?}") };
        now = *until;
        assert!(matches!(machine.step(Input::Elapsed, now)[..], [Effect::Connect]));
    }
    assert!(now - start <= PATIENCE + MAX_BACKOFF * 2, "{:?}", now - start);
    assert!(attempts <= 12, "{attempts} attempts are a storm");
}

#[test]
fn the_same_key_twice_goes_in_two_calls() {
    let now = Instant::now();
    let (mut machine, _) = given(&[1], now);
    for ticket in 2..4 {
        let idempotency = Some(Idempotency { key: Uuid::from_u128(5), request_sha256: [0; 32] });
        let command = Command { idempotency, ..a_command(u128::from(ticket), 2, 1) };
        machine.step(Input::Submitted(an_entry(ticket, command, now)), now);
    }
    assert_eq!(calls(&machine.step(Input::Returned(Ok(vec![APPENDED])), now)), [1]);
}

/// What happens to a call on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    /// The server never sees it.
    Lost,
    /// The server commits, and the answer is lost.
    AnswerLost,
}

fn a_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![4 => Just(Fate::Answered), 1 => Just(Fate::Lost), 1 => Just(Fate::AnswerLost)]
}

/// Takes a call to the log and its answer back, or loses one of them.
fn travel(fate: Fate, model: &mut Model, commands: &[Arc<Command>]) -> Result<Vec<Outcome>, Arc<crate::Error>> {
    let mut append = || model.append(Uuid::nil(), commands, chrono::DateTime::UNIX_EPOCH);
    match fate {
        Fate::Answered => Ok(append()),
        Fate::Lost => Err(unreachable()),
        Fate::AnswerLost => {
            append();
            Err(unreachable())
        }
    }
}

proptest! {
    /// Submits commands of a few streams, some decided on versions that are not there, over a bad network; what the
    /// callers hear must be what is in the log.
    #[test]
    fn callers_hear_what_the_log_says(
        shapes in prop::collection::vec((1..4_u128, 0..4_i64, any::<bool>()), 1..40),
        fates in prop::collection::vec(a_fate(), 1..20),
    ) {
        let now = Instant::now();
        let (mut machine, mut model) = (Machine::default(), Model::default());
        let mut fates = fates.into_iter();
        let mut inputs: VecDeque<Input> = VecDeque::new();
        let mut heard: HashMap<Ticket, Outcome> = HashMap::new();
        let mut pending = VecDeque::new();
        for (ticket, (stream, off, waits)) in (1..).zip(&shapes) {
            let command = a_command(u128::from(ticket), *stream, (1 + ticket as i64 / 3 - off).max(1));
            pending.push_back((Input::Submitted(an_entry(ticket, command, now)), *waits));
        }
        loop {
            // Some submissions arrive together, before the machine hears of anything else.
            while let Some((input, waits)) = pending.pop_front() {
                inputs.push_front(input);
                if !waits { break; }
            }
            let Some(input) = inputs.pop_front() else {
                if pending.is_empty() { break; }
                continue;
            };
            for effect in machine.step(input, now) {
                match effect {
                    Effect::Call(commands) => {
                        let fate = fates.next().unwrap_or(Fate::Answered);
                        inputs.push_back(Input::Returned(travel(fate, &mut model, &commands)));
                    }
                    Effect::Connect => inputs.push_back(Input::Connected(Ok(()))),
                    Effect::Wait(_) => inputs.push_back(Input::Elapsed),
                    Effect::Lose(_) => {}
                    Effect::Answer(ticket, answer) => {
                        let outcome = answer.expect("the database comes back at once");
                        prop_assert!(heard.insert(ticket, outcome).is_none(), "ticket {ticket} is answered twice");
                    }
                }
            }
        }
        prop_assert_eq!(heard.len(), shapes.len(), "every caller is answered");
        for event in model.events() {
            let ticket = event.event_id.as_u128() as Ticket;
            let appended = Outcome::Appended { first: event.position, last: event.position };
            prop_assert_eq!(heard.get(&ticket), Some(&appended));
        }
        let appended = heard.values().filter(|outcome| matches!(outcome, Outcome::Appended { .. })).count();
        prop_assert_eq!(appended, model.events().len());
    }
}
