//! Checks that an edit changes what is meant and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value as Json, json};

use super::{Code, Refusal};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::node::{Node, ResourceType};
use crate::parse::Project;

/// Says what an edit may change.
#[derive(Default)]
pub(super) struct Meant {
    /// Old unique_id to new, of nodes that are renamed.
    pub(super) renamed: HashMap<String, String>,
    /// Nodes that come or go.
    pub(super) nodes: Vec<String>,
    /// Node and facet, by the new unique_id.
    pub(super) facets: Vec<(String, Facet)>,
    /// Nodes whose generic tests come or go.
    pub(super) tests: Vec<String>,
    /// Whether configs may differ anywhere.
    pub(super) configs: bool,
    /// Nodes that must have exactly these parents.
    pub(super) parents: Vec<(String, Vec<String>)>,
    /// Nodes that must have this value of a config; null is anything.
    pub(super) values: Vec<(String, String, Json)>,
    /// The node whose SQL was sent along.
    pub(super) sql: Option<String>,
    /// Nodes that must be there.
    pub(super) added: Vec<String>,
}

/// Is a part of a node that an edit may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Facet {
    Description,
    Columns,
    Config,
    Parents,
    Relation,
}

const FACETS: [Facet; 5] = [Facet::Description, Facet::Columns, Facet::Config, Facet::Parents, Facet::Relation];

impl Facet {
    fn of(self, node: &Node, renamed: &HashMap<String, String>) -> Json {
        match self {
            Self::Description => json!(node.description),
            Self::Columns => {
                let columns: Vec<_> = node.columns.values().map(|column| json!([column])).collect();
                json!(columns)
            }
            Self::Config => json!([node.config, node.tags]),
            Self::Parents => {
                let mut parents: Vec<_> =
                    node.depends_on.nodes.iter().map(|id| renamed.get(id).unwrap_or(id).clone()).collect();
                parents.sort();
                json!(parents)
            }
            Self::Relation => json!([node.database, node.schema, node.alias]),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Columns => "columns",
            Self::Config => "config",
            Self::Parents => "dependencies",
            Self::Relation => "relation",
        }
    }
}

/// Checks that `after` differs from `before` in what is meant only, and that nothing is newly wrong.
pub(super) fn check(before: &Project, after: &Project, meant: &Meant) -> Result<(), Refusal> {
    readable(after, meant)?;
    no_new_errors(before, after)?;
    no_new_idle_tests(before, after)?;
    let now = |id: &String| meant.renamed.get(id).unwrap_or(id).clone();
    let mut there: HashMap<String, &Node> = HashMap::new();
    for node in before.nodes().values().filter(|node| !is_generic(node)) {
        there.insert(now(&node.unique_id), node);
    }
    for new in after.nodes().values().filter(|node| !is_generic(node)) {
        match there.remove(&new.unique_id) {
            Some(old) => same(old, new, meant)?,
            None if meant.nodes.contains(&new.unique_id) => {}
            None => return Err(also(format!("would add {}", new.unique_id), new)),
        }
    }
    reached(after, meant)?;
    if let Some((id, node)) = there.into_iter().find(|(id, _)| !meant.nodes.contains(id)) {
        return Err(also(format!("would take {id} away"), node));
    }
    tests(before, after, meant)
}

/// Checks that what is meant is so afterwards.
fn reached(after: &Project, meant: &Meant) -> Result<(), Refusal> {
    let failed = |message: String| Err(Refusal::new(Code::EditNotExpressible, message));
    if let Some(id) = meant.added.iter().find(|id| !after.nodes().contains_key(id)) {
        return failed(format!("the project would not have {id}: dbt does not read it there, or it is switched off"));
    }
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    for (id, parents) in &meant.parents {
        let Some(node) = after.find(id) else { continue };
        if set(&node.depends_on.nodes) != set(parents) {
            let others: Vec<_> = set(&node.depends_on.nodes).symmetric_difference(&set(parents)).cloned().collect();
            return failed(format!("the edit would get the dependency of {id} on {} wrong", others.join(", ")));
        }
    }
    for (id, key, value) in meant.values.iter().filter(|(.., value)| !value.is_null()) {
        let read = after.find(id).and_then(|node| node.config.get(key));
        if let Some(read) = read.filter(|read| *read != value) {
            return failed(format!("{key} of {id} would be {read}, not {value}: it is set elsewhere too"));
        }
    }
    Ok(())
}

fn is_generic(node: &Node) -> bool {
    node.resource_type == ResourceType::Test && node.test.is_some()
}

/// Says whether the edit left a node as it was, and all that it names.
fn is_untouched(old: &Node, new: Option<&Node>, meant: &Meant) -> bool {
    let attached = old.test.iter().map(|test| &test.attached_node);
    new.is_some_and(|new| std::ptr::eq(old, new))
        && !attached.chain(&old.depends_on.nodes).any(|id| meant.renamed.contains_key(id))
}

fn same(old: &Node, new: &Node, meant: &Meant) -> Result<(), Refusal> {
    if is_untouched(old, Some(new), meant) {
        return Ok(());
    }
    for facet in FACETS {
        let allowed = meant.facets.iter().any(|(id, of)| *id == new.unique_id && *of == facet)
            || (facet == Facet::Config && meant.configs);
        if !allowed && facet.of(old, &meant.renamed) != facet.of(new, &HashMap::new()) {
            return Err(also(format!("would also change the {} of {}", facet.name(), new.unique_id), new));
        }
    }
    Ok(())
}

