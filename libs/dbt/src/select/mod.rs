//! Chooses nodes of a project as `dbt --select`, `--exclude` and `--selector` do.
//!
//! Responsible for the grammar, its methods and the indirect selection of tests. What a command does with a chosen node
//! is the command's matter; methods that compare with an earlier state are refused by name.

#[cfg(test)]
pub(crate) mod fixture;
mod graph;
mod method;
mod normal;
mod pattern;
mod selectors;
mod spec;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use indexmap::IndexSet;

use crate::node::{ResourceType, UniqueId};
use crate::parse::Project;
use graph::Graph;
pub(crate) use normal::normalized;
use spec::{Criterion, Group, Operator, Spec};

/// Says which nodes are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Criteria {
    /// As `--select`: criteria parted by spaces; empty wants everything.
    pub select: String,
    /// As `--exclude`.
    pub exclude: String,
    /// As `--selector`: the name of a selector of selectors.yml; it stands in for `select` and `exclude`.
    pub selector: Option<String>,
    /// As `--indirect-selection`.
    pub indirect: Indirect,
    /// Only these kinds of nodes; empty wants all kinds.
    pub resource_types: Vec<ResourceType>,
}

/// Says when a test is chosen that was not asked for itself, but stands on a chosen node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Indirect {
    /// When any of its parents is chosen.
    #[default]
    Eager,
    /// When all of its parents are chosen.
    Cautious,
    /// When each of its parents is chosen, or is an ancestor of what is chosen.
    Buildable,
    /// Never.
    Empty,
}

impl std::str::FromStr for Indirect {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "eager" => Ok(Self::Eager),
            "cautious" => Ok(Self::Cautious),
            "buildable" => Ok(Self::Buildable),
            "empty" => Ok(Self::Empty),
            other => Err(Error::Indirect(other.to_owned())),
        }
    }
}

/// Says what is wrong with what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not a selection: `@` in front and `+` behind do not go together")]
    AtAndPlus(String),
    #[error("`{0}` is not a selection: the depth is too large")]
    Depth(String),
    #[error("`{0}` is no selection method; known are {known}", known = method::KNOWN.join(", "))]
    Method(String),
    #[error("the selection method `{0}` is not supported yet")]
    NotSupported(String),
    #[error("`{value}` is no value of the selection method `{method}`: expected {expected}")]
    Value { method: &'static str, value: String, expected: &'static str },
    #[error("`{0}` is no way to select tests indirectly; known are eager, cautious, buildable, empty")]
    Indirect(String),
    #[error("there is no selector `{0}` in selectors.yml")]
    Selector(String),
    #[error("selectors.yml is wrong in the selector `{selector}`: {problem}")]
    Definition { selector: String, problem: String },
}

impl Error {
    /// Answers the error's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSupported(_) => "SELECTOR_NOT_SUPPORTED",
            Self::AtAndPlus(_)
            | Self::Depth(_)
            | Self::Method(_)
            | Self::Value { .. }
            | Self::Indirect(_)
            | Self::Selector(_)
            | Self::Definition { .. } => "SELECTOR_INVALID",
        }
    }
}

/// Answers the nodes that `criteria` want, in the order of [`Project::nodes`].
///
/// # Errors
/// When the criteria are not written as dbt's grammar has them, or use what is not supported yet. That nothing fits is
/// no error.
pub fn select(project: &Project, criteria: &Criteria) -> Result<IndexSet<UniqueId>, Error> {
    select_since(project, criteria, None)
}

/// Answers what [`select`] does; `state:` compares with the project as it was, where that is known.
///
/// # Errors
/// As [`select`].
pub fn select_since(
    project: &Project,
    criteria: &Criteria,
    previous: Option<&Project>,
) -> Result<IndexSet<UniqueId>, Error> {
    let spec = selectors::spec_of(project, criteria)?;
    let selection = Selection { project, previous, graph: Graph::of(project) };
    let chosen = selection.resolve(&spec)?.chosen;
    let wanted = |kind: ResourceType| criteria.resource_types.is_empty() || criteria.resource_types.contains(&kind);
    let nodes = project.nodes().values().enumerate();
    // A group is no member of dbt's graph.
    let is_member = |kind: ResourceType| kind != ResourceType::Group && wanted(kind);
    let listed = nodes.filter(|(at, node)| chosen.contains(at) && is_member(node.resource_type));
    Ok(listed.map(|(_, node)| node.unique_id.clone()).collect())
}

/// Holds nodes by their places in [`Project::nodes`].
type Set = BTreeSet<usize>;

/// Is what a part of a selection comes to.
struct Resolved {
    chosen: Set,
    /// Tests on chosen nodes whose other parents are not chosen yet.
    waiting: Set,
}

struct Selection<'a> {
    project: &'a Project,
    previous: Option<&'a Project>,
    graph: Graph<'a>,
}

impl Selection<'_> {
    fn resolve(&self, spec: &Spec) -> Result<Resolved, Error> {
        match spec {
            Spec::Criterion(criterion) => self.criterion(criterion),
            Spec::Group(group) => self.group(group),
        }
    }

    fn criterion(&self, criterion: &Criterion) -> Result<Resolved, Error> {
        let mut chosen = method::matching((self.project, self.previous), criterion)?;
        let found = chosen.clone();
        if criterion.childrens_parents {
            let mut below = self.graph.descendants(&found, spec::Reach::All);
            below.extend(&found);
            chosen.extend(self.graph.ancestors(&below, spec::Reach::All));
            chosen.extend(below);
        }
        chosen.extend(self.graph.ancestors(&found, criterion.parents));
        chosen.extend(self.graph.descendants(&found, criterion.children));
        Ok(self.with_tests(chosen, criterion.indirect))
    }

    fn with_tests(&self, asked: Set, indirect: Indirect) -> Resolved {
        let mut waiting = Set::new();
        let mut chosen = asked.clone();
        let near = match indirect {
            Indirect::Empty => return Resolved { chosen, waiting },
            Indirect::Eager | Indirect::Cautious => asked.clone(),
            Indirect::Buildable => &self.with_ancestors(&asked) | &self.graph.sources(),
        };
        for test in self.graph.tests_on(&asked) {
            if indirect == Indirect::Eager || self.graph.stands_on(test, &near) {
                chosen.insert(test);
            } else {
                waiting.insert(test);
            }
        }
        Resolved { chosen, waiting }
    }

    fn with_ancestors(&self, nodes: &Set) -> Set {
        nodes | &self.graph.ancestors(nodes, spec::Reach::All)
    }

    fn group(&self, group: &Group) -> Result<Resolved, Error> {
        let parts = group.parts.iter().map(|part| self.resolve(part)).collect::<Result<Vec<_>, _>>()?;
        let combine = |sets: Vec<Set>| {
            let combined = sets.into_iter().reduce(|left, right| match group.operator {
                Operator::Union => &left | &right,
                Operator::Intersection => &left & &right,
                Operator::Difference => &left - &right,
            });
            combined.unwrap_or_default()
        };
        let waiting = combine(parts.iter().map(|part| &part.chosen | &part.waiting).collect());
        let mut chosen = combine(parts.into_iter().map(|part| part.chosen).collect());
        let near = match group.indirect {
            Indirect::Eager | Indirect::Empty => return Ok(Resolved { chosen, waiting }),
            Indirect::Cautious => chosen.clone(),
            Indirect::Buildable => self.with_ancestors(&chosen),
        };
        chosen.extend(waiting.iter().filter(|node| self.graph.is_data(**node) && self.graph.stands_on(**node, &near)));
        Ok(Resolved { chosen, waiting })
    }
}
