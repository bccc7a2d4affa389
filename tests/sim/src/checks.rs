//! What must hold at the end, whatever went wrong: each check has a name and says what it saw.

use std::collections::{BTreeMap, BTreeSet};

use dvt_domain::compilation::{Progress, Publish};
use dvt_domain::run::{self, Attempt, Stage, StepEnd};
use dvt_domain::{Event, compilation, layout};
use dvt_store::chain;
use uuid::Uuid;

use crate::consumer::Duty;
use crate::fold::{Folded, State};
use crate::world::World;

/// A check: None where all is well.
type Check = fn(&World) -> Option<String>;

/// Every check that is made at the end, by name.
pub(crate) const ALL: [(&str, Check); 16] = [
    ("positions", positions),
    ("versions", versions),
    ("hash_chain", hash_chain),
    ("partition_order", partition_order),
    ("acknowledged", acknowledged),
    ("applied_once", applied_once),
    ("decided_on_the_truth", decided_on_the_truth),
    ("drained", drained),
    ("views", views),
    ("effects_once", effects_once),
    ("outcomes_true", outcomes_true),
    ("step_order", step_order),
    ("attempts_ascend", attempts_ascend),
    ("published_in_order", published_in_order),
    ("kafka_readers", kafka_readers),
    ("nobody_busy", nobody_busy),
];

/// Says whether nothing is left to do.
pub(crate) fn is_drained(world: &World) -> bool {
    drained(world).is_none() && kafka_readers(world).is_none()
}

fn positions(world: &World) -> Option<String> {
    let events = world.db.log.events().iter();
    (1..).zip(events).find(|(expected, event)| event.position != *expected).map(|(at, _)| format!("a gap at {at}"))
}

fn versions(world: &World) -> Option<String> {
    let mut heads: BTreeMap<Uuid, i64> = BTreeMap::new();
    for event in world.db.log.events() {
        let head = heads.entry(event.stream_id).or_default();
        *head += 1;
        if event.version != *head {
            return Some(format!("stream {} has version {} after {}", event.stream_id, event.version, *head - 1));
        }
    }
    None
}

fn hash_chain(world: &World) -> Option<String> {
    let mut before = chain::GENESIS;
    for event in world.db.log.events() {
        if chain::hash(&before, event) != event.hash {
            return Some(format!("event {} does not follow", event.position));
        }
        before = event.hash;
    }
    None
}

fn partition_order(world: &World) -> Option<String> {
    let mut heads: BTreeMap<(&str, i16), i64> = BTreeMap::new();
    for event in world.db.log.events() {
        let head = heads.entry((&event.topic, event.partition)).or_default();
        if event.partition_prev != *head {
            return Some(format!("event {} names {} before it, not {head}", event.position, event.partition_prev));
        }
        *head = event.position;
    }
    None
}

fn acknowledged(world: &World) -> Option<String> {
    for told in &world.acknowledged {
        let mut having = world.db.log.events().iter().filter(|event| event.idempotency_key == Some(told.key));
        let (Some(first), None) = (having.next(), having.next()) else {
            return Some(format!("{} is not in the log exactly once", told.key));
        };
        let events = world.db.log.events().iter().filter(|event| event.command_id == first.command_id);
        let events: Vec<Event> = events.map(|event| world.db.decode(event)).collect();
        if first.position != told.first || events != told.events {
            return Some(format!("{} is not in the log as it was told", told.key));
        }
    }
    None
}

fn applied_once(world: &World) -> Option<String> {
    let mut keys = BTreeSet::new();
    let mut placed = BTreeSet::new();
    for event in world.db.log.events() {
        if event.idempotency_key.is_some_and(|key| !keys.insert((&event.actor, key))) {
            return Some(format!("event {} repeats a key", event.position));
        }
        // A client's layout edits are all different: the same one twice is one command that was applied twice.
        if let Event::Layout(layout::Event::NodePlaced(at)) = world.db.decode(event)
            && !placed.insert((event.stream_id, at.x.to_bits()))
        {
            return Some(format!("event {} repeats a command", event.position));
        }
    }
    None
}

