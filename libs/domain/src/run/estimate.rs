//! Estimates how long a plan takes, from how long its steps took before. Pure.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::PlannedStep;

/// Answers how long steps take in all, in microseconds, `threads` at a time and each after what it needs. A step that
/// never ran is taken for an average one; None where none of them ever ran.
pub fn expected<'a>(
    steps: impl IntoIterator<Item = &'a PlannedStep>,
    threads: usize,
    usual: &HashMap<String, i64>,
) -> Option<i64> {
    let steps: Vec<&PlannedStep> = steps.into_iter().collect();
    let known: Vec<i64> = steps.iter().filter_map(|step| usual.get(&step.unique_id).copied()).collect();
    let average = known.iter().sum::<i64>().checked_div(known.len() as i64)?;
    let place: HashMap<&str, usize> =
        steps.iter().enumerate().map(|(at, step)| (step.unique_id.as_str(), at)).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    let mut open: Vec<usize> = vec![0; steps.len()];
    for (at, step) in steps.iter().enumerate() {
        for need in step.needs.iter().filter_map(|need| place.get(need.as_str())) {
            dependents[*need].push(at);
            open[at] += 1;
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..steps.len()).filter(|at| open[*at] == 0).map(Reverse).collect();
    let mut running: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    let mut now = 0;
    loop {
        while running.len() < threads.max(1)
            && let Some(Reverse(at)) = ready.pop()
        {
            let takes = usual.get(&steps[at].unique_id).copied().unwrap_or(average);
            running.push(Reverse((now + takes, at)));
        }
        let Some(Reverse((ends, at))) = running.pop() else { return Some(now) };
        now = ends;
        for dependent in &dependents[at] {
            open[*dependent] -= 1;
            if open[*dependent] == 0 {
                ready.push(Reverse(*dependent));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, needs: &[&str]) -> PlannedStep {
        PlannedStep {
            unique_id: name.to_owned(),
            name: name.to_owned(),
            resource_type: "model".to_owned(),
            materialized: None,
            relation: None,
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            reason: String::new(),
        }
    }

    fn usual(known: &[(&str, i64)]) -> HashMap<String, i64> {
        known.iter().map(|(name, takes)| ((*name).to_owned(), *takes)).collect()
    }

    #[test]
    fn adds_up_what_waits_for_each_other_and_overlaps_the_rest() {
        let steps = [step("a", &[]), step("b", &["a"]), step("c", &[])];
        let known = usual(&[("a", 10), ("b", 20), ("c", 25)]);
        assert_eq!(expected(&steps, 4, &known), Some(30));
        assert_eq!(expected(&steps, 1, &known), Some(55));
    }

    #[test]
    fn takes_a_step_that_never_ran_for_an_average_one() {
        let steps = [step("a", &[]), step("b", &["a"]), step("new", &["b"])];
        assert_eq!(expected(&steps, 4, &usual(&[("a", 10), ("b", 20)])), Some(45));
        assert_eq!(expected(&steps, 4, &HashMap::new()), None);
    }
}
