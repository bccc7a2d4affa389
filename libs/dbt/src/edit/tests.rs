//! Edits of small projects, in all the ways in which they are written.

mod add;
mod configure;
mod connect;
mod data_tests;
mod describe;
mod remove;
mod rename;
mod source;
mod styles;

use indexmap::IndexMap;
use serde_json::Map;

use super::*;
use crate::environment::{Adapter, Environment};
use crate::parse::parse;
use crate::tree::{File, Mode, invert};

/// Is a project on which edits are made.
#[derive(Clone)]
pub(super) struct World {
    pub(super) tree: Tree,
    environment: Environment,
}

impl World {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| (path.to_string(), File::new(Mode::Regular, text.as_bytes()));
        let project = [("dbt_project.yml", "name: shop\n")];
        let environment = Environment {
            name: "dev".into(),
            adapter: Adapter::Postgres,
            database: "db".into(),
            schema: "s".into(),
            threads: 1,
            profile: "p".into(),
            user: String::new(),
            vars: Map::new(),
            env: IndexMap::new(),
        };
        Self { tree: project.iter().chain(files).map(file).collect(), environment }
    }

    pub(super) fn text(&self, path: &str) -> &str {
        let file = self.tree.find(path).unwrap_or_else(|| panic!("there is no {path}"));
        file.text().expect("the file is text")
    }

    fn with<T>(&self, ask: impl FnOnce(&DecideInput<'_>) -> T) -> T {
        let packages = Tree::default();
        let files = ParseInput { tree: &self.tree, root: "", packages: &packages, environment: &self.environment };
        let project = parse(files);
        ask(&DecideInput { files, project: &project })
    }

    /// Answers the id of the test of a name.
    pub(super) fn id_of_test(&self, name: &str) -> String {
        self.with(|input| {
            let mut tests = input.project.nodes().values().filter(|node| node.test.is_some());
            tests.find(|node| node.name == name).expect("the test is there").unique_id.clone()
        })
    }

    pub(super) fn decide(&self, intent: &Intent) -> Result<Decided, Refusal> {
        self.with(|input| decide(input, intent))
    }

    /// Makes an edit, and checks that it can be taken back to the same bytes and says the same a second time.
    pub(super) fn edit(&self, intent: &Intent) -> Self {
        let decided = self.decide(intent).unwrap_or_else(|refusal| panic!("{refusal:?}"));
        let tree = self.tree.apply(&decided.files).expect("the edit fits");
        assert_eq!(tree.apply(&invert(&decided.files)).expect("the inverse fits"), self.tree);
        Self { tree, ..self.clone() }
    }

    pub(super) fn refusal(&self, intent: &Intent) -> Refusal {
        match self.decide(intent) {
            Err(refusal) => refusal,
            Ok(decided) => panic!("expected a refusal, got {:?}", decided.files),
        }
    }
}
