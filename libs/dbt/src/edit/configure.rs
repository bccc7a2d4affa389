//! Sets configs where their winning values stand.

use serde_json::{Map, Value as Json, json};

use super::check::{Facet, Meant};
use super::config_call::{self, Change};
use super::properties::{Entry, YamlEdit};
use super::{Code, Configure, DecideInput, Plan, Refusal, Subject, data_tests, files, raw};
use crate::diagnostic::Place;
use crate::node::{Node, ResourceType};
use crate::parse::{Layer, adds_up};
use crate::tree::FileChange;
use crate::yaml::edit::Step;
use crate::yaml::{Value, place_of, usual_ending};

/// The keys that may stand beside `config` in an entry.
const BESIDE_CONFIG: [&str; 8] =
    ["meta", "docs", "group", "contract", "access", "tags", "freshness", "loaded_at_field"];

/// Decides a config.
pub(super) fn configure(input: &DecideInput<'_>, asked: &Configure) -> Result<Plan, Refusal> {
    let found = input.project.find(&asked.unique_id).or_else(|| input.project.disabled().get(&asked.unique_id));
    let node = found.map_or_else(|| super::find(input, &asked.unique_id), Ok)?;
    let key = key(asked)?;
    let value = &asked.value.0;
    let done = if value.is_null() { format!("removed {key} from") } else { format!("set {key} to {value} for") };
    let plan = Plan {
        summary: format!("{done} {}", node.name),
        subjects: vec![Subject { node: node.unique_id.clone(), property: format!("config.{key}") }],
        ..Plan::default()
    };
    let origin = input.project.origin(&node.unique_id, &key).filter(|origin| origin.layer != Layer::Default);
    if node.config.get(&key) == Some(value) || (value.is_null() && origin.is_none()) {
        return Ok(plan);
    }
    let configuring =
        Configuring { input, node, key: &key, value, place: origin.as_ref().and_then(|at| at.place.clone()) };
    let (layer, place) = (origin.map(|origin| origin.layer), asked.place.as_deref());
    let (files, nodes) = match (layer, place) {
        (Some(Layer::Project), None) => return Err(configuring.which()),
        (Some(Layer::Project), Some("folder")) => (configuring.in_project()?, configuring.alike()),
        (Some(Layer::Project), Some(_)) if value.is_null() => return Err(configuring.elsewhere()),
        (_, Some("folder")) => {
            let message = format!("{key} of {} is not set in dbt_project.yml", node.name);
            return Err(Refusal::new(Code::EditNotExpressible, message).at_field("/place"));
        }
        (Some(Layer::Call), _) if node.test.is_none() => (configuring.in_call()?, vec![node]),
        (Some(Layer::Call | Layer::Yaml), _) => (configuring.in_entry()?, vec![node]),
        (Some(Layer::Default | Layer::Project) | None, _) => (configuring.anew()?, vec![node]),
    };
    Ok(Plan { files, meant: Some(meant(input, &nodes, (node, &key, value))), ..plan })
}

/// Checks key and place, and answers dbt's own spelling of the key.
fn key(asked: &Configure) -> Result<String, Refusal> {
    if !matches!(asked.place.as_deref(), None | Some("node" | "folder")) {
        let refusal = Refusal::new(Code::EditNotExpressible, "the place is `node` or `folder`").at_field("/place");
        return Err(Refusal { got: asked.place.clone(), ..refusal });
    }
    let key = &asked.key;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if key.is_empty() || key.starts_with(|c: char| !c.is_ascii_alphabetic()) || !key.chars().all(allowed) {
        let message = "the name of a config is a letter, then letters, digits, _ and -";
        let refusal = Refusal::new(Code::IdentifierInvalid, message).at_field("/key");
        return Err(Refusal { got: Some(key.clone()), ..refusal });
    }
    Ok(match key.as_str() {
        "pre_hook" => "pre-hook".to_owned(),
        "post_hook" => "post-hook".to_owned(),
        other => other.to_owned(),
    })
}

/// Says what may differ: the configs of the nodes that the value is for, and what follows from them.
fn meant(input: &DecideInput<'_>, nodes: &[&Node], (node, key, value): (&Node, &str, &Json)) -> Meant {
    let mut meant = Meant::default();
    for node in nodes {
        let id = &node.unique_id;
        let unit_tests = input
            .project
            .nodes()
            .values()
            .filter(|test| test.resource_type == ResourceType::UnitTest && test.depends_on.nodes.contains(id));
        for test in unit_tests {
            meant.facets.push((test.unique_id.clone(), Facet::Relation));
            meant.nodes.extend((key == "enabled").then(|| test.unique_id.clone()));
        }
        meant.facets.extend([Facet::Config, Facet::Relation].map(|facet| (id.clone(), facet)));
        if key.ends_with("-hook") {
            meant.facets.push((id.clone(), Facet::Parents));
        }
        if key == "enabled" {
            meant.nodes.push(id.clone());
            meant.tests.push(id.clone());
        }
        meant.tests.extend(node.test.as_ref().map(|test| test.attached_node.clone()));
    }
    if !key.ends_with("-hook") && node.test.is_none() {
        meant.values.push((node.unique_id.clone(), key.to_owned(), value.clone()));
    }
    meant
}

