//! The relay as a pure state machine: who leads, from where each partition is published, and what to do next.
//!
//! Knows no clock: `now` is the time since the relay started.

use std::collections::BTreeMap;
use std::time::Duration;

use dvt_mutant::mutant;

use super::cursor::Progress;
use crate::Slot;
use crate::leases::RELAY;

/// The pause after Kafka failed.
const RETRY: Duration = Duration::from_secs(1);
/// How long a partition waits for the id of a schema.
const HOLD: Duration = Duration::from_secs(1);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed, or something was appended.
    Tick,
    /// The answer to [`Effect::Lead`]: the epoch in which we lead, or None.
    Led(Option<i64>),
    /// The answer to [`Effect::Open`]: where each partition starts. The cursors say the same.
    Opened(Vec<(Slot, Progress)>),
    /// The answer to [`Effect::ReadHeads`].
    Heads(Vec<(Slot, i64)>),
    /// The answer to [`Effect::Publish`].
    Published(Vec<(Slot, Published)>),
    /// Kafka, the registry or the store failed at what was asked last.
    Failed,
}

/// How far a partition was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    pub progress: Progress,
    /// A schema has no id yet: nothing behind this goes out.
    pub is_held: bool,
}

/// What the shell is to do. It answers every effect but [`Effect::Close`] with an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Take or renew the lease.
    Lead,
    /// Connect a producer, and compare the cluster's records with the cursors.
    Open,
    ReadHeads,
    /// Publish events after these positions, in order, and move the cursors.
    Publish(Vec<(Slot, Progress)>),
    /// Throw away the producer with all that it has not sent.
    Close,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Role {
    Standby {
        ask_at: Duration,
    },
    /// Leads, without a producer.
    Opening {
        epoch: i64,
        open_at: Duration,
    },
    Leading {
        epoch: i64,
        renew_at: Duration,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lane {
    progress: Progress,
    head: i64,
    held_until: Option<Duration>,
}

/// Holds what the relay knows.
#[derive(Clone, Debug)]
pub struct Machine {
    role: Role,
    lanes: BTreeMap<Slot, Lane>,
    is_busy: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self { role: Role::Standby { ask_at: Duration::ZERO }, lanes: BTreeMap::new(), is_busy: false }
    }
}

impl Machine {
    /// Takes what happened and answers what is to be done: at most one effect that is answered.
    pub fn handle(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        let effects = match input {
            Input::Tick if self.is_busy => return Vec::new(),
            Input::Tick => self.tick(now),
            Input::Led(Some(epoch)) => self.led(epoch, now),
            Input::Led(None) => self.lost(now),
            Input::Opened(starts) => self.opened(starts, now),
            Input::Heads(heads) => self.heads(heads, now),
            Input::Published(published) => self.published(published, now),
            Input::Failed => self.failed(now),
        };
        self.is_busy = effects.iter().any(|effect| *effect != Effect::Close);
        effects
    }

    /// Answers the epoch in which this process leads.
    pub fn epoch(&self) -> Option<i64> {
        match self.role {
            Role::Standby { .. } => None,
            Role::Opening { epoch, .. } | Role::Leading { epoch, .. } => Some(epoch),
        }
    }

    /// Says whether this process publishes: it leads, and its producer is connected.
    pub fn publishes(&self) -> bool {
        matches!(self.role, Role::Leading { .. })
    }

    /// Answers how many partitions wait for the id of a schema.
    pub fn held(&self) -> usize {
        self.lanes.values().filter(|lane| lane.held_until.is_some()).count()
    }

    fn tick(&mut self, now: Duration) -> Vec<Effect> {
        match self.role {
            Role::Standby { ask_at } if now >= ask_at => vec![Effect::Lead],
            // Renews before it opens.
            Role::Opening { open_at, .. } if now >= open_at => vec![Effect::Lead],
            Role::Leading { renew_at, .. } if now >= renew_at => vec![Effect::Lead],
            Role::Leading { .. } => vec![Effect::ReadHeads],
            Role::Standby { .. } | Role::Opening { .. } => Vec::new(),
        }
    }

    fn led(&mut self, new: i64, now: Duration) -> Vec<Effect> {
        match self.role {
            Role::Leading { epoch, .. } if epoch == new => {
                self.role = Role::Leading { epoch, renew_at: now + RELAY.renew };
                vec![Effect::ReadHeads]
            }
            // Someone else led in between.
            Role::Leading { .. } => {
                self.role = Role::Opening { epoch: new, open_at: now };
                vec![Effect::Close, Effect::Open]
            }
            Role::Standby { .. } | Role::Opening { .. } => {
                self.role = Role::Opening { epoch: new, open_at: now };
                vec![Effect::Open]
            }
        }
    }

    fn lost(&mut self, now: Duration) -> Vec<Effect> {
        let led = std::mem::replace(
            &mut self.role,
            Role::Standby {
                ask_at: now + if mutant("relay_follower_asks_late") { RELAY.ttl * 9 } else { RELAY.renew },
            },
        );
        match led {
            Role::Leading { .. } => vec![Effect::Close],
            Role::Standby { .. } | Role::Opening { .. } => Vec::new(),
        }
    }

    fn opened(&mut self, starts: Vec<(Slot, Progress)>, now: Duration) -> Vec<Effect> {
        let Role::Opening { epoch, .. } = self.role else { return Vec::new() };
        self.role = Role::Leading { epoch, renew_at: now + RELAY.renew };
        let lane = |progress| Lane { progress, ..Lane::default() };
        self.lanes = starts.into_iter().map(|(slot, progress)| (slot, lane(progress))).collect();
        vec![Effect::ReadHeads]
    }

    fn heads(&mut self, heads: Vec<(Slot, i64)>, now: Duration) -> Vec<Effect> {
        for (slot, head) in heads {
            self.lanes.entry(slot).or_default().head = head;
        }
        self.publish(now)
    }

    fn published(&mut self, published: Vec<(Slot, Published)>, now: Duration) -> Vec<Effect> {
        for (slot, published) in published {
            let lane = self.lanes.entry(slot).or_default();
            lane.progress = published.progress;
            lane.held_until = published.is_held.then_some(now + HOLD);
        }
        match self.role {
            Role::Leading { renew_at, .. } if now >= renew_at => vec![Effect::Lead],
            Role::Leading { .. } => self.publish(now),
            Role::Standby { .. } | Role::Opening { .. } => Vec::new(),
        }
    }

    fn publish(&self, now: Duration) -> Vec<Effect> {
        let behind = self.lanes.iter().filter(|(_, lane)| {
            lane.head > lane.progress.mark.position && lane.held_until.is_none_or(|until| until <= now)
        });
        let behind: Vec<_> = behind.map(|(slot, lane)| (slot.clone(), lane.progress)).collect();
        if behind.is_empty() { Vec::new() } else { vec![Effect::Publish(behind)] }
    }

    fn failed(&mut self, now: Duration) -> Vec<Effect> {
        match self.role {
            Role::Leading { epoch, .. } | Role::Opening { epoch, .. } => {
                self.role = Role::Opening { epoch, open_at: now + RETRY };
                vec![Effect::Close]
            }
            Role::Standby { .. } => {
                self.role = Role::Standby { ask_at: now + RETRY };
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cursor::Mark;
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn slot(partition: i16) -> Slot {
        Slot { topic: "dvt.run".into(), partition }
    }

    fn at(position: i64) -> Progress {
        Progress { mark: Mark { position, offset: None }, next_offset: 0 }
    }

    fn through(position: i64) -> Published {
        Published { progress: at(position), is_held: false }
    }

    fn leading() -> Machine {
        let mut machine = Machine::default();
        assert_eq!(machine.handle(Input::Tick, NOW), [Effect::Lead]);
        assert_eq!(machine.handle(Input::Led(Some(1)), NOW), [Effect::Open]);
        assert!(!machine.publishes(), "it is not connected");
        assert_eq!(machine.handle(Input::Opened(vec![(slot(1), at(4))]), NOW), [Effect::ReadHeads]);
        assert!(machine.publishes());
        machine
    }

    #[test]
    fn publishes_what_is_behind_until_nothing_is() {
        let mut machine = leading();
        let heads = Input::Heads(vec![(slot(1), 9), (slot(2), 6)]);
        assert_eq!(machine.handle(heads, NOW), [Effect::Publish(vec![(slot(1), at(4)), (slot(2), at(0))])]);
        assert_eq!(machine.handle(Input::Tick, NOW), [], "one effect at a time");
        let first = Input::Published(vec![(slot(1), through(8)), (slot(2), through(6))]);
        assert_eq!(machine.handle(first, NOW), [Effect::Publish(vec![(slot(1), at(8))])]);
        assert_eq!(machine.handle(Input::Published(vec![(slot(1), through(9))]), NOW), []);
        assert_eq!(machine.handle(Input::Tick, NOW), [Effect::ReadHeads]);
    }

    #[test]
    fn holds_back_only_the_partition_whose_schema_has_no_id() {
        let mut machine = leading();
        machine.handle(Input::Heads(vec![(slot(1), 9), (slot(2), 6)]), NOW);
        let held = Published { is_held: true, ..through(5) };
        let published = Input::Published(vec![(slot(1), held), (slot(2), through(5))]);
        assert_eq!(machine.handle(published, NOW), [Effect::Publish(vec![(slot(2), at(5))])]);
        machine.handle(Input::Published(vec![(slot(2), through(6))]), NOW);
        let later = NOW + HOLD;
        assert_eq!(machine.handle(Input::Heads(vec![]), later), [Effect::Publish(vec![(slot(1), at(5))])]);
    }

    #[test]
    fn renews_between_batches_and_steps_down_when_another_leads() {
        let mut machine = leading();
        machine.handle(Input::Heads(vec![(slot(1), 9)]), NOW);
        let late = NOW + RELAY.renew;
        assert_eq!(machine.handle(Input::Published(vec![(slot(1), through(5))]), late), [Effect::Lead]);
        assert_eq!(machine.handle(Input::Led(None), late), [Effect::Close]);
        assert_eq!(machine.epoch(), None);
        assert_eq!(machine.handle(Input::Tick, late), []);
        assert_eq!(machine.handle(Input::Tick, late + RELAY.renew), [Effect::Lead]);
    }

    #[test]
    fn opens_again_when_another_led_in_between() {
        let mut machine = leading();
        assert_eq!(machine.handle(Input::Led(Some(1)), NOW), [Effect::ReadHeads]);
        assert_eq!(machine.handle(Input::Led(Some(3)), NOW), [Effect::Close, Effect::Open]);
        assert_eq!(machine.epoch(), Some(3));
    }

    #[test]
    fn throws_the_producer_away_after_a_failure_and_begins_again_from_what_is_acknowledged() {
        let mut machine = leading();
        machine.handle(Input::Heads(vec![(slot(1), 9)]), NOW);
        assert_eq!(machine.handle(Input::Failed, NOW), [Effect::Close]);
        assert_eq!(machine.handle(Input::Tick, NOW), []);
        assert_eq!(machine.handle(Input::Tick, NOW + RETRY), [Effect::Lead]);
        assert_eq!(machine.handle(Input::Led(Some(1)), NOW + RETRY), [Effect::Open]);
        assert_eq!(machine.handle(Input::Opened(vec![(slot(1), at(6))]), NOW + RETRY), [Effect::ReadHeads]);
        let heads = Input::Heads(vec![(slot(1), 9)]);
        assert_eq!(machine.handle(heads, NOW + RETRY), [Effect::Publish(vec![(slot(1), at(6))])]);
    }

    #[test]
    fn keeps_asking_while_the_store_fails() {
        let mut machine = Machine::default();
        machine.handle(Input::Tick, NOW);
        assert_eq!(machine.handle(Input::Failed, NOW), []);
        assert_eq!(machine.handle(Input::Tick, NOW), []);
        assert_eq!(machine.handle(Input::Tick, NOW + RETRY), [Effect::Lead]);
    }
}
