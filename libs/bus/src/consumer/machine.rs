//! The consumer loop as a pure state machine: which partition to work on next, from Kafka's records or from the log.
//!
//! Knows no clock: `now` is the time since the loop started. What a batch does to the checkpoint is [`super::plan`]'s.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dvt_mutant::mutant;

use crate::Slot;

/// How many events are applied in one transaction.
pub const BATCH: usize = 200;
/// The first pause after a transient failure, doubled with each further one.
const BACKOFF: Duration = Duration::from_millis(100);
/// The longest pause after a transient failure.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Says where the events of a batch come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Kafka's records, checked against the checkpoint.
    Records,
    Log,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The log is ahead of these checkpoints; at the start, of all that are behind.
    Behind(Vec<Behind>),
    /// Records of a partition arrived and wait in the shell; unreadable ones make all of them useless.
    Received { slot: Slot, is_readable: bool },
    /// The batch that the machine asked for has ended.
    Worked { slot: Slot, outcome: Outcome },
    /// Time has passed.
    Tick,
}

/// Says that a partition's log is ahead of its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    pub slot: Slot,
    pub checkpoint: i64,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Applied up to and with `to`; `has_more`: the log holds more than the batch took.
    Moved { to: i64, has_more: bool },
    /// Another owner holds the checkpoint.
    Held,
    /// Nothing changed; trying again may help.
    Failed { error: String },
    /// Some event of the batch, which ends at `through`, cannot be applied: nothing changed.
    Poisoned { through: i64 },
    /// The records continue another history than the checkpoint's.
    Diverged { checkpoint: i64 },
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Apply one batch, and report [`Input::Worked`]. Never two at a time.
    Work { slot: Slot, source: Source, limit: usize },
    /// Forget the waiting records of a partition: the log has them.
    Discard { slot: Slot },
    /// Begin to listen to Kafka: the log is caught up with.
    Listen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Nothing,
    Work(Source),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    want: Want,
    /// In the queue, or waiting in `retry_at`.
    is_queued: bool,
    retry_at: Option<Duration>,
    failures: u32,
    error: Option<String>,
    /// One event a batch up to here, so that the one that cannot be applied stands alone.
    careful_through: i64,
    /// Stopped at this checkpoint until someone moves it.
    diverged: Option<i64>,
}

impl Lane {
    const IDLE: Self = Self {
        want: Want::Nothing,
        is_queued: false,
        retry_at: None,
        failures: 0,
        error: None,
        careful_through: 0,
        diverged: None,
    };
}

/// Holds what the loop knows of its partitions.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    lanes: BTreeMap<Slot, Lane>,
    queue: VecDeque<Slot>,
    busy: Option<Slot>,
    has_started: bool,
    is_listening: bool,
}

