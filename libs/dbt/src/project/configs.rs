//! The trees of configs in dbt_project.yml: what each folder of nodes is given, and where that is written.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::diagnostic::Place;
use crate::yaml::Value;

/// Is one level of such a tree.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Configs {
    /// What the level sets, without the leading `+`.
    pub(crate) values: Map<String, Json>,
    /// The same before its Jinja is rendered.
    pub(crate) written: Map<String, Json>,
    pub(crate) places: HashMap<String, Place>,
    below: HashMap<String, Configs>,
}

impl Configs {
    /// Reads a level and all below it. A key with `+` is a config; so is one without whose value is no mapping.
    pub(super) fn of(rendered: &Json, written: &Value, place: &dyn Fn(usize) -> Place) -> Self {
        let mut level = Self::default();
        for (key, value) in written.entries() {
            let name = key.key_text();
            let Some(rendered) = rendered.get(&name) else { continue };
            let bare = name.strip_prefix('+').map(str::trim);
            match bare.or_else(|| (!rendered.is_object() && !rendered.is_null()).then_some(name.as_str())) {
                Some(config) => {
                    level.values.insert(config.to_owned(), rendered.clone());
                    level.written.insert(config.to_owned(), value.to_json());
                    level.places.insert(config.to_owned(), place(key.span.start));
                }
                None => {
                    level.below.insert(name, Self::of(rendered, value, place));
                }
            }
        }
        level
    }

    /// Answers the levels that concern `fqn`, outermost first.
    pub(super) fn levels(&self, fqn: &[String]) -> Vec<&Self> {
        let mut levels = vec![self];
        let mut at = self;
        for part in fqn {
            let Some(next) = at.below.get(part) else { break };
            levels.push(next);
            at = next;
        }
        levels
    }
}
