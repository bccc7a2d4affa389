//! The engine: macros and settings once, then any number of renderings.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::Value as Json;

use super::api::{Database, Graph, Macro, MacroSource, NodeContext, Parsed, Rendered, Settings, SourceSpan, YamlScope};
use super::call::DbtMacro;
use super::error::{Code, Error};
use super::ir::Template;
use super::json::{from_json, to_json};
use super::lower::{Piece, template};
use super::native;
use super::place::{Before, copied, place_of};
use super::registry::Registry;
use super::value::Object as _;
use super::vm::{Args, Out, Phase, Stop, Vm};
use crate::diagnostic::{Diagnostic, Place};

/// The templates that are kept compiled; beyond, all are forgotten.
const MAX_CACHED: usize = 20_000;

/// Renders everything of one project in one environment. Cheap to clone; built once for its macros and settings.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({} macros)", self.inner.registry.entries().len())
    }
}

/// Is what all renderings share.
pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) registry: Registry,
    pub(crate) empty: Arc<Template>,
    cache: Mutex<HashMap<Arc<str>, Arc<Template>>>,
    macros: OnceLock<Vec<Macro>>,
}

impl Inner {
    pub(crate) fn template(&self, node: &NodeContext, text: &Arc<str>) -> Result<Arc<Template>, Error> {
        let is_here =
            |made: &&Arc<Template>| made.path == node.path && made.shift == node.offset && made.before == node.before;
        let cached = |cache: &HashMap<Arc<str>, Arc<Template>>| cache.get(text).filter(is_here).cloned();
        if let Some(found) = cached(&self.cache.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(found);
        }
        let piece =
            Piece { path: &node.path, file: text, range: 0..text.len(), shift: node.offset, before: node.before };
        let made = Arc::new(template(&piece)?);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        cache.insert(text.clone(), made.clone());
        Ok(made)
    }
}

impl Engine {
    /// Reads the macros of the project and its packages; dbt's own are always there.
    pub fn new(sources: &[MacroSource], settings: Settings) -> (Self, Vec<Diagnostic>) {
        let builtin = crate::macros::sources();
        let (registry, diagnostics) = Registry::new(builtin.iter().chain(sources));
        let empty = Template {
            path: "".into(),
            file: "".into(),
            offset: 0,
            shift: 0,
            before: Before::default(),
            body: Vec::new(),
        };
        let inner =
            Inner { settings, registry, empty: Arc::new(empty), cache: Mutex::default(), macros: OnceLock::new() };
        (Self { inner: Arc::new(inner) }, diagnostics)
    }

    /// Answers what the engine was built with.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Answers where a byte of a rendered text comes from: of one of the texts `nodes`, or of a macro's file.
    pub fn place(&self, nodes: &[&NodeContext], source_map: &[SourceSpan], at: usize) -> Option<Place> {
        let after = source_map.partition_point(|span| span.output.start <= at);
        let span = source_map.get(after.checked_sub(1)?)?;
        let node = nodes.iter().find(|node| node.path == span.path && span.source.start >= node.offset);
        let (file, shift, before) = match node {
            Some(node) => (&node.raw_code, node.offset, node.before),
            None => {
                let entry = self.inner.registry.entries().iter().find(|entry| entry.info.path == span.path)?;
                (entry.file(), 0, Before::default())
            }
        };
        let start = span.source.start - shift;
        let piece = file.get(start..span.source.end.checked_sub(shift)?)?;
        let byte = start + copied(piece.as_bytes(), span.output.len(), at - span.output.start).unwrap_or(0);
        Some(before.shift(place_of(&span.path, file, byte)))
    }

    /// Lists all macros: dbt's own under the packages `dbt` and `dbt_postgres`, then the sources' in their order.
    pub fn macros(&self) -> &[Macro] {
        self.inner.macros.get_or_init(|| super::depends::with_dependencies(&self.inner))
    }

    /// Reads a node as dbt's first pass does: nothing is known of the graph, `execute` is false.
    ///
    /// # Errors
    /// When the template cannot be read or rendered.
    pub fn parse(&self, node: &NodeContext) -> Result<Parsed, Error> {
        self.parse_with(node, false)
    }

    /// Reads a node as [`Engine::parse`] does, and tells where each piece of the text comes from.
    ///
    /// # Errors
    /// As [`Engine::parse`].
    pub fn parse_mapped(&self, node: &NodeContext) -> Result<Parsed, Error> {
        self.parse_with(node, true)
    }

    fn parse_with(&self, node: &NodeContext, map_source: bool) -> Result<Parsed, Error> {
        let mut vm = Vm::new(&self.inner, node, Phase::Parse);
        (vm.lenient, vm.map_source) = (true, map_source);
        self.test_arguments(&mut vm, node)?;
        let template = self.inner.template(node, &node.raw_code)?;
        let mut out = Out::default();
        vm.render(&template, &mut out)?;
        (vm.record.text, vm.record.source_map) = (out.text, out.spans);
        if let Some(index) = self.test_macro(node) {
            let visible = self.visible_to_test(index);
            vm.record.macros.retain(|called| visible.contains(called.as_str()));
        }
        Ok(vm.record)
    }

    /// In pass 1 dbt shows a generic test only its own macro, `get_where_subquery`, and what those two depend on.
    fn visible_to_test(&self, index: usize) -> HashSet<&str> {
        let own = &self.inner.registry.entry(index).info.unique_id;
        let all = self.macros();
        let mut visible = HashSet::new();
        for named in all.iter().filter(|known| known.unique_id == *own || known.name == "get_where_subquery") {
            visible.insert(named.unique_id.as_str());
            visible.extend(named.depends_on_macros.iter().map(String::as_str));
        }
        visible
    }

