//! Writes what dbt writes: target/manifest.json and target/compiled/.

use std::fs;
use std::path::Path;

use anyhow::Context;
use dvt_dbt::compile::Compilation;
use dvt_dbt::manifest;
use dvt_dbt::node::Node;
use dvt_dbt::parse::Project;
use serde_json::Value;

/// Writes the manifest.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn manifest(target: &Path, manifest: &Value) -> anyhow::Result<()> {
    write(&target.join("manifest.json"), &serde_json::to_vec(manifest)?)
}

/// Writes the SQL of one node, if it is known and dbt writes it.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn compiled(target: &Path, project: &Project, node: &Node, outcome: &Compilation) -> anyhow::Result<()> {
    let compiled = match outcome {
        Compilation::Compiled(compiled) => Some(compiled),
        Compilation::Deferred(deferred) => deferred.full.as_ref(),
        Compilation::Broken(_) => None,
    };
    match compiled.filter(|_| manifest::is_written(node)) {
        Some(compiled) => {
            let path = target.join("compiled").join(manifest::compiled_path(project, node));
            write(&path, compiled.sql.as_bytes())
        }
        None => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().expect("invariant: a file is in a folder");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .with_context(|| format!("could not write {}", path.display()))
}
