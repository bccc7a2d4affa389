//! Changes projects at random, and looks whether they are read as if nothing had been read before.

use std::fs;
use std::path::{Path as FilePath, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::manifest::{Metadata, manifest};
use crate::node::ResourceType;

/// The files of a project and its packages.
#[derive(Clone)]
struct Files {
    tree: Tree,
    packages: Tree,
}

/// The sample and the projects that are compared with dbt's own reading.
static PROJECTS: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let top = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders: Vec<PathBuf> = listed(&top.join("tests/parity/projects"));
    folders.push(top.join("samples/night_trains"));
    folders.iter().map(|folder| files(folder)).collect()
});

fn listed(folder: &FilePath) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn files(folder: &FilePath) -> Files {
    let mut files = Files { tree: Tree::default(), packages: Tree::default() };
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(listed(&path));
            continue;
        }
        let name = path.strip_prefix(folder).expect("it is below").to_str().expect("UTF-8").to_owned();
        let file = File::new(Mode::Regular, fs::read(&path).expect("a file"));
        let tree = if name.starts_with("dbt_packages/") { &mut files.packages } else { &mut files.tree };
        tree.insert(name, file);
    }
    files
}

/// Is a change of some file, whatever there is.
#[derive(Clone, Debug)]
enum Change {
    Insert(Index, Index, &'static str),
    RemoveLine(Index, Index),
    TwiceLine(Index, Index),
    RemoveFile(Index),
    MoveFile(Index),
    CopyFile(Index),
    Undo,
    Environment(bool),
}

/// Texts that mean something to dbt.
static TEXTS: [&str; 14] = [
    "\n",
    "x",
    "'",
    "-- a comment\n",
    "{{ ref('a') }}",
    "{{ source('raw', 'orders') }}",
    "{{ config(materialized='table', tags=['t'], alias='x') }}",
    "{{ config(enabled=false) }}",
    "{{ var('a') }}",
    "\n    description: \"{{ doc('a') }}\"\n",
    "\n  - name: orders\n    columns: [{name: id, tests: [unique]}]\n",
    "{% macro generate_schema_name(name, node) %}x{{ node.name }}{% endmacro %}",
    "{% docs a %}b{% enddocs %}",
    "\u{e9}",
];

fn change() -> impl Strategy<Value = Change> {
    let at = || (any::<Index>(), any::<Index>());
    prop_oneof![
        4 => (at(), proptest::sample::select(&TEXTS[..])).prop_map(|((file, at), text)| Change::Insert(file, at, text)),
        4 => at().prop_map(|(file, line)| Change::RemoveLine(file, line)),
        2 => at().prop_map(|(file, line)| Change::TwiceLine(file, line)),
        1 => any::<Index>().prop_map(Change::RemoveFile),
        1 => any::<Index>().prop_map(Change::MoveFile),
        1 => any::<Index>().prop_map(Change::CopyFile),
        1 => Just(Change::Undo),
        1 => any::<bool>().prop_map(Change::Environment),
    ]
}

impl Files {
    /// Puts another text in the place of a file's.
    fn replaced(&self, file: &Index, text: impl FnOnce(Vec<String>) -> Vec<String>) -> Self {
        let count = self.tree.len() + self.packages.len();
        let mut all = self.tree.iter().chain(self.packages.iter());
        let Some((path, file)) = (count > 0).then(|| all.nth(file.index(count))).flatten() else { return self.clone() };
        let Some(lines) = file.text().map(|text| text.split_inclusive('\n').map(str::to_owned).collect()) else {
            return self.clone();
        };
        let (mut after, path) = (self.clone(), path.clone());
        let tree = if self.tree.find(&path).is_some() { &mut after.tree } else { &mut after.packages };
        tree.insert(path, File::new(Mode::Regular, text(lines).concat().into_bytes()));
        after
    }

    /// Takes a file of the tree away, and puts it to another path.
    fn moved(&self, file: &Index, (stays, comes): (bool, bool)) -> Self {
        if self.tree.is_empty() {
            return self.clone();
        }
        let (path, file) = self.tree.iter().nth(file.index(self.tree.len())).expect("it is inside");
        let others = self.tree.iter().filter(|(other, _)| stays || *other != path);
        let mut tree: Tree = others.map(|(path, file)| (path.clone(), file.clone())).collect();
        if comes {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("models", &**path));
            tree.insert(format!("{folder}/b_{name}"), file.clone());
        }
        Self { tree, packages: self.packages.clone() }
    }