    /// Finds the macro of a generic test by its name alone, as dbt does.
    fn test_macro(&self, node: &NodeContext) -> Option<usize> {
        node.test_kwargs.as_ref()?;
        let called = test_macro(&node.raw_code)?;
        let name = called.rsplit('.').next().unwrap_or(called);
        let registry = &self.inner.registry;
        registry.by_name(&node.package, &self.inner.settings.root_package, name)
    }

    /// Reads another text of a node as [`Engine::parse`] reads its own: a hook, a column's expression.
    ///
    /// # Errors
    /// As [`Engine::parse`].
    pub fn parse_text(&self, node: &NodeContext, text: &str) -> Result<Parsed, Error> {
        self.parse(&NodeContext { raw_code: Arc::from(text), test_kwargs: None, ..node.clone() })
    }

    /// Renders a node as dbt's second pass does.
    ///
    /// # Errors
    /// When the template cannot be rendered. That it needs what only a run has is no error: `deferred` says so.
    pub fn compile(
        &self,
        node: &NodeContext,
        graph: &dyn Graph,
        database: Option<&dyn Database>,
    ) -> Result<Rendered, Error> {
        let full = self.render_node(node, graph, database, None)?;
        let asked =
            full.reads.is_incremental && node.config.get("materialized").and_then(Json::as_str) == Some("incremental");
        if asked && database.is_none() && full.deferred.is_none() {
            return Ok(Rendered { deferred: Some("it asks is_incremental()".to_owned()), ..full });
        }
        Ok(full)
    }

    /// Renders a node with `is_incremental()` answered.
    ///
    /// # Errors
    /// As [`Engine::compile`].
    pub fn compile_incremental(
        &self,
        node: &NodeContext,
        graph: &dyn Graph,
        incremental: bool,
    ) -> Result<Rendered, Error> {
        self.render_node(node, graph, None, Some(incremental))
    }

    fn render_node(
        &self,
        node: &NodeContext,
        graph: &dyn Graph,
        database: Option<&dyn Database>,
        incremental: Option<bool>,
    ) -> Result<Rendered, Error> {
        let mut vm = Vm::new(&self.inner, node, Phase::Run);
        (vm.graph, vm.database, vm.incremental, vm.map_source) = (Some(graph), database, incremental, true);
        let mut out = Out::default();
        let rendered = self
            .test_arguments(&mut vm, node)
            .and_then(|()| self.inner.template(node, &node.raw_code))
            .and_then(|template| vm.render(&template, &mut out));
        let (ctes, macros, reads) = (vm.ctes, vm.record.macros, vm.record.reads);
        match rendered {
            Ok(()) => Ok(Rendered { sql: out.text, source_map: out.spans, ctes, deferred: None, macros, reads }),
            Err(error) if error.code == Code::Deferred => {
                Ok(Rendered { deferred: Some(error.message), macros, reads, ..Rendered::default() })
            }
            Err(error) => Err(error),
        }
    }

    /// Renders a generic test's arguments natively, as dbt does before the test itself.
    fn test_arguments(&self, vm: &mut Vm<'_>, node: &NodeContext) -> Result<(), Error> {
        let Some(kwargs) = &node.test_kwargs else { return Ok(()) };
        if let Some(index) = self.test_macro(node) {
            vm.record.macros.push(self.inner.registry.entry(index).info.unique_id.clone());
        }
        let rendered = native::test_arguments(vm, kwargs)?;
        vm.members.insert("_dbt_generic_test_kwargs".to_owned(), rendered);
        Ok(())
    }

    /// Renders a string of a YAML file to the type dbt gives it.
    ///
    /// # Errors
    /// When the template cannot be read or rendered.
    pub fn render_value(&self, text: &str, scope: &YamlScope) -> Result<Json, Error> {
        let (phase, package) = match scope {
            YamlScope::Project { package } => (Phase::Yaml, package.clone()),
            YamlScope::Profile => (Phase::Profile, String::new()),
        };
        let node = NodeContext { package, path: "".into(), ..NodeContext::default() };
        let mut vm = Vm::new(&self.inner, &node, phase);
        native::render(&mut vm, text).map(|value| to_json(&value))
    }

    /// Calls a macro by its name: the root project's, the node's package's, else dbt's own.
    ///
    /// # Errors
    /// MACRO_NOT_FOUND, or what the macro fails with.
    pub fn call_macro(&self, name: &str, args: &[Json], node: &NodeContext) -> Result<Json, Error> {
        let registry = &self.inner.registry;
        let index = registry.overridable(&node.package, &self.inner.settings.root_package, name);
        let missing = || Error::new(Code::MacroNotFound, format!("there is no macro `{name}`"));
        let callee = DbtMacro { index: index.ok_or_else(missing)? };
        let mut vm = Vm::new(&self.inner, node, Phase::Parse);
        match callee.call(&mut vm, Args::of(args.iter().map(from_json).collect())) {
            Ok(value) => Ok(to_json(&value)),
            Err(Stop::Error(error)) => Err(*error),
            Err(Stop::Return(value)) => Ok(to_json(&value)),
            Err(Stop::Continue | Stop::Break) => Err(Error::runtime("loop control outside of a loop")),
        }
    }
}

/// Finds the macro that a generic test's text calls: `{{ test_x(**_dbt_generic_test_kwargs) }}`.
fn test_macro(raw: &str) -> Option<&str> {
    let start = raw.find("{{")? + 2;
    let end = raw[start..].find('(')? + start;
    Some(raw[start..end].trim())
}
