//! The shell of the consumer loop: does what its machine says, with the simulated log and Kafka.

use std::collections::BTreeMap;
use std::time::Duration;

use dvt_bus::Slot;
use dvt_bus::consumer::machine::{BATCH, Behind, Effect, Input, Machine, Outcome, Source};
use dvt_bus::consumer::plan::{Place, Step, plan};
use dvt_domain::{Event, Topic, compilation, run};
use dvt_mutant::mutant;
use dvt_store::event::Recorded;

use crate::db::{Db, Job, Key};
use crate::kafka::slots;
use crate::runtime::Sim;
use crate::world::{Down, Node};

/// How often the log is looked at while Kafka serves no partition.
const POLL_ALONE: Duration = Duration::from_millis(100);
/// How often it is looked at otherwise, and how long an event may wait for Kafka.
const POLL: Duration = Duration::from_secs(1);
/// How often Kafka is asked.
const FETCH: Duration = Duration::from_millis(50);

/// What a consumer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    Views,
    Compilations,
    Runs,
}

impl Duty {
    pub(crate) const ALL: [Self; 3] = [Self::Views, Self::Compilations, Self::Runs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Views => "projector",
            Self::Compilations => "artifact",
            Self::Runs => "executor",
        }
    }

    pub(crate) fn follows(self, slot: &Slot) -> bool {
        match self {
            Self::Views => true,
            Self::Compilations => slot.topic == Topic::Compilation.as_str(),
            Self::Runs => slot.topic == Topic::Run.as_str(),
        }
    }

    /// Applies one event in the transaction that moves the checkpoint.
    fn apply(self, db: &mut Db, recorded: &Recorded) {
        let event = db.decode(recorded);
        match self {
            Self::Views => {
                let view = db.views.entry(recorded.stream_id).or_default();
                *view = std::mem::take(view).after(recorded.version, &event);
                *db.applied.entry(recorded.position).or_default() += 1;
            }
            Self::Compilations => match event {
                Event::Compilation(compilation::Event::CompileRequested(_)) => enqueue(db, recorded, "compile", None),
                Event::Compilation(compilation::Event::PublishRequested(_)) => {
                    let lane = recorded.project_id.map(|id| format!("publish/{id}"));
                    enqueue(db, recorded, "publish", lane);
                }
                Event::Compilation(compilation::Event::Compiled(_)) => {
                    let waiting = |job: &&mut Job| job.stream_id == recorded.stream_id && job.worker.is_none();
                    db.jobs.values_mut().filter(waiting).for_each(|job| job.due_at = Duration::ZERO);
                }
                _ => {}
            },
            Self::Runs => {
                if let Event::Run(run::Event::RunRequested(_)) = event {
                    enqueue(db, recorded, "run", recorded.project_id.map(|id| format!("run/{id}")));
                }
            }
        }
    }
}

fn enqueue(db: &mut Db, recorded: &Recorded, kind: &'static str, lane: Option<String>) {
    db.jobs.entry(recorded.event_id).or_insert(Job {
        id: recorded.event_id,
        kind,
        lane,
        stream_id: recorded.stream_id,
        position: recorded.position,
        is_done: false,
        attempt: 0,
        worker: None,
        due_at: Duration::ZERO,
    });
}

/// Runs one life of a consumer.
pub(crate) async fn run(node: Node, duty: Duty) {
    let consumer = Consumer { node: node.clone(), duty };
    let (mut machine, mut waiting, mut offsets) = (Machine::default(), BTreeMap::new(), BTreeMap::new());
    let (mut listens, mut next_poll) = (false, Duration::ZERO);
    while consumer.begin().await.is_err() {
        node.sim.sleep(POLL_ALONE).await;
    }
    loop {
        let mut inputs = vec![Input::Tick];
        let assigned = if listens { consumer.assigned() } else { Vec::new() };
        if node.sim.now() >= next_poll {
            let patience = if assigned.is_empty() { Duration::ZERO } else { POLL };
            inputs.extend(consumer.behind(patience).await.map(Input::Behind));
            next_poll = node.sim.now() + if assigned.is_empty() { POLL_ALONE } else { POLL };
        }
        inputs.extend(consumer.fetch(&assigned, &mut offsets, &mut waiting));
        for input in inputs {
            let mut input = Some(input);
            while let Some(next) = input.take() {
                for effect in machine.handle(next, node.sim.now()) {
                    match effect {
                        Effect::Discard { slot } => drop(waiting.remove(&slot)),
                        Effect::Listen => listens = true,
                        Effect::Work { slot, source, limit } => {
                            let records = waiting.remove(&slot).unwrap_or_default();
                            let outcome = consumer.work(&slot, (source, limit), records).await;
                            let outcome = outcome.unwrap_or(Outcome::Failed { error: "down".to_owned() });
                            node.trace(|| format!("works on {slot} from {source:?}: {outcome:?}"));
                            if let Outcome::Diverged { checkpoint } = outcome {
                                node.world(|world| world.breaks("history_diverged", format!("{slot} at {checkpoint}")));
                            }
                            input = Some(Input::Worked { slot, outcome });
                        }
                    }
                }
            }
        }
        node.sim.sleep(FETCH).await;
    }
}

