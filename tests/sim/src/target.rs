//! A database that runs steps: each with its ledger row in one transaction. Sessions outlive their clients for a while.

use std::collections::BTreeMap;
use std::time::Duration;

use dvt_domain::run::Run;
use dvt_domain::run::verdict::Known;
use uuid::Uuid;

use crate::world::Node;

/// Names a step of a run.
pub(crate) type Key = (Uuid, String);

/// The target.
#[derive(Debug, Default)]
pub(crate) struct Target {
    sessions: BTreeMap<i32, Session>,
    last: i32,
    /// The attempts that committed, by step.
    pub(crate) ledger: BTreeMap<Key, i32>,
    /// How often a step's work was committed.
    pub(crate) effects: BTreeMap<Key, u32>,
    pub(crate) is_troubled: bool,
}

#[derive(Debug, Default)]
struct Session {
    /// The step whose ledger row is written and not committed.
    open: Option<(Key, i32)>,
    /// The commit is on its way.
    commits: bool,
}

/// One connection. Dropped, its session ends some time later.
pub(crate) struct Connection {
    node: Node,
    pub(crate) pid: i32,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (server, pid) = (self.node.outside(), self.pid);
        server.clone().spawn(async move {
            server.sim.sleep(server.sim.between(Duration::from_millis(1), Duration::from_secs(3))).await;
            server.world(|world| {
                if world.target.sessions.get(&pid).is_some_and(|session| !session.commits) {
                    world.target.sessions.remove(&pid);
                }
            });
        });
    }
}

/// Opens a session.
pub(crate) async fn connect(node: &Node) -> Result<Connection, Known> {
    pause(node).await;
    if node.world(|world| world.target.is_troubled) && node.sim.chance(10) {
        return Err(Known::Busy);
    }
    let pid = node.world(|world| {
        world.target.last += 1;
        world.target.sessions.insert(world.target.last, Session::default());
        world.target.last
    });
    Ok(Connection { node: node.clone(), pid })
}

/// Ends exactly this session, and returns when it is gone.
pub(crate) async fn end(node: &Node, pid: i32) -> Result<(), Known> {
    pause(node).await;
    if node.world(|world| world.target.is_troubled) && node.sim.chance(20) {
        return Err(Known::Busy);
    }
    node.world(|world| world.target.sessions.remove(&pid));
    pause(node).await;
    Ok(())
}

/// Reads the ledger.
pub(crate) async fn committed(node: &Node, key: &Key) -> Result<Option<i32>, Known> {
    pause(node).await;
    if node.world(|world| world.target.is_troubled) && node.sim.chance(20) {
        return Err(Known::Busy);
    }
    let found = node.world(|world| world.target.ledger.get(key).copied());
    pause(node).await;
    Ok(found)
}

async fn pause(node: &Node) {
    node.sim.sleep(node.sim.between(Duration::from_micros(200), Duration::from_millis(4))).await;
}

impl Connection {
    /// Does a step's work and its ledger row in one transaction.
    pub(crate) async fn build(&self, (key, attempt): (&Key, i32), is_ending: impl Fn() -> bool) -> Result<(), Known> {
        let sim = &self.node.sim;
        pause(&self.node).await;
        self.begin((key, attempt), &is_ending).await?;
        let until = sim.now() + sim.between(Duration::from_millis(5), Duration::from_millis(900));
        while sim.now() < until {
            sim.sleep(Duration::from_millis(20)).await;
            if is_ending() {
                self.roll_back();
                return Err(Known::Cancelled);
            }
        }
        let trouble = self.node.world(|world| world.target.is_troubled);
        let fate = sim.below(100);
        if fate < 12 || (trouble && fate < 24) {
            self.roll_back();
            return Err(if fate < 6 { Known::Refused } else { Known::Busy });
        }
        if trouble && sim.chance(10) {
            return Err(Known::Nothing); // the connection is cut, and nothing was sent
        }
        self.commit(key, attempt);
        if trouble && sim.chance(25) {
            return Err(Known::Nothing); // it is cut before the answer
        }
        loop {
            sim.sleep(Duration::from_millis(2)).await;
            let is_there = self.node.world(|world| world.target.ledger.contains_key(key));
            match is_there {
                true => return Ok(()),
                false if !self.is_alive() => return Err(Known::Nothing),
                false => {}
            }
        }
    }

    /// Writes the ledger row, which waits for another transaction that has written it.
    async fn begin(&self, (key, attempt): (&Key, i32), is_ending: &impl Fn() -> bool) -> Result<(), Known> {
        loop {
            let begun = self.node.world(|world| {
                let target = &mut world.target;
                let holds = |session: &Session| session.open.as_ref().is_some_and(|(open, _)| open == key);
                if !target.sessions.contains_key(&self.pid) || target.ledger.contains_key(key) {
                    return Some(Err(Known::Nothing));
                }
                if target.sessions.values().any(holds) {
                    return None;
                }
                if let Some(session) = target.sessions.get_mut(&self.pid) {
                    session.open = Some((key.clone(), attempt));
                }
                Some(Ok(()))
            });
            match begun {
                Some(begun) => return begun,
                None if is_ending() => return Err(Known::Cancelled),
                None => self.node.sim.sleep(Duration::from_millis(10)).await,
            }
        }
    }

    fn is_alive(&self) -> bool {
        self.node.world(|world| world.target.sessions.contains_key(&self.pid))
    }

    fn roll_back(&self) {
        self.node.world(|world| {
            if let Some(session) = world.target.sessions.get_mut(&self.pid) {
                session.open = None;
            }
        });
    }

    /// Sends the commit: it arrives some time later, unless the session is ended first.
    fn commit(&self, key: &Key, attempt: i32) {
        let (server, pid, key) = (self.node.outside(), self.pid, key.clone());
        let trouble = self.node.world(|world| {
            if let Some(session) = world.target.sessions.get_mut(&pid) {
                session.commits = true;
            }
            world.target.is_troubled
        });
        let late = Duration::from_millis(if trouble && server.sim.chance(30) { 9_000 } else { 20 });
        server.clone().spawn(async move {
            server.sim.sleep(server.sim.between(Duration::from_millis(1), late)).await;
            server.world(|world| {
                let open = world.target.sessions.remove(&pid).and_then(|session| session.open);
                if open == Some((key.clone(), attempt)) {
                    if !has_intent(&world.db.load(key.0).run(), &key.1, attempt) {
                        world.breaks("intent_before_effect", format!("{key:?}, attempt {attempt}"));
                    }
                    world.target.ledger.insert(key.clone(), attempt);
                    *world.target.effects.entry(key).or_default() += 1;
                }
            });
        });
    }
}

/// Says whether the log knows of an attempt whose work is committed now.
fn has_intent(run: &Run, unique_id: &str, attempt: i32) -> bool {
    run.steps.get(unique_id).is_some_and(|step| step.attempt >= attempt)
}
