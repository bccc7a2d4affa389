//! Runs tasks in virtual time, in an order that one seed decides. A process is the tasks that die and sleep together.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Names a process; 0 is the world outside, which neither dies nor sleeps.
pub(crate) type Process = u64;

/// The world outside: clients, faults, timers.
pub(crate) const OUTSIDE: Process = 0;

/// One simulation. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Sim(Rc<Core>);

struct Core {
    now: Cell<Duration>,
    rng: RefCell<fastrand::Rng>,
    timers: RefCell<BinaryHeap<Reverse<Timer>>>,
    numbers: Cell<u64>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    ready: Arc<Mutex<Vec<u64>>>,
    /// The processes that sleep, with the tasks that wait for their waking.
    asleep: RefCell<BTreeMap<Process, (Duration, Vec<u64>)>>,
    trace: Option<RefCell<Vec<String>>>,
}

struct Task {
    process: Process,
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
}

struct Ready {
    task: u64,
    ready: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(&self.task) {
            ready.push(self.task);
        }
    }
}

struct Timer {
    at: Duration,
    number: u64,
    waker: Waker,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl Sim {
    pub(crate) fn new(seed: u64, traces: bool) -> Self {
        Self(Rc::new(Core {
            now: Cell::default(),
            rng: RefCell::new(fastrand::Rng::with_seed(seed)),
            timers: RefCell::default(),
            numbers: Cell::new(1),
            tasks: RefCell::default(),
            ready: Arc::default(),
            asleep: RefCell::default(),
            trace: traces.then(RefCell::default),
        }))
    }

    /// Answers the time since the simulation began.
    pub(crate) fn now(&self) -> Duration {
        self.0.now.get()
    }

    /// Answers a number that no other call answers.
    pub(crate) fn number(&self) -> u64 {
        let number = self.0.numbers.get();
        self.0.numbers.set(number + 1);
        number
    }

    /// Answers a random number below `below`.
    pub(crate) fn below(&self, below: u64) -> u64 {
        self.0.rng.borrow_mut().u64(0..below.max(1))
    }

    /// Says yes `percent` times in a hundred.
    pub(crate) fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Answers a random time between two.
    pub(crate) fn between(&self, low: Duration, high: Duration) -> Duration {
        low + Duration::from_micros(self.below((high - low).as_micros() as u64))
    }

    /// Writes a line of the trace, if there is one.
    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.0.trace {
            trace.borrow_mut().push(format!("{:9.3} {}", self.now().as_secs_f64(), line()));
        }
    }

    /// Takes the lines of the trace.
    pub(crate) fn take_trace(&self) -> Vec<String> {
        self.0.trace.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// Starts a task of a process, and answers its number.
    pub(crate) fn spawn(&self, process: Process, future: impl Future<Output = ()> + 'static) -> u64 {
        let task = self.number();
        let waker: Waker = Arc::new(Ready { task, ready: self.0.ready.clone() }).into();
        waker.wake_by_ref();
        self.0.tasks.borrow_mut().insert(task, Task { process, future: Box::pin(future), waker });
        task
    }

    /// Ends a task, wherever it is.
    pub(crate) fn abort(&self, task: u64) {
        let aborted = self.0.tasks.borrow_mut().remove(&task);
        drop(aborted); // what it held is given back now
    }

    /// Ends the tasks of a process, wherever they are.
    pub(crate) fn kill(&self, process: Process) {
        let mut tasks = self.0.tasks.borrow_mut();
        let dead: Vec<u64> =
            tasks.iter().filter(|(_, task)| task.process == process).map(|(number, _)| *number).collect();
        let dead: Vec<_> = dead.iter().filter_map(|number| tasks.remove(number)).collect();
        drop(tasks);
        self.0.asleep.borrow_mut().remove(&process);
        drop(dead); // what they held is given back now, and may look at the simulation
    }

    /// Says whether a process sleeps.
    pub(crate) fn is_asleep(&self, process: Process) -> bool {
        self.0.asleep.borrow().contains_key(&process)
    }

    /// Stops the tasks of a process for a time, wherever they are.
    pub(crate) fn put_to_sleep(&self, process: Process, until: Duration) {
        self.0.asleep.borrow_mut().entry(process).or_default().0 = until;
        let sim = self.clone();
        self.spawn(OUTSIDE, async move {
            sim.sleep_until(until).await;
            let woken = sim.0.asleep.borrow_mut().remove(&process);
            let mut ready = sim.0.ready.lock().unwrap_or_else(PoisonError::into_inner);
            ready.extend(woken.into_iter().flat_map(|(_, tasks)| tasks));
        });
    }

    /// Waits.
    pub(crate) async fn sleep(&self, time: Duration) {
        self.sleep_until(self.now() + time).await;
    }

    /// Waits until a moment.
    pub(crate) async fn sleep_until(&self, at: Duration) {
        let mut is_set = false;
        std::future::poll_fn(|context| {
            if self.now() >= at {
                return Poll::Ready(());
            }
            if !is_set {
                is_set = true;
                let timer = Timer { at, number: self.number(), waker: context.waker().clone() };
                self.0.timers.borrow_mut().push(Reverse(timer));
            }
            Poll::Pending
        })
        .await;
    }

    /// Ends every task, so that nothing of the simulation stays.
    pub(crate) fn end(&self) {
        loop {
            let tasks = self.0.tasks.take();
            if tasks.is_empty() {
                return;
            }
            drop(tasks); // what they held may start others
        }
    }

    /// Runs until a moment, or until there is nothing left to do.
    pub(crate) fn run_until(&self, end: Duration) {
        loop {
            while let Some(task) = self.pick() {
                self.poll(task);
            }
            let Some(Reverse(timer)) = self.0.timers.borrow_mut().pop() else { return };
            if timer.at > end {
                self.0.timers.borrow_mut().push(Reverse(timer));
                self.0.now.set(end);
                return;
            }
            self.0.now.set(timer.at);
            timer.waker.wake();
        }
    }

    /// Takes a task that can go on, any of them.
    fn pick(&self) -> Option<u64> {
        let mut ready = self.0.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let any = self.below(ready.len() as u64) as usize;
        (!ready.is_empty()).then(|| ready.swap_remove(any))
    }

    fn poll(&self, number: u64) {
        let Some(mut task) = self.0.tasks.borrow_mut().remove(&number) else { return };
        if let Some((_, waiting)) = self.0.asleep.borrow_mut().get_mut(&task.process) {
            waiting.push(number);
            self.0.tasks.borrow_mut().insert(number, task);
            return;
        }
        let waker = task.waker.clone();
        if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.0.tasks.borrow_mut().insert(number, task);
        }
    }
}
