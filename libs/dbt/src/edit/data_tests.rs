//! Adds and removes generic tests, in the YAML entries of the nodes they stand on.

use serde_json::{Map, Value as Json, json};

use super::check::{Facet, Meant};
use super::properties::{Entry, YamlEdit};
use super::{AddTest, Code, DecideInput, Plan, Refusal, RemoveNode, RemoveTest, Subject, describe, files, remove};
use crate::node::{GenericTest, Node, ResourceType};
use crate::parse::CONFIG_KEYS;
use crate::yaml::edit::Step;

/// The keys of a list of tests, the newer first.
const KEYS: [&str; 2] = ["data_tests", "tests"];

/// What a test says beside its arguments and the keys of its config.
const BESIDE_ARGUMENTS: [&str; 6] = ["arguments", "config", "name", "description", "test_name", "column_name"];

/// Decides a new test.
pub(super) fn add(input: &DecideInput<'_>, asked: &AddTest) -> Result<Plan, Refusal> {
    let node = super::find(input, &asked.unique_id)?;
    let (arguments, config) = (object(&asked.arguments, "/arguments")?, object(&asked.config, "/config")?);
    check(input, (node, asked), &arguments)?;
    let column = asked.column.as_deref();
    column.map_or(Ok(()), |name| describe::check_column(name, "/column"))?;
    let mut entry = Entry::of(input, node)?;
    let holder = match column {
        Some(name) => match entry.column(name) {
            Some(column) => column,
            None => {
                let columns = entry.path(["columns".into()]);
                entry.yaml.push(&columns, &json!({"name": name}))?;
                entry.column(name).unwrap_or_default()
            }
        },
        None => entry.steps.clone(),
    };
    let habit = Habit::of(input, &entry);
    let item = habit.item(&asked.test, arguments, config);
    let own = KEYS.into_iter().find(|key| entry.yaml.at(&joined(&holder, key)).is_some());
    entry.yaml.push(&joined(&holder, own.unwrap_or(habit.key)), &item)?;
    let meant = Meant {
        facets: column.map(|_| (node.unique_id.clone(), Facet::Columns)).into_iter().collect(),
        tests: vec![node.unique_id.clone()],
        ..Meant::default()
    };
    Ok(Plan {
        summary: format!("added the test {} to {}", asked.test, shown(node, column)),
        files: entry.yaml.change().into_iter().collect(),
        subjects: vec![subject(node, column, &asked.test)],
        meant: Some(meant),
        ..Plan::default()
    })
}

/// Decides that a test goes.
pub(super) fn remove(input: &DecideInput<'_>, asked: &RemoveTest) -> Result<Plan, Refusal> {
    let id = &asked.unique_id;
    let missing = || missing(id);
    let node = input.project.find(id).or_else(|| input.project.idle_tests().get(id)).ok_or_else(missing)?;
    let Some(test) = &node.test else {
        return match node.resource_type {
            ResourceType::Test => remove::remove(input, &RemoveNode { unique_id: id.clone() }),
            _ => Err(missing()),
        };
    };
    let attached = attached(input, node, test)?;
    let (mut yaml, steps) = locate(input, node)?;
    yaml.remove(&steps)?;
    let column = column_of(test);
    Ok(Plan {
        summary: format!("removed the test {} of {}", test.name, shown(attached, column)),
        files: yaml.change().into_iter().collect(),
        subjects: vec![subject(attached, column, &called(test))],
        meant: Some(Meant { tests: vec![attached.unique_id.clone()], ..Meant::default() }),
        ..Plan::default()
    })
}

fn missing(id: &str) -> Refusal {
    Refusal::new(Code::TestNotFound, format!("there is no test {id}")).at_field("/unique_id")
}

