//! Plans a run: which nodes, in which order, after which others, and why. Pure.

use std::collections::{HashMap, HashSet, VecDeque};

use dvt_dbt::node::{Node, ResourceType};
use dvt_dbt::parse::Project;
use dvt_dbt::select::{self, Criteria, select};

use super::{Kind, PlannedStep, RunRequested};

/// Tags of a project's own statements, as dbt gives them.
const ON_RUN_START: &str = "on-run-start";
const ON_RUN_END: &str = "on-run-end";

/// Says what a run is to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub kind: Kind,
    /// dbt's selection; empty for every node.
    pub select: String,
    pub exclude: String,
    /// The unique_ids that are taken instead of a selection; empty for the selection.
    pub nodes: Vec<String>,
    /// True for what did not succeed in an earlier run.
    pub is_retry: bool,
}

impl From<&RunRequested> for Wanted {
    fn from(asked: &RunRequested) -> Self {
        Self {
            kind: asked.kind,
            select: asked.select.clone(),
            exclude: asked.exclude.clone(),
            nodes: asked.nodes.clone(),
            is_retry: asked.retry_of.is_some(),
        }
    }
}

/// Plans a run.
///
/// # Errors
/// When the selection is not written as dbt's grammar has it.
pub fn plan(project: &Project, request: &Wanted) -> Result<Vec<PlannedStep>, select::Error> {
    let selected = match request.nodes.is_empty() {
        true => {
            let (wanted, exclude) = (request.select.clone(), request.exclude.clone());
            select(project, &Criteria { select: wanted, exclude, ..Criteria::default() })?
        }
        false => request.nodes.iter().cloned().collect(),
    };
    let wanted = |node: &&Node| selected.contains(&node.unique_id) && request.kind.runs(node);
    let chosen: Vec<&Node> = project.nodes().values().filter(wanted).collect();
    let ids: HashSet<&str> = chosen.iter().map(|node| node.unique_id.as_str()).collect();
    let mut needs: HashMap<&str, Vec<&str>> =
        chosen.iter().map(|node| (node.unique_id.as_str(), needs(project, node, &ids))).collect();
    let before = tested_before(&chosen, &mut needs);
    if request.kind == Kind::Build {
        let after: Vec<&Node> =
            chosen.iter().copied().filter(|node| !before.iter().any(|(_, test)| *test == node.unique_id)).collect();
        hold_back_by_tests(&after, &mut needs);
    }
    for (model, unit_test) in before {
        needs.entry(model).or_default().push(unit_test);
    }
    let steps: Vec<PlannedStep> =
        ordered(&chosen, &needs).into_iter().map(|node| step(project, node, &needs, request)).collect();
    Ok(match steps.is_empty() {
        true => steps,
        false => with_hooks(project, steps),
    })
}

/// Says whether a step is one of the project's own statements that come before all else.
pub fn comes_first(step: &PlannedStep) -> bool {
    step.resource_type == ResourceType::Operation.as_str() && step.reason == ON_RUN_START
}

/// Finds the chosen nodes that a node waits for, also through nodes that do not run.
fn needs<'a>(project: &'a Project, node: &'a Node, chosen: &HashSet<&'a str>) -> Vec<&'a str> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut queue: VecDeque<&str> = node.depends_on.nodes.iter().map(String::as_str).collect();
    while let Some(parent) = queue.pop_front() {
        if !seen.insert(parent) {
            continue;
        }
        match chosen.get(parent) {
            Some(parent) => found.push(*parent),
            None => queue.extend(
                project.find(parent).into_iter().flat_map(|parent| parent.depends_on.nodes.iter().map(String::as_str)),
            ),
        }
    }
    found
}

/// Lets a unit test need what its model needs instead of the model, which is to wait for it; answers both.
fn tested_before<'a>(chosen: &[&'a Node], needs: &mut HashMap<&'a str, Vec<&'a str>>) -> Vec<(&'a str, &'a str)> {
    let mut before = Vec::new();
    for test in chosen.iter().filter(|node| node.resource_type == ResourceType::UnitTest) {
        let Some(&[model]) = needs.get(test.unique_id.as_str()).map(Vec::as_slice) else { continue };
        if test.depends_on.nodes.iter().any(|tested| tested == model) {
            needs.insert(&test.unique_id, needs[model].clone());
            before.push((model, test.unique_id.as_str()));
        }
    }
    before
}

