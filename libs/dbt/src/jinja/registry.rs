//! All macros in scope: the project's, its packages' and dbt's own, each compiled when it is first called.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::api::{Macro, MacroSource};
use super::blocks::{Block, BlockKind, blocks};
use super::error::{Code, Error};
use super::ir::{MacroDef, Stmt, Template};
use super::lower::{Piece, template};
use super::place::Before;
use crate::diagnostic::{Diagnostic, Severity};

/// The packages that dbt itself brings, the adapter's last: its macros win.
pub(crate) const INTERNAL: [&str; 2] = ["dbt", "dbt_postgres"];

type Compiled = Result<(Arc<Template>, Arc<MacroDef>), Error>;

/// Is one macro and its source.
pub(crate) struct Entry {
    pub(crate) info: Macro,
    file: Arc<str>,
    compiled: OnceLock<Compiled>,
}

impl Entry {
    /// Answers the macro ready to run.
    pub(crate) fn compiled(&self) -> Compiled {
        self.compiled.get_or_init(|| self.compile()).clone()
    }

    /// Answers the text of the macro's file.
    pub(crate) fn file(&self) -> &Arc<str> {
        &self.file
    }

    fn compile(&self) -> Compiled {
        let piece = Piece {
            path: &self.info.path,
            file: &self.file,
            range: self.info.span.clone(),
            shift: 0,
            before: Before::default(),
        };
        let template = Arc::new(template(&piece)?);
        let def = template.body.iter().find_map(|statement| match statement {
            Stmt::Macro(def) => Some(def.clone()),
            _ => None,
        });
        let missing = || Error::new(Code::TemplateSyntax, format!("{} holds no macro", self.info.unique_id));
        Ok((template, def.ok_or_else(missing)?))
    }
}

/// Finds macros by package and name.
pub(crate) struct Registry {
    entries: Vec<Entry>,
    packages: HashMap<String, HashMap<String, usize>>,
    internal: HashMap<String, usize>,
}

impl Registry {
    /// Reads all macro files; what cannot be read is a diagnostic on its file.
    pub(crate) fn new<'a>(sources: impl Iterator<Item = &'a MacroSource>) -> (Self, Vec<Diagnostic>) {
        let mut registry = Self { entries: Vec::new(), packages: HashMap::new(), internal: HashMap::new() };
        let mut diagnostics = Vec::new();
        for source in sources {
            match blocks(&source.source) {
                Ok(found) => {
                    for block in found {
                        if let Err(error) = registry.add(source, &block) {
                            diagnostics.push(diagnostic(source, &block, error));
                        }
                    }
                }
                Err(error) => diagnostics.push(Diagnostic {
                    severity: Severity::Error,
                    code: error.code.as_str().to_owned(),
                    message: error.message,
                    place: Some(super::place::place_of(&source.path, &source.source, 0)),
                    unique_id: None,
                }),
            }
        }
        (registry, diagnostics)
    }

    fn add(&mut self, source: &MacroSource, block: &Block<'_>) -> Result<(), Error> {
        let mut materialization = None;
        let name = match &block.kind {
            BlockKind::Macro => block.name.to_owned(),
            BlockKind::Test => format!("test_{}", block.name),
            BlockKind::Materialization { adapter } => {
                let adapter = adapter.clone().unwrap_or_else(|| "default".to_owned());
                materialization = Some((block.name.to_owned(), adapter.clone()));
                format!("materialization_{}_{adapter}", block.name)
            }
            BlockKind::Snapshot | BlockKind::Docs => return Ok(()),
        };
        let index = self.entries.len();
        let internal = INTERNAL.contains(&source.package.as_str());
        if let Some(other) = self.packages.entry(source.package.clone()).or_default().insert(name.clone(), index) {
            let (name, path) = (&self.entries[other].info.name, &self.entries[other].info.path);
            let message = format!("the macro `{name}` is already defined in {path}");
            self.packages.entry(source.package.clone()).or_default().insert(name.clone(), other);
            return Err(Error::new(Code::MacroDuplicate, message));
        }
        if internal {
            self.internal.insert(name.clone(), index);
        }
        self.entries.push(Entry {
            info: Macro {
                unique_id: format!("macro.{}.{name}", source.package),
                name,
                package: source.package.clone(),
                path: source.path.clone(),
                span: block.span.clone(),
                arguments: arguments(block.args),
                macro_sql: block.source.to_owned(),
                depends_on_macros: Vec::new(),
                materialization,
            },
            file: source.source.clone(),
            compiled: OnceLock::new(),
        });
        Ok(())
    }

    pub(crate) fn entry(&self, index: usize) -> &Entry {
        &self.entries[index]
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Finds a macro of a package; `dbt` stands for all of dbt's own.
    pub(crate) fn in_package(&self, package: &str, name: &str) -> Option<usize> {
        if package == "dbt" {
            return self.internal.get(name).copied();
        }
        self.packages.get(package)?.get(name).copied()
    }

    /// Says whether a name is a package's namespace.
    pub(crate) fn is_package(&self, name: &str) -> bool {
        name == "dbt" || (self.packages.contains_key(name) && !INTERNAL.contains(&name))
    }

    /// Finds what a node of `package` calls by a bare name: its own package's, the root's, dbt's.
    pub(crate) fn visible(&self, package: &str, root: &str, name: &str) -> Option<usize> {
        let own = |package: &str| self.packages.get(package).and_then(|macros| macros.get(name)).copied();
        let own = |package: &str| if INTERNAL.contains(&package) { None } else { own(package) };
        own(package).or_else(|| own(root)).or_else(|| self.internal.get(name).copied())
    }

    /// Finds a macro by its name alone: the package's own, the root's, any package's, dbt's.
    pub(crate) fn by_name(&self, package: &str, root: &str, name: &str) -> Option<usize> {
        let own = |package: &str| self.packages.get(package).and_then(|macros| macros.get(name)).copied();
        let anywhere = || {
            self.entries.iter().rposition(|entry| entry.info.name == name && !INTERNAL.contains(&&*entry.info.package))
        };
        own(package).or_else(|| own(root)).or_else(anywhere).or_else(|| self.internal.get(name).copied())
    }

    /// Finds a macro that the project or a package may override: the root's, then any package's, then dbt's.
    pub(crate) fn overridable(&self, package: &str, root: &str, name: &str) -> Option<usize> {
        self.packages
            .get(root)
            .and_then(|macros| macros.get(name))
            .or_else(|| self.packages.get(package).and_then(|macros| macros.get(name)))
            .copied()
            .or_else(|| self.internal.get(name).copied())
    }
}

fn diagnostic(source: &MacroSource, block: &Block<'_>, error: Error) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        code: error.code.as_str().to_owned(),
        message: error.message,
        place: Some(super::place::place_of(&source.path, &source.source, block.span.start)),
        unique_id: None,
    }
}

/// Reads the parameters' names out of `(a, b=1)`.
fn arguments(text: &str) -> Vec<String> {
    let inner = text.strip_prefix('(').unwrap_or_default();
    let inner = inner.strip_suffix(')').unwrap_or(inner);
    let (mut names, mut depth, mut start, mut quote) = (Vec::new(), 0i32, 0, None);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                let name = inner[start..at].split(['=', ':']).next().unwrap_or_default().trim();
                if !name.is_empty() {
                    names.push(name.to_owned());
                }
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    names
}