/// Is a config on its way.
struct Configuring<'a> {
    input: &'a DecideInput<'a>,
    node: &'a Node,
    key: &'a str,
    value: &'a Json,
    /// Where its value stands now.
    place: Option<Place>,
}

impl Configuring<'_> {
    /// Asks for whom the value is.
    fn which(&self) -> Refusal {
        let (count, line) = (self.alike().len(), self.place.as_ref().map_or(0, |place| place.line));
        let message = format!(
            "{} is set for {count} nodes in dbt_project.yml, line {line}; say whether it is for this `node` or for the `folder`",
            self.key
        );
        Refusal::new(Code::EditNotExpressible, message).at_field("/place").at_all(self.place.iter().cloned().collect())
    }

    /// Says that what is set for a folder cannot be taken from one node.
    fn elsewhere(&self) -> Refusal {
        let message = format!("{} is set in dbt_project.yml; remove it for the `folder`", self.key);
        Refusal::new(Code::EditNotExpressible, message).at_field("/place").at_all(self.place.iter().cloned().collect())
    }

    /// Lists the nodes whose value stands in the same place.
    fn alike(&self) -> Vec<&Node> {
        let project = self.input.project;
        let all = project.nodes().values().chain(project.disabled().values());
        let same =
            |node: &&Node| project.origin(&node.unique_id, self.key).is_some_and(|origin| origin.place == self.place);
        all.filter(same).collect()
    }

    fn in_project(&self) -> Result<Vec<FileChange>, Refusal> {
        let missing =
            || Refusal::new(Code::EditNotExpressible, "the place of the value is not known").at_field("/place");
        let place = self.place.as_ref().ok_or_else(missing)?;
        let mut yaml = YamlEdit::of(self.input, &place.path)?;
        let text = self.input.files.tree.find(&place.path).and_then(|file| file.text()).unwrap_or_default();
        let root = files::read(&place.path, text);
        let steps =
            root.and_then(|root| key_at(&root, &|at| place_of(&place.path, text, at) == *place)).ok_or_else(missing)?;
        match self.value {
            Json::Null => yaml.remove(&steps)?,
            value => yaml.set(&steps, value)?,
        }
        Ok(yaml.change().into_iter().collect())
    }

    fn in_entry(&self) -> Result<Vec<FileChange>, Refusal> {
        if self.node.test.is_some() {
            return self.of_test();
        }
        let mut entry = Entry::of(self.input, self.node)?;
        let spelled = |key: &str| [key.to_owned(), key.replace('-', "_")];
        let inside = spelled(self.key).map(|key| entry.path(["config".into(), Step::Key(key)]));
        let beside = BESIDE_CONFIG.contains(&self.key).then(|| entry.path([self.key.into()]));
        let known = inside.iter().cloned().chain(beside).find(|steps| entry.yaml.at(steps).is_some());
        let [inside, _] = inside;
        match (self.value, known) {
            (Json::Null, Some(steps)) => entry.yaml.remove(&steps)?,
            (Json::Null, None) => return Err(self.elsewhere()),
            (_, steps) => entry.yaml.set(&steps.unwrap_or(inside), &self.own()?)?,
        }
        Ok(entry.yaml.change().into_iter().collect())
    }

    /// Writes the config of a generic test.
    fn of_test(&self) -> Result<Vec<FileChange>, Refusal> {
        let (mut yaml, steps) = data_tests::locate(self.input, self.node)?;
        let (name, mut written) = match yaml.at(&steps) {
            Some(Json::Object(map)) if map.len() == 1 => map.into_iter().next().unwrap_or_default(),
            Some(Json::String(name)) => (name, Json::Object(Map::new())),
            Some(_) | None => {
                let message = format!("the test {} is written in a way that cannot be changed here", self.node.name);
                return Err(Refusal::new(Code::EditNotExpressible, message).at_field("/unique_id"));
            }
        };
        let is_beside = written.get(self.key).is_some();
        let holder = if is_beside { &mut written } else { &mut written["config"] };
        if holder.is_null() {
            *holder = json!({});
        }
        match (holder.as_object_mut(), self.value) {
            (Some(map), Json::Null) => {
                map.shift_remove(self.key);
            }
            (Some(map), value) => {
                map.insert(self.key.to_owned(), value.clone());
            }
            (None, _) => {}
        }
        if let Some(map) = written.as_object_mut() {
            map.retain(|key, value| key != "config" || value.as_object().is_none_or(|config| !config.is_empty()));
        }
        let is_bare = written.as_object().is_some_and(Map::is_empty);
        let item = if is_bare { json!(name) } else { Json::Object(Map::from_iter([(name, written)])) };
        yaml.set(&steps, &item)?;
        Ok(yaml.change().into_iter().collect())
    }

    fn in_call(&self) -> Result<Vec<FileChange>, Refusal> {
        let (text, calls) = self.calls()?;
        let call = calls.iter().rev().find(|call| call.sets(self.key)).ok_or_else(|| {
            let message = format!("{} is not written out in a config() call; edit the file", self.key);
            Refusal::new(Code::EditNotExpressible, message).at_all(self.place.iter().cloned().collect())
        })?;
        let change = match self.value {
            Json::Null => call.remove(text, self.key),
            _ => Some(call.set(text, self.key, &self.own()?)),
        };
        self.rewritten(text, change)
    }

    /// Writes a key that the node does not have yet.
    fn anew(&self) -> Result<Vec<FileChange>, Refusal> {
        let node = self.node;
        let has_code = node.original_file_path.ends_with(".sql") && node.test.is_none();
        if !has_code {
            return self.in_entry();
        }
        let (text, calls) = self.calls()?;
        if let Some(call) = calls.last() {
            return self.rewritten(text, Some(call.set(text, self.key, &self.own()?)));
        }
        let entry = Entry::find(self.input, node).ok().flatten();
        if entry.is_some_and(|entry| entry.yaml.at(&entry.path(["config".into()])).is_some()) {
            return self.in_entry();
        }
        let (call, line_end) = (config_call::new(self.key, &self.own()?), usual_ending(text));
        let change = match node.resource_type {
            ResourceType::Snapshot => (node.code_offset..node.code_offset, format!("{line_end}{call}")),
            _ => {
                let top = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
                (top..top, format!("{call}{line_end}{line_end}"))
            }
        };
        self.rewritten(text, Some(change))
    }

    fn calls(&self) -> Result<(&str, Vec<config_call::ConfigCall>), Refusal> {
        let text = files::own(self.input, self.node)?.text().unwrap_or_default();
        let code = self.node.code_offset..(self.node.code_offset + self.node.raw_code.len()).min(text.len());
        Ok((text, config_call::calls(text, &code)))
    }

    fn rewritten(&self, text: &str, change: Option<Change>) -> Result<Vec<FileChange>, Refusal> {
        let mut new = text.to_owned();
        if let Some((span, written)) = change {
            new.replace_range(span, &written);
        }
        Ok(raw::rewritten(&self.node.original_file_path, files::own(self.input, self.node)?, &new))
    }

    /// Answers what is to be written at the node, where what others set is added to it.
    fn own(&self) -> Result<Json, Refusal> {
        if !adds_up(self.node.resource_type, self.key) {
            return Ok(self.value.clone());
        }
        let at_node = self.place.as_ref().is_some_and(|place| !place.path.ends_with("dbt_project.yml"));
        let own = self.node.unrendered_config.get(self.key).filter(|_| at_node);
        let missing = |what: String| {
            let message = format!("{what} of {} is set elsewhere too and cannot be taken away here", self.key);
            Err(Refusal::new(Code::EditNotExpressible, message).at_field("/value"))
        };
        match (self.node.config.get(self.key), self.value) {
            (Some(Json::Array(all)), Json::Array(wanted)) => {
                let count = own.map_or(0, |own| own.as_array().map_or(1, Vec::len));
                let inherited = &all[..all.len().saturating_sub(count)];
                match inherited.iter().find(|item| !wanted.contains(item)) {
                    Some(item) => missing(item.to_string()),
                    None => Ok(wanted.iter().filter(|item| !inherited.contains(item)).cloned().collect()),
                }
            }
            (Some(Json::Object(all)), Json::Object(wanted)) => {
                let is_own = |key: &String| own.is_some_and(|own| own.get(key).is_some());
                match all.keys().find(|key| !is_own(key) && !wanted.contains_key(*key)) {
                    Some(key) => missing(key.clone()),
                    None => {
                        let own = wanted.iter().filter(|(key, value)| is_own(key) || all.get(*key) != Some(value));
                        Ok(Json::Object(own.map(|(key, value)| (key.clone(), value.clone())).collect()))
                    }
                }
            }
            _ => Ok(self.value.clone()),
        }
    }
}

/// Finds the path of the key that begins at a place.
fn key_at(value: &Value, is_there: &dyn Fn(usize) -> bool) -> Option<Vec<Step>> {
    value.entries().iter().find_map(|(key, value)| {
        let name = Step::Key(key.key_text());
        if is_there(key.span.start) {
            return Some(vec![name]);
        }
        let below = key_at(value, is_there)?;
        Some([name].into_iter().chain(below).collect())
    })
}
