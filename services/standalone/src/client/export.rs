//! `dvt export`: writes a project's files into a folder.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::Gateway;
use super::http::Client;
use crate::output;

const REGULAR_MODE: u32 = 0o644;

/// Says where to write.
pub(super) struct Into {
    pub(super) dir: PathBuf,
    pub(super) force: bool,
}

struct Exported {
    path: PathBuf,
    bytes: Vec<u8>,
    mode: u32,
}

/// Downloads a project and writes it into a folder: every file or none.
///
/// # Errors
/// When the gateway refuses, or a file in the folder differs and may not be overwritten.
pub(super) async fn export(gateway: &Gateway, project: &str, into: Into) -> anyhow::Result<ExitCode> {
    let client = Client::new(gateway)?;
    let project = client.project(project).await?;
    let request = client.get(&format!("projects/{}/download", project.project_id))?;
    let archive = client.send(request).await?.bytes().await.context("could not read the gateway's answer")?;
    let files = unpack(&archive, &into.dir)?;
    if !into.force {
        refuse_to_overwrite(&files)?;
    }
    for file in &files {
        write(file).with_context(|| format!("could not write {}", file.path.display()))?;
    }
    if gateway.json {
        output::print_json(&serde_json::json!({"project_id": project.project_id, "files": files.len()}))?;
    } else {
        output::print_line(&format!("{} files of {} in {}", files.len(), project.name, into.dir.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn unpack(archive: &[u8], dir: &Path) -> anyhow::Result<Vec<Exported>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).context("could not read the gateway's archive")?;
    let mut files = Vec::with_capacity(zip.len());
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        if entry.is_dir() {
            continue;
        }
        let Some(inside) = entry.enclosed_name() else { bail!("the archive's `{}` leaves the folder", entry.name()) };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push(Exported { path: dir.join(inside), bytes, mode: entry.unix_mode().unwrap_or(REGULAR_MODE) });
    }
    Ok(files)
}

fn refuse_to_overwrite(files: &[Exported]) -> anyhow::Result<()> {
    let differs = |file: &&Exported| file.path.exists() && fs::read(&file.path).ok().as_ref() != Some(&file.bytes);
    match files.iter().filter(differs).count() {
        0 => Ok(()),
        count => {
            let first = files.iter().find(differs).expect("invariant: one differs");
            bail!("{count} files in the folder differ, {} first; --force overwrites them", first.path.display())
        }
    }
}

fn write(file: &Exported) -> std::io::Result<()> {
    if let Some(folder) = file.path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&file.path, &file.bytes)?;
    fs::set_permissions(&file.path, fs::Permissions::from_mode(file.mode & 0o777))
}