    fn after(&self, change: &Change) -> Self {
        match change {
            Change::Insert(file, at, text) => self.replaced(file, |lines| {
                let all: Vec<char> = lines.concat().chars().collect();
                let (before, after) = all.split_at(at.index(all.len() + 1));
                vec![before.iter().collect(), (*text).to_owned(), after.iter().collect()]
            }),
            Change::RemoveLine(file, line) => self.replaced(file, |mut lines| {
                if !lines.is_empty() {
                    lines.remove(line.index(lines.len()));
                }
                lines
            }),
            Change::TwiceLine(file, line) => self.replaced(file, |mut lines| {
                if !lines.is_empty() {
                    let at = line.index(lines.len());
                    lines.insert(at, lines[at].clone());
                }
                lines
            }),
            Change::RemoveFile(file) => self.moved(file, (false, false)),
            Change::MoveFile(file) => self.moved(file, (false, true)),
            Change::CopyFile(file) => self.moved(file, (true, true)),
            Change::Undo | Change::Environment(_) => self.clone(),
        }
    }

    fn input<'a>(&'a self, environment: &'a Environment) -> ParseInput<'a> {
        ParseInput { tree: &self.tree, root: "", packages: &self.packages, environment }
    }
}

/// Writes all that a project tells, in its order.
fn told(project: &Project) -> Vec<String> {
    let nodes = [&project.nodes, &project.disabled, &project.idle_tests].map(|nodes| {
        nodes.values().map(|node| serde_json::to_string(node).expect("a node is JSON")).collect::<Vec<_>>()
    });
    let ids = project.nodes.keys().chain(project.disabled.keys());
    let origins = ids.map(|id| {
        let origins =
            project.origins.get(id).map(|origins| origins.iter().collect::<std::collections::BTreeMap<_, _>>());
        format!("{id} {origins:?}")
    });
    let metadata = Metadata { invocation_id: String::new(), generated_at: String::new() };
    let rest = [
        format!("{:?}", project.diagnostics),
        format!("{:?} {:?} {:?}", project.docs, project.macro_patches, project.folders),
        format!("{:?} {:?}", project.selectors, project.missing),
        manifest(project, &IndexMap::new(), &metadata).to_string(),
    ];
    rest.into_iter().chain(nodes.into_iter().flatten()).chain(origins).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_a_change_as_if_nothing_had_been_read(
        project in any::<Index>(),
        changes in prop::collection::vec(change(), 1..6),
    ) {
        let (mut files, mut environment) = (project.get(&PROJECTS[..]).clone(), environment());
        let mut past = vec![files.clone()];
        let mut known = parse(files.input(&environment));
        for change in &changes {
            match change {
                Change::Undo => files = past[past.len().saturating_sub(2)].clone(),
                Change::Environment(is_other) => environment.schema = if *is_other { "other" } else { "s" }.to_owned(),
                other => files = files.after(other),
            }
            known = known.update(files.input(&environment));
            let anew = parse(files.input(&environment));
            let (updated, anew) = (told(&known), told(&anew));
            for (updated, anew) in updated.iter().zip(&anew) {
                prop_assert_eq!(updated, anew);
            }
            prop_assert_eq!(updated.len(), anew.len());
            past.push(files.clone());
        }
    }
}

#[test]
fn shares_the_nodes_that_an_edit_does_not_touch() {
    let (environment, sample) = (environment(), PROJECTS.last().expect("the sample").clone());
    let before = parse(sample.input(&environment));
    let path = before.nodes.values().find(|node| node.resource_type == ResourceType::Model).expect("a model");
    let (path, id) = (path.original_file_path.clone(), path.unique_id.clone());
    let mut edited = sample.clone();
    edited.tree.insert(path, File::new(Mode::Regular, *b"select 1 as one"));
    let after = before.update(edited.input(&environment));
    let same = |node: &&Arc<Node>| after.nodes.shared().any(|other| Arc::ptr_eq(node, other));
    let read: Vec<&str> =
        before.nodes.shared().filter(|node| !same(node)).map(|node| node.unique_id.as_str()).collect();
    assert!(read.contains(&id.as_str()));
    let reread = |id: &&&str| id.starts_with("model.") || id.starts_with("source.");
    assert_eq!(read.iter().filter(reread).collect::<Vec<_>>(), [&id.as_str()]);
}
