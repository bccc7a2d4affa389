//! The grammar of criteria: `@2+method:value+3`, joined by commas and spaces.

use serde_json::Value as Json;

use super::method::Method;
use super::{Error, Indirect};

/// Says how far a criterion reaches along the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Levels(usize),
    All,
}

impl Reach {
    pub(super) fn covers(self, level: usize) -> bool {
        match self {
            Self::Levels(levels) => level < levels,
            Self::All => true,
        }
    }
}

/// Is one criterion.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Criterion {
    pub(super) method: Method,
    /// A string, where it was not written in YAML.
    pub(super) value: Json,
    pub(super) childrens_parents: bool,
    pub(super) parents: Reach,
    pub(super) children: Reach,
    pub(super) indirect: Indirect,
}

/// Says how the parts of a group come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Union,
    Intersection,
    /// The first without all others.
    Difference,
}

/// Is a group of criteria.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub(super) operator: Operator,
    pub(super) parts: Vec<Spec>,
    /// Which waiting tests the group takes in; dbt does so only for groups of the command line.
    pub(super) indirect: Indirect,
}

/// Is a selection.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Spec {
    Criterion(Criterion),
    Group(Group),
}

/// What dbt selects where nothing is said.
const EVERYTHING: &str = "fqn:* source:* exposure:* metric:* semantic_model:*";

/// Reads `--select` and `--exclude`.
pub(super) fn read(select: &str, exclude: &str, indirect: Indirect) -> Result<Spec, Error> {
    let select = if select.trim().is_empty() { EVERYTHING } else { select };
    let parts = vec![union(select, indirect)?, union(exclude, indirect)?];
    Ok(Spec::Group(Group { operator: Operator::Difference, parts, indirect: Indirect::Eager }))
}

fn union(text: &str, indirect: Indirect) -> Result<Spec, Error> {
    let parts = text.split_whitespace().map(|word| {
        let parts = word.split(',').map(|part| criterion(part, indirect).map(Spec::Criterion));
        let parts = parts.collect::<Result<_, Error>>()?;
        Ok(Spec::Group(Group { operator: Operator::Intersection, parts, indirect }))
    });
    Ok(Spec::Group(Group { operator: Operator::Union, parts: parts.collect::<Result<_, Error>>()?, indirect }))
}

/// Is one criterion as it is written.
pub(super) struct Parts<'a> {
    pub(super) is_at: bool,
    /// The depth before a leading `+`, empty where none is said.
    pub(super) parents: Option<&'a str>,
    /// The method with its arguments; where none is written, the one that dbt guesses.
    pub(super) method: &'a str,
    pub(super) value: &'a str,
    /// The depth behind a trailing `+`.
    pub(super) children: Option<&'a str>,
}

/// Takes a criterion apart.
pub(super) fn parts(text: &str) -> Parts<'_> {
    let at = text.strip_prefix('@');
    let rest = at.unwrap_or(text);
    let (parents, rest) = match rest.split_once('+') {
        Some((depth, rest)) if is_depth(depth) => (Some(depth), rest),
        Some(_) | None => (None, rest),
    };
    let (children, rest) = match rest.rsplit_once('+') {
        Some((rest, depth)) if is_depth(depth) => (Some(depth), rest),
        Some(_) | None => (None, rest),
    };
    let (method, value) = match rest.split_once(':') {
        Some((method, value)) if is_method(method) => (method, value),
        Some(_) | None => (Method::guess(rest), rest),
    };
    Parts { is_at: at.is_some(), parents, method, value, children }
}

/// Reads one criterion.
pub(super) fn criterion(text: &str, indirect: Indirect) -> Result<Criterion, Error> {
    let parts = parts(text);
    if parts.is_at && parts.children.is_some() {
        return Err(Error::AtAndPlus(text.to_owned()));
    }
    Ok(Criterion {
        method: Method::read(parts.method)?,
        value: Json::from(parts.value),
        childrens_parents: parts.is_at,
        parents: reach(text, parts.parents)?,
        children: reach(text, parts.children)?,
        indirect,
    })
}

fn is_depth(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '.'))
}

fn reach(whole: &str, depth: Option<&str>) -> Result<Reach, Error> {
    match depth {
        None => Ok(Reach::Levels(0)),
        Some("") => Ok(Reach::All),
        Some(depth) => depth.parse().map(Reach::Levels).map_err(|_| Error::Depth(whole.to_owned())),
    }
}
