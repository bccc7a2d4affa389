//! How often a command may lose, and when it asks for the stream's turn among processes: pure.

use std::collections::HashSet;
use std::time::Duration;

use dvt_mutant::mutant;
use uuid::Uuid;

use crate::event::Outcome;

/// How often a command loses before its caller is told that the stream is busy.
pub const ROUNDS: u32 = 5;
/// With which loss a command asks for the stream's turn among processes: the next round then wins, unless its decision
/// takes longer than a turn lasts.
const LOSSES_BEFORE_RESERVING: u32 = 2;

/// Counts what became of one command in each round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    losses: u32,
    reserved: HashSet<Uuid>,
}

/// Says what follows a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Done(Outcome),
    /// Decide again on what the log says.
    Again,
    /// Another process has the turn, for at most as long.
    Wait(Duration),
    /// Others were faster every time.
    Busy,
}

impl Rounds {
    /// Says whether the command asks for the turn, should it lose this round.
    pub fn reserves(&self) -> bool {
        self.losses + 1 >= LOSSES_BEFORE_RESERVING && !mutant("rounds_never_reserve")
    }

    /// Takes what became of the command in this round.
    pub fn ended(&mut self, outcome: Outcome) -> Next {
        match outcome {
            Outcome::Appended { .. } => {
                self.reserved.clear(); // what was appended has ended the turn
                Next::Done(outcome)
            }
            Outcome::Duplicate { .. } => Next::Done(outcome),
            Outcome::Conflict { stream_id, expected, actual } => {
                if self.reserves() {
                    self.reserved.insert(stream_id);
                }
                // Whoever only stood behind a loser has not lost itself.
                self.losses += u32::from(expected != actual || mutant("rounds_count_who_stood_behind"));
                if self.losses >= ROUNDS { Next::Busy } else { Next::Again }
            }
            Outcome::Reserved { wait, .. } => Next::Wait(wait),
        }
    }

    /// Takes the streams whose turns the command may still hold: what it did not append gives them back, so that nobody
    /// waits in vain.
    pub fn take_reserved(&mut self) -> HashSet<Uuid> {
        std::mem::take(&mut self.reserved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Uuid = Uuid::from_u128(1);

    fn lost(actual: i64) -> Outcome {
        Outcome::Conflict { stream_id: STREAM, expected: 3, actual }
    }

    #[test]
    fn asks_for_the_turn_with_its_second_loss_and_gives_up_after_five() {
        let mut rounds = Rounds::default();
        let asked = (0..ROUNDS).map(|_| (rounds.reserves(), rounds.ended(lost(4)))).collect::<Vec<_>>();
        let again = |asks| (asks, Next::Again);
        assert_eq!(asked, [again(false), again(true), again(true), again(true), (true, Next::Busy)]);
        assert_eq!(rounds.take_reserved(), HashSet::from([STREAM]));
    }

    #[test]
    fn only_a_loss_of_its_own_counts() {
        let mut rounds = Rounds::default();
        for _ in 0..2 * ROUNDS {
            assert_eq!(rounds.ended(lost(3)), Next::Again);
            let wait = Duration::from_secs(1);
            assert_eq!(rounds.ended(Outcome::Reserved { stream_id: STREAM, wait }), Next::Wait(wait));
        }
        assert!(!rounds.reserves());
    }

    #[test]
    fn an_append_has_ended_the_turn() {
        let mut rounds = Rounds::default();
        rounds.ended(lost(4));
        rounds.ended(lost(5));
        let appended = Outcome::Appended { first: 1, last: 1 };
        assert_eq!(rounds.ended(appended.clone()), Next::Done(appended));
        assert!(rounds.take_reserved().is_empty());
    }
}
