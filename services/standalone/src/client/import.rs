//! `dvt import`: sends a folder to the gateway.

use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use dvt_dbt::tree::{Mode, Tree};
use dvt_domain::branch::LeftOut;
use dvt_domain::import::{self, Options, Taken};
use serde::Deserialize;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use super::Gateway;
use super::http::{Client, Listed, Refused};
use crate::{files, output};

const EXECUTABLE_MODE: u32 = 0o755;
const REGULAR_MODE: u32 = 0o644;

/// Says what to import, and as what.
pub(super) struct Folder {
    pub(super) dir: PathBuf,
    pub(super) name: Option<String>,
    pub(super) root: Option<String>,
    pub(super) into: Option<String>,
}

#[derive(Deserialize)]
struct Report {
    project_id: String,
    name: String,
    taken: u64,
    changes: Vec<FileDifference>,
    #[serde(default)]
    packages_missing: Vec<MissingPackage>,
    diagnostics: Vec<Diagnostic>,
    diagnostic_count: u64,
    node_counts: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct FileDifference {
    path: String,
    change: String,
}

#[derive(Deserialize)]
struct MissingPackage {
    name: String,
    how: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    severity: String,
    code: String,
    message: String,
    place: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    path: String,
    line: u32,
    column: u32,
}

/// Imports a folder and shows what the gateway made of it.
///
/// # Errors
/// When the folder cannot be read or the gateway refuses it.
pub(super) async fn import(gateway: &Gateway, folder: Folder) -> anyhow::Result<ExitCode> {
    let client = Client::new(gateway)?;
    let into = match &folder.into {
        Some(project) => Some(client.project(project).await?),
        None => None,
    };
    let known = match &into {
        Some(project) => client.common(project).await?,
        None => Vec::new(),
    };
    let root = into.as_ref().map(|project| &*project.root).or(folder.root.as_deref());
    let entries = files::read_tracked(&folder.dir, root, known.iter().map(|file| &*file.path))?;
    // What the gateway would leave out, secrets above all, never leaves this machine.
    let taken = import::take(entries, Options { root, is_listed: true }).map_err(refused)?;
    let keep: Vec<_> = taken.left_out.iter().map(|file| &*file.path).filter(|path| is_known(&known, path)).collect();
    let query = [
        ("listed", Some("true".to_owned())),
        ("source", source(&folder)),
        ("name", folder.name),
        ("root", Some(taken.root.clone())),
        ("keep", (!keep.is_empty()).then(|| keep.join("\n"))),
        ("into", into.map(|project| project.project_id)),
    ];
    let query: Vec<_> = query.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let request = client.post("projects/import")?.query(&query);
    let request = request.header("Content-Type", "application/zip").body(pack(&taken)?);
    let mut answer: Value = client.json(request).await?;
    if gateway.json {
        answer["left_out"] = serde_json::to_value(&taken.left_out)?;
        output::print_json(&answer)?;
    } else {
        let report = serde_json::from_value(answer).context("could not understand the gateway's answer")?;
        show(&report, &taken.left_out, folder.into.is_some())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_known(known: &[Listed], path: &str) -> bool {
    known.iter().any(|file| file.path == path)
}

/// Answers what the history calls the folder: its name.
fn source(folder: &Folder) -> Option<String> {
    Some(folder.dir.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned())
}

/// Says as the gateway would why nothing is taken.
fn refused(error: import::Error) -> Refused {
    let mut problem = json!({"code": error.code(), "detail": error.to_string()});
    if let import::Error::Roots(roots) = error {
        problem["pointer"] = "root".into();
        problem["roots"] = roots.into();
    }
    Refused(problem)
}

/// Packs what was taken as a zip whose top is the repository's.
pub(super) fn pack(taken: &Taken) -> anyhow::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    add(&mut zip, &taken.tree, "")?;
    let root = if taken.root.is_empty() { String::new() } else { format!("{}/", taken.root) };
    add(&mut zip, &taken.packages, &root)?;
    Ok(zip.finish()?.into_inner())
}

fn add(zip: &mut zip::ZipWriter<Cursor<Vec<u8>>>, tree: &Tree, prefix: &str) -> anyhow::Result<()> {
    for (path, file) in tree.iter() {
        let mode = match file.mode {
            Mode::Regular => REGULAR_MODE,
            Mode::Executable => EXECUTABLE_MODE,
        };
        zip.start_file(format!("{prefix}{path}"), SimpleFileOptions::default().unix_permissions(mode))?;
        zip.write_all(&file.bytes)?;
    }
    Ok(())
}

fn show(report: &Report, left_out: &[LeftOut], is_working_copy: bool) -> anyhow::Result<()> {
    let counts: Vec<_> = report.node_counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    output::print_line(&format!("{}  {}  {} files", report.name, report.project_id, report.taken))?;
    output::print_line(&counts.join(", "))?;
    for FileDifference { path, change } in &report.changes {
        output::print_line(&format!("{change} {path}"))?;
    }
    if is_working_copy && report.changes.is_empty() {
        output::print_line("the project has all of it already")?;
    }
    for LeftOut { path, reason } in left_out {
        output::print_line(&format!("left out {path}: {reason}"))?;
    }
    for MissingPackage { name, how } in &report.packages_missing {
        output::print_line(&format!("package {name} is missing: {how}"))?;
    }
    for Diagnostic { severity, code, message, place } in &report.diagnostics {
        let place = place.as_ref().map(|place| format!("{}:{}:{}: ", place.path, place.line, place.column));
        output::print_line(&format!("{}{severity} {code}: {message}", place.unwrap_or_default()))?;
    }
    let more = report.diagnostic_count.saturating_sub(report.diagnostics.len() as u64);
    if more > 0 {
        output::print_line(&format!("and {more} more"))?;
    }
    Ok(())
}
