//! The shell of the appender: does what its machine says, on the simulated log; and the turns of one process.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dvt_domain::Event;
use dvt_store::appender::Error;
use dvt_store::appender::machine::{Effect, Entry, Input, Lost, Machine, Ticket};
use dvt_store::appender::rounds::{Next, Rounds};
use dvt_store::event::{Command as Append, Idempotency, Outcome};
use futures::channel::oneshot;
use uuid::Uuid;

use crate::fold::{Command, Folded};
use crate::world::{Node, Stamp};

/// How often one looks whether another process's turn has ended.
const LOOK: Duration = Duration::from_millis(20);

type Answer = Result<Outcome, Error>;
/// A command, the generation of the stream that it was decided in, and who waits.
type Submission = (Append, Option<(Uuid, u64)>, oneshot::Sender<Answer>);

/// The appender of one process. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Appender {
    node: Node,
    name: Uuid,
    begin: Instant,
    inner: Rc<RefCell<Inner>>,
}

#[derive(Default)]
struct Inner {
    machine: Machine,
    submissions: VecDeque<Submission>,
    answers: HashMap<Ticket, oneshot::Sender<Answer>>,
    tickets: Ticket,
    effects: VecDeque<Effect>,
    generations: HashMap<Uuid, u64>,
    floor: u64,
    woken: Option<oneshot::Sender<()>>,
    lines: BTreeMap<Uuid, Line>,
}

/// Who waits for a stream's turn in this process, and on what the next one decides.
#[derive(Default)]
struct Line {
    is_taken: bool,
    waiting: BTreeMap<u64, oneshot::Sender<()>>,
    tip: Option<(Folded, u64)>,
    reserved_until: Option<Duration>,
}

/// Says why nothing was appended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stopped {
    Refused(String),
    Failed,
    Busy,
}

impl Appender {
    /// Starts the appender of a process.
    pub(crate) fn start(node: &Node) -> Self {
        let appender = Self { node: node.clone(), name: node.id(), begin: Instant::now(), inner: Rc::default() };
        let worker = appender.clone();
        node.spawn(async move { worker.work().await });
        appender
    }

    async fn work(&self) {
        loop {
            loop {
                let Some(effect) = self.inner.borrow_mut().effects.pop_front() else { break };
                self.perform(effect).await;
            }
            if self.inner.borrow().submissions.is_empty() {
                let (wake, woken) = oneshot::channel();
                self.inner.borrow_mut().woken = Some(wake);
                let _ = woken.await;
            }
            self.take_submissions();
        }
    }

    async fn perform(&self, effect: Effect) {
        match effect {
            Effect::Call(commands) => {
                let clock = self.node.clock();
                let called = self.node.db(|db, _| db.append(self.name, &commands, clock)).await;
                self.node.trace(|| format!("appends {} commands: {called:?}", commands.len()));
                self.take_submissions();
                self.step(Input::Returned(called.map_err(|_| Arc::new(dvt_store::Error::unreachable()))));
            }
            Effect::Connect => {
                let connected = self.node.db(|_, _| ()).await;
                self.take_submissions();
                self.step(Input::Connected(connected.map_err(|_| Arc::new(dvt_store::Error::unreachable()))));
            }
            Effect::Wait(until) => {
                self.node.sim.sleep_until(until - self.begin).await;
                self.take_submissions();
                self.step(Input::Elapsed);
            }
            Effect::Lose(Lost::Stream { stream_id, generation }) => {
                self.inner.borrow_mut().generations.insert(stream_id, generation);
            }
            Effect::Lose(Lost::All { generation }) => {
                let mut inner = self.inner.borrow_mut();
                inner.generations.clear();
                inner.floor = generation;
            }
            Effect::Answer(ticket, answer) => {
                if let Some(waiting) = self.inner.borrow_mut().answers.remove(&ticket) {
                    let _ = waiting.send(answer);
                }
            }
        }
    }

    fn step(&self, input: Input) {
        let now = self.begin + self.node.sim.now();
        let mut inner = self.inner.borrow_mut();
        let effects = inner.machine.step(input, now);
        inner.effects.extend(effects);
    }

    fn take_submissions(&self) {
        loop {
            let Some((command, decided, answer)) = self.inner.borrow_mut().submissions.pop_front() else { return };
            let since = self.begin + self.node.sim.now();
            let ticket = {
                let mut inner = self.inner.borrow_mut();
                inner.tickets += 1;
                let ticket = inner.tickets;
                inner.answers.insert(ticket, answer);
                ticket
            };
            self.step(Input::Submitted(Entry { ticket, command: Arc::new(command), decided, since }));
        }
    }

    /// Appends a command; the answer is the machine's.
    pub(crate) async fn append(&self, command: Append) -> Answer {
        self.submit(command, None).await.unwrap_or(Err(Error::Stopped))
    }

