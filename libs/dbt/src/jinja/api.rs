//! What goes into the engine and what comes out of it: plain data, and the two questions it asks of others.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::error::Error;
use super::place::Before;
use crate::environment::Environment;
use crate::tree::Path;

/// Is one file of macros, or of generic tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroSource {
    pub package: String,
    /// The path in the tree (for a package: below `dbt_packages/`).
    pub path: Path,
    pub source: Arc<str>,
}

/// Says where `adapter.dispatch` looks for the macros of one namespace (`dispatch:` of dbt_project.yml).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DispatchConfig {
    pub macro_namespace: String,
    pub search_order: Vec<String>,
}

/// Holds what a project sets once for all of its templates.
#[derive(Clone, Debug)]
pub struct Settings {
    pub environment: Environment,
    pub root_package: String,
    /// All packages but the root, in dbt's order of loading.
    pub packages: Vec<String>,
    /// The `version` of each package and of the root, as its dbt_project.yml writes it.
    pub versions: Map<String, Json>,
    /// The `flags:` of the root's dbt_project.yml.
    pub flags: Map<String, Json>,
    pub dispatch: Vec<DispatchConfig>,
    /// What `var()` answers in each package: dbt_project.yml's global and package-scoped values, merged as dbt merges
    /// them. `environment.vars` win over all of them.
    pub vars: Map<String, Json>,
    /// The `quoting:` of the root's dbt_project.yml; each of database, schema, identifier defaults to true.
    pub quoting: Quoting,
    /// The command as dbt names it: `build`, `run`, `compile`, `test`, …
    pub which: String,
    pub full_refresh: bool,
}

/// Says which parts of a relation's name are quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoting {
    pub database: bool,
    pub schema: bool,
    pub identifier: bool,
}

impl Default for Quoting {
    fn default() -> Self {
        Self { database: true, schema: true, identifier: true }
    }
}

/// Describes the node whose text is rendered.
#[derive(Clone, Debug, Default)]
pub struct NodeContext {
    pub unique_id: String,
    pub name: String,
    pub package: String,
    /// dbt's: `model`, `test`, `snapshot`, `analysis`, `operation`, `seed`, …
    pub resource_type: String,
    /// Where `raw_code` stands in the tree, and at which byte it begins there.
    pub path: Path,
    pub offset: usize,
    /// Counts what stands before `raw_code` there.
    pub before: Before,
    pub raw_code: Arc<str>,
    /// The text is no query but a script of any statements: a hook.
    pub is_script: bool,
    /// `this`; at parse time dbt's guesses of them will do.
    pub database: String,
    pub schema: String,
    pub alias: String,
    /// The resolved config that `config.get` answers from; in pass 1 unused.
    pub config: Map<String, Json>,
    /// The node as the manifest shows it: the context member `model`.
    pub model: Map<String, Json>,
    /// `_dbt_generic_test_kwargs` of a generic test, as written; strings with Jinja in them are rendered as dbt does.
    pub test_kwargs: Option<Map<String, Json>>,
    /// The unique ids the node may `ref()` in pass 2 (`depends_on.nodes`); None asks no such question.
    pub depends_on: Option<Vec<String>>,
    /// Where the node's text is rendered for a unit test: what that one says of its surroundings.
    pub unit_test: Option<Arc<Overrides>>,
}

/// Is what a unit test puts in the place of the surroundings of the model that it tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// What stands for the model's own relation; None where the test gives no rows for it.
    pub this: Option<Resolved>,
    /// What macros answer, by `name` or `package.name`, whatever they are called with; other members of the context too.
    pub macros: Map<String, Json>,
    pub vars: Map<String, Json>,
    pub env_vars: Map<String, Json>,
}

/// Is one `ref()` call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RefCall {
    pub package: Option<String>,
    pub name: String,
    pub version: Option<Json>,
}

/// Tells what pass 1 found in a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// In the order of their calls, repeated as they are called.
    pub refs: Vec<RefCall>,
    pub sources: Vec<[String; 2]>,
    pub metrics: Vec<Vec<String>>,
    /// Each `config(...)` call's keyword arguments, in order.
    pub config_calls: Vec<Map<String, Json>>,
    /// `depends_on.macros`: what the node itself calls, in dbt's order.
    pub macros: Vec<String>,
    pub reads: Reads,
    /// The rendered text, as pass 1 sees it.
    pub text: String,
    /// Where each piece of the text comes from.
    pub source_map: Vec<SourceSpan>,
    /// The text may have another shape in pass 2: something was asked that pass 1 does not know.
    pub is_guess: bool,
}

/// Names what a rendering read of the outside, so that a change elsewhere can tell whether to read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    pub vars: Vec<String>,
    pub env_vars: Vec<String>,
    pub target: Vec<String>,
    /// Every macro that ran, at any depth.
    pub macros: Vec<String>,
    pub is_incremental: bool,
}