fn decided_on_the_truth(world: &World) -> Option<String> {
    let mut layouts: BTreeMap<Uuid, Folded> = BTreeMap::new();
    for event in world.db.log.events() {
        let decoded = world.db.decode(event);
        let Event::Layout(layout::Event::NodePlaced(placed)) = &decoded else { continue };
        let layout = layouts.entry(event.stream_id).or_default();
        if placed.y != layout.sum() {
            return Some(format!("event {} was decided on another state than it follows", event.position));
        }
        *layout = std::mem::take(layout).after(event.version, &decoded);
    }
    None
}

fn drained(world: &World) -> Option<String> {
    for (slot, head) in world.db.heads() {
        for duty in Duty::ALL.iter().filter(|duty| duty.follows(&slot)) {
            let at = world.db.checkpoints.get(&(slot.clone(), duty.name().to_owned())).copied().unwrap_or_default();
            if at != head {
                return Some(format!("{} is at {at} of {head} in {slot}", duty.name()));
            }
        }
    }
    let open = world.db.jobs.values().find(|job| !job.is_done);
    open.map(|job| format!("{} {} is not done after {} attempts", job.kind, job.id, job.attempt))
}

fn views(world: &World) -> Option<String> {
    for event in world.db.log.events() {
        let times = world.db.applied.get(&event.position).copied().unwrap_or_default();
        if times != 1 {
            return Some(format!("event {} was applied {times} times", event.position));
        }
        if world.db.views.get(&event.stream_id) != Some(&world.db.load(event.stream_id)) {
            return Some(format!("the view of {} is not what the log says", event.stream_id));
        }
    }
    None
}

fn effects_once(world: &World) -> Option<String> {
    let twice = world.target.effects.iter().find(|(_, times)| **times > 1);
    twice.map(|(key, times)| format!("{key:?} was committed {times} times"))
}

fn runs(world: &World) -> impl Iterator<Item = (Uuid, run::Run)> + '_ {
    let streams: BTreeSet<Uuid> = world.db.log.events().iter().map(|event| event.stream_id).collect();
    streams.into_iter().filter_map(|stream_id| match world.db.load(stream_id).state {
        State::Run(run) => Some((stream_id, run)),
        State::Nothing | State::Layout(_) | State::Compilation(_) => None,
    })
}

fn outcomes_true(world: &World) -> Option<String> {
    for (run_id, run) in runs(world) {
        if !matches!(run.stage, Stage::Finished(_)) {
            return Some(format!("run {run_id} has not ended"));
        }
        for (unique_id, step) in &run.steps {
            let has_effect = world.target.effects.contains_key(&(run_id, unique_id.clone()));
            let should = match step.state {
                Attempt::Ended(end) => end == StepEnd::Succeeded,
                Attempt::Waiting | Attempt::Started(_) | Attempt::Unknown(_) => {
                    return Some(format!("{unique_id} of run {run_id} has not ended"));
                }
            };
            if has_effect != should {
                return Some(format!("{unique_id} of run {run_id} ended {:?}, effect: {has_effect}", step.state));
            }
        }
    }
    None
}

/// Lists the events of runs, each with its stream.
fn run_events(world: &World) -> impl Iterator<Item = (Uuid, run::Event)> + '_ {
    let events = world.db.log.events().iter().filter(|event| event.topic == dvt_domain::Topic::Run.as_str());
    events.filter_map(|event| match world.db.decode(event) {
        Event::Run(decoded) => Some((event.stream_id, decoded)),
        _ => None,
    })
}