/// Lets what reads tested nodes wait for their tests, as `dbt build` does.
fn hold_back_by_tests<'a>(chosen: &[&'a Node], needs: &mut HashMap<&'a str, Vec<&'a str>>) {
    let is_test = |node: &&&Node| matches!(node.resource_type, ResourceType::Test | ResourceType::UnitTest);
    let mut children: HashMap<&str, Vec<&'a str>> = HashMap::new();
    for node in chosen.iter().filter(|node| !is_test(node)) {
        for parent in &needs[node.unique_id.as_str()] {
            children.entry(parent).or_default().push(&node.unique_id);
        }
    }
    let mut held: Vec<(&'a str, &'a str)> = Vec::new();
    for test in chosen.iter().filter(is_test) {
        let tested = &needs[test.unique_id.as_str()];
        let mut below = tested.iter().map(|node| descendants(node, &children));
        let Some(first) = below.next() else { continue };
        let common = below.fold(first, |common, other| common.intersection(&other).copied().collect());
        let is_first = |node: &&&str| !needs[**node].iter().any(|parent| common.contains(parent));
        held.extend(common.iter().filter(is_first).map(|node| (*node, test.unique_id.as_str())));
    }
    held.sort_unstable();
    for (node, test) in held {
        needs.entry(node).or_default().push(test);
    }
}

fn descendants<'a>(node: &str, children: &HashMap<&str, Vec<&'a str>>) -> HashSet<&'a str> {
    let mut found = HashSet::new();
    let mut next: Vec<&'a str> = children.get(node).cloned().unwrap_or_default();
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(children.get(id).into_iter().flatten());
        }
    }
    found
}

/// Orders nodes after what they need; among those that are ready, as the project lists them.
fn ordered<'a>(chosen: &[&'a Node], needs: &HashMap<&str, Vec<&str>>) -> Vec<&'a Node> {
    let place: HashMap<&str, usize> =
        chosen.iter().enumerate().map(|(place, node)| (node.unique_id.as_str(), place)).collect();
    let mut open: Vec<usize> = chosen.iter().map(|node| needs[node.unique_id.as_str()].len()).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); chosen.len()];
    for (index, node) in chosen.iter().enumerate() {
        for need in &needs[node.unique_id.as_str()] {
            dependents[place[need]].push(index);
        }
    }
    let mut ready: std::collections::BTreeSet<usize> = (0..chosen.len()).filter(|index| open[*index] == 0).collect();
    let mut order = Vec::with_capacity(chosen.len());
    while let Some(index) = ready.pop_first() {
        order.push(chosen[index]);
        for dependent in &dependents[index] {
            open[*dependent] -= 1;
            if open[*dependent] == 0 {
                ready.insert(*dependent);
            }
        }
    }
    order
}

fn step(project: &Project, node: &Node, needs: &HashMap<&str, Vec<&str>>, request: &Wanted) -> PlannedStep {
    let is_relation = matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot);
    PlannedStep {
        unique_id: node.unique_id.clone(),
        name: node.name.clone(),
        resource_type: node.resource_type.as_str().to_owned(),
        materialized: is_relation.then(|| node.materialized().to_owned()),
        relation: is_relation.then(|| format!("{}.{}", node.schema, node.alias)),
        needs: needs[node.unique_id.as_str()].iter().map(|need| (*need).to_owned()).collect(),
        reason: reason(project, node, request),
    }
}

fn reason(project: &Project, node: &Node, request: &Wanted) -> String {
    let name = |id: &String| project.find(id).map_or_else(|| id.clone(), |node| node.name.clone());
    let tested: Vec<String> = node.depends_on.nodes.iter().map(name).collect();
    match (node.resource_type, request.select.trim(), request.exclude.trim()) {
        (ResourceType::Test | ResourceType::UnitTest, _, _) if !tested.is_empty() => {
            format!("tests {}", tested.join(", "))
        }
        _ if request.is_retry => "did not succeed in the run before".to_owned(),
        (_, "", "") => "part of the project".to_owned(),
        (_, "", exclude) => format!("not excluded by `{exclude}`"),
        (_, select, _) => format!("selected by `{select}`"),
    }
}

/// Puts the project's own statements before and after all else.
fn with_hooks(project: &Project, mut steps: Vec<PlannedStep>) -> Vec<PlannedStep> {
    let hooks = |tag: &str| -> Vec<&Node> {
        let tagged =
            |node: &&Node| node.resource_type == ResourceType::Operation && node.tags.iter().any(|known| known == tag);
        project.nodes().values().filter(tagged).collect()
    };
    let hook = |node: &Node, needs: Vec<String>, reason: &str| PlannedStep {
        unique_id: node.unique_id.clone(),
        name: node.name.clone(),
        resource_type: node.resource_type.as_str().to_owned(),
        materialized: None,
        relation: None,
        needs,
        reason: reason.to_owned(),
    };
    let (mut first, mut before): (Vec<PlannedStep>, Vec<String>) = (Vec::new(), Vec::new());
    for node in hooks(ON_RUN_START) {
        first.push(hook(node, before.clone(), ON_RUN_START));
        before = vec![node.unique_id.clone()];
    }
    for step in &mut steps {
        step.needs.extend(first.iter().map(|hook| hook.unique_id.clone()));
    }
    first.append(&mut steps);
    let mut before: Vec<String> = first.iter().map(|step| step.unique_id.clone()).collect();
    for node in hooks(ON_RUN_END) {
        first.push(hook(node, std::mem::take(&mut before), ON_RUN_END));
        before = vec![node.unique_id.clone()];
    }
    first
}
