//! Reads the nodes that have files of their own: models, seeds, snapshots, analyses, singular tests; and the hooks of
//! dbt_project.yml, which dbt reads as nodes too.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::memory::{Same, Settled};
use super::package::Below;
use super::patch::{Patch, Patches};
use super::properties::{Entry, not_text};
use super::read::{Reader, fqn};
use crate::diagnostic::{Diagnostic, Severity};
use crate::jinja::blocks::{BlockKind, blocks};
use crate::jinja::{Before, Code, Error};
use crate::node::{Node, ResourceType};
use crate::{SQL_BYTES_MAX, yaml};

/// Seeds beyond this many bytes are compared by their paths.
const SEED_BYTES_MAX: usize = 1024 * 1024;

/// The kinds that are read from folders: their folders' key and the endings of their files.
const KINDS: [(ResourceType, &str, &[&str]); 5] = [
    (ResourceType::Model, "model-paths", &[".sql", ".py"]),
    (ResourceType::Snapshot, "snapshot-paths", &[".sql"]),
    (ResourceType::Analysis, "analysis-paths", &[".sql"]),
    (ResourceType::Test, "test-paths", &[".sql"]),
    (ResourceType::Seed, "seed-paths", &[".csv"]),
];

/// Is a node as its file alone tells it, with the place of its package.
type Draft = (usize, Arc<Node>);

