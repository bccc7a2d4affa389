//! The named selectors of selectors.yml.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::method::Method;
use super::spec::{self, Criterion, Group, Operator, Reach, Spec};
use super::{Criteria, Error, Indirect};
use crate::parse::Project;

/// Answers the selection that criteria mean: a named selector, what they say, or the project's default selector.
pub(super) fn spec_of(project: &Project, criteria: &Criteria) -> Result<Spec, Error> {
    let is_open = criteria.select.trim().is_empty() && criteria.exclude.trim().is_empty();
    match &criteria.selector {
        Some(name) => {
            let known = read(project.selectors(), criteria.indirect)?;
            known.specs.get(name).cloned().ok_or_else(|| Error::Selector(name.clone()))
        }
        None if is_open => {
            let known = read(project.selectors(), criteria.indirect)?;
            let default = known.default.and_then(|name| known.specs.get(&name).cloned());
            default.map_or_else(|| spec::read("", "", criteria.indirect), Ok)
        }
        None => spec::read(&criteria.select, &criteria.exclude, criteria.indirect),
    }
}

struct Known {
    specs: IndexMap<String, Spec>,
    default: Option<String>,
}

fn read(file: &Json, indirect: Indirect) -> Result<Known, Error> {
    let mut known = Known { specs: IndexMap::new(), default: None };
    for selector in file.get("selectors").and_then(Json::as_array).into_iter().flatten() {
        let name = selector.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
        let definition = Definition { selector: &name, indirect, known: &known.specs };
        let spec = definition.read(selector.get("definition").unwrap_or(&Json::Null))?;
        if selector.get("default") == Some(&Json::Bool(true)) {
            known.default = Some(name.clone());
        }
        known.specs.insert(name, spec);
    }
    Ok(known)
}

/// Reads one selector's definition.
struct Definition<'a> {
    selector: &'a str,
    indirect: Indirect,
    known: &'a IndexMap<String, Spec>,
}

impl Definition<'_> {
    fn wrong(&self, problem: impl Into<String>) -> Error {
        Error::Definition { selector: self.selector.to_owned(), problem: problem.into() }
    }

    fn read(&self, value: &Json) -> Result<Spec, Error> {
        match value {
            Json::String(text) => spec::criterion(text, self.indirect).map(Spec::Criterion),
            Json::Object(map) => match (map.get("union"), map.get("intersection")) {
                (Some(parts), _) => self.group(Operator::Union, parts),
                (None, Some(parts)) => self.group(Operator::Intersection, parts),
                (None, None) => self.mapping(map),
            },
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => {
                Err(self.wrong("a definition is a criterion, a mapping, `union` or `intersection`"))
            }
        }
    }

    fn group(&self, operator: Operator, parts: &Json) -> Result<Spec, Error> {
        let parts = parts.as_array().ok_or_else(|| self.wrong("`union` and `intersection` hold a list"))?;
        let (mut included, mut excluded) = (Vec::new(), None);
        for part in parts {
            match part.get("exclude").filter(|_| part.get("method").is_none()) {
                Some(_) if excluded.is_some() => return Err(self.wrong("there are two `exclude` in one list")),
                Some(list) => excluded = Some(self.union(list)?),
                None => included.push(self.read(part)?),
            }
        }
        let group = Spec::Group(Group { operator, parts: included, indirect: Indirect::Eager });
        Ok(without(group, excluded))
    }

    fn union(&self, list: &Json) -> Result<Spec, Error> {
        let list = list.as_array().ok_or_else(|| self.wrong("`exclude` holds a list"))?;
        let parts = list.iter().map(|part| self.read(part)).collect::<Result<_, _>>()?;
        Ok(Spec::Group(Group { operator: Operator::Union, parts, indirect: Indirect::Eager }))
    }

    fn mapping(&self, map: &Map<String, Json>) -> Result<Spec, Error> {
        if map.len() == 1
            && let Some((method, value)) = map.iter().next()
        {
            return self.criterion(method, value, &Map::new());
        }
        let (Some(Json::String(method)), Some(value)) = (map.get("method"), map.get("value")) else {
            return Err(self.wrong("a mapping has one key, or `method` and `value`"));
        };
        if method == "selector" {
            let name = value.as_str().unwrap_or_default();
            return self.known.get(name).cloned().ok_or_else(|| Error::Selector(name.to_owned()));
        }
        let excluded = map.get("exclude").map(|list| self.union(list)).transpose()?;
        Ok(without(self.criterion(method, value, map)?, excluded))
    }

    fn criterion(&self, method: &str, value: &Json, options: &Map<String, Json>) -> Result<Spec, Error> {
        let is_set = |key: &str| options.get(key) == Some(&Json::Bool(true));
        let reach = |key: &str| match options.get(&format!("{key}_depth")).and_then(Json::as_u64) {
            _ if !is_set(key) => Reach::Levels(0),
            Some(depth) => Reach::Levels(usize::try_from(depth).unwrap_or(usize::MAX)),
            None => Reach::All,
        };
        let indirect = match options.get("indirect_selection").and_then(Json::as_str) {
            Some(text) => text.parse()?,
            None => self.indirect,
        };
        let criterion = Criterion {
            method: Method::read(method)?,
            value: value.clone(),
            childrens_parents: is_set("childrens_parents"),
            parents: reach("parents"),
            children: reach("children"),
            indirect,
        };
        if criterion.childrens_parents && criterion.children != Reach::Levels(0) {
            return Err(self.wrong("`childrens_parents` and `children` do not go together"));
        }
        Ok(Spec::Criterion(criterion))
    }
}

fn without(spec: Spec, excluded: Option<Spec>) -> Spec {
    match excluded {
        Some(excluded) => {
            let parts = vec![spec, excluded];
            Spec::Group(Group { operator: Operator::Difference, parts, indirect: Indirect::Eager })
        }
        None => spec,
    }
}
