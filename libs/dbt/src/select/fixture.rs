//! Projects of tests.

use indexmap::IndexMap;
use serde_json::Map;

use crate::environment::{Adapter, Environment};
use crate::parse::{ParseInput, Project, parse};
use crate::tree::{File, Mode, Tree};

/// Parses a project of a few files.
pub(crate) fn project(files: &[(&str, &str)]) -> Project {
    let file = |(path, text): &(&str, &str)| (path.to_string(), File::new(Mode::Regular, text.as_bytes()));
    let tree: Tree = files.iter().map(file).collect();
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
    parse(ParseInput { tree: &tree, root: "", packages: &Tree::default(), environment: &environment })
}