impl Reader<'_> {
    /// Reads the files of all packages.
    pub(super) fn files(&mut self, patches: &Patches<'_>) {
        let mut drafts: Vec<Draft> = Vec::new();
        let mut found = Vec::new();
        for at in 0..self.packages.len() {
            for (kind, key, endings) in KINDS {
                let folders = self.packages[at].definition.paths(key);
                for file in self.packages[at].below(&folders, endings) {
                    let (key, sha256) = ((at, kind, file.path.clone()), file.file.sha256);
                    let known = self.before.drafts.get(&key).filter(|(known, _)| *known == sha256);
                    let read = known.map(|(_, read)| read.clone());
                    let read = read.unwrap_or_else(|| Arc::new(self.drafts(at, kind, &file)));
                    match &*read {
                        Ok(nodes) => drafts.extend(nodes.iter().map(|node| (at, node.clone()))),
                        Err(diagnostic) => found.push(diagnostic.clone()),
                    }
                    self.memory.drafts.insert(key, (sha256, read));
                }
            }
            self.unsupported(at, &mut found);
        }
        self.project.diagnostics.extend(found);
        let known: HashSet<(usize, ResourceType, String)> =
            drafts.iter().map(|(at, node)| (*at, node.resource_type, node.name.clone())).collect();
        for (at, draft) in drafts {
            let kind = draft.resource_type;
            let is_known = |at: usize, name: &str| known.contains(&(at, kind, name.to_owned()));
            self.settle_or_known((at, draft.clone()), patches.find(&draft, at, &is_known));
        }
        for at in 0..self.packages.len() {
            self.anew(|reader| reader.operations(at));
        }
    }

    /// Settles a node, unless that was done with the same YAML.
    fn settle_or_known(&mut self, (at, draft): Draft, patch: Option<Patch<'_>>) {
        let key = Same(draft.clone());
        let with = patch.map(|patch| (Same(patch.entry.clone()), patch.version));
        let known = self.before.settled.get(&key).filter(|known| known.patch == with);
        let told = known.map(|known| known.told.clone()).unwrap_or_else(|| {
            self.told(|reader| {
                let mut node = Node::clone(&draft);
                if let Some(patch) = &patch {
                    patch.name(&mut node);
                    patch.describe(&mut node);
                }
                let calls = reader.parse_code(&mut node);
                reader.settle(at, node, (patch, calls));
            })
        });
        self.hear(&told);
        self.memory.settled.insert(key, Settled { patch: with, told });
    }

    /// Makes the nodes of a file as far as it tells alone.
    fn drafts(&self, at: usize, kind: ResourceType, file: &Below<'_>) -> Result<Vec<Arc<Node>>, Diagnostic> {
        let folder = file.relative.split('/').next().unwrap_or_default();
        if kind == ResourceType::Test && matches!(folder, "generic" | "fixtures") {
            return Ok(Vec::new());
        }
        if kind == ResourceType::Seed {
            return Ok(vec![Arc::new(self.seed(at, file))]);
        }
        let text = file.file.text().ok_or_else(|| not_text(file.path))?;
        match kind {
            ResourceType::Snapshot => self.snapshots_of(at, file, text),
            _ => Ok(vec![Arc::new(self.code_file(at, kind, (file, text)))]),
        }
    }

    /// Makes a node of a file that holds nothing but its code.
    fn code_file(&self, at: usize, kind: ResourceType, (file, text): (&Below<'_>, &str)) -> Node {
        let mut node = self.blank(at, kind, stem(file.relative));
        let prefix = if kind == ResourceType::Analysis { "analysis/" } else { "" };
        node.path = format!("{prefix}{}", file.relative);
        node.fqn = fqn(&node.package_name, &node.path, &[&node.name]);
        node.original_file_path = file.path.clone();
        let code = text.trim();
        node.code_offset = text.len() - text.trim_start().len();
        node.code_before = Before::of(text, node.code_offset);
        node.raw_code = code.to_owned();
        node.checksum = Some(sha256(code.as_bytes()));
        if file.relative.ends_with(".py") {
            node.language = "python".to_owned();
        }
        node
    }

    fn seed(&self, at: usize, file: &Below<'_>) -> Node {
        let mut node = self.blank(at, ResourceType::Seed, stem(file.relative));
        node.path = file.relative.to_owned();
        node.fqn = fqn(&node.package_name, file.relative, &[&node.name]);
        node.original_file_path = file.path.clone();
        node.checksum = Some(match file.file.text() {
            Some(text) if text.len() <= SEED_BYTES_MAX => sha256(text.trim().as_bytes()),
            Some(_) | None => sha256(file.local.as_bytes()),
        });
        node
    }

    fn snapshots_of(&self, at: usize, file: &Below<'_>, text: &str) -> Result<Vec<Arc<Node>>, Diagnostic> {
        let found = blocks(text).map_err(|error| Diagnostic {
            severity: Severity::Error,
            code: error.code.as_str().to_owned(),
            message: error.message,
            place: Some(yaml::place_of(file.path, text, 0)),
            unique_id: None,
        })?;
        let snapshots = found.into_iter().filter(|block| block.kind == BlockKind::Snapshot).map(|block| {
            let mut node = self.blank(at, ResourceType::Snapshot, block.name);
            node.path = file.relative.to_owned();
            let file_name = stem(file.relative);
            node.fqn = fqn(&node.package_name, file.relative, &[file_name, block.name]);
            node.original_file_path = file.path.clone();
            node.code_offset = block.body.start;
            node.code_before = Before::of(text, block.body.start);
            node.raw_code = text[block.body].to_owned();
            node.checksum = Some(sha256(text.trim().as_bytes()));
            Arc::new(node)
        });
        Ok(snapshots.collect())
    }

    /// Reads `on-run-start` and `on-run-end`.
    fn operations(&mut self, at: usize) {
        let definition = &self.packages[at].definition;
        let hooks: Vec<(&str, usize, String)> = ["on-run-start", "on-run-end"]
            .into_iter()
            .flat_map(|key| {
                definition.run_hooks(key).into_iter().enumerate().map(move |(index, sql)| (key, index, sql))
            })
            .collect();
        let (file, checksum) = (definition.path().clone(), sha256(definition.text().trim().as_bytes()));
        for (key, index, sql) in hooks {
            let name = format!("{}-{key}-{index}", self.packages[at].definition.name);
            let mut node = self.blank(at, ResourceType::Operation, &name);
            node.path = format!("hooks/{name}.sql");
            node.fqn = fqn(&node.package_name, &node.path, &[&name]);
            node.original_file_path = file.clone();
            node.raw_code = sql;
            node.checksum = Some(checksum.clone());
            node.tags = vec![key.to_owned()];
            node.properties.insert("index".to_owned(), json!(index));
            let calls = self.parse_code(&mut node);
            self.settle(at, node, (None, calls));
        }
    }

    /// Says what stands in a package's folders that is not read.
    fn unsupported(&self, at: usize, found: &mut Vec<Diagnostic>) {
        let package = &self.packages[at];
        for file in package.below(&package.definition.paths("function-paths"), &[".sql", ".py"]) {
            let place = Some(yaml::place_of(file.path, "", 0));
            let (code, message) = ("MEMBER_NOT_SUPPORTED".to_owned(), "functions are not supported yet".to_owned());
            found.push(Diagnostic { severity: Severity::Error, code, message, place, unique_id: None });
        }
    }

    /// Reads a node's code as dbt's first pass does, and answers its `config()` calls.
    pub(super) fn parse_code(&mut self, node: &mut Node) -> Vec<serde_json::Map<String, serde_json::Value>> {
        if node.resource_type == ResourceType::Seed {
            return Vec::new();
        }
        if node.language == "python" {
            let error = Error::new(Code::MemberNotSupported, "models in Python are not supported yet");
            let place = Some(yaml::place_of(&node.original_file_path, "", 0));
            self.report(&node.unique_id, error.at(|| place));
            return Vec::new();
        }
        if node.raw_code.len() > SQL_BYTES_MAX {
            let message = format!("the SQL has {} bytes, the limit is {SQL_BYTES_MAX}", node.raw_code.len());
            let place = self.place_in_code(node, 0);
            self.report(&node.unique_id, Error::new(Code::SqlTooLarge, message).at(|| place));
            return Vec::new();
        }
        let mut context = super::graph::context_of(node);
        if context.schema.is_empty() {
            // As dbt guesses before the config is known.
            let environment = &self.project.engine.settings().environment;
            (context.database, context.schema) = (environment.database.clone(), environment.schema.clone());
        }
        match self.project.engine.parse(&context) {
            Ok(parsed) => {
                self.judge(node, &context, &parsed);
                node.refs.extend(parsed.refs);
                node.sources.extend(parsed.sources);
                node.metrics.extend(parsed.metrics);
                node.depends_on.macros.extend(parsed.macros);
                parsed.config_calls
            }
            Err(error) => {
                let place = Some(yaml::place_of(&node.original_file_path, "", 0));
                self.report(&node.unique_id, error.at(|| place));
                Vec::new()
            }
        }
    }

    /// Warns of entries that describe nothing.
    pub(super) fn unused(&mut self, entries: &[Arc<Entry>]) {
        let nodes = self.project.nodes.values().chain(self.project.disabled.values());
        let known: HashSet<(&str, &str)> =
            nodes.map(|node| (node.resource_type.as_str(), node.name.as_str())).collect();
        let unused = entries.iter().filter(|entry| match entry.section {
            "models" => !known.contains(&("model", entry.name.as_str())),
            "seeds" => !known.contains(&("seed", entry.name.as_str())),
            "snapshots" => !known.contains(&("snapshot", entry.name.as_str())),
            "analyses" => !known.contains(&("analysis", entry.name.as_str())),
            _ => false,
        });
        let warnings = unused.map(|entry| Diagnostic {
            severity: Severity::Warning,
            code: "PROPERTIES_UNUSED".to_owned(),
            ..entry.broken(format!("nothing in `{}` is named {}", entry.section, entry.name))
        });
        let warnings: Vec<Diagnostic> = warnings.collect();
        self.project.diagnostics.extend(warnings);
    }
}

/// Answers the name of a file without its last ending.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