/// Finds the node that a generic test stands on.
fn attached<'a>(input: &DecideInput<'a>, node: &Node, test: &GenericTest) -> Result<&'a Node, Refusal> {
    let project = input.project;
    let attached = project.find(&test.attached_node).or_else(|| project.disabled().get(&test.attached_node));
    attached.ok_or_else(|| {
        let message = format!("{} stands on nothing; edit {}", node.name, node.original_file_path);
        Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id")
    })
}

/// Finds where a generic test is written.
pub(super) fn locate<'a>(input: &DecideInput<'a>, node: &Node) -> Result<(YamlEdit<'a>, Vec<Step>), Refusal> {
    let missing = || missing(&node.unique_id);
    let test = node.test.as_ref().ok_or_else(missing)?;
    let entry = Entry::find(input, attached(input, node, test)?)?.ok_or_else(missing)?;
    let holder = column_of(test).map_or(Some(entry.steps.clone()), |name| entry.column(name)).ok_or_else(missing)?;
    let found = KEYS.into_iter().find_map(|key| {
        let list = entry.yaml.at(&joined(&holder, key))?;
        let at = list.as_array()?.iter().position(|item| is(item, node, test))?;
        Some([Step::from(key), Step::from(at)])
    });
    let steps = holder.into_iter().chain(found.ok_or_else(missing)?).collect();
    Ok((entry.yaml, steps))
}

fn column_of(test: &GenericTest) -> Option<&str> {
    test.column_name.as_deref().map(|name| name.trim_matches('"'))
}

fn joined(steps: &[Step], key: &str) -> Vec<Step> {
    steps.iter().cloned().chain([key.into()]).collect()
}

fn shown(node: &Node, column: Option<&str>) -> String {
    column.map_or_else(|| node.name.clone(), |column| format!("{}.{column}", node.name))
}

fn subject(node: &Node, column: Option<&str>, test: &str) -> Subject {
    let of_column = column.map(|column| format!("columns.{column}.")).unwrap_or_default();
    Subject { node: node.unique_id.clone(), property: format!("{of_column}data_tests.{test}") }
}

fn called(test: &GenericTest) -> String {
    let space = test.namespace.as_ref().map(|space| format!("{space}.")).unwrap_or_default();
    format!("{space}{}", test.name)
}

fn object(given: &Option<super::Json>, field: &'static str) -> Result<Map<String, Json>, Refusal> {
    match given.as_ref().map(|given| &given.0) {
        None | Some(Json::Null) => Ok(Map::new()),
        Some(Json::Object(map)) => Ok(map.clone()),
        Some(other) => {
            let refusal = Refusal::new(Code::ConfigType, "it must be an object").at_field(field);
            Err(Refusal { got: Some(other.to_string()), ..refusal })
        }
    }
}

/// Checks that the test exists, and that the node does not have it yet.
fn check(
    input: &DecideInput<'_>,
    (node, asked): (&Node, &AddTest),
    arguments: &Map<String, Json>,
) -> Result<(), Refusal> {
    let (space, name) =
        asked.test.rsplit_once('.').map_or((None, asked.test.as_str()), |(space, name)| (Some(space), name));
    let own = format!("test_{name}");
    let is_known = |known: &crate::jinja::Macro| known.name == own && space.is_none_or(|space| known.package == space);
    if !input.project.macros().iter().any(is_known) {
        let message = format!("there is no test `{}`; a package that has it must be installed", asked.test);
        let refusal = Refusal::new(Code::TestNotFound, message).at_field("/test");
        return Err(Refusal { got: Some(asked.test.clone()), ..refusal });
    }
    let same = |known: &&Node| {
        known.test.as_ref().is_some_and(|test| {
            test.attached_node == node.unique_id
                && column_of(test) == asked.column.as_deref()
                && called(test) == asked.test
                && own_arguments(test) == *arguments
        })
    };
    match input.project.nodes().values().find(same) {
        Some(known) => {
            let message = format!("{} already has the test {}", shown(node, asked.column.as_deref()), asked.test);
            Err(Refusal::new(Code::TestDuplicate, message)
                .at_field("/test")
                .at_all(known.patch.iter().cloned().collect()))
        }
        None => Ok(()),
    }
}