impl Machine {
    /// Takes what happened and answers what is to be done.
    pub fn handle(&mut self, input: Input, now: Duration) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Behind(behind) => {
                self.has_started = true;
                behind.into_iter().for_each(|behind| self.behind(behind));
            }
            Input::Received { slot, is_readable } => effects.extend(self.received(slot, is_readable)),
            Input::Worked { slot, outcome } => {
                self.busy = None;
                effects.extend(self.worked(slot, outcome, now));
            }
            Input::Tick => {}
        }
        self.wake(now);
        effects.extend(self.next());
        effects
    }

    /// Answers when the machine wants its next [`Input::Tick`].
    pub fn next_wake(&self) -> Option<Duration> {
        self.lanes.values().filter_map(|lane| lane.retry_at).min()
    }

    /// Says why the consumer is not ready; None if it is.
    pub fn reason(&self) -> Option<String> {
        let reasons = self.lanes.iter().filter_map(|(slot, lane)| match (lane.diverged, &lane.error) {
            (Some(checkpoint), _) => Some(format!("{slot}: HISTORY_DIVERGED after position {checkpoint}")),
            (None, Some(error)) => Some(format!("{slot}: {error}")),
            (None, None) => None,
        });
        let reasons: Vec<_> = reasons.collect();
        let is_catching_up = !self.is_listening;
        match (reasons.is_empty(), is_catching_up) {
            (true, false) => None,
            (true, true) => Some("catching up with the log".to_owned()),
            (false, _) => Some(reasons.join("; ")),
        }
    }

    fn lane(&mut self, slot: &Slot) -> &mut Lane {
        self.lanes.entry(slot.clone()).or_insert(Lane::IDLE)
    }

    fn behind(&mut self, behind: Behind) {
        let lane = self.lane(&behind.slot);
        if lane.diverged == Some(behind.checkpoint) {
            return;
        }
        lane.diverged = None;
        if mutant("consumer_waits_for_kafka") && self.is_listening {
            return;
        }
        let lane = self.lane(&behind.slot);
        if lane.want == Want::Nothing {
            self.want(&behind.slot, Source::Log);
        }
    }

    fn received(&mut self, slot: Slot, is_readable: bool) -> Option<Effect> {
        let lane = self.lane(&slot);
        if lane.diverged.is_some() {
            return Some(Effect::Discard { slot });
        }
        let is_plain = lane.retry_at.is_none() && lane.careful_through == 0 && lane.want != Want::Work(Source::Log);
        if is_readable && is_plain {
            self.want(&slot, Source::Records);
            return None;
        }
        self.want(&slot, Source::Log);
        Some(Effect::Discard { slot })
    }

    fn worked(&mut self, slot: Slot, outcome: Outcome, now: Duration) -> Option<Effect> {
        let lane = self.lane(&slot);
        match outcome {
            Outcome::Moved { to, has_more } => {
                (lane.failures, lane.error) = (0, None);
                if to >= lane.careful_through {
                    lane.careful_through = 0;
                }
                if !has_more {
                    return None;
                }
            }
            Outcome::Held => {
                (lane.failures, lane.error) = (0, None);
                return None;
            }
            Outcome::Failed { error } => {
                lane.failures += 1;
                lane.error = Some(error);
                lane.retry_at = Some(now + backoff(lane.failures));
            }
            Outcome::Poisoned { through } => lane.careful_through = through,
            Outcome::Diverged { checkpoint } => {
                lane.diverged = Some(checkpoint);
                lane.want = Want::Nothing;
                return Some(Effect::Discard { slot });
            }
        }
        self.want(&slot, Source::Log);
        Some(Effect::Discard { slot })
    }

    fn want(&mut self, slot: &Slot, source: Source) {
        let lane = self.lane(slot);
        lane.want = Want::Work(source);
        if !lane.is_queued && lane.retry_at.is_none() {
            lane.is_queued = true;
            self.queue.push_back(slot.clone());
        }
    }

    fn wake(&mut self, now: Duration) {
        for (slot, lane) in &mut self.lanes {
            if lane.retry_at.is_some_and(|at| at <= now) {
                lane.retry_at = None;
                if !lane.is_queued {
                    lane.is_queued = true;
                    self.queue.push_back(slot.clone());
                }
            }
        }
    }

    fn next(&mut self) -> Option<Effect> {
        while self.busy.is_none() {
            let Some(slot) = self.queue.pop_front() else {
                let is_first_rest = self.has_started && !self.is_listening && self.next_wake().is_none();
                self.is_listening |= is_first_rest;
                return is_first_rest.then_some(Effect::Listen);
            };
            let lane = self.lane(&slot);
            lane.is_queued = false;
            if lane.retry_at.is_some() {
                continue;
            }
            if let Want::Work(source) = std::mem::replace(&mut lane.want, Want::Nothing) {
                let limit = if lane.careful_through > 0 { 1 } else { BATCH };
                self.busy = Some(slot.clone());
                return Some(Effect::Work { slot, source, limit });
            }
        }
        None
    }
}

