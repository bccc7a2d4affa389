//! Parsed projects: the same files are parsed once for an environment, and what they have in common with files that
//! were parsed before is taken from there. Bounded; the least used goes first.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use dvt_dbt::diagnostic::Severity;
use dvt_dbt::environment::Environment;
use dvt_dbt::node::{Node, UniqueId};
use dvt_dbt::parse::{ParseInput, Project, parse};
use dvt_dbt::tree::{Mode, Sha256};
use dvt_domain::branch::Branch;
use dvt_runtime::metrics;
use lru::LruCache;
use tokio::sync::OnceCell;

/// How many parsed projects are kept in memory.
const PROJECTS_MAX: NonZeroUsize = NonZeroUsize::new(32).expect("invariant: not zero");
/// How many nodes all of them may have, each version of a project counted. A node takes about 8 KiB, and 1 KiB where an
/// earlier version has it too.
const NODES_MAX: usize = 200_000;

/// Says how the files of a branch are read as a project.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The folder of dbt_project.yml.
    pub root: String,
    pub environment: Environment,
}

/// Names what a parse depends on: the files and how they are read. Not a version, which may never come to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Sha256);

impl Key {
    /// Names the files of a branch in an environment.
    pub fn new(branch: &Branch, reading: &Reading) -> Self {
        let Reading { root, environment } = reading;
        let mut bytes = serde_json::to_vec(&(root, environment)).expect("invariant: an environment is JSON");
        for tree in [&branch.tree, &branch.packages] {
            bytes.extend((tree.len() as u64).to_be_bytes());
            for (path, file) in tree.iter() {
                bytes.extend((path.len() as u64).to_be_bytes());
                bytes.extend(path.as_bytes());
                bytes.push(u8::from(file.mode == Mode::Executable));
                bytes.extend(file.sha256.0);
            }
        }
        Self(Sha256::of(&bytes))
    }

    /// Names what all of a project is read with: files of the same kin may have been read into the same nodes.
    fn kin(branch: &Branch, reading: &Reading) -> Self {
        let Reading { root, environment } = reading;
        let definition = match root.trim_matches('/') {
            "" => "dbt_project.yml".to_owned(),
            folder => format!("{folder}/dbt_project.yml"),
        };
        let definition = branch.tree.find(&definition).map(|file| file.sha256.0);
        Self(Sha256::of(&serde_json::to_vec(&(root, environment, definition)).expect("invariant: hashes are JSON")))
    }
}

/// Counts what is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    pub errors: usize,
    pub warnings: usize,
}

/// Is a parsed project with what readers ask for all the time.
#[derive(Debug)]
pub struct Parsed {
    pub project: Project,
    /// The tests of each node, by its unique_id.
    pub tests: HashMap<UniqueId, Vec<UniqueId>>,
    /// What is wrong with each node, its tests included.
    pub problems: HashMap<UniqueId, Problems>,
    /// What is wrong in all.
    pub total: Problems,
}

/// Says whether a node is shown as a badge of others, not as a node of its own.
pub fn is_badge(node: &Node) -> bool {
    matches!(node.resource_type.as_str(), "test" | "unit_test")
}

impl From<Project> for Parsed {
    fn from(project: Project) -> Self {
        let mut tests: HashMap<UniqueId, Vec<UniqueId>> = HashMap::new();
        for node in project.nodes().values().filter(|node| is_badge(node)) {
            let attached = node.test.as_ref().map(|test| vec![test.attached_node.clone()]);
            for parent in attached.unwrap_or_else(|| node.depends_on.nodes.clone()) {
                tests.entry(parent).or_default().push(node.unique_id.clone());
            }
        }
        let owner: HashMap<&UniqueId, &UniqueId> =
            tests.iter().flat_map(|(node, tests)| tests.iter().map(move |test| (test, node))).collect();
        let (mut problems, mut total) = (HashMap::<UniqueId, Problems>::new(), Problems::default());
        for diagnostic in project.diagnostics() {
            count(&mut total, diagnostic.severity);
            if let Some(unique_id) = &diagnostic.unique_id {
                let shown = owner.get(unique_id).copied().unwrap_or(unique_id);
                count(problems.entry(shown.clone()).or_default(), diagnostic.severity);
            }
        }
        Self { project, tests, problems, total }
    }
}

fn count(problems: &mut Problems, severity: Severity) {
    match severity {
        Severity::Error => problems.errors += 1,
        Severity::Warning => problems.warnings += 1,
    }
}

type Cell = Arc<OnceCell<Arc<Parsed>>>;

/// Is a parse that is known or under way.
struct Known {
    kin: Key,
    cell: Cell,
}

/// Parses projects and remembers them.
pub struct Parses {
    known: Mutex<LruCache<Key, Known>>,
}

impl Default for Parses {
    fn default() -> Self {
        Self { known: Mutex::new(LruCache::new(PROJECTS_MAX)) }
    }
}

impl Parses {
    /// Answers the files of `branch` as a project; whoever asks for the same at the same
    /// time waits for one parse.
    ///
    /// # Errors
    /// When the parser panics.
    pub async fn get(&self, branch: &Branch, reading: &Reading) -> Result<Arc<Parsed>, tokio::task::JoinError> {
        let (cell, alike) = self.cell(branch, reading);
        let parsed = cell.get_or_try_init(|| async {
            let (branch, reading) = (branch.clone(), reading.clone());
            let read = move || {
                let (tree, packages) = (&branch.tree, &branch.packages);
                let Reading { root, environment } = &reading;
                let begun = Instant::now();
                let input = ParseInput { tree, root, packages, environment };
                let project = alike.map_or_else(|| parse(input), |alike| alike.project.update(input));
                metrics::PARSE_SECONDS.observe(["gateway"], begun.elapsed());
                Arc::new(Parsed::from(project))
            };
            tokio::task::spawn_blocking(read).await
        });
        let parsed = parsed.await.cloned();
        self.bound();
        parsed
    }

    /// Keeps what the files of `branch` were parsed into while an edit was decided.
    pub fn keep(&self, branch: &Branch, reading: &Reading, project: Project) {
        // A cell that is being filled gives the same result.
        let _ = self.cell(branch, reading).0.set(Arc::new(Parsed::from(project)));
        self.bound();
    }

    /// Answers the place of a parse, and the last one of its kin, which it can be read from.
    fn cell(&self, branch: &Branch, reading: &Reading) -> (Cell, Option<Arc<Parsed>>) {
        let (key, kin) = (Key::new(branch, reading), Key::kin(branch, reading));
        let mut known = self.lock();
        let alike = known.iter().filter(|(_, known)| known.kin == kin).find_map(|(_, known)| known.cell.get()).cloned();
        (known.get_or_insert(key, || Known { kin, cell: Cell::default() }).cell.clone(), alike)
    }

    /// Forgets the least used where all that is known has too many nodes; the last used stays.
    fn bound(&self) {
        let mut known = self.lock();
        let nodes = |known: &Known| known.cell.get().map_or(0, |parsed| parsed.project.nodes().len());
        let mut total: usize = known.iter().map(|(_, known)| nodes(known)).sum();
        while total > NODES_MAX && known.len() > 1 {
            total -= known.pop_lru().map_or(0, |(_, known)| nodes(&known));
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<Key, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