fn own_arguments(test: &GenericTest) -> Map<String, Json> {
    let own = test.kwargs.iter().filter(|(key, _)| !matches!(key.as_str(), "model" | "column_name"));
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Says whether an item of a list of tests is a test.
fn is(item: &Json, node: &Node, test: &GenericTest) -> bool {
    let (name, written) = match item {
        Json::String(name) => (name.as_str(), Map::new()),
        Json::Object(map) if map.contains_key("test_name") => {
            (map["test_name"].as_str().unwrap_or_default(), map.clone())
        }
        Json::Object(map) => match map.iter().next() {
            Some((name, Json::Object(written))) => (name.as_str(), written.clone()),
            Some(_) | None => return false,
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => return false,
    };
    if let Some(own) = written.get("name").and_then(Json::as_str) {
        return own == node.name && name == called(test);
    }
    let beside = |key: &str| CONFIG_KEYS.contains(&key) || BESIDE_ARGUMENTS.contains(&key);
    let mut arguments: Map<String, Json> = written.clone().into_iter().filter(|(key, _)| !beside(key)).collect();
    arguments.extend(written.get("arguments").and_then(Json::as_object).cloned().unwrap_or_default());
    name == called(test) && arguments == own_arguments(test)
}

/// Is how a file writes tests.
struct Habit {
    key: &'static str,
    /// Whether arguments stand under `arguments`.
    is_nested: bool,
}

impl Habit {
    fn of(input: &DecideInput<'_>, entry: &Entry<'_>) -> Self {
        let (mut keys, mut nested) = ([0, 0], [0, 0]);
        count(&entry.yaml.at(&[]).unwrap_or_default(), &mut keys, &mut nested);
        Self { key: KEYS[usize::from(keys[1] > keys[0])], is_nested: nested[1] <= nested[0] && knows_arguments(input) }
    }

    fn item(&self, test: &str, arguments: Map<String, Json>, config: Map<String, Json>) -> Json {
        let mut below = Map::new();
        match self.is_nested {
            true if !arguments.is_empty() => {
                below.insert("arguments".to_owned(), Json::Object(arguments));
            }
            true | false => below.extend(arguments),
        }
        if !config.is_empty() {
            below.insert("config".to_owned(), Json::Object(config));
        }
        match below.is_empty() {
            true => json!(test),
            false => Json::Object(Map::from_iter([(test.to_owned(), Json::Object(below))])),
        }
    }
}

/// Says whether the project reads the arguments of tests below `arguments`.
fn knows_arguments(input: &DecideInput<'_>) -> bool {
    let path = files::project_file(input);
    let text = input.files.tree.find(&path).and_then(|file| file.text()).unwrap_or_default();
    let project = files::read(&path, text).map_or(Json::Null, |root| root.to_json());
    project["flags"]["require_generic_test_arguments_property"] != json!(false)
}

/// Counts the lists of tests by their keys, and the tests by where their arguments stand.
fn count(value: &Json, keys: &mut [usize; 2], nested: &mut [usize; 2]) {
    match value {
        Json::Array(list) => list.iter().for_each(|item| count(item, keys, nested)),
        Json::Object(map) => {
            for (at, list) in KEYS.iter().enumerate().filter_map(|(at, key)| Some((at, map.get(*key)?))) {
                keys[at] += 1;
                let items = list.as_array().into_iter().flatten().filter_map(Json::as_object).flat_map(Map::values);
                for written in items.filter_map(Json::as_object) {
                    let is_flat = written.keys().any(|key| !matches!(key.as_str(), "arguments" | "config" | "name"));
                    nested[0] += usize::from(written.contains_key("arguments"));
                    nested[1] += usize::from(is_flat);
                }
            }
            map.values().for_each(|value| count(value, keys, nested));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