    fn submit(&self, command: Append, decided: Option<(Uuid, u64)>) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let mut inner = self.inner.borrow_mut();
        inner.submissions.push_back((command, decided, answer));
        if let Some(wake) = inner.woken.take() {
            let _ = wake.send(());
        }
        answered
    }

    /// Waits until another process's turn has ended.
    pub(crate) async fn turn_ended(&self, stream_id: Uuid, wait: Duration) {
        let end = self.node.sim.now() + wait;
        while self.node.sim.now() < end {
            self.node.sim.sleep(LOOK).await;
            let clock = self.node.clock();
            if self.node.db(|db, _| db.log.is_reserved(stream_id, self.name, clock)).await == Ok(false) {
                return;
            }
        }
    }

    /// Decides and appends a command of one stream in its turn, as `Turns::run` does.
    pub(crate) async fn run(
        &self,
        (stamp, idempotency): (&Stamp, &Idempotency),
        command: &Command,
    ) -> Result<Outcome, Stopped> {
        let (stream_id, place) = (stamp.stream_id, self.node.sim.number());
        let mut rounds = Rounds::default();
        let ended = loop {
            let held = self.turn(stream_id, place).await;
            let generation = self.generation(stream_id);
            let tip = self.tip(stream_id, generation);
            let is_certain = tip.is_none();
            let mut decided = self.decide(tip, stream_id, command).await;
            if decided.is_err() && !is_certain {
                decided = self.decide(None, stream_id, command).await;
            }
            let (at, events) = match decided {
                Ok(decided) => decided,
                Err(stopped) => break Err(stopped),
            };
            let new = self.node.encode(stamp, at.version, &events);
            let append = Append { idempotency: Some(idempotency.clone()), events: new, reserve: rounds.reserves() };
            let version = at.version;
            let after = (version + 1..).zip(&events).fold(at, |at, (version, event)| at.after(version, event));
            self.line(stream_id, |line| line.tip = Some((after, generation)));
            let answered = self.submit(append, Some((stream_id, generation)));
            drop(held);
            let Ok(Ok(outcome)) = answered.await else { break Err(Stopped::Failed) };
            match rounds.ended(outcome) {
                Next::Done(outcome) => break Ok(outcome),
                Next::Again => {}
                Next::Wait(wait) => {
                    let until = self.node.sim.now() + wait;
                    self.line(stream_id, |line| line.reserved_until = Some(until));
                }
                Next::Busy => break Err(Stopped::Busy),
            }
        };
        for stream_id in rounds.take_reserved() {
            let released = self.node.db(|db, _| db.log.release(self.name, stream_id)).await;
            self.node.trace(|| format!("gives the turn on {stream_id} back: {released:?}"));
        }
        ended
    }

    /// Decides on a tip, or on what the log says.
    async fn decide(
        &self,
        tip: Option<Folded>,
        stream_id: Uuid,
        command: &Command,
    ) -> Result<(Folded, Vec<Event>), Stopped> {
        let at = match tip {
            Some(tip) => tip,
            None => self.node.db(|db, _| db.load(stream_id)).await.map_err(|_| Stopped::Failed)?,
        };
        self.node.sim.sleep(self.node.sim.between(Duration::ZERO, Duration::from_millis(60))).await;
        let events = at.decide(command).map_err(Stopped::Refused)?;
        match events.is_empty() {
            true => Err(Stopped::Refused("nothing to do".to_owned())),
            false => Ok((at, events)),
        }
    }

    fn generation(&self, stream_id: Uuid) -> u64 {
        let inner = self.inner.borrow();
        inner.generations.get(&stream_id).copied().unwrap_or(inner.floor)
    }

    fn tip(&self, stream_id: Uuid, generation: u64) -> Option<Folded> {
        self.line(stream_id, |line| line.tip.clone().filter(|(_, of)| *of == generation).map(|(tip, _)| tip))
    }

    fn line<T>(&self, stream_id: Uuid, change: impl FnOnce(&mut Line) -> T) -> T {
        change(self.inner.borrow_mut().lines.entry(stream_id).or_default())
    }

    async fn turn(&self, stream_id: Uuid, place: u64) -> Held {
        let given = self.line(stream_id, |line| {
            if !line.is_taken {
                line.is_taken = true;
                return None;
            }
            let (give, given) = oneshot::channel();
            line.waiting.insert(place, give);
            Some(given)
        });
        if let Some(given) = given {
            let _ = given.await;
        }
        let held = Held { appender: self.clone(), stream_id };
        if let Some(until) = self.line(stream_id, |line| line.reserved_until.take()) {
            self.turn_ended(stream_id, until.saturating_sub(self.node.sim.now())).await;
        }
        held
    }
}

/// A turn, until it is dropped.
struct Held {
    appender: Appender,
    stream_id: Uuid,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.appender.line(self.stream_id, |line| {
            while let Some((_, give)) = line.waiting.pop_first() {
                if give.send(()).is_ok() {
                    return;
                }
            }
            line.is_taken = false;
        });
    }
}