fn backoff(failures: u32) -> Duration {
    BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(BACKOFF_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    fn slot(partition: i16) -> Slot {
        Slot { topic: "dvt.project".into(), partition }
    }

    fn behind(partition: i16) -> Behind {
        Behind { slot: slot(partition), checkpoint: 0 }
    }

    fn work(partition: i16, source: Source, limit: usize) -> Effect {
        Effect::Work { slot: slot(partition), source, limit }
    }

    fn worked(partition: i16, outcome: Outcome) -> Input {
        Input::Worked { slot: slot(partition), outcome }
    }

    fn received(partition: i16) -> Input {
        Input::Received { slot: slot(partition), is_readable: true }
    }

    fn discard(partition: i16) -> Effect {
        Effect::Discard { slot: slot(partition) }
    }

    fn moved(to: i64) -> Outcome {
        Outcome::Moved { to, has_more: false }
    }

    fn listening() -> Machine {
        let mut machine = Machine::default();
        assert_eq!(machine.handle(Input::Behind(vec![]), NOW), [Effect::Listen]);
        machine
    }

    #[test]
    fn catches_up_from_the_log_before_it_listens() {
        let mut machine = Machine::default();
        assert_eq!(machine.handle(Input::Behind(vec![behind(1), behind(2)]), NOW), [work(1, Source::Log, BATCH)]);
        assert_eq!(machine.reason(), Some("catching up with the log".into()));
        let more = Outcome::Moved { to: 5, has_more: true };
        assert_eq!(machine.handle(worked(1, more), NOW), [discard(1), work(2, Source::Log, BATCH)]);
        assert_eq!(machine.handle(worked(2, moved(6)), NOW), [work(1, Source::Log, BATCH)]);
        assert_eq!(machine.handle(worked(1, moved(7)), NOW), [Effect::Listen]);
        assert_eq!(machine.reason(), None);
    }

    #[test]
    fn applies_records_as_they_come_and_one_batch_at_a_time() {
        let mut machine = listening();
        assert_eq!(machine.handle(received(1), NOW), [work(1, Source::Records, BATCH)]);
        assert_eq!(machine.handle(received(1), NOW), []);
        assert_eq!(machine.handle(received(2), NOW), []);
        assert_eq!(machine.handle(worked(1, moved(3)), NOW), [work(1, Source::Records, BATCH)]);
        assert_eq!(machine.handle(worked(1, moved(4)), NOW), [work(2, Source::Records, BATCH)]);
        assert_eq!(machine.handle(worked(2, Outcome::Held), NOW), []);
    }

    #[test]
    fn takes_what_cannot_be_read_from_the_log() {
        let mut machine = listening();
        let unreadable = Input::Received { slot: slot(1), is_readable: false };
        assert_eq!(machine.handle(unreadable, NOW), [discard(1), work(1, Source::Log, BATCH)]);
    }

    #[test]
    fn retries_a_failure_with_growing_pauses_while_others_flow() {
        let mut machine = listening();
        machine.handle(received(1), NOW);
        let failed = || worked(1, Outcome::Failed { error: "no database".into() });
        assert_eq!(machine.handle(failed(), NOW), [discard(1)]);
        assert_eq!(machine.reason(), Some("dvt.project/1: no database".into()));
        assert_eq!(machine.next_wake(), Some(NOW + BACKOFF));
        assert_eq!(machine.handle(received(1), NOW), [discard(1)]);
        assert_eq!(machine.handle(received(2), NOW), [work(2, Source::Records, BATCH)]);
        assert_eq!(machine.handle(worked(2, moved(9)), NOW), []);
        assert_eq!(machine.handle(Input::Tick, NOW + BACKOFF), [work(1, Source::Log, BATCH)]);
        machine.handle(failed(), NOW);
        assert_eq!(machine.next_wake(), Some(NOW + BACKOFF * 2));
        assert_eq!(machine.handle(Input::Tick, NOW + BACKOFF * 2), [work(1, Source::Log, BATCH)]);
        assert_eq!(machine.handle(worked(1, moved(9)), NOW), []);
        assert_eq!(machine.reason(), None);
        assert_eq!(backoff(40), BACKOFF_MAX);
    }

    #[test]
    fn goes_event_by_event_up_to_the_end_of_a_poisoned_batch() {
        let mut machine = listening();
        machine.handle(received(1), NOW);
        let poisoned = worked(1, Outcome::Poisoned { through: 9 });
        assert_eq!(machine.handle(poisoned, NOW), [discard(1), work(1, Source::Log, 1)]);
        assert_eq!(machine.handle(received(1), NOW), [discard(1)]);
        let more = |to| worked(1, Outcome::Moved { to, has_more: true });
        assert_eq!(machine.handle(more(8), NOW), [discard(1), work(1, Source::Log, 1)]);
        assert_eq!(machine.handle(more(9), NOW), [discard(1), work(1, Source::Log, BATCH)]);
    }

    #[test]
    fn stops_a_diverged_partition_only_until_its_checkpoint_is_moved() {
        let mut machine = listening();
        machine.handle(received(1), NOW);
        let diverged = worked(1, Outcome::Diverged { checkpoint: 5 });
        assert_eq!(machine.handle(diverged, NOW), [discard(1)]);
        assert_eq!(machine.reason(), Some("dvt.project/1: HISTORY_DIVERGED after position 5".into()));
        assert_eq!(machine.handle(received(1), NOW), [discard(1)]);
        let at = |checkpoint| Input::Behind(vec![Behind { slot: slot(1), checkpoint }]);
        assert_eq!(machine.handle(at(5), NOW), []);
        assert_eq!(machine.handle(received(2), NOW), [work(2, Source::Records, BATCH)]);
        machine.handle(worked(2, moved(9)), NOW);
        assert_eq!(machine.handle(at(0), NOW), [work(1, Source::Log, BATCH)]);
        assert_eq!(machine.reason(), None);
    }
}