fn step_order(world: &World) -> Option<String> {
    let mut folded: BTreeMap<Uuid, run::Run> = BTreeMap::new();
    for (run_id, event) in run_events(world) {
        let run = folded.entry(run_id).or_default();
        if let run::Event::StepStarted(started) = &event {
            let step = run.steps.get(&started.unique_id);
            if step.is_none_or(|step| step.state != Attempt::Waiting) {
                return Some(format!("{} of run {run_id} starts while it is open or ended", started.unique_id));
            }
            let needs = step.map(|step| step.planned.needs.clone()).unwrap_or_default();
            let done = |need: &String| run.steps.get(need).map(|step| &step.state);
            if needs.iter().any(|need| done(need) != Some(&Attempt::Ended(StepEnd::Succeeded))) {
                return Some(format!("{} of run {run_id} starts before what it needs", started.unique_id));
            }
            let open = |step: &&run::Step| matches!(step.state, Attempt::Started(_) | Attempt::Unknown(_));
            let threads = run.request.as_ref().map_or(1, |request| request.threads) as usize;
            if run.steps.values().filter(open).count() >= threads {
                return Some(format!("run {run_id} has more open steps than threads"));
            }
        }
        *run = std::mem::take(run).apply(&event);
    }
    None
}

fn attempts_ascend(world: &World) -> Option<String> {
    let mut attempts: BTreeMap<Uuid, i32> = BTreeMap::new();
    for (run_id, event) in run_events(world) {
        if let run::Event::RunStarted(started) = event {
            let last = attempts.insert(run_id, started.attempt).unwrap_or_default();
            if started.attempt <= last {
                return Some(format!("attempt {} drives run {run_id} after {last}", started.attempt));
            }
        }
    }
    None
}

fn published_in_order(world: &World) -> Option<String> {
    for (project_id, commits) in &world.git.branches {
        if let Some(pair) = commits.windows(2).find(|pair| pair[0].version > pair[1].version) {
            return Some(format!("{project_id} has version {} after {}", pair[1].version, pair[0].version));
        }
        let once: BTreeSet<Uuid> = commits.iter().map(|commit| commit.compilation).collect();
        if once.len() != commits.len() {
            return Some(format!("{project_id} has a commit twice"));
        }
    }
    let committed: BTreeSet<Uuid> = world.git.branches.values().flatten().map(|commit| commit.compilation).collect();
    let mut publishes: BTreeMap<Uuid, compilation::Compilation> = BTreeMap::new();
    for event in world.db.log.events() {
        let Event::Compilation(decoded) = world.db.decode(event) else { continue };
        let before = publishes.entry(event.stream_id).or_default();
        if matches!(decoded, compilation::Event::Published(_)) && before.progress == Progress::Requested {
            return Some(format!("{} was published before it was compiled", event.stream_id));
        }
        if matches!(before.publish, Publish::Published(_) | Publish::Superseded(_))
            && matches!(decoded, compilation::Event::Published(_) | compilation::Event::PublishSuperseded(_))
        {
            return Some(format!("the publish of {} ended twice", event.stream_id));
        }
        *before = std::mem::take(before).apply(&decoded);
    }
    publishes.iter().find_map(|(id, compilation)| match (&compilation.publish, committed.contains(id)) {
        (Publish::Published(_), false) => Some(format!("{id} was published, and Git has it not")),
        (Publish::Superseded(_) | Publish::NotRequested, true) => {
            Some(format!("{id} is in Git, but was not published"))
        }
        (Publish::Requested(_), _) => Some(format!("the publish of {id} has not ended")),
        (Publish::Published(_), true) | (Publish::Superseded(_) | Publish::NotRequested, false) => None,
    })
}

fn kafka_readers(world: &World) -> Option<String> {
    world.db.heads().into_iter().find_map(|(slot, head)| {
        let at = world.readers.get(&slot).map_or(0, |reader| reader.at);
        (at != head).then(|| format!("a reader of Kafka alone has seen {slot} up to {at} of {head}"))
    })
}

fn nobody_busy(world: &World) -> Option<String> {
    (world.busy > 0).then(|| format!("{} commands were told BUSY", world.busy))
}
