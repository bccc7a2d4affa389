//! What follows from what is known of an attempt's effect: pure, so that nothing is ever guessed by a shell.

use dvt_mutant::mutant;

/// Says what is known of the effect of an attempt that was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// No effect, and none if it were tried again.
    Refused,
    /// No effect; trying again may help.
    Busy,
    /// No effect: a cancel was heard.
    Cancelled,
    /// Nothing: the session ended before its answer, or the ledger has the step already.
    Nothing,
}

/// Holds what else counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The run is cancelled.
    pub cancelled: bool,
    /// The run is given back: whoever drives it next finds out.
    pub given_back: bool,
    /// The executor has tries left for the step.
    pub may_try_again: bool,
}

/// Tells an executor what to do with an attempt that was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Leave,
    Cancel,
    Fail,
    TryAgain,
    /// Ask the target, once the attempt's session has ended.
    Ask,
}

/// Answers what follows from what is known.
pub fn next(known: Known, standing: Standing) -> Next {
    match known {
        _ if standing.given_back => Next::Leave,
        Known::Cancelled if standing.cancelled => Next::Cancel,
        Known::Cancelled | Known::Refused => Next::Fail,
        Known::Busy if standing.may_try_again && !standing.cancelled => Next::TryAgain,
        Known::Busy => Next::Fail,
        Known::Nothing if mutant("verdict_fails_what_is_unknown") => Next::Fail,
        Known::Nothing if mutant("verdict_tries_again_what_is_unknown") => Next::TryAgain,
        Known::Nothing => Next::Ask,
    }
}

/// Tells what a target's ledger proves of an attempt whose session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proven<T> {
    Succeeded(T),
    /// There was no effect; the step may be tried again.
    NotStarted,
    /// There was no effect, and it was tried often enough.
    Failed,
}

/// Answers what the ledger proves by its row of the step, or by having none.
pub fn proven<T>(row: Option<T>, may_try_again: bool) -> Proven<T> {
    match row.filter(|_| !mutant("verdict_does_not_believe_the_ledger")) {
        Some(row) => Proven::Succeeded(row),
        None if may_try_again => Proven::NotStarted,
        None => Proven::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Standing = Standing { cancelled: false, given_back: false, may_try_again: true };

    #[test]
    fn asks_the_target_where_nothing_is_known() {
        for (cancelled, may_try_again) in [(false, true), (true, true), (false, false), (true, false)] {
            let standing = Standing { cancelled, may_try_again, ..FRESH };
            assert_eq!(next(Known::Nothing, standing), Next::Ask, "{standing:?}");
        }
    }

    #[test]
    fn tries_again_only_what_had_no_effect_and_may_pass() {
        assert_eq!(next(Known::Busy, FRESH), Next::TryAgain);
        assert_eq!(next(Known::Busy, Standing { may_try_again: false, ..FRESH }), Next::Fail);
        assert_eq!(next(Known::Busy, Standing { cancelled: true, ..FRESH }), Next::Fail);
        assert_eq!(next(Known::Refused, FRESH), Next::Fail);
    }

    #[test]
    fn a_cancel_of_someone_else_is_a_failure() {
        assert_eq!(next(Known::Cancelled, Standing { cancelled: true, ..FRESH }), Next::Cancel);
        assert_eq!(next(Known::Cancelled, FRESH), Next::Fail);
    }

    #[test]
    fn leaves_a_run_that_is_given_back_to_the_next() {
        for known in [Known::Refused, Known::Busy, Known::Cancelled, Known::Nothing] {
            assert_eq!(next(known, Standing { given_back: true, ..FRESH }), Next::Leave);
        }
    }

    #[test]
    fn the_ledger_decides() {
        assert_eq!(proven(Some(7), false), Proven::Succeeded(7));
        assert_eq!(proven::<i64>(None, true), Proven::NotStarted);
        assert_eq!(proven::<i64>(None, false), Proven::Failed);
    }
}