struct Consumer {
    node: Node,
    duty: Duty,
}

/// A transaction that holds a checkpoint's lock until it ends, however it ends.
struct Transaction {
    node: Node,
    key: Key,
    number: u64,
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.node.world(|world| world.db.unlock(&self.key, self.number));
    }
}

impl Consumer {
    async fn begin(&self) -> Result<(), Down> {
        let duty = self.duty;
        let begin = move |db: &mut Db, _| {
            for slot in slots().filter(|slot| duty.follows(slot)) {
                db.checkpoints.entry((slot, duty.name().to_owned())).or_default();
            }
        };
        self.node.db(begin).await
    }

    fn assigned(&self) -> Vec<Slot> {
        let name = self.duty.name();
        self.node.world(|world| {
            let ours = |((_, of), process): &(&(Slot, String), &u64)| of == name && **process == self.node.process;
            world.kafka.assigned.iter().filter(ours).map(|((slot, _), _)| slot.clone()).collect()
        })
    }

    async fn behind(&self, patience: Duration) -> Option<Vec<Behind>> {
        let (duty, now) = (self.duty, self.node.clock());
        let patience = chrono::TimeDelta::from_std(patience).unwrap_or_default();
        let behind = self.node.db(|db, _| {
            let behind = |(slot, _): (Slot, i64)| {
                let checkpoint = db.checkpoints.get(&(slot.clone(), duty.name().to_owned())).copied();
                let checkpoint = checkpoint.unwrap_or_default();
                let next = db.list(&slot, checkpoint, i64::MAX, 1);
                let is_due = next.first().is_some_and(|event| event.recorded_at <= now - patience);
                is_due.then_some(Behind { slot, checkpoint })
            };
            db.heads().into_iter().filter(|(slot, _)| duty.follows(slot)).filter_map(behind).collect()
        });
        behind.await.ok()
    }

    /// Takes records from Kafka: some doubled, in another order, missing, or not to be read.
    fn fetch(
        &self,
        assigned: &[Slot],
        offsets: &mut BTreeMap<Slot, i64>,
        waiting: &mut BTreeMap<Slot, Vec<i64>>,
    ) -> Vec<Input> {
        offsets.retain(|slot, _| assigned.contains(slot));
        let (is_down, trouble) = self.node.world(|world| (world.kafka.is_down, world.kafka.is_troubled));
        if is_down {
            return Vec::new();
        }
        let mut inputs = Vec::new();
        for slot in assigned {
            let partition = self.node.world(|world| world.kafka.partition(slot).clone());
            let next = offsets.entry(slot.clone()).or_insert(partition.high());
            if *next > partition.high() || *next < partition.low {
                *next = partition.high();
            }
            if trouble && self.node.sim.chance(2) {
                *next = partition.low; // committed offsets can go back
            }
            let mut records: Vec<i64> = (*next..partition.high()).filter_map(|offset| partition.at(offset)).collect();
            *next = partition.high();
            if records.is_empty() {
                continue;
            }
            let is_readable = !trouble || !self.node.sim.chance(5);
            if trouble {
                garble(&self.node.sim, &mut records);
            }
            waiting.entry(slot.clone()).or_default().extend(records);
            inputs.push(Input::Received { slot: slot.clone(), is_readable });
        }
        inputs
    }

