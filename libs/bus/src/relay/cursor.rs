//! From where a partition is published, and how far that has come: pure.

use dvt_mutant::mutant;

/// What a cursor says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// Published without a gap up to here.
    pub position: i64,
    /// The offset of that record; None where nothing was acknowledged since publishing began there.
    pub offset: Option<i64>,
}

/// How far publishing has come, and what the cluster is expected to answer next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub mark: Mark,
    /// A record is given this offset or a later one, unless the cluster has lost records.
    pub next_offset: i64,
}

/// What became of a record that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// With its offset.
    Acknowledged(i64),
    /// Or acknowledged without an offset, as by a cluster that had the record already: whether it has all before it must
    /// be asked.
    Failed,
}

/// Takes the deliveries of a partition in the order of sending. The error: publishing must begin anew, from how far it
/// is known to have come.
///
/// # Errors
/// When a record failed, or has an offset that another had before: the cluster has lost records.
pub fn acknowledge(
    mut progress: Progress,
    deliveries: impl IntoIterator<Item = (i64, Delivery)>,
) -> Result<Progress, Progress> {
    for (position, delivery) in deliveries {
        match delivery {
            Delivery::Acknowledged(offset)
                if offset < progress.next_offset && !mutant("relay_believes_offsets_that_go_back") =>
            {
                return Err(progress);
            }
            Delivery::Acknowledged(offset) => {
                progress = Progress { mark: Mark { position, offset: Some(offset) }, next_offset: offset + 1 };
            }
            Delivery::Failed if mutant("relay_advances_over_a_failed_record") => {}
            Delivery::Failed => return Err(progress),
        }
    }
    Ok(progress)
}

/// The offsets of a partition that the cluster has: from `low` to before `high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub low: i64,
    pub high: i64,
}

/// Answers the offset whose record says whether the cluster has what the cursor says: the cursor's own, else the last.
pub fn probe(cursor: Option<Mark>, bounds: Bounds) -> Option<i64> {
    match cursor?.offset {
        Some(offset) if offset < bounds.low && offset < bounds.high => None,
        Some(offset) if offset < bounds.high => Some(offset),
        Some(_) | None => (bounds.low < bounds.high).then_some(bounds.high - 1),
    }
}

/// Answers from where a partition is published to a cluster: from the cursor if the cluster has what it says, or had it
/// and it went by age. Else from no later than the lowest checkpoint (older events come from the log) and the last
/// record. `read` is the position of the record at [`probe`]'s offset.
///
/// The cursor must say the same from then on: it is how whoever leads next knows where publishing began, should a
/// record fail, or wait for a schema, while consumers and later records go on.
pub fn start(cursor: Option<Mark>, lowest: i64, bounds: Bounds, read: Option<i64>) -> Progress {
    let next_offset = bounds.high;
    let Some(cursor) = cursor else {
        return Progress { mark: Mark { position: lowest, offset: None }, next_offset };
    };
    let is_there = match (cursor.offset, probe(Some(cursor), bounds)) {
        (Some(offset), None) => offset < bounds.high,
        (Some(offset), Some(probed)) => offset == probed && read == Some(cursor.position),
        (None, None) => bounds.high > 0,
        (None, Some(_)) => false,
    };
    let is_there = is_there || mutant("relay_believes_the_cursor");
    let last = read.unwrap_or(i64::MAX);
    if let (true, Some(last)) = (mutant("relay_starts_at_the_last_record"), read) {
        return Progress { mark: Mark { position: last, offset: None }, next_offset };
    }
    let lost = Mark { position: cursor.position.min(lowest).min(last), offset: None };
    Progress { mark: if is_there { cursor } else { lost }, next_offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(position: i64, offset: i64) -> Mark {
        Mark { position, offset: Some(offset) }
    }

    /// Where a partition starts whose lowest checkpoint is 3, on a cluster of `records`: (offset, position).
    fn started(cursor: Option<Mark>, low: i64, records: &[(i64, i64)]) -> Mark {
        let bounds = Bounds { low, high: records.last().map_or(low, |(offset, _)| offset + 1) };
        let read = probe(cursor, bounds).and_then(|probed| records.iter().find(|(offset, _)| *offset == probed));
        start(cursor, 3, bounds, read.map(|(_, position)| *position)).mark
    }

    #[test]
    fn goes_on_at_the_cursor_where_the_cluster_has_it() {
        assert_eq!(started(Some(mark(9, 1)), 0, &[(0, 8), (1, 9), (2, 12)]), mark(9, 1));
        assert_eq!(started(Some(mark(9, 1)), 5, &[]), mark(9, 1), "all has gone by age");
        assert_eq!(started(Some(mark(9, 1)), 2, &[(2, 12)]), mark(9, 1), "its record has gone by age");
    }

    #[test]
    fn begins_before_what_the_cluster_lost() {
        let lost = |position| Mark { position, offset: None };
        assert_eq!(started(Some(mark(9, 4)), 0, &[]), lost(3), "it was wiped");
        assert_eq!(started(Some(mark(9, 4)), 0, &[(0, 2)]), lost(2), "it lost its end, and the checkpoints went on");
        assert_eq!(started(Some(mark(9, 0)), 0, &[(0, 10)]), lost(3), "it was wiped, and a stale leader wrote on");
        assert_eq!(started(Some(mark(9, 7)), 3, &[]), lost(3), "it was wiped, and what came then went by age");
        assert_eq!(started(Some(mark(2, 7)), 0, &[]), lost(2), "what was not published is not behind the checkpoints");
    }

    #[test]
    fn stays_where_publishing_began_until_something_is_acknowledged() {
        let begun = Mark { position: 2, offset: None };
        assert_eq!(started(None, 0, &[(0, 5)]), Mark { position: 3, offset: None }, "a cluster that we never wrote to");
        assert_eq!(started(Some(begun), 0, &[]), begun, "the checkpoints went on");
        assert_eq!(started(Some(begun), 0, &[(0, 5)]), begun, "a record failed, and a later one did not");
    }

    #[test]
    fn takes_acknowledgements_up_to_the_first_that_is_missing() {
        let from = Progress { mark: mark(4, 0), next_offset: 1 };
        let acknowledged = Delivery::Acknowledged;
        let done = acknowledge(from, [(5, acknowledged(1)), (6, acknowledged(4))]);
        assert_eq!(done, Ok(Progress { mark: mark(6, 4), next_offset: 5 }));
        let gap = acknowledge(from, [(5, acknowledged(1)), (6, Delivery::Failed), (7, acknowledged(2))]);
        assert_eq!(gap, Err(Progress { mark: mark(5, 1), next_offset: 2 }));
        assert_eq!(acknowledge(from, [(5, acknowledged(0))]), Err(from), "the cluster lost records");
    }
}
