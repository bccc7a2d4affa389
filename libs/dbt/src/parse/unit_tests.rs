//! Reads unit tests: what they are named and which model they test. What they give and expect is kept as it is written.

use serde_json::{Value as Json, json};

use super::exposures::properties;
use super::lookup::From;
use super::properties::{Entry, object};
use super::read::{Reader, fqn};
use crate::jinja::RefCall;
use crate::node::ResourceType;

impl Reader<'_> {
    pub(super) fn unit_tests(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.section == "unit_tests") {
            self.unit_test(entry);
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
        node.properties = properties(&json!({
            "model": model,
            "given": part("given"),
            "expect": part("expect"),
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
}
