//! Reads unit tests: what they are named and which model they test. What they give and expect is kept as it is written.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::exposures::properties;
use super::files::stem;
use super::lookup::From;
use super::properties::{Entry, object};
use super::read::{Reader, fqn};
use crate::jinja::RefCall;
use crate::node::ResourceType;

impl Reader<'_> {
    pub(super) fn unit_tests(&mut self, entries: &[Arc<Entry>]) {
        for entry in entries.iter().filter(|entry| entry.section == "unit_tests") {
            self.anew(|reader| reader.unit_test(entry));
        }
    }

    fn unit_test(&mut self, entry: &Entry) {
        let mut node = self.of_entry(entry, ResourceType::UnitTest, &entry.name);
        let model = entry.text("model").to_owned();
        node.unique_id = format!("unit_test.{}.{model}.{}", node.package_name, entry.name);
        node.fqn = fqn(&node.package_name, &entry.relative, &[&model, &entry.name]);
        node.schema.clone_from(&self.project.engine.settings().environment.schema);
        let (values, place) = (entry.config(), |key: &str| entry.config_places.get(key).cloned());
        let config = self.layers(entry.at, &node, Some((&values, &place)), &[]);
        self.configure(&mut node, config);
        let part = |key: &str| entry.value.get(key).cloned().unwrap_or(Json::Null);
        let (mut given, mut expect) = (part("given"), part("expect"));
        let data = given.as_array_mut().into_iter().flatten().chain([&mut expect]);
        let missing: Vec<String> = data.filter_map(|data| self.fill(entry.at, data).err()).collect();
        for name in missing {
            let message = format!("there is no file for the fixture `{name}` in the folders `fixtures` of test-paths");
            self.wrong(&node.unique_id, "FIXTURE_NOT_FOUND", (message, Some(entry.place.clone())));
        }
        node.properties = properties(&json!({
            "model": model,
            "given": given,
            "expect": expect,
            "overrides": part("overrides"),
            "versions": part("versions"),
            "version": null,
        }));
        let call = RefCall { package: None, name: model, version: None };
        let from = From { root: &self.project.name, package: &node.package_name };
        match self.project.lookup.referred(from, &call).cloned() {
            Ok(found) => {
                if let Some(tested) = self.project.nodes.get(&found) {
                    node.schema.clone_from(&tested.schema);
                }
                node.depends_on.nodes = vec![found];
            }
            Err(error) => {
                let place = Some(entry.place.clone());
                self.report(&node.unique_id, error.at(|| place));
            }
        }
        if !object(&entry.value, "versions").is_empty() {
            let message = "unit tests of some versions of a model are not supported yet".to_owned();
            self.wrong(&node.unique_id, "MEMBER_NOT_SUPPORTED", (message, Some(entry.place.clone())));
        }
        self.keep(node);
    }

    /// Puts the text of a fixture's file where its rows would stand.
    ///
    /// # Errors
    /// The fixture's name, where there is no such file.
    fn fill(&self, at: usize, data: &mut Json) -> Result<(), String> {
        let Some(data) = data.as_object_mut() else { return Ok(()) };
        let Some(name) = data.get("fixture").and_then(Json::as_str).map(str::to_owned) else { return Ok(()) };
        let package = &self.packages[at];
        let folders: Vec<String> = package.definition.paths("test-paths");
        let folders: Vec<String> = folders.iter().map(|folder| format!("{folder}/fixtures")).collect();
        let ending = if data.get("format").and_then(Json::as_str) == Some("sql") { ".sql" } else { ".csv" };
        let files = package.below(&folders, &[ending]);
        let is_named = |path: &str| stem(path) == name;
        let text = files.iter().find(|file| is_named(file.relative)).and_then(|file| file.file.text());
        let text = text.ok_or(name)?;
        data.insert("rows".to_owned(), Json::from(text));
        Ok(())
    }
}