/// Says for whom a YAML string is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum YamlScope {
    /// dbt_project.yml, packages.yml, selectors.yml, properties files: `var`, `env_var`, `target`, …; native types.
    Project { package: String },
    /// profiles.yml: `var` and `env_var` only; native types.
    Profile,
}

/// Is a node that `ref()` or `source()` found.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    pub unique_id: String,
    pub database: Option<String>,
    pub schema: String,
    pub identifier: String,
    pub quoting: Quoting,
    /// An ephemeral model: becomes a CTE of the node that refers to it.
    pub ephemeral: bool,
    /// `model`, `source`, `seed`, `snapshot`; decides nothing but `relation.type`.
    pub resource_type: String,
}

/// Resolves names in the parsed project.
pub trait Graph {
    /// Finds what `ref()` of `from` names.
    ///
    /// # Errors
    /// REF_NOT_FOUND with the closest names, NODE_DISABLED, REF_AMBIGUOUS.
    fn resolve_ref(&self, from: &NodeContext, call: &RefCall) -> Result<Resolved, Error>;

    /// Finds what `source()` of `from` names.
    ///
    /// # Errors
    /// SOURCE_NOT_FOUND with the closest names, NODE_DISABLED.
    fn resolve_source(&self, from: &NodeContext, source: &str, table: &str) -> Result<Resolved, Error>;

    /// Answers dbt's `graph` (`nodes`, `sources`, `exposures`, `metrics`, `groups` by unique_id). Asked only by templates that read it.
    fn flat_graph(&self) -> Json;

    /// Answers [`Graph::flat_graph`] to be kept; whoever renders many nodes answers the same one each time.
    fn shared_graph(&self) -> Arc<Json> {
        Arc::new(self.flat_graph())
    }

    /// Answers the node with this unique_id as the manifest shows it.
    fn node(&self, unique_id: &str) -> Option<Json>;
}

/// Is a relation that exists in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingRelation {
    pub database: String,
    pub schema: String,
    pub identifier: String,
    /// `table`, `view`, `materialized_view`, …
    pub kind: String,
}

/// Is a column of a relation in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingColumn {
    pub name: String,
    /// As dbt's adapter reports it, e.g. `character varying`.
    pub data_type: String,
    pub char_size: Option<i64>,
    pub numeric_precision: Option<i64>,
    pub numeric_scale: Option<i64>,
}

/// Is the answer to a statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryResult {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Json>>,
    /// As dbt's adapter response prints: `SELECT 3`.
    pub message: String,
}

/// Answers what only the target knows. Synchronous: an implementation blocks on its own connection.
pub trait Database {
    /// # Errors
    /// DATABASE_ERROR with the database's own message.
    fn get_relation(&self, database: &str, schema: &str, identifier: &str) -> Result<Option<ExistingRelation>, Error>;

    /// # Errors
    /// DATABASE_ERROR with the database's own message.
    fn columns(&self, database: &str, schema: &str, identifier: &str) -> Result<Vec<ExistingColumn>, Error>;

    /// # Errors
    /// DATABASE_ERROR with the database's own message.
    fn list_relations(&self, database: &str, schema: &str) -> Result<Vec<ExistingRelation>, Error>;

    /// # Errors
    /// DATABASE_ERROR with the database's own message.
    fn query(&self, sql: &str) -> Result<QueryResult, Error>;

    /// The run's own values.
    fn run(&self) -> RunValues;
}

/// Holds what only a run knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunValues {
    pub invocation_id: String,
    /// RFC 3339 in UTC.
    pub started_at: String,
    pub thread_id: String,
    /// The unique_ids of the nodes that it selects.
    pub selected: Arc<[String]>,
    /// The command as dbt names it.
    pub which: String,
    pub full_refresh: bool,
}

/// Says which piece of a file produced a piece of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpan {
    pub output: Range<usize>,
    pub path: Path,
    pub source: Range<usize>,
}

/// Is what pass 2 made of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    pub sql: String,
    /// Ascending by `output`, without overlaps.
    pub source_map: Vec<SourceSpan>,
    /// The ephemeral models that were referred to, in order.
    pub ctes: Vec<String>,
    /// Why the run must render this node again; None when the text is final. Where it is Some, `sql` is empty unless
    /// only `is_incremental()` was asked: then it is the full refresh's rendering.
    pub deferred: Option<String>,
    /// What the node itself called: dbt adds it to what pass 1 found in `depends_on.macros`.
    pub macros: Vec<String>,
    pub reads: Reads,
}

/// Describes one macro of the project, its packages, or dbt's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Macro {
    /// `macro.PACKAGE.NAME`.
    pub unique_id: String,
    /// With dbt's prefixes: `test_x`, `materialization_x_default`.
    pub name: String,
    pub package: String,
    pub path: Path,
    /// Where the block stands in the file.
    pub span: Range<usize>,
    pub arguments: Vec<String>,
    pub macro_sql: String,
    pub depends_on_macros: Vec<String>,
    /// For a materialization: the adapter, `default` where none is named.
    pub materialization: Option<(String, String)>,
}