    async fn work(&self, slot: &Slot, (source, limit): (Source, usize), records: Vec<i64>) -> Result<Outcome, Down> {
        let key: Key = (slot.clone(), self.duty.name().to_owned());
        let transaction = Transaction { node: self.node.clone(), key: key.clone(), number: self.node.sim.number() };
        let number = transaction.number;
        let locked = self.node.db(|db, now| db.lock(&key, number, now)).await?;
        let locked = match mutant("consumer_applies_without_lock") {
            true => Some(self.node.world(|world| world.db.checkpoints.get(&key).copied().unwrap_or_default())),
            false => locked,
        };
        let Some(at) = locked else { return Ok(Outcome::Held) };
        let taken = match source {
            Source::Records => self.take_records(slot, at, (limit, &records)).await?,
            Source::Log => self.take_log(slot, at, limit).await?,
        };
        let Some((events, has_more)) = taken else { return Ok(Outcome::Diverged { checkpoint: at }) };
        let Some(to) = events.last().map(|event| event.position) else {
            return Ok(Outcome::Moved { to: at, has_more });
        };
        if mutant("consumer_moves_the_checkpoint_first") {
            self.node.db(|db, _| db.checkpoints.insert(key.clone(), to)).await?;
        }
        // A handler may fail for a while.
        if self.node.sim.chance(1) {
            return Ok(Outcome::Failed { error: "not now".to_owned() });
        }
        let duty = self.duty;
        let committed = self
            .node
            .db(|db, now| {
                if !db.has_lock(&key, number, now) && !mutant("consumer_applies_without_lock") {
                    return false;
                }
                events.iter().for_each(|event| duty.apply(db, event));
                if !mutant("consumer_moves_the_checkpoint_later") || to % 7 != 0 {
                    db.checkpoints.insert(key.clone(), to);
                }
                db.unlock(&key, number);
                true
            })
            .await?;
        match committed {
            true => Ok(Outcome::Moved { to, has_more }),
            false => Err(Down),
        }
    }

    /// Takes what the records and the log give after a checkpoint; None: another history.
    async fn take_records(
        &self,
        slot: &Slot,
        at: i64,
        (limit, records): (usize, &[i64]),
    ) -> Result<Option<(Vec<Recorded>, bool)>, Down> {
        let records: Vec<Recorded> =
            self.node.world(|world| records.iter().filter_map(|position| world.db.at(*position).cloned()).collect());
        let places = records.iter().map(|event| Place { position: event.position, prev: event.partition_prev });
        let mut events: Vec<Recorded> = Vec::new();
        for step in plan(at, &places.collect::<Vec<_>>()) {
            if events.len() >= limit.max(BATCH) {
                return Ok(Some((events, true)));
            }
            match step {
                Step::Drop(_) => {}
                Step::Apply(index) => events.push(records[index].clone()),
                Step::Refetch { after, through } => {
                    let fetched = self.node.db(|db, _| db.list(slot, after, through, BATCH)).await?;
                    let is_whole = fetched.last().is_some_and(|event| event.position == through);
                    let follows = fetched.first().is_some_and(|event| event.partition_prev == after);
                    if !follows && events.is_empty() {
                        return Ok(None);
                    }
                    events.extend(fetched.into_iter().take_while(|_| follows));
                    if !is_whole || !follows {
                        return Ok(Some((events, true)));
                    }
                }
                Step::Diverged if events.is_empty() => return Ok(None),
                Step::Diverged => return Ok(Some((events, true))),
            }
        }
        Ok(Some((events, false)))
    }

    async fn take_log(&self, slot: &Slot, at: i64, limit: usize) -> Result<Option<(Vec<Recorded>, bool)>, Down> {
        let events = self.node.db(|db, _| db.list(slot, at, i64::MAX, limit)).await?;
        if events.first().is_some_and(|event| event.partition_prev != at) {
            return Ok(None);
        }
        let has_more = events.len() == limit;
        Ok(Some((events, has_more)))
    }
}

/// Doubles, drops and swaps records.
fn garble(sim: &Sim, records: &mut Vec<i64>) {
    for _ in 0..2 {
        let any = sim.below(records.len() as u64) as usize;
        match sim.below(5) {
            0 => records.insert(any, records[any]),
            1 if records.len() > 1 => drop(records.remove(any)),
            2 => records.swap(0, any),
            _ => {}
        }
    }
}
