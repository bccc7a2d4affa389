//! Which waiting publishes become commits, in which order, and which come too late: pure.

use dvt_mutant::mutant;

/// Is a publish that waits for its turn at a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting<T> {
    pub request: T,
    pub branch_version: i64,
    /// Of the request, in the log.
    pub position: i64,
    /// The compilation has not ended yet.
    pub is_compiling: bool,
    /// The repository has its commit: it was pushed, and whoever did so could not record it.
    pub is_pushed: bool,
}

/// Holds what a publisher does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<T> {
    /// To be superseded by the version published last.
    pub late: Vec<T>,
    /// To be published, in the order of their versions.
    pub due: Vec<T>,
}

/// Answers what becomes of publishes, in the order of their requests, where `last` was published last.
///
/// Those that wait behind one whose compilation has not ended wait too: they are published in order.
pub fn plan<T>(waiting: Vec<Waiting<T>>, last: Option<i64>) -> Plan<T> {
    let mut ready: Vec<_> = waiting
        .into_iter()
        .take_while(|waiting| !waiting.is_compiling || mutant("publishing_passes_a_compilation"))
        .collect();
    if !mutant("publishing_takes_requests_as_they_come") {
        ready.sort_by_key(|waiting| (waiting.branch_version, waiting.position));
    }
    let is_older =
        |version: i64| last.is_some_and(|last| version < last) && !mutant("publishing_ignores_what_was_published");
    let is_late = |waiting: &Waiting<T>| !waiting.is_pushed && is_older(waiting.branch_version);
    let (late, due): (Vec<_>, Vec<_>) = ready.into_iter().partition(is_late);
    let requests = |waiting: Vec<Waiting<T>>| waiting.into_iter().map(|waiting| waiting.request).collect();
    Plan { late: requests(late), due: requests(due) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(request: char, branch_version: i64, position: i64) -> Waiting<char> {
        Waiting { request, branch_version, position, is_compiling: false, is_pushed: false }
    }

    #[test]
    fn publishes_in_the_order_of_versions_and_supersedes_older_ones() {
        let plan = plan(vec![waiting('a', 7, 1), waiting('b', 4, 2), waiting('c', 6, 3)], Some(5));
        assert_eq!(plan, Plan { late: vec!['b'], due: vec!['c', 'a'] });
    }

    #[test]
    fn waits_behind_a_compilation() {
        let compiling = Waiting { is_compiling: true, ..waiting('b', 2, 2) };
        let plan = plan(vec![waiting('a', 1, 1), compiling, waiting('c', 3, 3)], None);
        assert_eq!(plan, Plan { late: vec![], due: vec!['a'] });
    }

    #[test]
    fn what_was_pushed_and_not_recorded_is_not_late() {
        let pushed = Waiting { is_pushed: true, ..waiting('a', 1, 1) };
        let plan = plan(vec![pushed, waiting('b', 2, 2)], Some(2));
        assert_eq!(plan, Plan { late: vec![], due: vec!['a', 'b'] });
    }
}
