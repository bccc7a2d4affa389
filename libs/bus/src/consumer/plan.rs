//! What a checkpoint makes of records, as a pure function: drop, apply, read from the log first, or stop.

use dvt_mutant::mutant;

/// Holds where a record stands in its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub position: i64,
    /// The position of the partition's event before.
    pub prev: i64,
}

/// Says what to do with a record, or before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The record at this index was applied before.
    Drop(usize),
    Apply(usize),
    /// Read the events after `after`, up to and with `through`, from the log.
    Refetch {
        after: i64,
        through: i64,
    },
    /// The record continues another history: stop here.
    Diverged,
}

/// Answers the steps that take a checkpoint over `places`, which are in the order they came.
pub fn plan(checkpoint: i64, places: &[Place]) -> Vec<Step> {
    let mut at = checkpoint;
    let mut steps = Vec::new();
    for (index, place) in places.iter().enumerate() {
        if place.position <= at && !mutant("plan_applies_again") {
            steps.push(Step::Drop(index));
            continue;
        }
        if place.prev > at && !mutant("plan_applies_behind_a_gap") {
            steps.push(Step::Refetch { after: at, through: place.prev });
        } else if place.prev < at && !mutant("plan_applies_again") {
            steps.push(Step::Diverged);
            return steps;
        }
        steps.push(Step::Apply(index));
        at = place.position;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(prev: i64, position: i64) -> Place {
        Place { position, prev }
    }

    #[test]
    fn applies_what_follows() {
        assert_eq!(plan(0, &[place(0, 3), place(3, 5)]), [Step::Apply(0), Step::Apply(1)]);
    }

    #[test]
    fn drops_duplicates_and_jumps_back() {
        let steps = plan(5, &[place(3, 5), place(5, 8), place(0, 3), place(5, 8)]);
        assert_eq!(steps, [Step::Drop(0), Step::Apply(1), Step::Drop(2), Step::Drop(3)]);
    }

    #[test]
    fn reads_a_gap_from_the_log_first() {
        let steps = plan(3, &[place(7, 9), place(9, 10), place(12, 14)]);
        let refetch = |after, through| Step::Refetch { after, through };
        assert_eq!(steps, [refetch(3, 7), Step::Apply(0), Step::Apply(1), refetch(10, 12), Step::Apply(2)]);
    }

    #[test]
    fn stops_where_history_diverges() {
        assert_eq!(plan(5, &[place(4, 6), place(6, 7)]), [Step::Diverged]);
        assert_eq!(plan(4, &[place(4, 6), place(5, 7)]), [Step::Apply(0), Step::Diverged]);
    }
}
