//! The method `state`: what is new or has changed since the project was as it was.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::{Error, Set};
use crate::jinja::Macro;
use crate::node::{Node, ResourceType};
use crate::parse::Project;

const EXPECTED: &str = "`new`, `old`, `modified` or `unmodified`";

/// Answers the nodes whose state is `value`.
pub(super) fn matching(project: &Project, previous: &Project, value: &str) -> Result<Set, Error> {
    let macros = Macros::new(project, previous);
    let old = |node: &Node| previous.find(&node.unique_id);
    let is_modified = |node: &Node| old(node).is_none_or(|old| differs(old, node)) || macros.changed(node);
    let fits: &dyn Fn(&Node) -> bool = match value {
        "new" => &|node| old(node).is_none(),
        "old" => &|node| old(node).is_some(),
        "modified" => &is_modified,
        "unmodified" => &|node| !is_modified(node),
        other => {
            return Err(Error::Value { method: "state", value: other.to_owned(), expected: EXPECTED });
        }
    };
    let nodes = project.nodes().values().enumerate();
    Ok(nodes.filter(|(_, node)| node.resource_type != ResourceType::Group && fits(node)).map(|(at, _)| at).collect())
}

/// Says whether what a run makes of a node differs: its code, its config, its relation, or a description that it keeps.
fn differs(old: &Node, new: &Node) -> bool {
    let content = |node: &Node| (node.raw_code.clone(), node.checksum.clone(), node.properties.clone());
    let relation = |node: &Node| (node.database.clone(), node.schema.clone(), node.alias.clone());
    let arguments = |node: &Node| node.test.as_ref().map(|test| test.kwargs.clone());
    content(old) != content(new)
        || relation(old) != relation(new)
        || arguments(old) != arguments(new)
        || (&old.config, &old.fqn) != (&new.config, &new.fqn)
        || old.latest_version != new.latest_version
        || kept_docs(old) != kept_docs(new)
}

/// Lists the descriptions that the node's relation keeps.
fn kept_docs(node: &Node) -> Vec<&str> {
    let keeps = |key: &str| node.config.get("persist_docs").and_then(|docs| docs.get(key)) == Some(&Json::Bool(true));
    let columns = node.columns.values().filter(|_| keeps("columns"));
    let own = keeps("relation").then_some(node.description.as_str());
    own.into_iter().chain(columns.flat_map(|column| [column.name.as_str(), column.description.as_str()])).collect()
}

/// Knows which macros have changed.
struct Macros<'a> {
    all: HashMap<&'a str, &'a Macro>,
    modified: HashSet<&'a str>,
}

impl<'a> Macros<'a> {
    fn new(project: &'a Project, previous: &'a Project) -> Self {
        let by_id = |project: &'a Project| -> HashMap<&'a str, &'a Macro> {
            project.macros().iter().map(|known| (known.unique_id.as_str(), known)).collect()
        };
        let (all, old) = (by_id(project), by_id(previous));
        let is_modified =
            |id: &&str| all.get(id).map(|known| &known.macro_sql) != old.get(id).map(|known| &known.macro_sql);
        let modified = all.keys().chain(old.keys()).copied().filter(is_modified).collect();
        Self { all, modified }
    }

    /// Says whether a macro has changed that a node depends on, directly or through others.
    fn changed(&self, node: &'a Node) -> bool {
        if self.modified.is_empty() {
            return false;
        }
        let mut seen: HashSet<&str> = HashSet::new();
        let mut next: Vec<&str> = node.depends_on.macros.iter().map(String::as_str).collect();
        while let Some(id) = next.pop() {
            if !seen.insert(id) {
                continue;
            }
            if self.modified.contains(id) {
                return true;
            }
            next.extend(
                self.all.get(id).into_iter().flat_map(|known| known.depends_on_macros.iter().map(String::as_str)),
            );
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::project;
    use super::super::{Criteria, select_since};
    use super::*;

    const FILES: [(&str, &str); 8] = [
        ("dbt_project.yml", "name: shop\nversion: '1'\nprofile: p\n"),
        ("models/a.sql", "select {{ outer() }} as x"),
        ("models/b.sql", "select * from {{ ref('a') }}"),
        ("models/c.sql", "select 1 as x"),
        (
            "models/m.yml",
            "models:\n  - name: c\n    description: Old.\n    columns: [{name: x, data_tests: [not_null]}]\n",
        ),
        ("macros/outer.sql", "{% macro outer() %}{{ inner() }}{% endmacro %}"),
        ("macros/inner.sql", "{% macro inner() %}1{% endmacro %}"),
        ("seeds/s.csv", "id\n1\n"),
    ];

    /// Answers what `select` finds once some files have another text.
    fn found(select: &str, changes: &[(&str, &str)]) -> Vec<String> {
        let mut files = FILES.to_vec();
        for (path, text) in changes {
            files.retain(|(known, _)| known != path);
            files.push((path, text));
        }
        let (old, new) = (project(&FILES), project(&files));
        let criteria = Criteria { select: select.to_owned(), ..Criteria::default() };
        let found = select_since(&new, &criteria, Some(&old)).expect("a selection");
        let mut names: Vec<String> = found.iter().filter_map(|id| new.find(id)).map(|node| node.name.clone()).collect();
        names.sort();
        names
    }

    #[test]
    fn finds_what_has_changed_since() {
        let none: [&str; 0] = [];
        assert_eq!(found("state:modified", &[]), none);
        assert_eq!(found("state:modified", &[("models/b.sql", "select 2 as y from {{ ref('a') }}")]), ["b"]);
        assert_eq!(found("state:modified", &[("macros/inner.sql", "{% macro inner() %}2{% endmacro %}")]), ["a"]);
        assert_eq!(found("state:modified+", &[("macros/inner.sql", "{% macro inner() %}2{% endmacro %}")]), ["a", "b"]);
        assert_eq!(found("state:modified", &[("seeds/s.csv", "id\n2\n")]), ["s"]);
        assert_eq!(found("state:new", &[("models/d.sql", "select 1")]), ["d"]);
        assert_eq!(found("state:modified", &[("models/d.sql", "select 1")]), ["d"]);
        let described = FILES[4].1.replace("Old.", "New.");
        assert_eq!(found("state:modified", &[("models/m.yml", &described)]), none);
        let configured = FILES[4].1.replace("description: Old.", "config: {materialized: table}");
        assert_eq!(found("state:modified", &[("models/m.yml", &configured)]), ["c", "not_null_c_x"]);
        assert_eq!(
            found("state:unmodified,resource_type:model", &[("models/m.yml", &configured)]),
            ["a", "b", "not_null_c_x"]
        );
    }

    #[test]
    fn says_what_it_needs() {
        let project = project(&FILES);
        let refused = |select: &str, previous| {
            let criteria = Criteria { select: select.to_owned(), ..Criteria::default() };
            select_since(&project, &criteria, previous).expect_err("it is refused").to_string()
        };
        assert_eq!(refused("state:modified", None), "the selection method `state` is not supported yet");
        let expected = format!("`body` is no value of the selection method `state`: expected {EXPECTED}");
        assert_eq!(refused("state:body", Some(&project)), expected);
    }
}
