//! All that an artifact is a function of, and the key that names it.

use dvt_dbt::environment::Environment;
use dvt_dbt::tree::{Mode, Sha256, Tree};

use super::COMPILER;

/// Is all that a compilation reads. A change in what it means changes the key's first part.
pub(super) struct Inputs {
    pub(super) tree: Tree,
    pub(super) packages: Tree,
    /// The folder of dbt_project.yml.
    pub(super) root: String,
    /// With its variables and the values of `env_var()`.
    pub(super) environment: Environment,
}

/// Collects what a key is made of: every part with its length before it, so that no two lists of parts are alike.
#[derive(Default)]
struct Parts(Vec<u8>);

impl Parts {
    fn add(&mut self, part: &[u8]) {
        self.0.extend((part.len() as u64).to_be_bytes());
        self.0.extend(part);
    }

    fn add_tree(&mut self, tree: &Tree) {
        self.0.extend((tree.len() as u64).to_be_bytes());
        for (path, file) in tree.iter() {
            self.add(path.as_bytes());
            self.add(match file.mode {
                Mode::Regular => b"regular",
                Mode::Executable => b"executable",
            });
            self.add(&file.sha256.0);
        }
    }
}

impl Inputs {
    /// Answers the artifact's key: equal inputs, compiled by the same release, have the same.
    pub(super) fn key(&self) -> Sha256 {
        let environment = serde_json::to_vec(&self.environment).expect("invariant: an environment is JSON");
        let mut parts = Parts::default();
        parts.add(COMPILER.as_bytes());
        parts.add(self.root.as_bytes());
        parts.add(&environment);
        parts.add_tree(&self.tree);
        parts.add_tree(&self.packages);
        Sha256::of(&parts.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use dvt_dbt::environment::Adapter;
    use dvt_dbt::tree::File;
    use indexmap::IndexMap;

    use super::*;

    pub(in super::super) fn inputs(files: &[(&str, &str)]) -> Inputs {
        let environment = Environment {
            name: "dev".to_owned(),
            adapter: Adapter::Postgres,
            database: "shop".to_owned(),
            schema: "dev".to_owned(),
            threads: 4,
            profile: "shop".to_owned(),
            user: String::new(),
            vars: serde_json::Map::new(),
            env: IndexMap::new(),
        };
        let tree = files.iter().map(|(path, text)| (*path, File::new(Mode::Regular, text.as_bytes())));
        Inputs { tree: Tree::from_iter(tree), packages: Tree::default(), root: String::new(), environment }
    }

    #[test]
    fn everything_that_is_read_changes_the_key() {
        let files = [("dbt_project.yml", "name: shop\n"), ("models/a.sql", "select 1\n")];
        let key = |change: fn(&mut Inputs)| {
            let mut inputs = inputs(&files);
            change(&mut inputs);
            inputs.key()
        };
        let keys = [
            key(|_| {}),
            key(|inputs| inputs.tree.insert("models/a.sql", File::new(Mode::Regular, *b"select 2\n"))),
            key(|inputs| inputs.tree.insert("models/a.sql", File::new(Mode::Executable, *b"select 1\n"))),
            key(|inputs| inputs.packages.insert("dbt_packages/x/a.sql", File::new(Mode::Regular, *b"1"))),
            key(|inputs| inputs.root = "sub".to_owned()),
            key(|inputs| inputs.environment.schema = "prod".to_owned()),
            key(|inputs| drop(inputs.environment.env.insert("A".to_owned(), "1".to_owned()))),
            key(|inputs| drop(inputs.environment.vars.insert("a".to_owned(), 1.into()))),
        ];
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(key(|_| {}), keys[0]);
    }
}