/// Compares the generic tests of each node by what they test, as their ids hold the names of nodes.
fn tests(before: &Project, after: &Project, meant: &Meant) -> Result<(), Refusal> {
    let count = |project: &Project, other: &Project, renamed: &HashMap<String, String>| {
        let mut counts: BTreeMap<(String, String), (usize, Option<Place>)> = BTreeMap::new();
        let tests = project.nodes().values().filter(|node| node.test.is_some());
        for node in tests.filter(|node| !is_untouched(node, other.find(&node.unique_id), meant)) {
            let Some(test) = &node.test else { continue };
            let model = renamed.get(&test.attached_node).unwrap_or(&test.attached_node).clone();
            let parents = Facet::Parents.of(node, renamed);
            let config: Vec<_> = node.config.iter().filter(|config| !is_shortened_alias(*config)).collect();
            let config = if meant.configs { Json::Null } else { json!(config) };
            let what = json!([test.name, test.namespace, test.column_name, parents, config]).to_string();
            let entry = counts.entry((model, what)).or_default();
            *entry = (entry.0 + 1, node.patch.clone());
        }
        counts
    };
    let (mut old, new) = (count(before, after, &meant.renamed), count(after, before, &HashMap::new()));
    let differs = new.into_iter().find_map(|(key, (count, place))| {
        let known = old.remove(&key).map_or(0, |known| known.0);
        (known != count && !meant.tests.contains(&key.0)).then_some((key.0, place))
    });
    let gone = || {
        old.iter().find(|(key, _)| !meant.tests.contains(&key.0)).map(|(key, found)| (key.0.clone(), found.1.clone()))
    };
    match differs.or_else(gone) {
        Some((model, place)) => {
            let refusal =
                Refusal::new(Code::EditNotExpressible, format!("the edit would also change the tests of {model}"));
            Err(refusal.at_all(place.into_iter().collect()))
        }
        None => Ok(()),
    }
}

/// Says whether a config is the alias that dbt itself gives to a test with a long name: it has the hash of that name,
/// which follows the names of the nodes in it.
fn is_shortened_alias((key, value): (&String, &Json)) -> bool {
    let hash = value.as_str().and_then(|alias| alias.rsplit_once('_')).map(|(_, hash)| hash);
    key == "alias" && hash.is_some_and(|hash| hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn no_new_errors(before: &Project, after: &Project) -> Result<(), Refusal> {
    let errors = |project: &Project| {
        let mut counts: HashMap<String, isize> = HashMap::new();
        for found in project.diagnostics().iter().filter(|found| found.severity == Severity::Error) {
            *counts.entry(found.code.clone()).or_default() += 1;
        }
        counts
    };
    let (old, new) = (errors(before), errors(after));
    let more = |code: &str| new.get(code).copied().unwrap_or(0) - old.get(code).copied().unwrap_or(0);
    if !new.keys().any(|code| more(code) > 0) {
        return Ok(());
    }
    let known = |found: &Diagnostic| {
        before.diagnostics().iter().any(|old| {
            old.code == found.code
                && (old.unique_id == found.unique_id || old.place == found.place)
                && old.message == found.message
        })
    };
    let all = after.diagnostics().iter().filter(|found| found.severity == Severity::Error && more(&found.code) > 0);
    let fresh: Vec<&Diagnostic> = all.filter(|found| !known(found)).collect();
    let Some(first) = fresh.first() else { return Ok(()) };
    let message = format!("the edit would break {}: {}", first.unique_id.as_deref().unwrap_or("a file"), first.message);
    let code = Code::of_diagnostic(&first.code);
    Err(Refusal::new(code, message).at_all(fresh.iter().filter_map(|found| found.place.clone()).collect()))
}

/// Checks the SQL that was sent along: what is wrong with it is the sender's to mend, also where only the grammar
/// refuses it.
fn readable(after: &Project, meant: &Meant) -> Result<(), Refusal> {
    let Some(id) = &meant.sql else { return Ok(()) };
    let is_wrong = |found: &&Diagnostic| {
        let is_refused = found.severity == Severity::Error || found.code == Code::SqlSyntax.as_str();
        found.unique_id.as_ref() == Some(id) && is_refused
    };
    match after.diagnostics().iter().find(is_wrong) {
        Some(found) => {
            let mut message = found.message.clone();
            if found.severity == Severity::Warning {
                message.push_str("\nif the database takes it, add it as a file");
            }
            let refusal = Refusal::new(Code::of_diagnostic(&found.code), message).at_field("/sql");
            Err(refusal.at_all(found.place.iter().cloned().collect()))
        }
        None => Ok(()),
    }
}

/// Checks that no test names what is not there: dbt only warns of it and never runs the test.
fn no_new_idle_tests(before: &Project, after: &Project) -> Result<(), Refusal> {
    let (old, new) = (before.idle_tests(), after.idle_tests());
    let stands =
        |test: &&Node| test.test.as_ref().is_some_and(|generic| after.nodes().contains_key(&generic.attached_node));
    let fresh = new.values().filter(|test| !old.contains_key(&test.unique_id)).find(stands);
    let Some(test) = fresh.filter(|_| new.len() > old.len()) else { return Ok(()) };
    let message = format!("the test {} would name what does not exist or is switched off", test.name);
    Err(Refusal::new(Code::RefNotFound, message).at_all(test.patch.iter().cloned().collect()))
}

/// Says that an edit would do more than is meant.
fn also(what: String, node: &Node) -> Refusal {
    let place = node.patch.clone().unwrap_or(Place { path: node.original_file_path.clone(), line: 1, column: 1 });
    Refusal::new(Code::EditNotExpressible, format!("the edit {what}")).at(place)
}
